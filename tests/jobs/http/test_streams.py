from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from projects.jobs.http import feed as feed_module
from projects.jobs.http.feed import Feed
from projects.jobs.model.entities import Event
from projects.jobs.store.values import Events
from tests.jobs.http.puppets import World, bearer


def messages(answer: httpx.Response) -> Iterator[dict[str, Any]]:
    """Yield the events of a stream as a browser reads them; comments are {}."""
    message: dict[str, Any] = {}
    for line in answer.iter_lines():
        if not line:
            if "data" in message:
                message["data"] = json.loads(message["data"])
            yield message
            message = {}
        elif not line.startswith(":"):
            name, _, value = line.partition(": ")
            message[name] = value


def said(client: httpx.Client, address: str, **headers: str) -> Iterator[dict[str, Any]]:
    with client.stream("GET", address, headers=headers) as answer:
        assert answer.status_code == 200, answer.read()
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield from (message for message in messages(answer) if message)


def test_events_come_as_they_happen_with_the_ids_of_jobs(world: World) -> None:
    client = world.client()
    with client.stream("GET", "/api/v1/events") as answer:
        heard = messages(answer)
        assert next(heard) == {}, "the stream is open"
        (job,) = world.submit(world.client())
        changes = []
        for message in heard:
            if message and message["data"]["after"]:
                assert message["data"]["job_id"] == job
                changes.append(message["data"]["after"])
            if changes[-1:] == ["DONE"]:
                break
    assert changes[-2:] == ["RUNNING", "DONE"]


