"""Satellites that answer something else than what they are asked for, by mistake or on purpose."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import httpx
import pytest

from projects.core.errors import TopgallantError
from projects.hub.sites import calling
from projects.hub.sites.remote import RemoteSite
from projects.hub.sites.site import SiteAway
from projects.jobs.http.access import Principal
from projects.jobs.model import identity
from tests.hub.sites.conftest import collected

ANN = Principal("ann", ("submit",))
ID = identity.new()
AT = "2026-01-02T03:04:05.000006Z"
JOB: dict[str, Any] = {
    "id": ID,
    "uuid": identity.uuid_form(ID),
    "number": 1,
    "submission_id": ID,
    "position": 0,
    "owner": "ann",
    "tool": "example",
    "params": {},
    "state": "RUNNING",
    "outcome": None,
    "reason": "",
    "attempt": 1,
    "return_code": None,
    "signal": None,
    "created": AT,
    "started": AT,
    "finished": None,
    "timeout": None,
    "on_restart": "rerun",
    "resources": [],
    "limits": {},
    "usage": None,
}
GOOD = "tg_for-ann-0123456789"
TOOL = {"valid": True, "name": "example", "kind": "script", "parameters": []}
AGE = {"name": "age", "type": "nat", "doc": "years", "required": True}


def site(answer: Any, token: Any = GOOD, status: int = 200) -> RemoteSite:
    """Return a satellite that answers everything with one value, or what a function makes."""

    def answered(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/api/v1/tokens" and request.method == "POST":
            return httpx.Response(201, json={"token": token})
        made = answer(request) if callable(answer) else answer
        if isinstance(made, httpx.Response):
            return made
        return httpx.Response(status, json=made)

    transport = httpx.MockTransport(answered)
    return RemoteSite("lab-1", "http://lab", "credential-of-lab", transport=transport)


def do(one: RemoteSite, what: Callable[[RemoteSite], Coroutine[Any, Any, Any]]) -> Any:
    async def run() -> Any:
        try:
            return await what(one)
        finally:
            await one.close()

    return asyncio.run(run())


def test_what_an_older_satellite_does_not_say_is_added() -> None:
    found = do(site(JOB), lambda one: one.job(ANN, ID))
    assert found["id"] == ID
    tool = do(site({**TOOL, "parameters": [AGE]}), lambda one: one.tool("example"))
    assert (tool["description"], tool["timeout"], tool["parameters"]) == ("", None, [AGE])


@pytest.mark.parametrize(
    "wrong",
    [
        {"id": "../../../groups/team/remove?x="},
        {"submission_id": "../../../admin/users"},
        {"tool": "../account/sessions/end?"},
        {"number": "1"},
        {"state": "<script>"},
        {"outcome": "GOOD"},
        {"created": "yesterday"},
        {"usage": {"wall": "long"}},
        {"params": []},
        {"timeout": "x"},
    ],
)
def test_a_job_that_is_none_is_told_and_never_shown(wrong: dict[str, Any]) -> None:
    name = next(iter(wrong))
    with pytest.raises(SiteAway, match=f"satellite lab-1 .* is no job .*{name}"):
        do(site({**JOB, **wrong}), lambda one: one.job(ANN, ID))
    with pytest.raises(SiteAway, match="list of jobs"):
        page = {"items": [{**JOB, **wrong}], "next": None}
        do(site(page), lambda one: one.jobs(ANN, {}))
    without = {key: value for key, value in JOB.items() if key != name}
    with pytest.raises(SiteAway, match=name):
        do(site(without), lambda one: one.job(ANN, ID))


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "../groups/team/remove?x="},
        {"name": "another"},
        {"parameters": [{**AGE, "type": "unheard-of"}]},
        {"parameters": [{"name": "age"}]},
        {"parameters": [{**AGE, "name": "a b"}]},
        {"parameters": [{**AGE, "options": 1}]},
        {"parameters": "none"},
    ],
)
def test_a_tool_that_is_none_or_another_is_told(wrong: dict[str, Any]) -> None:
    with pytest.raises(SiteAway, match="satellite lab-1"):
        do(site({**TOOL, **wrong}), lambda one: one.tool("example"))


ASKED: dict[str, Callable[[RemoteSite], Coroutine[Any, Any, Any]]] = {
    "info": lambda one: one.info(),
    "tools": lambda one: one.tools(),
    "options": lambda one: one.options("example", "pet"),
    "submit": lambda one: one.submit(ANN, {}),
    "jobs": lambda one: one.jobs(ANN, {}),
    "submissions": lambda one: one.submissions(ANN, {}),
    "submission": lambda one: one.submission(ANN, ID),
    "counts": lambda one: one.counts(ANN, {}),
    "events_of": lambda one: one.events_of(ANN, ID),
    "uploads": lambda one: one.uploads(ANN, ID),
    "cancel": lambda one: one.cancel(ANN, ID),
    "cancel_submission": lambda one: one.cancel_submission(ANN, ID),
    "retry": lambda one: one.retry(ANN, ID),
    "artifacts": lambda one: one.artifacts(ANN, ID),
}


@pytest.mark.parametrize("asked", ASKED)
@pytest.mark.parametrize("answer", [{}, {"items": [1]}, {"items": {"a": 1}}])
def test_an_object_of_another_shape_is_told(asked: str, answer: Any) -> None:
    with pytest.raises(SiteAway, match="satellite lab-1 answered something that is no"):
        do(site(answer), ASKED[asked])


@pytest.mark.parametrize(
    "token", ["", "short", "a b" * 10, "é" * 20, "x\r\ny" * 8, 1, None, "x" * 300]
)
def test_a_token_that_is_none_is_told(token: Any) -> None:
    with pytest.raises(SiteAway, match="is no token"):
        do(site(JOB, token), lambda one: one.job(ANN, ID))


@pytest.mark.parametrize("body", [b"[" * 100_000, b'{"error": ' * 50_000, b"\xff"])
@pytest.mark.parametrize("status", [200, 400, 500])
def test_nested_nonsense_is_told(body: bytes, status: int) -> None:
    one = site(lambda _: httpx.Response(status, content=body))
    with pytest.raises(TopgallantError, match=r"lab-1|HTTP 400"):
        do(one, lambda each: each.job(ANN, ID))


def test_a_long_complaint_is_cut_and_its_fields_are_texts() -> None:
    error = {"message": "x" * 100_000, "fields": {"a": 1, "b": None}}
    with pytest.raises(TopgallantError) as raised:
        do(site({"error": error}, status=422), lambda one: one.job(ANN, ID))
    assert len(raised.value.message) == 500
    assert getattr(raised.value, "fields") == {"a": "1", "b": "None"}  # noqa: B009


def test_packed_answers_are_not_unpacked() -> None:
    import gzip

    packed = gzip.compress(b'{"items": []}')
    headers = {"Content-Encoding": "gzip"}
    one = site(lambda _: httpx.Response(200, content=packed, headers=headers))
    with pytest.raises(SiteAway, match="packed"):
        do(one, lambda each: each.jobs(ANN, {}))


class _Endless(httpx.AsyncByteStream):
    """Bytes without an end."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            await asyncio.sleep(0)
            yield b" " * 100


