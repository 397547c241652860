"""Who may call the routes of artifacts."""

from __future__ import annotations

from hashlib import sha256
from itertools import count

from tests.hub.authorisation.expected import May, Table, Things
from tests.hub.hub_world import Hub

ONE = "/api/v1/artifacts/{id_}"
CONTENT = b'{"at": "2026-01-02T00:00:00Z", "type": "note", "id": "1"}\n'
DIGEST = sha256(CONTENT).hexdigest()
_NUMBERS = count()

OPEN = "artifact={open_run}"
BLOB = "/api/v1/blobs/{sha256}"
BATCH = "application/x-topgallant-batch"

TABLE: Table = {
    ("POST", "/api/v1/artifacts"): May("upload", body={}),
    ("GET", "/api/v1/artifacts"): May("read"),
    ("GET", "/api/v1/artifacts/compare"): May("read", "team reads", query="a={id_}&b={id_}"),
    ("GET", ONE): May("read", "team reads"),
    ("GET", ONE + "/manifest"): May("read", "team reads"),
    ("GET", ONE + "/files"): May("read", "team reads"),
    ("GET", ONE + "/files/{path:anything}"): May("read", "team reads"),
    ("GET", ONE + "/archive"): May("read", "team reads"),
    ("GET", ONE + "/timeline"): May("read", "team reads"),
    ("GET", ONE + "/log"): May("read", "team reads", query="path=stdout.log"),
    ("GET", ONE + "/draft/{path:anything}"): May("upload", "owner's", other={"id_": "open_run"}),
    ("PUT", ONE + "/lease"): May("upload", "owner's", body={"holder": "x", "release": True}),
    ("POST", ONE + "/finish"): May("upload", "owner's", body={}),
    ("POST", ONE + "/withdraw"): May("upload", "owner's", fresh=True),
    ("DELETE", ONE): May("upload", "owner's", fresh=True),
    ("GET", BLOB): May("upload", "owner's", query=OPEN),
    ("PUT", BLOB): May("upload", "owner's", query=f"{OPEN}&offset=0"),
    ("POST", "/api/v1/blobs"): May("upload", "owner's", query=OPEN, body=b"", media=BATCH),
    ("GET", "/api/v1/artifact-quotas"): May("admin"),
    ("POST", "/admin/quotas"): May("admin"),
    ("GET", "/api/v1/artifact-quotas/{user}"): May("read", "owner's"),
    ("PUT", "/api/v1/artifact-quotas/{user}"): May("admin", body={"quota": None}),
}


def begin(hub: Hub, owner: str, groups: list[str]) -> str:
    """Announce a run of somebody, and send what it holds."""
    client = hub.client(owner)
    names = ("stdout.log", "events.jsonl")
    files = [{"path": one, "size": len(CONTENT), "sha256": DIGEST, "mtime": ""} for one in names]
    wanted = {"place": f"runs/{next(_NUMBERS)}", "groups": groups, "files": files}
    begun = client.post("/api/v1/artifacts", json=wanted).raise_for_status().json()
    for one in begun["missing"]:
        blob = f"/api/v1/blobs/{one['sha256']}?artifact={begun['id']}&offset=0"
        client.put(blob, content=CONTENT).raise_for_status()
    return str(begun["id"])


def finished(hub: Hub, owner: str, groups: list[str]) -> str:
    """Export a run of somebody."""
    made = begin(hub, owner, groups)
    hub.client(owner).post(f"/api/v1/artifacts/{made}/finish", json={}).raise_for_status()
    return made


def _begin(hub: Hub) -> str:
    """Announce a run of `owner` for `team`, and send what it holds."""
    return begin(hub, "owner", ["team"])


def _run(hub: Hub) -> str:
    return finished(hub, "owner", ["team"])


THINGS: Things = {"id_": _run, "open_run": _begin, "sha256": lambda _: DIGEST}