def test_a_stream_goes_on_after_the_last_event_that_was_seen(world: World) -> None:
    client = world.client()
    jobs = [world.submit(client)[0] for _ in range(3)]
    for job in jobs:
        world.ended(job)
    every = []
    for message in said(client, "/api/v1/events?after=0"):
        every.append(message["id"])
        if len([1 for each in every]) == world.store.last_event():
            break
    assert every == sorted(every, key=int)
    for index in (0, len(every) // 2):
        rest = []
        for message in said(client, "/api/v1/events", **{"Last-Event-ID": every[index]}):
            rest.append(message["id"])
            if message["id"] == every[-1]:
                break
        assert rest == every[index + 1 :]


def test_a_stream_shows_only_the_owners_events(world: World) -> None:
    ann, bob = world.client("ann"), world.client("bob")
    with ann.stream("GET", "/api/v1/events") as answer:
        heard = messages(answer)
        next(heard)
        world.ended(world.submit(bob)[0])
        (mine,) = world.submit(world.client("ann"))
        world.ended(mine)
        first = next(message for message in heard if message)
    assert first["data"]["job_id"] == mine


def test_a_quiet_stream_has_heartbeats(world: World) -> None:
    with world.client().stream("GET", "/api/v1/events") as answer:
        heard = messages(answer)
        assert [next(heard) for _ in range(3)] == [{}, {}, {}]


def test_streams_are_bounded_in_number(world: World) -> None:
    from dataclasses import replace

    world.services.settings = replace(world.services.settings, most_streams=1)
    client = world.client()
    with client.stream("GET", "/api/v1/events") as answer:
        heard = messages(answer)
        next(heard)
        refused = world.client().get("/api/v1/events")
        assert refused.status_code == 503
        assert "1 streams are open" in refused.json()["error"]["message"]
    world.until(lambda: world.services.streams == 0)
    with client.stream("GET", "/api/v1/events") as answer:
        assert answer.status_code == 200


def test_clients_that_never_read_are_dropped_and_do_no_harm(world: World) -> None:
    client = world.client()
    address = urlsplit(world.address)
    head = (
        f"GET /api/v1/events?after=0 HTTP/1.1\r\nHost: {address.netloc}\r\n"
        f"Authorization: {bearer(world.token('ann'))['Authorization']}\r\n\r\n"
    )
    deaf = []
    for _ in range(200):
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.connect((address.hostname, address.port))
        sock.sendall(head.encode())
        deaf.append(sock)
    try:
        world.until(lambda: world.services.streams == 200)
        for _ in range(3):  # more than the buffers of a connection take
            world.submit(client, 100, note="x" * 4000)
        assert client.get("/api/v1/info").status_code == 200
        with client.stream("GET", "/api/v1/events") as answer:
            assert next(messages(answer)) == {}
        assert client.get("/readyz").status_code == 200
    finally:
        for sock in deaf:
            sock.close()
    world.until(lambda: world.services.streams == 0)


def test_a_client_that_takes_nothing_loses_its_connection(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    piece = b": " + b"x" * (1 << 20) + b"\n\n"

    async def flood(self: Feed, *_: object) -> Any:
        while not self.closed.is_set():
            yield piece

    monkeypatch.setattr(Feed, "follow", flood)
    address = urlsplit(world.address)
    head = (
        f"GET /api/v1/events HTTP/1.1\r\nHost: {address.netloc}\r\n"
        f"Authorization: {bearer(world.token('ann'))['Authorization']}\r\n\r\n"
    )
    with socket.create_connection((address.hostname, address.port)) as sock:
        sock.sendall(head.encode())
        world.until(lambda: world.services.streams == 1)
        world.until(lambda: world.services.streams == 0)
        sock.settimeout(20)
        with pytest.raises(ConnectionResetError):  # the kernel gave up, and its buffers with it
            while sock.recv(1 << 20):
                threading.Event().wait(0.01)
            raise ConnectionResetError  # closed in good order is as good


def test_a_log_is_followed_until_the_job_ends(world: World) -> None:
    world.puppets.hold = True
    world.puppets.output = b"one\n"
    client = world.client()
    (job,) = world.submit(client)
    heard = said(client, f"/api/v1/jobs/{job}/logs/stdout?follow=true")
    assert next(heard)["data"] == {"at": 0, "text": "one\n"}
    with (world.directory(job) / "stdout.log").open("ab") as log:
        log.write("tw\u00f6".encode())
        log.flush()
        log.write(b"\nhalf a line")
    second = next(heard)
    assert second["data"] == {"at": 4, "text": "tw\u00f6\n"}
    assert second["id"] == "9"
    world.puppets.finish(world.store.job(job).number)  # type: ignore[union-attr]
    rest = list(heard)
    assert rest[0]["data"] == {"at": 9, "text": "half a line"}
    assert rest[1]["event"] == "end"
    assert rest[1]["data"] == {"state": "DONE", "outcome": "SUCCESS"}
    assert len(rest) == 2


def test_a_followed_log_goes_on_where_it_was(world: World) -> None:
    world.puppets.output = b"one\ntwo\nthree\n"
    client = world.client()
    (job,) = world.submit(client)
    world.ended(job)
    address = f"/satellite/jobs/{job}/logs/stdout?follow=true"
    (first, _) = said(client, address, **{"Last-Event-ID": "4"})
    assert first["data"] == {"at": 4, "text": "two\nthree\n"}
    (first, _) = said(client, address + "&tail=1")
    assert first["data"] == {"at": 8, "text": "three\n"}
    wrong = client.get(address, headers={"Last-Event-ID": "x"})
    assert wrong.status_code == 422


def test_a_log_of_bytes_that_are_no_text_is_followed_to_its_end(world: World) -> None:
    world.puppets.output = b"\xff" * 100_000 + b"\n" + b"x" * 200_000
    client = world.client()
    (job,) = world.submit(client)
    world.ended(job)
    *texts, end = said(client, f"/api/v1/jobs/{job}/logs/stdout?follow=true")
    assert end["event"] == "end"
    assert texts[-1]["id"] == str(300_001)


def test_a_job_that_never_began_has_no_log_and_a_followed_one_just_ends(world: World) -> None:
    world.puppets.hold = True
    client = world.client()
    world.submit(client, 2)
    (job,) = world.submit(client)
    plain = client.get(f"/api/v1/jobs/{job}/logs/stdout")
    assert plain.status_code == 404
    assert "it hasn't begun" in plain.json()["error"]["message"]
    assert client.post(f"/api/v1/jobs/{job}/cancel").status_code == 200
    (end,) = said(client, f"/api/v1/jobs/{job}/logs/stdout?follow=true")
    assert end["data"]["outcome"] == "CANCELLED"


def test_a_log_is_shown_whole_in_parts_and_by_its_last_lines(world: World) -> None:
    world.puppets.output = b"one\ntwo\nthree\n"
    client = world.client()
    (job,) = world.submit(client)
    world.ended(job)
    log = f"/api/v1/jobs/{job}/logs/stdout"
    whole = client.get(log)
    assert whole.text == "one\ntwo\nthree\n"
    assert whole.headers["content-type"] == "text/plain; charset=utf-8"
    part = client.get(log, headers={"Range": "bytes=4-6"})
    assert (part.status_code, part.text) == (206, "two")
    assert part.headers["content-range"] == "bytes 4-6/14"
    assert client.get(log, headers={"Range": "bytes=14-"}).status_code == 416
    assert client.get(f"{log}?tail=2").text == "two\nthree\n"
    assert client.get(f"{log}?tail=0").text == ""
    assert client.get(f"/api/v1/jobs/{job}/logs/stderr").text == ""


class _Store:
    """A store of events that a test adds."""

    def __init__(self) -> None:
        self.count = 0

    def last_event(self) -> int:
        return self.count

    def events(self, *, after: int, limit: int, owner: str | None) -> Events:
        last = min(self.count, after + limit)
        items = [Event(seq, 0, 1, 1, "state") for seq in range(after + 1, last + 1)]
        return Events(items, last)

    def job(self, number: int) -> None:
        del number


def numbers(piece: bytes | None) -> list[int]:
    lines = (piece or b"").decode().splitlines()
    return [int(line.removeprefix("id: ")) for line in lines if line.startswith("id: ")]


def test_listeners_at_any_distance_get_every_event_once_and_in_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(feed_module, "KEPT", 40)
    monkeypatch.setattr(feed_module, "PAGE", 7)
    monkeypatch.setattr(feed_module, "QUIET", 0.01)
    monkeypatch.setattr(feed_module, "BREATH", 0.001)
    store = _Store()
    store.count = 100

    async def listen(feed: Feed, after: int | None, pause: float) -> list[int]:
        seen: list[int] = []
        async for piece in feed.follow(None, after, 5.0):
            seen += numbers(piece)
            await asyncio.sleep(pause)
            if seen and seen[-1] == 300:
                break
        return seen

    async def run() -> list[list[int]]:
        feed = Feed(store, lambda _: lambda: None)
        tasks = [
            asyncio.ensure_future(listen(feed, after, pause))
            for after in (None, 0, 50, 99, 100, 1000)
            for pause in (0.0, 0.02)
        ]
        while store.count < 300:
            await asyncio.sleep(0.001)
            store.count += 1
        return await asyncio.wait_for(asyncio.gather(*tasks), 60)

    results = asyncio.run(run())
    for index, seen in enumerate(results):
        after = (100, 0, 50, 99, 100, 100)[index // 2]
        assert seen[0] <= after + 20, "from where it was asked, or from when it began to listen"
        assert seen == list(range(seen[0], 301))
