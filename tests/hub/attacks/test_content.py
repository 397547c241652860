"""Whatever somebody exports: no route of the hub breaks on it, and nothing in it is believed."""

from __future__ import annotations

import html
import io
import json
import os
import tarfile
import zipfile
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.hub.attacks.exports import export
from tests.hub.hub_world import Hub

_PLACES = count()
_BEGAN = {
    "at": "2026-01-01T00:00:00Z",
    "type": "started",
    "id": "a",
    "parent": None,
    "kind": "run",
    "name": "run",
}
_ENDED = {"at": "2026-01-01T00:00:01Z", "type": "ended", "id": "a", "outcome": "ok", "seconds": 1}
_SURROGATE = json.loads('"\\ud800"')


def journal(*events: object) -> bytes:
    return b"".join(json.dumps(event).encode() + b"\n" for event in events)


def place() -> str:
    return f"nightly/{next(_PLACES)}"


@pytest.fixture
def ann(hub: Hub) -> httpx.Client:
    return hub.client(hub.user("ann"))


SHOWN = (
    "/api/v1/artifacts/{0}",
    "/api/v1/artifacts/{0}/manifest",
    "/api/v1/artifacts/{0}/files",
    "/api/v1/artifacts/{0}/timeline",
    "/api/v1/artifacts/{0}/archive?format=zip",
    "/api/v1/artifacts/{0}/archive?format=tar.gz",
    "/api/v1/artifacts/compare?a={0}&b={0}",
    "/api/v1/artifacts",
    "/artifacts",
    "/artifacts/{0}",
    "/compare?a={0}&b={0}",
    "/projects",
)


def all_shown(client: httpx.Client, id_: str) -> dict[str, int]:
    """Return what is not shown of a run, with the status."""
    statuses = {path: client.get(path.format(id_)).status_code for path in SHOWN}
    return {path: status for path, status in statuses.items() if status != httpx.codes.OK}


@pytest.mark.parametrize(
    "lines",
    [
        journal(_BEGAN | {"project": _SURROGATE, "verb": "a\0b"}, _ENDED),
        journal(_BEGAN | {"project": ["x"] * 9, "verb": {"a": 1}, "dir": _SURROGATE}, _ENDED),
        journal(_BEGAN, _ENDED | {"outcome": _SURROGATE * 3, "error": _SURROGATE}),
        journal(_BEGAN, _ENDED | {"outcome": {"x": [1]}, "seconds": "NaN"}),
        journal(_BEGAN, _ENDED | {"seconds": 10**400}),
        journal(_BEGAN, _ENDED | {"seconds": 1e308, "overhead": "inf"}),
        journal(_BEGAN | {"at": "0001-01-01T00:00:00+23:59"}, _ENDED),
        journal(_BEGAN | {"at": "9999-12-31T23:59:59-23:59"}, _ENDED),
        journal(_BEGAN | {"parent": "a"}, {}, [], "x", _ENDED | {"id": []}),
        journal(_BEGAN | {"parameters": {_SURROGATE: _SURROGATE}, "presets": [_SURROGATE]}, _ENDED),
        b"[" * 200_000 + b"\n" + b'{"a":' * 100_000,
        b"\xff\xfe\n\0\n",
    ],
)
def test_a_journal_that_is_none_of_ours_is_shown(ann: httpx.Client, lines: bytes) -> None:
    id_ = export(ann, place(), {"events.jsonl": lines})
    assert all_shown(ann, id_) == {}


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just(_SURROGATE),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=4,
)
_FIELDS = (
    *("parent", "kind", "name", "dir", "parameters", "outcome", "seconds", "error", "overhead"),
    *("done", "total", "unit", "level", "message", "data", "project", "verb", "host", "presets"),
    *("command_line", "attempt"),
)
_MOMENTS = st.datetimes().map(lambda at: at.isoformat() + "Z") | st.just("")


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    events=st.lists(
        st.fixed_dictionaries(
            {
                "id": st.sampled_from("ab"),
                "type": st.sampled_from(("started", "ended", "progress", "note")),
                "at": _MOMENTS,
            },
            optional=dict.fromkeys(_FIELDS, _VALUES),
        ),
        max_size=6,
    )
)
def test_whatever_a_journal_says_is_shown(ann: httpx.Client, events: list[object]) -> None:
    id_ = export(ann, place(), {"events.jsonl": journal(*events)})
    assert all_shown(ann, id_) == {}


BOMB = b"a: &a [x,x,x,x,x,x,x,x,x]\n" + b"".join(
    b"%c: &%c [%s]\n" % (name, name, b",".join([b"*%c" % (name - 1)] * 9)) for name in b"bcdefghij"
)


@pytest.mark.parametrize(
    "text",
    [BOMB, b"[" * 50_000, b"&a [*a]", b"? {a: b}\n: c\n", b"!!python/object/apply:os.system [id]",
     b"a: \xff", b"a: \x00", b"- " * 10_000, b"a: 1e400\nb: .nan\nc: 0x" + b"f" * 5000,
     b'a: 2026-01-01\nb: !!binary aGVsbG8=\nc: [{1: 2.e+999}]\nd: "\\ud800"'],
)  # fmt: skip
def test_yaml_that_is_a_trap_is_compared_in_bounds(ann: httpx.Client, text: bytes) -> None:
    files = dict.fromkeys(("config.yaml", "_meta/metadata.yaml", "fingerprint.yaml"), text)
    id_ = export(ann, place(), {**files, "events.jsonl": b""})
    for other in (id_, export(ann, place(), {"config.yaml": b"z: 1"})):
        answer = ann.get(f"/api/v1/artifacts/compare?a={id_}&b={other}")
        assert answer.status_code == httpx.codes.OK
        assert len(answer.content) < 100_000
        assert ann.get(f"/compare?a={id_}&b={other}").status_code == httpx.codes.OK


