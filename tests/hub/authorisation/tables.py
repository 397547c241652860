"""Who may call the routes of tables."""

from __future__ import annotations

from itertools import count

from tests.hub.authorisation.expected import May, Table, Things
from tests.hub.hub_world import Hub

ONE = "/api/v1/tables/{test_system}/{test_name}"
_NUMBERS = count()

ACCEPTED = {
    "column": "latency",
    "since": "2026-01-02T00:00:00Z",
    "reason": "a new disk",
    "expires": "2999-01-01",
}

TABLE: Table = {
    ("GET", "/api/v1/tables"): May("read"),
    ("POST", "/tables/{test_system}/{test_name}/settings"): May("submit", "team changes"),
    ("GET", ONE): May("read", "team reads"),
    ("PATCH", ONE): May("submit", "team changes", body={}),
    ("POST", ONE + "/rows"): May("upload", "team reads", body={"latency": 1.5}),
    ("GET", ONE + "/rows"): May("read", "team reads"),
    ("GET", ONE + "/rows/{number}"): May("read", "team reads"),
    ("GET", ONE + "/groups"): May("read", "team reads", query="by=mode"),
    ("GET", ONE + "/rows.csv"): May("read", "team reads"),
    ("GET", ONE + "/rows.jsonl"): May("read", "team reads"),
    ("GET", ONE + "/rows.parquet"): May("read", "team reads"),
    ("GET", ONE + "/plot.svg"): May("read", "team reads", query="column=latency"),
    ("GET", ONE + "/verdict"): May("read", "team reads", query="column=latency"),
    ("GET", ONE + "/acknowledgements"): May("read", "team reads"),
    ("POST", ONE + "/acknowledgements"): May("submit", "team reads", body=ACCEPTED),
    ("DELETE", ONE + "/acknowledgements/{acknowledgement}"): May(
        "submit", "team reads", fresh=True
    ),
}


def _table(hub: Hub) -> str:
    """Make a table of `owner`, shared with `team` and with the group of the satellite's user."""
    owner = hub.client("owner")
    system = f"system {next(_NUMBERS)}"
    path = f"/api/v1/tables/{system}/{NAME}"
    owner.post(f"{path}/rows", json={"latency": 1.0, "mode": "wal"}).raise_for_status()
    standing = hub.accounts.standing_of("owner")
    if standing is not None and "satellites" not in standing.groups:
        hub.group("satellites", ["sat", "owner"])
    owner.patch(path, json={"groups": ["team", "satellites"]}).raise_for_status()
    made = owner.post(f"{path}/acknowledgements", json=ACCEPTED).raise_for_status()
    _last["acknowledgement"] = str(made.json()["number"])
    return system


NAME = "bench"
_last: dict[str, str] = {}

THINGS: Things = {
    "test_system": _table,
    "test_name": lambda _: NAME,
    "number": lambda _: "1",
    "acknowledgement": lambda _: _last["acknowledgement"],  # of the table made just before
}
