"""Processes: what runs beside and below us, where its text goes, and how it is made to stop."""