class _Once(httpx.AsyncByteStream):
    """Some bytes, as they come over a network."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._data


@pytest.mark.parametrize("asked", ["artifact", "follow", "job"])
def test_an_error_without_an_end_is_not_held(asked: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calling, "MOST_ANSWER", 1000)
    one = site(lambda _: httpx.Response(400, stream=_Endless()))

    async def ask(each: RemoteSite) -> None:
        if asked == "artifact":
            await each.artifact(ANN, ID, "x", None)
        elif asked == "job":
            await each.job(ANN, ID)
        else:
            await collected(each.follow(ANN, None), lambda _: True)

    with pytest.raises(SiteAway, match="answered more than"):
        do(one, ask)


def test_an_answer_that_drips_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calling, "WHOLE", 0.01)
    one = site(lambda _: httpx.Response(200, stream=_Endless()))
    with pytest.raises(SiteAway, match="isn't whole after"):
        do(one, lambda each: each.job(ANN, ID))


@pytest.mark.parametrize("status", [204, 302, 304])
def test_what_is_no_file_is_not_handed_on(status: int) -> None:
    one = site(lambda _: httpx.Response(status))
    with pytest.raises(SiteAway, match=f"HTTP {status}"):
        do(one, lambda each: each.artifact(ANN, ID, "x", None))


@pytest.mark.parametrize("said", ["bytes", "bytes x-y/z", "bytes 1-2/*", "x"])
def test_a_strange_part_of_a_log_is_told(said: str) -> None:
    one = site(lambda _: httpx.Response(206, content=b"x", headers={"Content-Range": said}))
    with pytest.raises(SiteAway, match="strange part"):
        do(one, lambda each: each.log(ANN, ID, "stdout", None, 10))


def test_strange_messages_of_a_log_are_left_out() -> None:
    lines = [
        'event: log\ndata: {"at": 0}',
        "event: log\ndata: 1",
        'event: end\ndata: {"state": "X"}',
        "event: other\ndata: {}",
        'event: log\ndata: {"at": 0, "text": "hello"}',
        'event: end\ndata: {"state": "DONE", "outcome": "SUCCESS"}',
        'event: log\ndata: {"at": 5, "text": "after its end"}',
    ]
    body = "".join(f"{line}\n\n" for line in lines).encode()
    one = site(lambda _: httpx.Response(200, stream=_Once(body)))
    said = do(one, lambda each: collected(each.follow_log(ANN, ID, "stdout", 0), lambda _: False))
    assert [each.kind for each in said] == ["log", "end"]


def test_names_with_dots_stay_in_their_place() -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.raw_path.decode())
        return httpx.Response(404, json={"error": {"message": "absent"}})

    for what in (
        lambda one: one.job(ANN, ".."),
        lambda one: one.artifact(ANN, ID, "../../../tokens", None),
    ):
        with pytest.raises(TopgallantError, match="absent"):
            do(site(answer), what)
    assert asked[0] == "/api/v1/jobs/%2E%2E"
    assert asked[1] == f"/api/v1/jobs/{ID}/artifacts/%2E%2E/%2E%2E/%2E%2E/tokens"


@pytest.mark.parametrize(
    ("error", "arrived"), [(httpx.ConnectError, False), (httpx.ReadTimeout, None)]
)
def test_it_is_told_whether_a_submission_may_have_arrived(
    error: type[httpx.TransportError], arrived: bool | None
) -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        raise error("gone")

    with pytest.raises(SiteAway) as raised:
        do(site(answer), lambda one: one.submit(ANN, {}))
    assert raised.value.arrived is arrived
    assert ("look there first" in raised.value.message) == (arrived is None)
