from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict

from projects.core.errors import TopgallantError
from projects.jobs.http.body import MOST_DEPTH, parse, read_model
from projects.jobs.http.refusals import Invalid
from tests.jobs.http.puppets import World, bearer

HEADERS = {"Content-Type": "application/json"}


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")

    depth: int = 0


class Wanted(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str
    inner: Inner = Inner()


def deep(levels: int) -> bytes:
    return b"[" * levels + b"]" * levels


def test_a_request_is_read_as_its_class_has_it() -> None:
    assert read_model(Wanted, {"name": "a", "inner": {"depth": 2}}).inner.depth == 2


@pytest.mark.parametrize(
    ("values", "fields"),
    [
        ({"name": 1}, {"name": "Input should be a valid string"}),
        ({"name": "a", "naem": 1}, {"naem": 'unknown field "naem"; did you mean "name"?'}),
        ({"name": "a", "inner": {"name": 1}}, {"inner.name": "there is no such field"}),
        ({"name": "a", "inner": {"depth": "2"}}, {"inner.depth": "Input should be a valid int"}),
        ([], {"body": "it must be an object"}),
    ],
)
def test_what_is_wrong_with_a_request_is_said_by_field(values: Any, fields: dict[str, str]) -> None:
    with pytest.raises(Invalid) as refused:
        read_model(Wanted, values)
    said = refused.value.fields
    assert said.keys() == fields.keys()
    for name, text in fields.items():
        assert text in said[name]


def test_a_body_may_be_nested_up_to_the_bound() -> None:
    assert parse(deep(MOST_DEPTH))
    with pytest.raises(TopgallantError, match="at most 32 levels"):
        parse(deep(MOST_DEPTH + 1))


@pytest.mark.parametrize("levels", [150, 1_000, 5_000_000])
def test_deep_nesting_is_refused_however_deep(levels: int) -> None:
    with pytest.raises(TopgallantError, match="nested too deeply"):
        parse(deep(levels))
    with pytest.raises(TopgallantError, match="nested too deeply"):
        parse(b'{"a":' * levels + b"1" + b"}" * levels)


@pytest.mark.parametrize(
    "text",
    ["NaN", "[Infinity]", "-Infinity", "", "{", '{"a":1}x', "[1,]", "'a'", '"\\ud800"', "9" * 9999],
)
def test_what_is_no_strict_json_is_refused(text: str) -> None:
    with pytest.raises(TopgallantError, match="not JSON") as caught:
        parse(text.encode())
    assert caught.value.http_status == 400


@pytest.mark.parametrize("text", ['"a\\u0000b"', '{"\\u0000": 1}', "[1e999]"])
def test_what_cannot_be_kept_is_refused(text: str) -> None:
    with pytest.raises(TopgallantError) as caught:
        parse(text.encode())
    assert caught.value.http_status == 422


_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc"), inner, max_size=3),
    max_leaves=20,
)


@given(_values)
@settings(deadline=None)
def test_json_of_a_sensible_depth_is_read_as_json_reads_it(value: Any) -> None:
    text = json.dumps(value)
    assert parse(text.encode()) == json.loads(text)


@given(st.binary(max_size=200))
@settings(deadline=None)
def test_any_bytes_are_read_or_refused_with_a_message(data: bytes) -> None:
    try:
        parse(data)
    except TopgallantError as error:
        said = error.message
    else:
        said = "read"
    assert said


def test_a_body_over_the_bound_is_refused_before_it_is_read(world: World) -> None:
    client = world.client()
    world.services.settings = _with_bound(world, 1000)
    declared = client.post("/api/v1/submissions", content=b"x" * 1001, headers=HEADERS)
    assert declared.status_code == 413
    assert "1000 bytes" in declared.json()["error"]["message"]

    def pieces() -> Iterator[bytes]:
        for _ in range(11):
            yield b" " * 100

    streamed = client.post("/api/v1/submissions", content=pieces(), headers=HEADERS)
    assert streamed.status_code == 413
    assert client.get("/api/v1/info").status_code == 200


