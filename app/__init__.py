"""Stagerail: stage gating for any CRM. One process file, one verdict, every reason."""

__version__ = "0.1.0"
