"""Our engine without a server around it: `python -m … COUNT FOLDER`, prints its seconds."""

from __future__ import annotations

import json
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from projects.jobs.engine.engine import Engine
from projects.jobs.engine.settings import Settings
from projects.jobs.model.states import State
from projects.jobs.process.backend import ProcessBackend
from projects.jobs.store.store import open_store
from projects.jobs.tools.catalog import Catalog

if TYPE_CHECKING:
    from collections.abc import Sequence


def measure(count: int, folder: Path) -> dict[str, float]:
    """Return the seconds for `count` jobs from before the submission to the last one recorded."""
    settings = Settings(folder / "data", parallel_jobs=2)
    (folder / "data").mkdir()
    store = open_store(f"sqlite:///{folder}/data/satellite.db")
    backend: Any = ProcessBackend(str(settings.run))
    engine = Engine(store, backend, Catalog([folder / "test_scripts"]), settings)
    over = threading.Condition()
    ended = 0

    def hear(news: Sequence[Any], missed: int) -> None:
        nonlocal ended
        with over:
            ended += missed + sum(one.state == State.DONE for one in news)
            over.notify_all()

    def run(jobs: int) -> float:
        nonlocal ended
        ended = 0
        began = time.perf_counter()
        engine.submit({"parallel": 2, "job_specs": [{"name": "true"}] * jobs}, "bench")
        with over:
            over.wait_for(lambda: ended >= jobs)
        return time.perf_counter() - began

    engine.subscribe(hear, most=10 * count)
    engine.start()
    try:
        run(20)
        return {"seconds": run(count)}
    finally:
        engine.stop()
        store.close()


if __name__ == "__main__":
    sys.stdout.write(json.dumps(measure(int(sys.argv[1]), Path(sys.argv[2]))) + "\n")
