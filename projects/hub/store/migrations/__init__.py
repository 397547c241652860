"""The migrations of the hub, run by Alembic."""
