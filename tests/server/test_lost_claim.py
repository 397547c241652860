"""A server whose jobs another one has taken over stops by itself, and says so."""

from __future__ import annotations

from pathlib import Path

from tests.jobs.engine.test_claim_watch import lose_to_another
from tests.satellite.live import Live


def test_it_exits_with_a_message(tmp_path: Path, postgresql: str) -> None:
    live = Live(tmp_path, f"--database={postgresql}")
    try:
        live.start()
        let_go = lose_to_another(postgresql)
        assert live.process
        assert live.process.wait(60) == 2
        assert "error: the connection to postgresql" in live.log.read_text()
        assert "another server works with its jobs now" in live.log.read_text()
        let_go()
    finally:
        live.end()
