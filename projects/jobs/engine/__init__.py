"""The loop that joins store, scheduling and a backend."""
