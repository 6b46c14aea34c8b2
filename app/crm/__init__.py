"""The CRMs: one adapter file each, where that vendor's words stop; and what all CRMs need. All of it is pure."""
