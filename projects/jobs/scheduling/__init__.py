"""Which job starts next: pure functions of what waits, what runs and the limits."""
