"""Results to the hub: collected, checked, delivered or kept (SAT-30, SAT-31), by a real server."""

from __future__ import annotations

import http.server
import json
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from projects.jobs.engine import delivery, outbox
from projects.jobs.model import identity
from projects.jobs.model.states import Outcome

SPEC = {"results_file": "r.json", "test_system": "lab", "test_name": "speed"}


class Hub:
    """A small hub: answers as told, then 201; keeps what it got."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, dict[str, str]]] = []
        self.got: list[tuple[str, dict[str, str], Any]] = []
        self.changed = threading.Condition()
        hub = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status, headers = hub.answers.pop(0) if hub.answers else (201, {})
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")
                with hub.changed:
                    hub.got.append((self.path, dict(self.headers), json.loads(body)))
                    hub.changed.notify_all()

            def log_message(self, *args: Any) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/base/"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def wait(self, count: int) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.got) >= count, 60)

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def hub(monkeypatch: Any) -> Iterator[Hub]:
    monkeypatch.setattr(delivery, "FIRST_PAUSE", 0.05)
    made = Hub()
    yield made
    made.close()


def events(house: Any, number: int) -> str:
    return "\n".join(event.message for event in house.store.events_of(number))


def until_event(house: Any, number: int, text: str) -> None:
    import time

    end = time.monotonic() + 60
    while text not in events(house, number):  # events of uploads are no news
        assert time.monotonic() < end, events(house, number)
        time.sleep(0.01)


def test_sat_30_results_are_posted_with_system_and_name(house: Any, hub: Hub) -> None:
    house.tool("measure", "echo '{\"ms\": 4}' > r.json", uploads=[SPEC])
    house.start(hub_url=hub.url, hub_token="t0ken")
    job = house.run("measure")
    hub.wait(1)
    (path, headers, body), *rest = hub.got
    assert rest == []
    assert path == "/base/api/v1/tables/lab/speed/rows"
    assert body == {"ms": 4}
    assert headers["Authorization"] == "Bearer t0ken"
    assert identity.parse(headers["Idempotency-Key"])
    until_event(house, job.number, "uploaded to lab/speed")
    (upload,) = house.store.uploads_of(job.number)
    assert upload.done
    assert list((house.data / "outbox").iterdir()) == []


def test_sat_30_failures_are_tried_again_under_the_same_key(house: Any, hub: Hub) -> None:
    hub.answers = [(500, {}), (503, {"Retry-After": "0"}), (429, {"Retry-After": "x"}), (401, {})]
    house.tool("measure", "echo 1 > r.json; exit 3", uploads=[SPEC])
    house.start(hub_url=hub.url)
    job = house.run("measure")
    assert job.outcome == Outcome.FAILED
    hub.wait(5)
    assert len({headers["Idempotency-Key"] for _, headers, _ in hub.got}) == 1
    until_event(house, job.number, "uploaded to")
    assert house.store.uploads_of(job.number)[0].attempts >= 4


@pytest.mark.parametrize("status", [400, 404, 409, 422])
def test_what_the_hub_refuses_is_given_up_and_kept(house: Any, hub: Hub, status: int) -> None:
    hub.answers = [(status, {})]
    house.tool("measure", "echo 1 > r.json", uploads=[SPEC])
    house.start(hub_url=hub.url)
    job = house.run("measure")
    until_event(house, job.number, f"given up: {status}")
    (upload,) = house.store.uploads_of(job.number)
    assert upload.abandoned
    assert (house.data / "outbox" / upload.file).read_text() == "1\n"
    assert len(hub.got) == 1


def test_sat_30_a_hub_that_is_away_loses_nothing_over_a_restart(house: Any, hub: Hub) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        away = f"http://127.0.0.1:{free.getsockname()[1]}"
    house.tool("measure", "echo 1 > r.json", uploads=[SPEC, {**SPEC, "test_name": "size"}])
    house.start(hub_url=away)
    job = house.run("measure")
    assert job.outcome == Outcome.SUCCESS
    house.stop()
    house.start(hub_url=hub.url)
    hub.wait(2)
    assert {path.split("/")[-2] for path, _, _ in hub.got} == {"speed", "size"}


def test_a_hub_that_never_answers_is_left_after_a_while(tmp_path: Path) -> None:
    from projects.jobs.model.entities import Upload

    (tmp_path / "x").write_text("{}")
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        answer = delivery.post(Upload("i", 1, "s", "n", "x"), tmp_path / "x", url, None, 0.1)
    assert (answer.away, answer.refused, answer.delivered) == (True, False, False)
    assert "timed out" in answer.error


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("true", "No such file"),
        ("echo '{' > r.json", "not JSON"),
        ("echo NaN > r.json", "NaN is no JSON number"),
        ("printf '\\377' > r.json", "not JSON"),
        ("yes '[' | head -100000 | tr -d '\\n' > r.json", "not JSON"),
        ("truncate -s 65M r.json", "the most is 67,108,864"),
        ("truncate -s 3M r.json", "not JSON"),
        ("mkfifo r.json", "is not a file"),
        ("ln -s /etc/hostname r.json", "leads out of"),
        ("mkdir r.json", "r.json"),
    ],
)
def test_sat_30_a_wrong_result_is_an_event_and_the_job_is_as_it_was(
    house: Any, script: str, said: str
) -> None:
    house.tool("measure", script, uploads=[SPEC])
    job = house.run("measure")
    assert (job.outcome, job.return_code) == (Outcome.SUCCESS, 0)
    until_event(house, job.number, "no upload to lab/speed")
    assert said in events(house, job.number)
    assert house.store.uploads_of(job.number) == []
    assert list((house.data / "outbox").iterdir()) == []


@pytest.mark.parametrize("name", ["../other.json", "/etc/hostname", "a/../../other.json"])
def test_sat_31_a_result_outside_of_the_jobs_directory_is_refused(
    tmp_path: Path, name: str
) -> None:
    (tmp_path / "job" / "a").mkdir(parents=True)
    (tmp_path / "other.json").write_text("1")
    with pytest.raises(outbox.NoResult):
        outbox.open_result(tmp_path / "job", name)


def test_a_large_result_is_checked_by_a_child(tmp_path: Path) -> None:
    good = tmp_path / "good"
    good.write_text(json.dumps(["x" * 1000] * 2000))
    outbox.check_json(good)
    good.write_text(good.read_text() + "]")
    with pytest.raises(outbox.NoResult, match="Extra data"):
        outbox.check_json(good)


def test_collecting_again_changes_nothing(house: Any) -> None:
    """A server that dies between collecting and recording collects again."""
    house.tool("measure", "echo 1 > r.json", uploads=[SPEC])
    job = house.run("measure")
    (upload,) = house.store.uploads_of(job.number)
    assert upload.id == outbox.upload_id(job, 0)
    assert upload.id != outbox.upload_id(job, 1)
    assert identity.parse(upload.id) == upload.id
    assert os.stat(house.data / "outbox" / upload.file).st_mode & 0o077 == 0


def test_pauses_grow_to_an_hour_and_heed_the_hub() -> None:
    assert [delivery.pause(n, 0.999999) for n in (1, 2, 3)] == pytest.approx([1, 2, 4], rel=1e-3)
    assert 1800 <= delivery.pause(50, 0.0) <= delivery.pause(50, 0.99) <= 3600
    assert delivery.pause(1, 0.0, after=90) == 90


@pytest.mark.parametrize(
    ("text", "seconds"),
    [(None, None), ("7", 7), ("99999", 3600), ("later", None), ("-1", None)],
)
def test_retry_after(text: str | None, seconds: float | None) -> None:
    assert delivery._retry_after(text) == seconds


def test_retry_after_may_be_a_date() -> None:
    assert delivery._retry_after("Wed, 21 Oct 2015 07:28:00 GMT") == 0
    assert delivery._retry_after("Wed, 21 Oct 2065 07:28:00 GMT") == 3600
