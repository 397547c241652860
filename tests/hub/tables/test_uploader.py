"""A satellite's own uploader and a real hub: away, answers lost, nothing twice."""

from __future__ import annotations

import http.client
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from projects.jobs.engine import delivery
from tests.hub.hub_world import Hub
from tests.jobs.engine.conftest import House
from tests.jobs.engine.test_uploads import until_event

SPEC = {"results_file": "r.json", "test_system": "lab 1", "test_name": "speed"}


class Road:
    """What lies between: cut (`away`), or losing answers of calls that arrived (`lossy`)."""

    def __init__(self, hub: str) -> None:
        self.how: list[str] = []
        self.statuses: list[int] = []
        road, to = self, urlsplit(hub)

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                how = road.how.pop(0) if road.how else ""
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if how != "away":
                    onward = http.client.HTTPConnection(to.hostname or "", to.port, timeout=30)
                    headers = {k: v for k, v in self.headers.items() if k != "Host"}
                    onward.request("POST", self.path, body, headers)
                    answer = onward.getresponse()
                    data = answer.read()
                    onward.close()
                    road.statuses.append(answer.status)
                    if how != "lossy":
                        self.send_response(answer.status)
                        self.send_header("Content-Length", str(len(data)))
                        self.end_headers()
                        self.wfile.write(data)
                self.close_connection = True

            def log_message(self, *args: object) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def road(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> Iterator[Road]:
    monkeypatch.setattr(delivery, "FIRST_PAUSE", 0.05)
    made = Road(hub.address)
    yield made
    made.close()


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    (tmp_path / "satellite").mkdir()
    made = House(tmp_path / "satellite")
    yield made
    made.stop()


def test_results_arrive_once_over_a_bad_road(hub: Hub, road: Road, house: House) -> None:
    token = hub.world.token("ann", ["satellite"])
    road.how = ["away", "away", "lossy", "lossy"]
    house.tool("measure", 'echo \'[{"ms": 4}, {"ms": 5.5}]\' > r.json', uploads=[SPEC])
    house.start(hub_url=road.url, hub_token=token)
    job = house.run("measure")
    until_event(house, job.number, "uploaded to lab 1/speed")
    assert road.statuses == [201, 201, 201]
    page = hub.client("ann").get("/api/v1/tables/lab 1/speed/rows", params={"sort": "@row"}).json()
    assert [row["values"] for row in page["items"]] == [{"ms": 4.0}, {"ms": 5.5}]
    assert {row["job"] for row in page["items"]} == {job.id}
    assert {row["by"] for row in page["items"]} == {"ann"}
    assert page["items"][0]["links"] == {"job": f"/jobs/{job.id}"}


def test_what_the_hub_can_not_take_is_given_up_with_its_reason(
    hub: Hub, road: Road, house: House
) -> None:
    house.tool("measure", "echo 5 > r.json", uploads=[SPEC])
    house.start(hub_url=road.url, hub_token=hub.world.token("ann", ["satellite"]))
    job = house.run("measure")
    until_event(house, job.number, "given up: 422")
    assert (
        "send an object (a row) or a list of objects"
        in house.store.uploads_of(job.number)[0].last_error
    )


def test_a_satellite_with_an_expired_token_delivers_with_the_next_one(
    hub: Hub, road: Road, house: House
) -> None:
    house.tool("measure", "echo '{\"ms\": 4}' > r.json", uploads=[SPEC])
    house.start(hub_url=road.url, hub_token=hub.world.token("ann", ["satellite"], lifetime=-1))
    job = house.run("measure")
    hub.world.until(lambda: 401 in road.statuses)
    house.stop()
    house.start(hub_token=hub.world.token("ann", ["satellite"]))
    until_event(house, job.number, "uploaded to")
    assert hub.client("ann").get("/api/v1/tables/lab 1/speed").json()["rows"] == 1
