"""Where jobs are kept: SQLite in a folder, PostgreSQL by URL."""
