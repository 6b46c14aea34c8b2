"""Pages for people: clients of the public API and nothing more."""
