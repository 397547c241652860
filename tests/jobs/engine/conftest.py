"""A house with everything real: test scripts, store, process backend, engine."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from projects.jobs.engine.engine import Engine, Submitted
from projects.jobs.engine.listeners import News
from projects.jobs.engine.settings import Settings
from projects.jobs.model.entities import Job
from projects.jobs.model.states import State
from projects.jobs.process.backend import ProcessBackend
from projects.jobs.store.store import Store, open_store
from projects.jobs.tools.catalog import Catalog

PATIENCE = 60.0


class House:
    """One data directory, and the server that works in it now."""

    def __init__(self, top: Path) -> None:
        self.top = top
        self.scripts = top / "test_scripts"
        self.data = top / "data"
        self.scripts.mkdir()
        self.data.mkdir()
        self.changed = threading.Condition()
        self.news: list[News] = []
        self.settings: dict[str, Any] = {"grace": 0.3, "parallel_jobs": 2}
        self.database = f"sqlite:///{self.data}/satellite.db"
        self._engine: Engine | None = None
        self._store: Store | None = None

    def tool(self, name: str, script: str, parameters: Sequence[Any] = (), **spec: Any) -> Path:
        directory = self.scripts / name
        directory.mkdir(exist_ok=True)
        said = {"description": name, "parameters": list(parameters), **spec}
        (directory / "spec.json").write_text(json.dumps(said))
        run = directory / "run"
        run.write_text("#!/bin/sh\n" + script)
        run.chmod(0o755)
        return directory

    def start(self, **settings: Any) -> Engine:
        self.settings |= settings
        told = Settings(self.data, **self.settings)
        self._store = open_store(self.database)
        engine = Engine(self._store, self.backend(), Catalog([self.scripts]), told)
        engine.subscribe(self._hear)
        engine.start()
        self._engine = engine
        return engine

    def backend(self) -> Any:
        return ProcessBackend(str(self.data / "run"), idle_seconds=1.0)

    def stop(self) -> None:
        if self._engine is not None:
            self._engine.stop()
            self._engine = None
        if self._store is not None:
            self._store.close()
            self._store = None

    @property
    def engine(self) -> Engine:
        return self._engine or self.start()

    @property
    def store(self) -> Store:
        return self.engine.store

    def submit(self, *jobs: Any, **more: Any) -> Submitted:
        """Submit jobs: names, or names with params."""
        specs = [
            {"name": job} if isinstance(job, str) else {"name": job[0], "params": job[1]}
            for job in jobs
        ]
        return self.engine.submit({"job_specs": specs, **more}, "ann")

    def job(self, which: str | int) -> Job:
        job = self.store.job(which)
        assert job is not None
        return job

    def until(self, condition: Callable[[], Any]) -> Any:
        """Wait, woken by news, until something holds; return it."""
        with self.changed:
            assert self.changed.wait_for(condition, PATIENCE), "waited in vain"
            return condition()

    def running(self, which: str | int) -> Job:
        self.until(lambda: self.job(which).state >= State.RUNNING)
        return self.job(which)

    def done(self, which: str | int) -> Job:
        self.until(lambda: self.job(which).state >= State.DONE)
        return self.job(which)

    def run(self, name: str, params: Any = None, **more: Any) -> Job:
        return self.done(self.submit((name, params or {}), **more).job_ids[0])

    def logs(self, job: Job) -> Path:
        return self.data / "job_logs" / job.id

    def output(self, job: Job) -> str:
        return (self.logs(job) / "stdout.log").read_text()

    def _hear(self, news: Sequence[News], missed: int) -> None:
        assert not missed
        with self.changed:
            self.news.extend(news)
            self.changed.notify_all()


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    built = House(tmp_path)
    yield built
    if built._engine is not None:
        built._engine.settings = Settings(built.data, **{**built.settings, "stop_jobs": True})
    built.stop()


class Gate:
    """A file that scripts wait for."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.wait = f"while ! test -e {path}; do sleep 0.02; done"

    def open(self) -> None:
        """Let everybody through who waits, and all that come."""
        self.path.touch()


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    return Gate(tmp_path / "gate")
