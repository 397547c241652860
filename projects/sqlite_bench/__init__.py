"""The costs of SQLite's journal mode, synchronous level and batch size on this disk."""
