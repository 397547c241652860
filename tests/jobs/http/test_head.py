"""HEAD: what GET answers, without the body, for every route."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from projects.jobs.http import files
from tests.jobs.http.puppets import World, served

ENDLESS = "/api/v1/events"


@pytest.fixture(params=["satellite", "hub"])
def any_world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    with served(tmp_path, [request.param]) as made:
        yield made


def addresses(world: World, job: str, submission: str) -> Iterator[str]:
    """Yield an address for each GET route, of things that are there where that is possible."""
    names = {"job": job, "submission": submission, "tool": "example", "test": "example"}
    names |= {"parameter": "pet", "log": "stdout", "path": "stdout.log"}
    for path, operations in world.app.openapi()["paths"].items():
        if "get" in operations:
            for name in ("path:path", *names):
                path = path.replace(f"{{{name}}}", names[name.partition(":")[0]])  # noqa: PLW2901
            yield path.replace("{", "no-").replace("}", "")


def test_every_route_answers_head_as_it_answers_get(any_world: World) -> None:
    client = any_world.client("ann", ["admin"])
    (job,) = any_world.submit(client)
    submission = any_world.ended(job).submission_id
    tried = 0
    for address in (*addresses(any_world, job, submission), "/nowhere", "/openapi.json"):
        if address == ENDLESS:
            continue
        head, got = client.head(address), client.get(address)
        assert (head.status_code, head.content) == (got.status_code, b""), address
        length = head.headers.get("content-length")
        assert (length is None) == (got.headers.get("content-length") is None), address
        same = {"content-type", "etag", "accept-ranges", "content-disposition", "location"}
        assert {k: head.headers.get(k) for k in same} == {k: got.headers.get(k) for k in same}
        if "logs" in address or "artifacts/" in address:
            assert length == str(len(got.content)), address
        tried += 1
    assert tried > 15
    assert client.head("/api/v1/jobs/x/cancel").status_code == 405
    assert any_world.client_with(None).head("/api/v1/jobs").status_code == 401
    assert all("head" not in each for each in any_world.app.openapi()["paths"].values())


def test_parts_and_pages_too(world: World) -> None:
    client = world.client()
    (job,) = world.submit(client)
    world.ended(job)
    part = client.head(f"/satellite/jobs/{job}/logs/stdout", headers={"Range": "bytes=1-2"})
    assert (part.status_code, part.headers["content-range"]) == (206, "bytes 1-2/6")
    assert part.headers["content-length"] == "2"
    world.submit(client, 3)
    page = client.head("/api/v1/jobs?limit=1")
    assert 'rel="next"' in page.headers["link"]


def test_streams_end_at_once(world: World) -> None:
    world.puppets.hold = True
    client = world.client()
    (job,) = world.submit(client)
    for address in (ENDLESS, f"/api/v1/jobs/{job}/logs/stdout?follow=true"):
        answer = client.head(address)
        assert (answer.status_code, answer.content) == (200, b"")
        assert answer.headers["content-type"].startswith("text/event-stream")
    world.until(lambda: world.services.streams == 0)


def test_a_large_file_is_not_read(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    client = world.client()
    (job,) = world.submit(client)
    world.ended(job)
    size = 1 << 40
    with open(world.directory(job) / "large", "wb") as file:
        file.truncate(size)
    read = 0
    real = os.pread

    def pread(*words: Any) -> bytes:
        nonlocal read
        data = real(*words)
        read += len(data)
        return data

    monkeypatch.setattr(os, "pread", pread)
    answer = client.head(f"/api/v1/jobs/{job}/artifacts/large")
    assert answer.headers["content-length"] == str(size)
    assert client.get("/healthz").status_code == 200
    assert read <= 8 * files.CHUNK