@pytest.mark.parametrize(
    "mtime",
    ["0001-01-01T00:00:00Z", "1969-12-31T23:59:59Z", "2108-01-01T00:00:00Z",
     "9999-12-31T23:59:59Z"],
)  # fmt: skip
def test_a_file_of_any_age_is_in_both_archives(ann: httpx.Client, mtime: str) -> None:
    id_ = export(ann, "nightly/old", {"a": b"x"}, mtime=mtime)
    assert all_shown(ann, id_) == {"/api/v1/artifacts/{0}/timeline": httpx.codes.NOT_FOUND}
    packed = ann.get(f"/api/v1/artifacts/{id_}/archive?format=zip").content
    with zipfile.ZipFile(io.BytesIO(packed)) as zipped:
        assert zipped.read("old/a") == b"x"


NAMES = (
    "..\\..\\evil",
    "C:\\x",
    "a\r\nSet-Cookie: b=c",
    "\x1b[2Jlog",
    "-rf",
    '"; filename="b.exe',
    "<img src=x onerror=alert(1)>",
    os.fsdecode(b"bytes-\xff"),
    "{{ 7 * 7 }}",
    "a" * 4000,
)


def test_names_that_are_traps_stay_names(ann: httpx.Client, tmp_path: Path) -> None:
    files = {f"{name}/f.txt": b"x" for name in NAMES}
    id_ = export(ann, "x/a\r\nSet-Cookie: b=c", files)
    assert all_shown(ann, id_) == {"/api/v1/artifacts/{0}/timeline": httpx.codes.NOT_FOUND}
    page = ann.get(f"/artifacts/{id_}").text
    assert "<img" not in page
    assert html.escape("<img src=x onerror=alert(1)>") in page
    for name in NAMES:
        path = quote(f"{name}/f.txt".encode("utf-8", "surrogateescape"), safe="")
        answer = ann.get(f"/api/v1/artifacts/{id_}/files/{path}")
        assert (answer.status_code, answer.content) == (httpx.codes.OK, b"x")
        assert "set-cookie" not in answer.headers
        assert ann.get(f"/artifacts/{id_}/{path}").status_code == httpx.codes.OK
    answer = ann.get(f"/api/v1/artifacts/{id_}/archive?format=zip")
    assert "set-cookie" not in answer.headers
    with zipfile.ZipFile(io.BytesIO(answer.content)) as zipped:
        assert not [one for one in zipped.namelist() if "\\" in one or ".." in one.split("/")]
    packed = ann.get(f"/api/v1/artifacts/{id_}/archive?format=tar.gz").content
    with tarfile.open(fileobj=io.BytesIO(packed)) as tarred:
        long = "a" * 4000
        members = [one for one in tarred.getmembers() if long not in one.name]
        careful: dict[str, Any] = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
        tarred.extractall(tmp_path / "there" / "here", members, **careful)  # noqa: S202
    assert [path.name for path in (tmp_path / "there").iterdir()] == ["here"]


def test_every_name_is_gone_through_a_page_at_a_time(ann: httpx.Client) -> None:
    names = {os.fsdecode(b"%c-%c" % (97 + one % 26, 200 + one)) for one in range(50)}
    id_ = export(ann, place(), dict.fromkeys(names, b"x"))
    seen: list[str] = []
    query = ""
    while len(seen) <= len(names):
        page = ann.get(f"/api/v1/artifacts/{id_}/files?limit=7{query}").json()
        seen += [one["name"] for one in page["items"]]
        if page["next"] is None:
            break
        query = "&after=" + quote(page["next"].encode("utf-8", "surrogateescape"))
    assert sorted(seen) == sorted(names)


ACTIVE = {
    "page.html": b"<script>parent.document.cookie</script>",
    "page.xhtml": b"<html xmlns='http://www.w3.org/1999/xhtml'><script>1</script></html>",
    "image.svg": b"<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>",
    "data.xml": b"<?xml-stylesheet href='x.xsl'?><a/>",
    "code.js": b"alert(1)",
    "page.HTML": b"<script>1</script>",
    "noending": b"<!doctype html><script>1</script>",
    "x.pdf": b"%PDF-1.4 <script>1</script>",
    "x.swf": b"FWS",
    "x.html.gz": b"<script>1</script>",
    "x.mht": b"MIME-Version: 1.0\r\nContent-Type: text/html\r\n\r\n<script>1</script>",
}
_RUNS = ("html", "xml", "svg", "javascript", "pdf")


def test_nothing_that_is_exported_runs_as_a_page_of_the_hub(ann: httpx.Client) -> None:
    id_ = export(ann, place(), ACTIVE)
    for name in ACTIVE:
        for query in ("", "?inline=true"):
            answer = ann.get(f"/api/v1/artifacts/{id_}/files/{name}{query}")
            kind = answer.headers["content-type"]
            policy = answer.headers["content-security-policy"]
            assert policy.startswith("sandbox")
            assert "allow-same-origin" not in policy
            assert answer.headers["x-content-type-options"] == "nosniff"
            if not query:
                assert answer.headers["content-disposition"].startswith("attachment")
                assert kind == "application/octet-stream"
            elif any(word in kind for word in _RUNS):
                assert kind in ("text/html; charset=utf-8", "image/svg+xml")
        page = ann.get(f"/artifacts/{id_}/{name}")
        assert page.headers["content-security-policy"].startswith("default-src 'none'")
        assert "<script>" not in page.text
