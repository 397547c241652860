"""What the tables of all rooms of the hub belong to.

Names of tables begin with `hub_`: on PostgreSQL they share a database with those of the jobs.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Integer, MetaData

metadata = MetaData()

Big = BigInteger().with_variant(Integer(), "sqlite")
"""For keys that count up: only an INTEGER key is the rowid itself in SQLite."""
