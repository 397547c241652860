"""A whole server for tests: a real store, engine, tools and routes; jobs end when the test says."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from projects.jobs.engine.engine import Engine
from projects.jobs.engine.settings import Settings as EngineSettings
from projects.jobs.http import tokens
from projects.jobs.http.feed import Feed
from projects.jobs.http.gate import Gate
from projects.jobs.http.services import Services, Settings
from projects.jobs.http.tokens import Scope
from projects.jobs.model import moment
from projects.jobs.model.entities import Usage
from projects.jobs.process.orders import Ended, Order, Report, Started
from projects.jobs.store.store import Store, open_store
from projects.jobs.tools.catalog import Catalog
from projects.server.app.asgi import Server
from projects.server.app.assembly import create_app
from projects.server.app.listening import bind

PATIENCE = 20.0


class Puppets:
    """A backend whose jobs print what `output` says and end at once, unless `hold` is set."""

    def __init__(self) -> None:
        self.hold = False
        self.output = b"hello\n"
        self.exit_code = 0
        self.orders: dict[tuple[int, int], Order] = {}
        self._reports: list[Report] = []
        self._woken = threading.Event()

    def start(self) -> list[Report]:
        return []

    def launch(self, order: Order) -> None:
        os.makedirs(order.log_directory, exist_ok=True)
        for name, data in ((order.stdout, self.output), (order.stderr, b"")):
            if name:
                Path(order.log_directory, name).write_bytes(data)
        self.orders[order.number, order.attempt] = order
        self._report(Started(order.number, order.attempt, 1, 1, "boot", moment.now()))
        if not self.hold:
            self.finish(order.number, order.attempt)

    def finish(self, number: int, attempt: int = 1, reason: str = "exit") -> None:
        """End a job."""
        code, signal = (None, 15) if reason == "stopped" else (self.exit_code, None)
        usage = Usage(0.5, 0.25, 1 << 20)
        self._report(Ended(number, attempt, code, signal, reason, moment.now(), usage))

    def follow(self, orders: Sequence[Order], number: int, attempt: int) -> bool:
        return False

    def stop(self, number: int, attempt: int, reason: str) -> None:
        self.finish(number, attempt, "stopped")

    def wait(self, timeout: float | None) -> list[Report]:
        if not self._reports:
            self._woken.wait(timeout)
        self._woken.clear()
        reports, self._reports = self._reports, []
        return reports

    def wake(self) -> None:
        self._woken.set()

    def settled(self, attempts: Iterable[tuple[int, int]]) -> None: ...

    def close(self, stop_jobs: bool = False) -> None: ...

    def _report(self, report: Report) -> None:
        self._reports = [*self._reports, report]
        self._woken.set()


@dataclass
class World:
    """One server, and those who call it."""

    app: FastAPI
    address: str
    services: Services
    puppets: Puppets
    store: Store
    data: Path
    scripts: Path
    clients: list[httpx.Client] = field(default_factory=list)

    def token(
        self, owner: str, scopes: Sequence[Scope] = ("submit",), lifetime: float | None = None
    ) -> str:
        """Return a new token."""
        text, token = tokens.issue(owner, scopes, lifetime=lifetime)
        self.store.add_token(token)
        return text

    def client(self, owner: str = "ann", scopes: Sequence[Scope] = ("submit",)) -> httpx.Client:
        """Return a client that has a token."""
        return self.client_with(self.token(owner, scopes))

    def client_with(self, token: str | None) -> httpx.Client:
        """Return a client with this token, or without one."""
        headers = {} if token is None else bearer(token)
        client = httpx.Client(base_url=self.address, headers=headers, timeout=PATIENCE)
        self.clients.append(client)
        return client

    def submit(self, client: httpx.Client, count: int = 1, **request: Any) -> list[str]:
        """Submit jobs of the tool `example` and return their ids."""
        specs = [{"name": "example", "params": {"a": i}} for i in range(count)]
        answer = client.post("/api/v1/submissions", json={"job_specs": specs} | request)
        assert answer.status_code == 201, answer.text
        ids: list[str] = answer.json()["job_ids"]
        return ids

    def ended(self, job: str) -> Any:
        """Wait until a job has ended and return it."""
        return self.until(
            lambda: found if (found := self.store.job(job)) and found.outcome else None
        )

    def until(self, condition: Callable[[], Any]) -> Any:
        """Wait for something true."""
        ends = time.monotonic() + PATIENCE
        while time.monotonic() < ends:
            found = condition()
            if found:
                return found
            time.sleep(0.005)
        raise AssertionError("it didn't happen")

    def directory(self, job: str) -> Path:
        """Return the directory of a job."""
        return self.services.engine.settings.logs / job


@contextlib.contextmanager
def serving(app: FastAPI, services: Services) -> Iterator[str]:
    """Serve on a real socket, in a thread; yield the address."""
    ready = threading.Event()
    gate = Gate(app, hosts=["localhost", "127.0.0.1"], count=app.state.measures.count)
    with bind("127.0.0.1", 0, services.settings.patience) as sock:
        server = Server(gate, services, ready.set)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]})
        thread.start()
        try:
            assert ready.wait(PATIENCE)
            yield f"http://127.0.0.1:{sock.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


SPEC = """{
  "description": "An example.",
  "unknown_parameters": "allow",
  "parameters": [
    {"name": "a", "type": "integer", "doc": "a number", "optional": true},
    {"name": "pet", "type": "choice", "doc": "a pet", "options": ["cat", "dog"], "optional": true}
  ]
}"""


@contextlib.contextmanager
def served(tmp_path: Path, apps: Sequence[str], **settings: Any) -> Iterator[World]:
    """Serve apps, with jobs that are puppets; `settings` are more of the server's."""
    scripts = tmp_path / "test_scripts"
    example = scripts / "example"
    example.mkdir(parents=True)
    (example / "spec.json").write_text(SPEC)
    (example / "run").write_text("#!/bin/sh\n")
    (example / "run").chmod(0o755)
    (scripts / "broken").mkdir()
    (scripts / "broken" / "spec.json").write_text("{}")
    data = tmp_path / "data"
    data.mkdir()
    store = open_store(f"sqlite:///{data}/satellite.db")
    puppets = Puppets()
    catalog = Catalog([scripts])
    engine = Engine(store, puppets, catalog, EngineSettings(data_directory=data, parallel_jobs=2))
    engine.start()
    services = Services(
        engine=engine,
        store=store,
        catalog=catalog,
        settings=Settings(
            version="0.0.0", nickname="nick", heartbeat=0.2, patience=2.0, **settings
        ),
        feed=Feed(store, engine.subscribe),
    )
    try:
        app = create_app(services, apps)
        with serving(app, services) as address:
            made = World(app, address, services, puppets, store, data, scripts)
            yield made
            for client in made.clients:
                client.close()
    finally:
        engine.stop()
        store.close()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A satellite's server."""
    with served(tmp_path, ["satellite"]) as made:
        yield made


def bearer(token: str) -> dict[str, str]:
    """Return the header with a token."""
    return {"Authorization": f"Bearer {token}"}
