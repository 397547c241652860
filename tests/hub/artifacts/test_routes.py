"""The routes of artifacts: who may, what is refused, and that broken connections go on."""

from __future__ import annotations

import errno
import http.client
import json
import os
import socket
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

import httpx
import pytest

from projects.hub.artifacts import blobs, routes
from tests.components.hub_server import HubServer


@pytest.fixture
def hub(artifact_hub: HubServer) -> HubServer:
    return artifact_hub


@pytest.fixture
def ada(hub: HubServer) -> Iterator[httpx.Client]:
    with caller(hub, hub.token) as client:
        yield client


def caller(hub: HubServer, token: str) -> httpx.Client:
    return httpx.Client(base_url=f"{hub.url}/api/v1", headers={"Authorization": f"Bearer {token}"})


def listed(files: dict[str, bytes]) -> list[dict[str, Any]]:
    return [
        {"path": path, "size": len(one), "sha256": sha256(one).hexdigest(), "mtime": ""}
        for path, one in files.items()
    ]


def export(client: httpx.Client, place: str, files: dict[str, bytes], **more: Any) -> str:
    begun = client.post("/artifacts", json={"place": place, "files": listed(files), **more})
    assert begun.status_code == 201, begun.text
    id_: str = begun.json()["id"]
    contents = {sha256(one).hexdigest(): one for one in files.values()}
    for missing in begun.json()["missing"]:
        name = missing["sha256"]
        put = client.put(f"/blobs/{name}?artifact={id_}&offset=0", content=contents[name])
        assert put.json() == {"offset": missing["size"], "complete": True}
    done = client.post(f"/artifacts/{id_}/finish", json={})
    assert done.status_code == 200, done.text
    return id_


READS = [
    "/artifacts/{}",
    "/artifacts/{}/manifest",
    "/artifacts/{}/files",
    "/artifacts/{}/files/a.txt",
    "/artifacts/{}/archive",
    "/artifacts/{}/timeline",
    "/artifacts/{}/log?path=a.txt",
    "/artifacts/compare?a={0}&b={0}",
]
FILES = {"a.txt": b"one\ntwo\n", "events.jsonl": b"", "page.html": b"<script>1</script>"}


@pytest.mark.parametrize("route", READS)
def test_who_may_read(hub: HubServer, ada: httpx.Client, route: str) -> None:
    hub.members.update(ada=("team",), bob=("team",), eve=("others",))
    private = export(ada, "runs/1", FILES)
    shared = export(ada, "runs/2", FILES, groups=["team"])
    tokens = {name: hub.token_of(name, ("read",)) for name in ("bob", "eve")}
    tokens["root"] = hub.token_of("root", ("admin",))
    tokens["satellite"] = hub.token_of("ada", ("satellite",))
    statuses = {}
    for name, token in tokens.items():
        with caller(hub, token) as client:
            statuses[name] = [
                client.get(route.format(id_)).status_code for id_ in (private, shared)
            ]
    assert statuses == {
        "bob": [404, 200],
        "eve": [404, 404],
        "root": [200, 200],
        "satellite": [403, 403],
    }
    assert [ada.get(route.format(id_)).status_code for id_ in (private, shared)] == [200, 200]
    assert httpx.get(f"{hub.url}/api/v1{route.format(private)}").status_code == 401


def test_who_may_change(hub: HubServer, ada: httpx.Client) -> None:
    hub.members.update(ada=("team",), bob=("team",))
    id_ = export(ada, "runs/1", FILES, groups=["team"])
    name = sha256(FILES["a.txt"]).hexdigest()
    with caller(hub, hub.token_of("bob")) as bob:
        answers = [
            bob.post(f"/artifacts/{id_}/finish", json={}),
            bob.post(f"/artifacts/{id_}/withdraw"),
            bob.put(f"/artifacts/{id_}/lease", json={"holder": ""}),
            bob.delete(f"/artifacts/{id_}"),
            bob.get(f"/blobs/{name}?artifact={id_}"),
            bob.put(f"/blobs/{name}?artifact={id_}", content=FILES["a.txt"]),
            bob.get(f"/artifacts/{id_}/draft/a.txt"),
            bob.get("/artifact-quotas/ada"),
        ]
        assert [one.status_code for one in answers] == [404] * len(answers)
        assert bob.put("/artifact-quotas/bob", json={"quota": None}).status_code == 403
        other = bob.post("/artifacts", json={"place": "x", "groups": ["not-his"]})
        assert (other.status_code, other.json()["error"]["message"]) == (
            422,
            "groups: 'not-his' is none of yours",
        )
    with caller(hub, hub.token_of("ada", ("satellite",))) as satellite:
        assert satellite.delete(f"/artifacts/{id_}").status_code == 404
        export(satellite, "runs/2", FILES)
    assert ada.delete(f"/artifacts/{id_}").status_code == 204
    assert ada.get(f"/artifacts/{id_}").status_code == 404


