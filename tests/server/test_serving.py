from __future__ import annotations

import os
import re
import signal
import socket
import ssl
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

PATIENCE = 60.0
SPEC = '{"description": "d", "parameters": [{"name": "a", "type": "string", "doc": "d"}]}'


STARTING = """
import gc, sys
from projects.server.app import assembly, serving
from projects.server.toolbox.server import serve

def told(options):
    print(gc.isenabled())
    import projects.hub.app.app
    serving._spare_the_collector()
    print(gc.isenabled(), gc.get_freeze_count() > 100_000, "httpx" in sys.modules)

serving.serve = told
serve(port=0)
"""


@dataclass
class Started:
    """A server in a process of its own."""

    process: subprocess.Popen[str]
    address: str
    said: list[str]
    directory: Path
    checkout: Path
    clients: list[httpx.Client] = field(default_factory=list)

    @property
    def port(self) -> int:
        return int(self.address.rpartition(":")[2])

    @property
    def token(self) -> str:
        return (self.directory / "data" / "token").read_text().strip()

    def client(self, **more: object) -> httpx.Client:
        headers = {"Authorization": f"Bearer {self.token}"}
        client = httpx.Client(
            base_url=self.address,
            headers=headers,
            timeout=PATIENCE,
            **more,  # type: ignore[arg-type]
        )
        self.clients.append(client)
        return client

    def stop(self, number: int = signal.SIGTERM) -> int:
        for client in self.clients:
            client.close()
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)


