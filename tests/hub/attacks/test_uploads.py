"""Uploads over bad roads, by those whose token ends meanwhile, and by those who only drip."""

from __future__ import annotations

import os
import socket
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from projects.core.destinations.export import export
from projects.core.destinations.hub import Hub as Destination
from projects.hub.artifacts import routes
from tests.components.cutting_proxy import cutting
from tests.hub.attacks.exports import begin
from tests.hub.hub_world import Hub, later

LARGE = 64 << 20
PIECE = 7 << 20
CONTENT = os.urandom(4 << 20)
DIGEST = sha256(CONTENT).hexdigest()


def test_a_large_file_arrives_whole_though_the_connection_breaks_again_and_again(
    hub: Hub, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    run.mkdir()
    (run / "large").write_bytes(os.urandom(LARGE))
    token = hub.world.token(hub.user("ann"))
    port = urlsplit(hub.address).port
    assert port is not None
    before = _peak(clear=True)
    with cutting(port, PIECE) as proxy:
        done = export(run, Destination(f"hub+{proxy.url}/nightly/1", token), scan=False)
        cuts = proxy.cuts
    assert cuts >= LARGE // PIECE
    assert done.copied == 1
    assert _peak() - before < LARGE // 2
    id_ = done.address.rpartition("/")[2]
    kept = hub.client("ann").get(f"/api/v1/artifacts/{id_}/manifest").json()["files"]
    assert [one["sha256"] for one in kept] == [sha256((run / "large").read_bytes()).hexdigest()]
    got = sha256()
    with hub.client("ann").stream("GET", f"/api/v1/artifacts/{id_}/files/large") as answer:
        for piece in answer.iter_raw():
            got.update(piece)
    assert got.hexdigest() == kept[0]["sha256"]


def _peak(*, clear: bool = False) -> int:
    """Return the most memory, in bytes, that this process, so the server, too, has had."""
    if clear:
        Path("/proc/self/clear_refs").write_text("5")
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) << 10


class Drip:
    """A PUT of `CONTENT`, sent by hand."""

    def __init__(self, hub: Hub, token: str, id_: str) -> None:
        to = urlsplit(hub.address)
        self.wire = socket.create_connection((to.hostname or "", to.port or 0), timeout=30)
        self.wire.sendall(
            f"PUT /api/v1/blobs/{DIGEST}?artifact={id_}&offset=0 HTTP/1.1\r\nHost: {to.netloc}\r\n"
            f"Authorization: Bearer {token}\r\nContent-Length: {len(CONTENT)}\r\n\r\n".encode()
        )

    def send(self, begin: int, end: int) -> None:
        self.wire.sendall(CONTENT[begin:end])

    def answer(self) -> bytes:
        """Return the answer; the server doesn't wait for the rest to be sent."""
        with self.wire, self.wire.makefile("rb") as come:
            head = b"".join(iter(come.readline, b"\r\n"))
            length = head.lower().partition(b"content-length: ")[2].split()[0]
            return head + come.read(int(length))


HALF = len(CONTENT) // 2


@pytest.mark.parametrize("how", ["revoked", "expired", "disabled"])
def test_a_token_that_ends_during_an_upload_ends_it_and_another_one_goes_on(
    hub: Hub, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    monkeypatch.setattr(routes, "LOOKS", 0.0)
    ann, member = (hub.client(hub.user(name)) for name in ("ann", "mo"))
    boss = hub.client(hub.user("boss", admin=True), "admin")
    team = hub.group("team", ["ann", "mo"])
    made = ann.post("/api/v1/tokens", json={"scopes": ["submit"], "lifetime": 3600.0}).json()
    id_ = begin(ann, "nightly/1", {"large": CONTENT}, groups=(team,))
    drip = Drip(hub, made["token"], id_)
    drip.send(0, HALF)
    state = f"/api/v1/blobs/{DIGEST}?artifact={id_}"
    hub.world.until(lambda: boss.get(state).json()["offset"])
    if how == "revoked":
        assert ann.delete(f"/api/v1/tokens/{made['id']}").status_code == httpx.codes.NO_CONTENT
    elif how == "disabled":
        boss.patch("/api/v1/users/ann", json={"disabled": True}).raise_for_status()
    else:
        later(monkeypatch, 3601)
    drip.send(HALF, HALF + (1 << 20))
    said = drip.answer()
    assert said.startswith(b"HTTP/1.1 401 ")
    assert b"the token is wrong, has expired or was revoked" in said
    boss.patch("/api/v1/users/ann", json={"disabled": False}).raise_for_status()
    assert member.get(f"/api/v1/artifacts/{id_}").status_code == httpx.codes.NOT_FOUND
    assert boss.get(f"/api/v1/artifacts/{id_}").json()["state"] == "sending"
    anew = hub.client("ann")
    at = anew.get(state).json()["offset"]
    assert 0 < at <= HALF + (1 << 20)
    rest = anew.put(f"{state}&offset={at}", content=CONTENT[at:])
    assert rest.json() == {"offset": len(CONTENT), "complete": True}
    anew.post(f"/api/v1/artifacts/{id_}/finish", json={}).raise_for_status()
    assert anew.get(f"/api/v1/artifacts/{id_}/files/large").content == CONTENT