@pytest.mark.parametrize(
    "path",
    ["../../../etc/passwd", "..%2f..%2fetc%2fpasswd", "%2e%2e/hub.db", "/etc/passwd", "%00",
     "a.txt/", "%ff"],
)  # fmt: skip
def test_no_path_leads_out(hub: HubServer, ada: httpx.Client, path: str) -> None:
    id_ = export(ada, "runs/1", FILES)
    host = hub.url.removeprefix("http://")
    connection = http.client.HTTPConnection(host)
    connection.putrequest("GET", f"/api/v1/artifacts/{id_}/files/{path}", skip_host=True)
    connection.putheader("Host", host)
    connection.putheader("Authorization", f"Bearer {hub.token}")
    connection.endheaders()
    assert connection.getresponse().status == 404
    connection.close()


@pytest.mark.parametrize("path", ["{}%2Ffiles/a.txt", "{}/files%2Fa.txt", "{}/%66iles/a.txt"])
def test_an_address_may_be_encoded_as_anybody_likes(
    hub: HubServer, ada: httpx.Client, path: str
) -> None:
    id_ = export(ada, "runs/1", FILES)
    with httpx.Client(headers={"Authorization": f"Bearer {hub.token}"}) as client:
        url = httpx.URL(hub.url).copy_with(
            raw_path=b"/api/v1/artifacts/" + path.format(id_).encode()
        )
        found = client.get(url)
    assert (found.status_code, found.content) == (200, FILES["a.txt"])


def test_bodies_that_lie_are_refused(ada: httpx.Client) -> None:
    content = b"x" * 100_000
    name = sha256(content).hexdigest()
    begun = ada.post("/artifacts", json={"place": "r", "files": listed({"a": content})})
    id_ = begun.json()["id"]
    to = f"/blobs/{name}?artifact={id_}"
    assert ada.put(f"{to}&offset=5", content=content[5:]).status_code == 409
    assert ada.put(to, content=content + b"more").status_code == 422
    assert ada.put(to, content=b"y" * 100_000).status_code in (409, 422)
    other = ada.put(f"/blobs/{'0' * 64}?artifact={id_}", content=b"")
    assert other.status_code == 404
    assert ada.put(f"/blobs/{name.upper()}?artifact={id_}", content=b"").status_code == 422
    assert ada.post(f"/artifacts/{id_}/finish", json={}).status_code == 409
    batch = b"%s 3\nabc" % sha256(b"abc").hexdigest().encode()
    headers = {"Content-Type": "application/x-topgallant-batch"}
    answer = ada.post(f"/blobs?artifact={id_}", content=batch, headers=headers)
    assert answer.status_code == 404
    assert ada.post(f"/blobs?artifact={id_}", content=batch).status_code == 415


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{", b"[" * 100_000, b'{"place": ""}', b'{"place": "../x"}', b'{"plaze": "x"}',
     b'{"place": "x", "files": 3}', b'{"place": "x", "files": [{"path": "../a"}]}',
     b'{"place": "x\\ud800"}', b'{"place": "x", "groups": "team"}', b'{"place": "x\\u0000"}',
     b'{"place": "x", "project": "\\ud800"}', b'{"place": "x", "holder": 5}'],
)  # fmt: skip
def test_manifests_that_are_none_are_refused(ada: httpx.Client, body: bytes) -> None:
    answer = ada.post("/artifacts", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422, answer.text


def test_a_large_content_over_a_broken_connection_goes_on(
    hub: HubServer, ada: httpx.Client
) -> None:
    content = os.urandom(5_000_000)
    name = sha256(content).hexdigest()
    begun = ada.post("/artifacts", json={"place": "r", "files": listed({"a": content})})
    id_ = begun.json()["id"]
    address = f"/api/v1/blobs/{name}?artifact={id_}"
    offset = 0
    for _ in range(3):
        head = (
            f"PUT {address}&offset={offset} HTTP/1.1\r\nHost: localhost\r\n"
            f"Authorization: Bearer {hub.token}\r\nContent-Length: {len(content) - offset}\r\n\r\n"
        )
        port = int(hub.url.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port)) as wire:
            wire.sendall(head.encode() + content[offset : offset + 1_500_000])
        known: dict[str, Any] = {"offset": -1}
        before = offset
        while known["offset"] < before + 1_500_000:  # the server hears of it by and by
            known = ada.get(f"/blobs/{name}?artifact={id_}").json()
        offset = known["offset"]
        assert not known["complete"]
    while True:
        rest = ada.put(f"/blobs/{name}?artifact={id_}&offset={offset}", content=content[offset:])
        if rest.status_code != 409:  # the broken call still has it
            break
    assert rest.json() == {"offset": len(content), "complete": True}
    assert ada.post(f"/artifacts/{id_}/finish", json={}).status_code == 200
    assert ada.get(f"/artifacts/{id_}/files/a").content == content


