"""The one history of the schema, for SQLite and PostgreSQL alike; run by app/store/migrate.py."""