Start = Callable[..., Started]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A directory with a test script."""
    script = tmp_path / "test_scripts" / "hello"
    script.mkdir(parents=True)
    (script / "spec.json").write_text(SPEC)
    (script / "run").write_text('#!/bin/sh\necho "hello $arg_a"\n')
    (script / "run").chmod(0o755)
    return tmp_path


def words(checkout: Path, place: Path, *more: str) -> list[str]:
    usual = (f"--data_dir={place / 'data'}", f"--test_scripts={place / 'test_scripts'}", "--port=0")
    given = {word.partition("=")[0] for word in more}
    flags = [word for word in usual if word.partition("=")[0] not in given]
    return [sys.executable, str(checkout / "run_toolbox.py"), "server", "serve", *flags, *more]


def environment(place: Path) -> dict[str, str]:
    return os.environ | {"XDG_STATE_HOME": str(place / "state")}


@pytest.fixture
def start(place: Path, checkout: Path) -> Iterator[Start]:
    """Start servers; whatever still runs at the end of the test is stopped."""
    started: list[Started] = []

    def begin(*more: str) -> Started:
        process = subprocess.Popen(
            words(checkout, place, *more),
            cwd=place,
            env=environment(place),
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stderr
        said = []
        for line in process.stderr:
            said.append(line)
            if "  stop " in line:
                break
        found = re.search(r"https?://\S+", "".join(said))
        assert found, "".join(said)
        server = Started(process, found[0], said, place, checkout)
        started.append(server)
        return server

    yield begin
    for server in started:
        if server.process.poll() is None:
            server.stop()
        for client in server.clients:  # of one that the test has stopped
            client.close()
        assert server.process.stderr
        server.process.stderr.close()


def refused(place: Path, checkout: Path, *more: str) -> tuple[int, str]:
    done = subprocess.run(
        words(checkout, place, *more),
        cwd=place,
        env=environment(place),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert "Traceback" not in done.stderr
    return done.returncode, done.stderr


def test_a_server_runs_jobs_says_where_it_is_and_stops_when_asked(start: Start) -> None:
    server = start("--nickname=nick")
    assert "nick" in server.said[0]
    client = server.client()
    sent = client.post(
        "/satellite/submissions", json={"job_specs": [{"name": "hello", "params": {"a": "x y"}}]}
    )
    assert sent.status_code == 201
    (job,) = sent.json()["data"]["job_ids"]
    with client.stream("GET", f"/satellite/jobs/{job}/logs/stdout?follow=true") as answer:
        assert "hello x y" in answer.read().decode()
    assert client.get(f"/satellite/jobs/{job}").json()["data"]["status"] == "DONE"
    assert client.get("/readyz").json() == {"status": "ok", "problems": []}
    assert server.stop() == 0
    assert not list((server.directory / "artifacts").glob("*")), "serving makes no run directory"


def test_the_token_of_this_machine_is_in_files_that_only_their_owner_reads(start: Start) -> None:
    server = start()
    files = sorted((server.directory / "state" / "topgallant" / "tokens").iterdir())
    assert [file.name for file in files] == [
        f"{name}_{server.port}" for name in ("127.0.0.1", "::1", "localhost")
    ]
    for file in (*files, server.directory / "data" / "token"):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert file.read_text().strip() == server.token
    token = server.token
    assert server.client().get("/api/v1/tokens").status_code == 200
    server.stop()
    assert not [file for file in files if file.exists()], "what leads nowhere is taken away"
    again = start()
    assert again.token == token, "clients that know it go on"
    assert again.client().get("/api/v1/info").status_code == 200


def test_followers_do_not_hold_up_the_end_and_jobs_go_on(start: Start, place: Path) -> None:
    go = place / "go"
    script = place / "test_scripts" / "hello" / "run"
    script.write_text(f"#!/bin/sh\nuntil [ -e {go} ]; do sleep 0.05; done\necho done\n")
    server = start()
    client = server.client()
    specs = {"job_specs": [{"name": "hello", "params": {"a": "x"}}]}
    (job,) = client.post("/api/v1/submissions", json=specs).json()["job_ids"]
    with client.stream("GET", "/api/v1/events?after=0") as events:
        for line in events.iter_lines():
            if '"after":"RUNNING"' in line:
                server.process.send_signal(signal.SIGINT)  # and the stream ends
    assert server.process.wait(PATIENCE) == 0
    go.touch()
    again = start().client()
    with again.stream("GET", f"/api/v1/jobs/{job}/logs/stdout?follow=true") as answer:
        assert "done" in answer.read().decode()
    shown = again.get(f"/api/v1/jobs/{job}").json()
    assert (shown["outcome"], shown["return_code"], shown["attempt"]) == ("SUCCESS", 0, 1)


def test_a_missing_directory_of_test_scripts_is_named(place: Path, checkout: Path) -> None:
    """SAT-1."""
    status, said = refused(place, checkout, "--test_scripts=nowhere")
    assert status == 2
    assert str(place / "nowhere") in said


def test_a_port_in_use_is_said_before_anything_is_made(place: Path, checkout: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        status, said = refused(place, checkout, f"--port={port}")
    assert status == 2
    assert f"127.0.0.1:{port}" in said
    assert "--port" in said
    assert not (place / "data").exists()


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("--port=99999", "65535"),
        ("--host=no.such.name.invalid", "no.such.name.invalid"),
        ("--host=192.0.2.1", "doesn't have this address"),
        ("--apps=satelite", 'did you mean "satellite"'),
        ("--tls_key=x", "--tls_certificate"),
        ("--tls_certificate=none.pem", "none.pem"),
        ("--hub_quota=lots", "--hub_quota=lots"),
    ],
)
def test_wrong_words_are_said_in_one_message(
    place: Path, checkout: Path, word: str, said: str
) -> None:
    status, message = refused(place, checkout, word)
    assert status == 2
    assert said in message


def test_a_second_server_on_the_same_data_is_refused_and_harms_nothing(
    start: Start, place: Path, checkout: Path
) -> None:
    server = start()
    status, said = refused(place, checkout)
    assert status == 2
    assert str(server.process.pid) in said
    assert server.client().get("/api/v1/info").status_code == 200


def test_https_is_served_with_a_certificate(start: Start, place: Path) -> None:
    certificate, key = place / "certificate.pem", place / "key.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-nodes", "-keyout", str(key), "-out", str(certificate), "-days", "2"),
            *("-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"),
        ],
        check=True,
        capture_output=True,
    )
    server = start(f"--tls_certificate={certificate}", f"--tls_key={key}")
    assert server.address.startswith("https://")
    trusted = ssl.create_default_context(cafile=str(certificate))
    assert server.client(verify=trusted).get("/api/v1/info").status_code == 200


def test_two_servers_do_not_run_the_jobs_of_one_database(
    start: Start, place: Path, checkout: Path
) -> None:
    database = f"--database={place / 'jobs.db'}"
    server = start(database)
    status, said = refused(place, checkout, database, f"--data_dir={place / 'other'}")
    assert status == 2
    assert f"another server works with the jobs in {place / 'jobs.db'}" in said
    assert server.client().get("/readyz").status_code == 200


def test_the_start_looks_for_no_cycles_and_imports_nothing_for_satellites(
    place: Path, checkout: Path
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", STARTING],
        cwd=place,
        env={**os.environ, "PYTHONPATH": str(checkout)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["False", "True", "True", "False"]
