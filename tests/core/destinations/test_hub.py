"""The hub as a destination: what is sent again, whose place it is, what is said."""

from __future__ import annotations

import http.server
import json
import os
import threading
from pathlib import Path
from typing import Any

import pytest

from projects.core.destinations import hub as hubs
from projects.core.destinations import hub_client
from projects.core.destinations.export import export
from projects.core.destinations.hub import Hub
from projects.core.destinations.hub_address import HubPlace, HubRun, parse, parse_page
from projects.core.destinations.registry import open_destination
from projects.core.errors import ExportRefused, InfrastructureError, UsageError
from projects.core.secrets import masking
from tests.components.hub_server import HubServer


@pytest.fixture
def place(artifact_hub: HubServer) -> str:
    return f"{artifact_hub.address}/runs/1"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    root = tmp_path / "source"
    root.mkdir()
    for number in range(20):
        (root / f"{number}.log").write_bytes(b"%d" % (number % 7))
    return root


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the client asks, as `METHOD path`."""
    asked: list[str] = []
    once = hub_client.Client._once

    def noting(self: Any, method: str, path: str, *more: Any, **named: Any) -> Any:
        asked.append(f"{method} {path.rpartition('/')[2]}")
        return once(self, method, path, *more, **named)

    monkeypatch.setattr(hub_client.Client, "_once", noting)
    return asked


def test_equal_contents_are_sent_once_and_never_again(
    place: str, source: Path, sent: list[str]
) -> None:
    assert export(source, Hub(place)).copied == 20
    assert sent.count("POST blobs") == 1
    sent.clear()
    elsewhere = export(source, Hub(place.replace("runs/1", "runs/2")))
    assert (elsewhere.copied, elsewhere.skipped) == (0, 20)
    assert "POST blobs" not in sent


def test_the_address_is_a_page_and_the_same_every_time(place: str, source: Path) -> None:
    first, again = export(source, Hub(place)), export(source, Hub(place))
    assert first.address == again.address
    assert parse_page(first.address) is not None


def test_a_run_is_seen_as_it_was_until_the_export_that_replaces_it_is_complete(
    place: str, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export(source, Hub(place))
    (source / "0.log").write_text("changed")
    with monkeypatch.context() as patch:
        patch.setattr(Hub, "finish", _away)
        with pytest.raises(InfrastructureError, match="away"):
            export(source, Hub(place))
    with Hub(place).open_file("0.log") as content:
        assert content.read() == b"0"
    export(source, Hub(place))
    with Hub(place).open_file("0.log") as content:
        assert content.read() == b"changed"


def _away(*_: Any) -> None:
    raise InfrastructureError("away")


def test_an_end_that_was_not_heard_of_is_said_again(
    place: str, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken: list[str] = []
    once = hub_client.Client._once

    def breaking(self: Any, method: str, path: str, *more: Any, **named: Any) -> Any:
        answer = once(self, method, path, *more, **named)
        if path.endswith("/finish") and not broken:
            broken.append(path)
            raise ConnectionResetError
        return answer

    monkeypatch.setattr(hub_client.Client, "_once", breaking)
    assert export(source, Hub(place)).copied == 20
    assert broken


@pytest.mark.parametrize("status", [408, 429, 502, 503, 504])
def test_a_large_content_is_sent_again_when_the_hub_cannot_take_it_now(
    place: str, source: Path, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    (source / "large").write_bytes(os.urandom(1_000_000))
    refused: list[str] = []
    once = hub_client.Client._once

    def busy(self: Any, method: str, path: str, *more: Any, **named: Any) -> Any:
        if method == "PUT" and "/blobs/" in path and not refused:
            refused.append(path)
            return hub_client.Answer(status, {}, b"")
        return once(self, method, path, *more, **named)

    monkeypatch.setattr("time.sleep", lambda _: None)
    monkeypatch.setattr(hub_client.Client, "_once", busy)
    assert export(source, Hub(place)).copied == 21
    assert refused


def test_a_large_file_that_is_cut_while_it_is_sent_is_taken_as_it_is_then(
    place: str, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (source / "large").write_bytes(os.urandom(3_000_000))
    send = hub_client.Client.send

    def cutting(self: Any, path: str, *more: Any) -> int:
        os.truncate(source / "large", 2_000_000)
        return send(self, path, *more)

    monkeypatch.setattr("time.sleep", lambda _: None)
    monkeypatch.setattr(hub_client.Client, "send", cutting)
    assert export(source, Hub(place)).copied == 21
    assert Hub(place).sizes()["large"] == 2_000_000


def test_secrets_are_looked_for_before_anything_is_sent(
    place: str, source: Path, sent: list[str]
) -> None:
    masking.register("very-secret-value", "password")
    (source / "leak").write_text("very-secret-value")
    with pytest.raises(ExportRefused, match="leak"):
        export(source, Hub(place))
    assert not [one for one in sent if "blobs" in one]


def test_a_token_that_expires_in_the_middle_leaves_what_can_go_on(
    artifact_hub: HubServer, place: str, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (source / "large").write_bytes(os.urandom(1_000_000))
    send_batch, token = hub_client.Client.ask, artifact_hub.token_of("ada")

    def expiring(self: Any, method: str, path: str, *more: Any, **named: Any) -> Any:
        if path.endswith("/finish"):
            self._token = "tg_expired"
        return send_batch(self, method, path, *more, **named)

    monkeypatch.setattr(hub_client.Client, "ask", expiring)
    with pytest.raises(InfrastructureError, match="set TOPGALLANT_TOKEN"):
        export(source, Hub(place, artifact_hub.token))
    monkeypatch.setattr(hub_client.Client, "ask", send_batch)
    done = export(source, Hub(place, token))
    assert (done.copied, done.skipped) == (0, 21)


def test_the_place_of_a_killed_export_is_taken_over_at_once(
    artifact_hub: HubServer, place: str, source: Path
) -> None:
    dead = Hub(place)
    dead._said = {**dead._said, "pid": 1 << 22, "began": "1", "token": "gone"}
    dead._holder = json.dumps(dead._said)
    dead._begin()
    assert export(source, Hub(place)).copied == 20


def test_the_place_of_a_living_export_elsewhere_is_not_taken(
    artifact_hub: HubServer, place: str, source: Path
) -> None:
    other = Hub(place)
    other._holder = json.dumps({**other._said, "host": "elsewhere", "pid": 7})
    other._begin()
    with pytest.raises(InfrastructureError, match=r"another export .* \(process 7 on elsewhere\)"):
        export(source, Hub(place))


def test_a_lease_is_renewed(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    renewed = threading.Event()
    monkeypatch.setattr(hubs, "BEAT_SECONDS", 0.01)
    lease = Hub._lease

    def noting(self: Hub, *, release: bool) -> None:
        lease(self, release=release)
        renewed.set()

    monkeypatch.setattr(Hub, "_lease", noting)
    with Hub(place).reserve():
        assert renewed.wait(30)


def test_a_hub_that_is_away_is_said(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    with pytest.raises(InfrastructureError, match="the hub doesn't answer"):
        export(source, Hub("hub+http://127.0.0.1:1/runs/1", "tg_token"))


def test_a_quota_that_is_used_up_is_said(artifact_hub: HubServer, place: str, source: Path) -> None:
    artifact_hub.artifacts.quotas.set_own("ada", 5)
    with pytest.raises(InfrastructureError, match="ada may keep 5 bytes"):
        export(source, Hub(place))


def test_a_satellite_may_export_twice(artifact_hub: HubServer, place: str, source: Path) -> None:
    token = artifact_hub.token_of("ada", ("satellite",))
    assert export(source, Hub(place, token)).copied == 20
    (source / "0.log").write_text("changed")
    done = export(source, Hub(place, token))
    assert (done.copied, done.skipped) == (1, 19)


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("hub://host/a/b", HubPlace("https://host", "a/b")),
        ("hub+http://127.0.0.1:8000/a%20b/", HubPlace("http://127.0.0.1:8000", "a b")),
        ("hub+https://[::1]:1", HubPlace("https://[::1]:1", "")),
    ],
)
def test_addresses(address: str, found: HubPlace) -> None:
    assert parse(address) == found


@pytest.mark.parametrize(
    "address", ["hub://", "hub://u:p@host/a", "hub://host/a?b", "hub://host/#a", "hub://host:x/a"]
)
def test_addresses_that_are_none(address: str) -> None:
    with pytest.raises(UsageError) as raised:
        open_destination(address)
    assert "u:p" not in str(raised.value)


def test_a_content_that_a_proxy_sends_in_pieces_is_read_to_its_end() -> None:
    class Proxy(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n")

        def log_message(self, *_: Any) -> None: ...

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Proxy) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        client = hub_client.Client(f"http://127.0.0.1:{server.server_port}", "")
        try:
            with hubs.open_file(client, "/a", "a") as content:
                assert content.read(2) + content.read() == b"onetwo"
                assert content.read(1) == b""
        finally:
            server.shutdown()
            thread.join()


def test_pages() -> None:
    id_ = "kw0dZmh4R42lb2yZH7kGBA"
    page = f"https://hub.example/artifacts/{id_}"
    assert parse_page(f"{page}/deep/file") == HubRun(
        f"{page}/deep/file", "https://hub.example", id_
    )
    for other in (f"{page}x", "https://hub.example/artifacts/", "", "s3://artifacts/x"):
        assert parse_page(other) is None


def test_a_token_is_found_in_the_environment_or_a_file(tmp_path: Path) -> None:
    file = tmp_path / "topgallant" / "tokens" / "hub.example_443"
    file.parent.mkdir(parents=True)
    environ = {"XDG_STATE_HOME": str(tmp_path)}
    assert hub_client.token_for("https://hub.example", environ) == ""
    file.write_text("tg_file\n")
    assert hub_client.token_for("https://HUB.example", environ) == "tg_file"
    assert hub_client.token_for("https://hub.example", {"TOPGALLANT_TOKEN": "tg_env"}) == "tg_env"
