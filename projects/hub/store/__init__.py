"""The database of the hub."""
