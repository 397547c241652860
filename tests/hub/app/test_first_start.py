"""A server that starts for the first time: whoever reads its link is in, once, as an admin."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx

PATIENCE = 60.0


def test_the_link_that_a_new_server_prints_makes_the_first_admin(
    tmp_path: Path, checkout: Path
) -> None:
    (tmp_path / "test_scripts").mkdir()
    words = [sys.executable, str(checkout / "run_toolbox.py"), "server", "serve", "--port=0"]
    server = subprocess.Popen(
        [*words, "--data_dir=data"],
        cwd=tmp_path,
        env={**os.environ, "XDG_STATE_HOME": str(tmp_path / "state")},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert server.stderr is not None
        found = None
        for line in server.stderr:
            found = re.search(r"log in +(http://\S+)/login\?link=(\S+)", line)
            if found:
                break
        assert found is not None
        address, link = found.groups()
        with httpx.Client(base_url=address, timeout=PATIENCE) as browser:
            assert browser.post("/api/v1/login", json={"link": link}).status_code == 200
            assert browser.get("/api/v1/me").json()["admin"] is True
        with httpx.Client(base_url=address, timeout=PATIENCE) as other:
            assert other.post("/api/v1/login", json={"link": link}).status_code == 401
        assert sorted(path.name for path in (tmp_path / "data").glob("*.db")) == [
            "hub.db",
            "satellite.db",
        ]
    finally:
        server.send_signal(signal.SIGTERM)
        assert server.wait(PATIENCE) == 0
        assert server.stderr is not None
        server.stderr.close()
