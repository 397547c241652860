from __future__ import annotations

import socket
from urllib.parse import urlsplit

import pytest

from projects.core.errors import InfrastructureError
from projects.core.secrets import masking
from projects.jobs.http.gate import is_loopback, name_of
from tests.jobs.http.puppets import World


def test_a_mistake_of_ours_shows_a_number_and_nothing_else(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    masking.register("hunter2hunter2", "password")

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("secret hunter2hunter2 in /etc/shadow")

    monkeypatch.setattr(world.store, "counts", fail)
    answer = world.client().get("/api/v1/counts")
    assert answer.status_code == 500
    assert answer.json()["error"]["code"] == "internal"
    assert "shadow" not in answer.text
    number = answer.json()["error"]["message"].split()[-1]
    assert number in caplog.text
    assert "RuntimeError: secret ***" in caplog.text
    assert "hunter2" not in caplog.text


def test_what_is_in_the_way_is_a_503_with_the_reason_masked(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    masking.register("hunter2hunter2", "password")

    def fail(*_: object, **__: object) -> None:
        raise InfrastructureError("the database hunter2hunter2 is away")

    monkeypatch.setattr(world.store, "counts", fail)
    expected = {"code": "unavailable", "message": "the database *** is away"}
    for address in ("/api/v1/counts", "/satellite/info"):
        answer = world.client().get(address)
        assert answer.status_code == 503
        said = answer.json()
        assert said.get("data", said)["error"] == expected


def test_every_error_has_one_form(world: World) -> None:
    client = world.client()
    statuses = {
        "/nothing": 404,
        "/api/v1/jobs/not-an-id": 400,
        "/api/v1/jobs/999": 404,
        "/api/v1/jobs?limit=0": 422,
        "/api/v1/jobs?limit=1001": 422,
        "/api/v1/jobs?limit=x": 422,
        "/api/v1/jobs?cursor=x": 400,
        "/api/v1/jobs?since=yesterday": 422,
        "/api/v1/jobs?state=RUNING": 422,
        "/api/v1/jobs?state=RUNNING&state=DONE": 422,
        "/api/v1/jobs?tool=%00": 422,
        "/api/v1/tools/none": 404,
        "/api/v1/tools/..": 404,
        "/api/v1/tools/example/options/none": 404,
        "/api/v1/tools/broken/options/a": 404,
        "/api/v1/jobs/1/logs/stdin": 422,
        "/satellite/jobs?status=GREEN": 422,
        "/satellite/jobs?status=PENDING,DONE": 422,
    }
    for address, status in statuses.items():
        answer = client.get(address)
        assert answer.status_code == status, address
        said = answer.json()
        error = said["data"]["error"] if address.startswith("/satellite") else said["error"]
        assert set(error) <= {"code", "message", "fields"}, address
        assert error["message"], address


def test_an_unknown_parameter_is_answered_with_the_nearest_name(world: World) -> None:
    for address in ("/api/v1/jobs?stat=DONE", "/satellite/jobs?stat=DONE"):
        answer = world.client().get(address)
        assert answer.status_code == 422
        assert 'did you mean "stat' in answer.text.replace("\\", "")
    assert world.client().get("/api/v1/info?a=1").status_code == 422
    assert world.client().get("/api/v1/jobs?tool=x&oldest_first=1").status_code == 200


def test_all_mistakes_of_a_submission_are_said_with_their_places(world: World) -> None:
    specs = [{"name": "exampel"}, {"name": "example", "params": {"a": "x"}, "parms": {}}]
    answer = world.client().post("/api/v1/submissions", json={"job_specs": specs, "paralel": 1})
    assert answer.status_code == 422
    fields = answer.json()["error"]["fields"]
    assert {"job_specs[0].name", "job_specs[1].params.a", "job_specs[1].parms", "paralel"} <= set(
        fields
    )
    assert 'did you mean "example"' in fields["job_specs[0].name"]


def test_a_method_that_a_route_does_not_have_is_a_405(world: World) -> None:
    answer = world.client().put("/api/v1/jobs")
    assert answer.status_code == 405
    assert answer.json()["error"]["code"] == "method_not_allowed"


def test_only_names_of_this_machine_are_answered_to(world: World) -> None:
    client = world.client()
    port = urlsplit(world.address).port
    for host, status in (
        (f"localhost:{port}", 200),
        ("LOCALHOST", 200),
        ("127.0.0.1", 200),
        ("evil.example", 421),
        ("127.0.0.1.evil.example", 421),
        ("localhost.evil.example:80", 421),
    ):
        answer = client.get("/api/v1/info", headers={"Host": host})
        assert answer.status_code == status, host
    assert client.get("/healthz", headers={"Host": "evil.example"}).status_code == 421


def test_a_call_without_host_is_refused(world: World) -> None:
    address = urlsplit(world.address)
    with socket.create_connection((address.hostname, address.port), timeout=20) as sock:
        sock.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
        assert b" 421 " in sock.recv(100)


@pytest.mark.parametrize(
    ("host", "name"),
    [("a:1", "a"), ("A", "a"), ("[::1]:80", "::1"), ("", ""), ("127.0.0.1:", "127.0.0.1"),
     ("a:1@evil", ""), ("a:evil", ""), ("evil@a", ""), ("[::1]evil", ""), ("a b", ""), ("a/b", "")],
)  # fmt: skip
def test_the_name_in_a_host_header(host: str, name: str) -> None:
    assert name_of(host) == name


def test_which_addresses_are_of_this_machine_only() -> None:
    assert all(map(is_loopback, ("localhost", "127.0.0.1", "127.8.8.8", "::1", "[::1]")))
    assert not any(map(is_loopback, ("10.0.0.1", "::", "example.org", "")))


def test_every_answer_forbids_guessing_its_type_and_framing(world: World) -> None:
    client = world.client()
    for address in ("/api/v1/info", "/nothing", "/docs", "/healthz"):
        headers = client.get(address).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert "server" not in headers


def test_the_documentation_loads_nothing_from_anywhere(world: World) -> None:
    client = world.client()
    page = client.get("/docs")
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    assert "<script" not in page.text
    assert "http://" not in page.text
    assert "https://" not in page.text
    for path in client.get("/openapi.json").json()["paths"]:
        assert f"<code>{path}</code>" in page.text


def test_a_server_that_works_is_ready_and_one_that_does_not_says_why(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = world.client_with(None)
    assert client.get("/healthz").json() == {"status": "ok", "problems": []}
    assert client.get("/readyz").json() == {"status": "ok", "problems": []}

    def fail() -> None:
        raise InfrastructureError("the database is away")

    monkeypatch.setattr(world.store, "ping", fail)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {"status": "not ready", "problems": ["the database is away"]}
    assert client.get("/healthz").status_code == 200


@pytest.mark.parametrize(
    ("problem", "said"),
    [
        ("StoreFull: /srv/lab/satellite.db: the disk is full", "StoreFull: …: the disk is full"),
        ("postgresql+psycopg://ada:***@db:5432/jobs doesn't answer: no", "… doesn't answer: no"),
        ("the spawner (/srv/run) doesn't answer, and/or ended", "the spawner (…) doesn't answer"),
    ],
)
def test_who_has_no_token_is_not_told_where_things_are(
    world: World, monkeypatch: pytest.MonkeyPatch, problem: str, said: str
) -> None:
    def fail() -> None:
        raise InfrastructureError(problem)

    monkeypatch.setattr(world.store, "ping", fail)
    (told,) = world.client_with(None).get("/readyz").json()["problems"]
    assert told.startswith(said)
    assert ("and/or" in told) == ("and/or" in problem)
