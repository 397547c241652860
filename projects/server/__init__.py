"""The roof: one process that serves the chosen apps."""
