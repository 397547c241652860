"""Who may call the routes of sites."""

from __future__ import annotations

from itertools import count

from projects.hub.sites.satellites import Announcement
from tests.hub.authorisation.expected import May, Table, Things
from tests.hub.hub_world import Hub

_numbers = count()
HERE = {"nickname": "lab-1", "url": "http://lab-1.example.com:8001", "version": "1", "tools": []}

TABLE: Table = {
    ("POST", "/api/v1/satellites"): May("satellite", body={**HERE, "tools": "none"}),
    ("GET", "/api/v1/satellites"): May("read"),
    ("DELETE", "/api/v1/satellites/{satellite}"): May("admin", fresh=True),
}


def _satellite(hub: Hub) -> str:
    name = f"lab-{next(_numbers)}"
    said = Announcement(name, f"http://{name}.example.com:8001", "1", [])
    hub.world.app.state.sites.satellites.note(said, "sat")
    return name


THINGS: Things = {"satellite": _satellite}
