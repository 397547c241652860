"""Who may call the routes of tables."""

from __future__ import annotations

from tests.hub.authorisation.expected import Table, Things

TABLE: Table = {}

THINGS: Things = {}
