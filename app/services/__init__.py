"""The services: one file a use case. Load, ask the engine, record."""