def test_a_disk_that_is_full_for_a_moment_spoils_nothing(
    hub: HubServer, ada: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = os.urandom(5 << 20)
    name = sha256(content).hexdigest()
    begun = ada.post("/artifacts", json={"place": "r", "files": listed({"a": content})})
    address = f"/blobs/{name}?artifact={begun.json()['id']}"
    full: list[int] = []
    write = blobs._write

    def filling(descriptor: int, data: bytes) -> None:
        if not full:
            full.append(os.write(descriptor, data[: len(data) // 2]))
            raise OSError(errno.ENOSPC, "No space left on device")
        write(descriptor, data)

    monkeypatch.setattr(blobs, "_write", filling)
    assert ada.put(address, content=content).status_code >= 500
    offset = ada.get(address).json()["offset"]
    assert offset == full[0]
    rest = ada.put(f"{address}&offset={offset}", content=content[offset:])
    assert rest.json() == {"offset": len(content), "complete": True}


def test_a_connection_that_breaks_without_a_word_keeps_a_content_from_nobody(
    hub: HubServer, ada: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routes, "SILENCE", 0.1)
    content = os.urandom(200_000)
    name = sha256(content).hexdigest()
    begun = ada.post("/artifacts", json={"place": "r", "files": listed({"a": content})})
    address = f"/blobs/{name}?artifact={begun.json()['id']}"
    head = (
        f"PUT /api/v1{address} HTTP/1.1\r\nHost: localhost\r\n"
        f"Authorization: Bearer {hub.token}\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    port = int(hub.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=30) as wire:
        wire.sendall(head.encode() + content[:100_000])
        assert wire.recv(100).startswith(b"HTTP/1.1 408")
        rest = ada.put(f"{address}&offset=100000", content=content[100_000:])
    assert rest.json() == {"offset": len(content), "complete": True}


def test_files_are_sent_in_ranges_and_in_a_sandbox(ada: httpx.Client) -> None:
    id_ = export(ada, "runs/1", {**FILES, "new\nline": b"n"})
    part = ada.get(f"/artifacts/{id_}/files/a.txt", headers={"Range": "bytes=4-6"})
    assert (part.status_code, part.content) == (206, b"two")
    assert (
        ada.get(f"/artifacts/{id_}/files/a.txt", headers={"Range": "bytes=99-"}).status_code == 416
    )
    page = ada.get(f"/artifacts/{id_}/files/page.html?inline=true")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["content-security-policy"].startswith("sandbox allow-scripts;")
    saved = ada.get(f"/artifacts/{id_}/files/page.html")
    assert saved.headers["content-type"] == "application/octet-stream"
    assert saved.headers["content-disposition"].startswith("attachment")
    assert ada.get(f"/artifacts/{id_}/files/new%0Aline").content == b"n"
    log = ada.get(f"/artifacts/{id_}/log?path=a.txt&line=2").json()
    assert log == {"first": 2, "total": 2, "lines": ["two"]}
    assert json.loads(ada.get(f"/artifacts/{id_}/manifest").text)["run_id"] == "runs/1"


def test_lists_are_pages(ada: httpx.Client) -> None:
    ids = [export(ada, f"runs/{n}", {"a": b"x"}) for n in range(3)]
    page = ada.get("/artifacts?limit=2").json()
    assert [one["id"] for one in page["items"]] == ids[:0:-1]
    rest = ada.get(f"/artifacts?limit=2&cursor={page['next']}").json()
    assert ([one["id"] for one in rest["items"]], rest["next"]) == (ids[:1], None)
    assert ada.get("/artifacts?projekt=x").status_code == 422
    assert ada.get("/artifacts?since=never").status_code == 422


def test_a_quota_is_set_by_an_administrator(hub: HubServer, ada: httpx.Client) -> None:
    with caller(hub, hub.token_of("root", ("admin",))) as root:
        assert root.put("/artifact-quotas/ada", json={"quota": 3}).status_code == 204
        assert root.put("/artifact-quotas/ada", json={"quota": "3"}).status_code == 422
    assert ada.get("/artifact-quotas/ada").json() == {"user": "ada", "bytes": 0, "quota": 3}
    begun = ada.post("/artifacts", json={"place": "r", "files": listed({"a": b"1234"})})
    assert begun.status_code == 413
