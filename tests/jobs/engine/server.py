"""A server of its own for tests that kill it: data directory in argv, submissions on stdin."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from projects.jobs.engine.engine import Engine
from projects.jobs.engine.settings import Settings
from projects.jobs.process.backend import ProcessBackend
from projects.jobs.store.store import open_store
from projects.jobs.tools.catalog import Catalog

top, more = Path(sys.argv[1]), json.loads(sys.argv[2])
settings = Settings(top / "data", **more)
began = time.monotonic()
store = open_store(f"sqlite:///{top}/data/satellite.db")
backend = ProcessBackend(str(settings.run), idle_seconds=1.0)
engine = Engine(store, backend, Catalog([top / "test_scripts"]), settings)
engine.start()
print(json.dumps({"ready": time.monotonic() - began}), flush=True)
for line in sys.stdin:
    sent = engine.submit(json.loads(line), "ann")
    print(json.dumps(list(sent.job_ids)), flush=True)
engine.stop()
store.close()