def test_a_body_that_never_ends_is_answered_at_the_bound(world: World) -> None:
    world.services.settings = _with_bound(world, 10_000)
    address = urlsplit(world.address)
    head = (
        f"POST /api/v1/submissions HTTP/1.1\r\nHost: {address.netloc}\r\n"
        f"Authorization: {bearer(world.token('ann'))['Authorization']}\r\n"
        "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    with socket.create_connection((address.hostname, address.port), timeout=20) as sock:
        sock.sendall(head.encode())
        for _ in range(11):
            sock.sendall(b"3e8\r\n" + b"[" * 1000 + b"\r\n")
        assert sock.recv(100).startswith(b"HTTP/1.1 413")


def _with_bound(world: World, most: int) -> Any:
    from dataclasses import replace

    return replace(world.services.settings, most_body=most)


def test_a_body_must_be_sent_as_json(world: World) -> None:
    client = world.client()
    body = b'{"job_specs": [{"name": "example"}]}'
    for media in ("text/plain", "application/x-www-form-urlencoded", ""):
        answer = client.post("/api/v1/submissions", content=body, headers={"Content-Type": media})
        assert answer.status_code == 415
    assert client.post("/api/v1/submissions", content=body, headers=HEADERS).status_code == 201


def test_a_hundred_megabytes_are_refused(world: World) -> None:
    answer = world.client().post(
        "/api/v1/submissions", content=b"[" + b"1," * 50_000_000, headers=HEADERS
    )
    assert answer.status_code == 413
    assert "64 MiB" in answer.json()["error"]["message"]


def test_a_submission_of_a_million_jobs_is_refused_with_the_number(world: World) -> None:
    body = b'{"job_specs":[' + b",".join([b'{"name":"example"}'] * 1_000_000) + b"]}"
    answer = world.client().post("/api/v1/submissions", content=body, headers=HEADERS)
    assert answer.status_code == 413
    assert "100,000" in answer.json()["error"]["message"]
    assert world.store.counts().total == 0


def test_a_body_that_breaks_off_is_no_mistake_of_ours(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    to = urlsplit(world.address)
    head = (
        f"POST /api/v1/submissions HTTP/1.1\r\nHost: {to.netloc}\r\nContent-Length: 9\r\n"
        f"Authorization: Bearer {world.token('ann')}\r\nContent-Type: application/json\r\n\r\n{{"
    )
    with socket.create_connection((to.hostname, to.port)) as wire:
        wire.sendall(head.encode())
    metric = 'method="POST",route="/api/v1/submissions",status="400"'
    client = world.client("root", ["admin"])
    world.until(lambda: metric in client.get("/metrics").text)
    assert "failed" not in caplog.text


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../example", "a/b", "a\0b", "a\nb", "exämple", "\U0001f600", "x" * 101]
)
def test_names_that_no_test_can_have_are_refused_wherever_they_are(world: World, name: str) -> None:
    client = world.client()
    for body in (
        {"job_specs": [{"name": name}]},
        {"job_specs": [{"name": "example", name: 1}]},
        {"job_specs": [{"name": "example"}], name: 1},
    ):
        assert client.post("/api/v1/submissions", json=body).status_code == 422, body
    where = quote(name, safe="").replace(".", "%2E")
    for path in (f"/api/v1/tools/{where}", f"/satellite/tests/{where}", f"/api/v1/jobs/{where}"):
        assert client.get(path).status_code in {400, 404, 422}, path
    assert world.store.counts().total == 0


@pytest.mark.parametrize("name", ["", "..", "a/b", "a\0b", "a\nb", "exämple", "a=b"])
def test_parameters_of_such_names_are_refused(world: World, name: str) -> None:
    spec = {"name": "example", "params": {name: "x"}}
    answer = world.client().post("/api/v1/submissions", json={"job_specs": [spec]})
    assert answer.status_code == 422


def test_texts_of_any_kind_arrive_as_they_are_sent(world: World) -> None:
    client = world.client()
    params = {"b": "/../\n\t\"'$(x)\u202e\U0001f600é", "unicode_name": "ü"}
    body = {"job_specs": [{"name": "example", "params": params}], "note": "zeile 1\nzeile 2 ☃"}
    answer = client.post("/api/v1/submissions", json=body)
    assert answer.status_code == 201
    (job,) = answer.json()["job_ids"]
    assert client.get(f"/api/v1/jobs/{job}").json()["params"] == params
    assert answer.json()["note"] == body["note"]
