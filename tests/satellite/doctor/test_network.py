"""Who is at a port, and what the hub's clock says."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from projects.satellite.doctor import network
from projects.satellite.doctor.findings import Verdict
from tests.satellite.live import Hub


@pytest.fixture
def hub() -> Iterator[Hub]:
    running = Hub()
    yield running
    running.close()


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def test_a_free_port_is_good_unless_a_server_should_be_there() -> None:
    number = free_port()
    assert network.port("127.0.0.1", number, {}, None)[0].said.endswith("is free; no server runs")
    assert "pid 42 doesn't answer" in network.port("127.0.0.1", number, {}, 42)[0].said


def test_another_program_at_the_port_is_a_problem(hub: Hub) -> None:
    hub.status = 200
    (found,) = network.port("127.0.0.1", hub.port, {}, None)
    assert found.verdict is Verdict.PROBLEM
    assert "something else listens" in found.said


def test_a_hub_that_is_away_or_wrong_is_told(hub: Hub) -> None:
    assert [x.check for x in network.hub(hub.url)] == ["hub", "clock"]
    hub.status = 503
    assert network.hub(hub.url)[0].verdict is Verdict.WARNING
    assert "Connection refused" in network.hub(f"http://127.0.0.1:{free_port()}")[0].said
    assert network.hub("nonsense")[0].verdict is Verdict.PROBLEM


@pytest.mark.parametrize(("apart", "said"), [(60, "60 s ahead of"), (-60, "60 s behind")])
def test_a_clock_that_differs_is_told(apart: int, said: str) -> None:
    date, moment = "Tue, 26 May 2020 17:07:22 GMT", 1590512842
    assert said in network._clock(date, moment + apart)[0].said
    assert network._clock(date, moment + 1)[0].verdict is Verdict.OK
    assert network._clock(None, moment) == []
