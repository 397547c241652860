"""A hub and a browser for each file of tests."""

from __future__ import annotations

from tests.end_to_end.in_browser.exported_runs import runs
from tests.end_to_end.in_browser.hub_server import chromium, hub_server, page, session, watched

__all__ = ["chromium", "hub_server", "page", "runs", "session", "watched"]
