"""Who may call the routes of notifications."""

from __future__ import annotations

from tests.hub.authorisation.expected import Table, Things

TABLE: Table = {}

THINGS: Things = {}
