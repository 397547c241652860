"""A hub as a process of its own, and a real Chromium that looks at it."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

from tests.conftest import CHECKOUT

CHROMIUM = "/usr/bin/chromium"
PATIENCE = 60.0
_LINK = re.compile(r"http://\S+/login\?link=\S+")

SLOW = """#!/bin/sh
i=0
while [ $i -lt "$arg_steps" ]; do
    i=$((i + 1)); printf '\\033[32mstep\\033[0m %s of <b>%s</b>\\n' $i "$arg_steps"; sleep 0.2
done
"""
CHATTY = """#!/bin/sh
seq --format='line %.0f of very many, each as long as lines of a log are' 12000
i=12000
while [ $i -lt "$arg_steps" ]; do
    i=$((i + 1)); echo "line $i of very many"; sleep 0.2
done
"""
FAILING = "#!/bin/sh\necho 'no space left' >&2\nexit 3\n"
DO_NOTHING = "#!/bin/sh\n"
NUMBER = '{"name": "steps", "type": "nat", "doc": "How many", "default": 10}'
LATE = """{"name": "animal", "type": "choice", "doc": "Asks for more", "options": ["cat", "dog"],
"shell": "while [ ! -e gate ]; do sleep 0.05; done; echo otter", "default": "cat"}"""
WARNED = """{"name": "animal", "type": "choice", "doc": "Asks for more", "options": ["cat", "dog"],
"shell": "echo the list is away >&2; exit 3", "default": "cat"}"""
TOOLS = (
    ("slow", SLOW, NUMBER),
    ("chatty", CHATTY, NUMBER),
    ("failing", FAILING, ""),
    ("late", DO_NOTHING, LATE),
    ("warned", DO_NOTHING, WARNED),
)


@dataclass
class HubServer:
    """A server, who calls it, where it keeps what it knows, and its tests."""

    address: str
    link: str
    data: Path
    scripts: Path
    client: httpx.Client

    def submit(self, tool: str, note: str = "", **params: object) -> str:
        """Submit a job, return its id."""
        wanted = {"note": note, "job_specs": [{"name": tool, "params": params}]}
        answer = self.client.post("/api/v1/submissions", json=wanted).raise_for_status()
        job: str = answer.json()["job_ids"][0]
        return job

    def cancel(self, job: str) -> None:
        """Cancel a job."""
        self.client.post(f"/api/v1/jobs/{job}/cancel").raise_for_status()

    def ended(self, job: str) -> str:
        """Wait until a job has ended; return how."""
        ends = time.monotonic() + PATIENCE
        while time.monotonic() < ends:
            outcome = self.client.get(f"/api/v1/jobs/{job}").json()["outcome"]
            if outcome:
                return str(outcome)
            time.sleep(0.02)
        raise AssertionError("it didn't end")


@pytest.fixture(scope="module")
def hub_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubServer]:
    """Serve a hub with the example tests and some of our own."""
    home = tmp_path_factory.mktemp("hub")
    scripts = home / "test_scripts"
    shutil.copytree(CHECKOUT / "projects/satellite/test_scripts", scripts)
    for name, text, parameters in TOOLS:
        (scripts / name).mkdir()
        spec = f'{{"description": "For a test.", "parameters": [{parameters}]}}'
        (scripts / name / "spec.json").write_text(spec)
        (scripts / name / "run").write_text(text)
        (scripts / name / "run").chmod(0o755)
    subprocess.run(["chmod", "-R", "go-w", scripts], check=True)
    told = home / "told"
    command = [sys.executable, "run_toolbox.py", "server", "serve", "--port=0"]
    command += [f"--data_dir={home}/data", f"--test_scripts={scripts}", "--nickname=harbour"]
    environ = {"PATH": os.environ["PATH"], "HOME": str(home), "TOPGALLANT_VENV": sys.prefix}
    with told.open("w") as out:
        process = subprocess.Popen(
            command, cwd=CHECKOUT, env=environ, stderr=out, stdout=out, start_new_session=True
        )
        try:
            server = _ready(process, told, home / "data", scripts)
            yield server
            server.client.close()
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(PATIENCE)
            _end_spawner(home)


def _ready(process: subprocess.Popen[bytes], told: Path, data: Path, scripts: Path) -> HubServer:
    ends = time.monotonic() + PATIENCE
    while time.monotonic() < ends and process.poll() is None:
        found = _LINK.search(told.read_text())
        if found:
            address = found[0].partition("/login")[0]
            token = (data / "token").read_text().strip()
            headers = {"Authorization": f"Bearer {token}"}
            client = httpx.Client(base_url=address, headers=headers, timeout=PATIENCE)
            return HubServer(address, found[0], data, scripts, client)
        time.sleep(0.02)
    raise AssertionError(told.read_text())


def _share_with(server: HubServer, group: str) -> None:
    """Make a group with the user in it whom the server began with."""
    me = server.client.get("/api/v1/me").json()["name"]
    server.client.post("/api/v1/groups", json={"id": group, "title": "Us"}).raise_for_status()
    path = f"/api/v1/groups/{group}/members/{me}"
    server.client.put(path, json={"manager": True}).raise_for_status()


def _end_spawner(home: Path) -> None:
    """End what goes on when a server stops."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if any(word.startswith(os.fsencode(home)) for word in words):
                os.kill(int(entry.name), signal.SIGTERM)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Start the system's Chromium."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def session(hub_server: HubServer, chromium: Browser) -> str:
    """Log in once by the link that the server printed; return what the browser keeps.

    Who is logged in is in the group `team`.
    """
    context = chromium.new_context()
    page = context.new_page()
    page.goto(hub_server.link)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(f"{hub_server.address}/")
    kept = json.dumps(context.storage_state())
    context.close()
    _share_with(hub_server, "team")
    return kept


@dataclass
class Watched:
    """A page, and what its console complained of."""

    page: Page
    complaints: list[str]


def _note(complaints: list[str], said: ConsoleMessage) -> None:
    refused = "status of 422" in said.text  # a form with mistakes, shown again
    # What htmx was asking for when one went on to another page; a failed answer is a responseError.
    broken_off = said.text.startswith(("htmx:sendAbort", "htmx:afterRequest"))
    if said.type == "error" and not refused and not broken_off:
        complaints.append(said.text)


@pytest.fixture
def watched(hub_server: HubServer, chromium: Browser, session: str) -> Iterator[Watched]:
    """Return a page of somebody who is logged in; at its end nothing may have been complained."""
    context = new_context(hub_server, chromium, session)
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda said: _note(complaints, said))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield Watched(page, complaints)
    found = list(complaints)  # what is broken off by closing is no complaint
    context.close()
    assert not found, found


@pytest.fixture
def page(watched: Watched) -> Page:
    """Return the page alone."""
    return watched.page


def new_context(
    server: HubServer, browser: Browser, session: str, **more: object
) -> BrowserContext:
    """Return another browser of the same person."""
    return browser.new_context(
        base_url=server.address,
        storage_state=json.loads(session),
        viewport={"width": 1280, "height": 850},
        **more,  # type: ignore[arg-type]
    )
