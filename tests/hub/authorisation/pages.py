"""Who may call the routes of pages."""

from __future__ import annotations

from tests.hub.authorisation.expected import Table, Things

OPEN = ("/login",)
"""The pages that anybody may see."""

TABLE: Table = {}

THINGS: Things = {}
