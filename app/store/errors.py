"""What the store raises, whichever database is behind it. Messages are sentences for people, in lower case."""


class StoreError(Exception):
    """The root of everything the store raises by itself."""


class CannotOpen(StoreError):
    """The database may not be opened as configured: a bad address, a file in use, a schema that does not fit."""


class InUse(CannotOpen):
    """Another process has the embedded database."""


class DatabaseDown(StoreError):
    """The database cannot be reached or failed to commit. Nothing was acknowledged; trying again may help."""


class Conflict(StoreError):
    """A row with this key exists already."""


class Unstorable(StoreError):
    """A value that the database cannot hold: a NUL or a lone surrogate in a text, a time out of its range."""
