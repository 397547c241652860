"""Result tables: rows that tests upload, with typed columns."""
