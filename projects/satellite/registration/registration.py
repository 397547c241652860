"""Heartbeats to the hub: who this satellite is and where; a hub that is away is tried again.

`POST {hub}/api/v1/satellites` with `{"nickname", "url", "version", "tools", "token"}`.
"""

from __future__ import annotations

import http.client
import json
import logging
import random
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from projects.core.errors import UsageError
from projects.jobs.model import moment

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

EVERY = 15.0
"""Seconds between two heartbeats that arrive."""

SOONEST, LATEST = 1.0, 300.0
"""Seconds until the next try after one that failed: each time twice as long."""

TIMEOUT = 10.0
_GOOD = range(200, 300)
_MOST_ANSWER = 2000

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class State:
    """What is known of the hub; moments in µs. `problem` is empty when the last try arrived."""

    hub: str
    url: str = ""
    registered: bool = False
    last: int | None = None
    """When it last knew of us."""
    problem: str = ""

    def shown(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        last = None if self.last is None else moment.iso(self.last)
        return {
            "address": self.hub,
            "export_url": self.url,
            "registered": self.registered,
            "last": last,
            "problem": self.problem,
        }


class Registration:
    """Says to `hub` again and again what `announcement` returns, from a thread of its own.

    `token` is the hub's, sent as a Bearer token.

    Raises
    ------
    UsageError
        `hub` is no address.
    """

    def __init__(
        self, hub: str, announcement: Callable[[], Mapping[str, Any]], token: str | None = None
    ) -> None:
        check(hub)
        self._hub = hub.rstrip("/")
        self._announcement = announcement
        self._token = token
        self._state = State(self._hub, problem="not tried yet")
        self._failures = 0
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="registration", daemon=True)

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def stop(self) -> None:
        """End; a call that is under way is left behind."""
        self._closing.set()
        self._thread.join(timeout=1.0)

    @property
    def state(self) -> State:
        """What became of the last try."""
        return self._state

    def shown(self) -> dict[str, Any]:
        """Return what became of the last try, as JSON has it."""
        return self._state.shown()

    def beat(self) -> float:
        """Say it once; return how many seconds to wait until the next time."""
        said: Mapping[str, Any] = {}
        try:
            said = self._announcement()
            problem = self._post(json.dumps(said).encode())
        except (OSError, http.client.HTTPException, ValueError) as error:
            problem = getattr(error, "strerror", None) or str(error) or type(error).__name__
        self._note(str(said.get("url", "")), problem)
        if not problem:
            return EVERY
        longest = min(SOONEST * 2.0 ** min(self._failures - 1, 20), LATEST)
        return longest * random.uniform(0.5, 1.0)  # noqa: S311  (so that not all come at once)

    def _run(self) -> None:
        while not self._closing.is_set():
            try:
                pause = self.beat()
            except Exception as error:
                _log.warning("the registration with %s failed: %s", self._hub, error)
                pause = LATEST
            self._closing.wait(pause)

    def _note(self, url: str, problem: str) -> None:
        before = self._state
        if problem:
            self._failures += 1
            if not before.problem or self._failures == 1:
                _log.warning("the hub %s doesn't answer (%s); trying again", self._hub, problem)
            self._state = State(self._hub, url, before.registered, before.last, problem)
            return
        self._failures = 0
        if before.problem:
            _log.info("registered with the hub %s as %s", self._hub, url)
        self._state = State(self._hub, url, registered=True, last=moment.now())

    def _post(self, body: bytes) -> str:
        """Send a heartbeat; return what is wrong, empty when it arrived."""
        parts = urlsplit(self._hub)
        kind = (
            http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        )
        connection = kind(parts.hostname or "", parts.port, timeout=TIMEOUT)
        headers = {"Content-Type": "application/json"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        try:
            connection.request("POST", f"{parts.path}/api/v1/satellites", body, headers)
            response = connection.getresponse()
            text = response.read(_MOST_ANSWER).decode("utf-8", "replace").strip()
        finally:
            connection.close()
        if response.status in _GOOD:
            return ""
        return f"{response.status} {response.reason}: {text[:200]}".rstrip(": ")


def check(hub: str) -> None:
    """Refuse what is no address of a hub."""
    try:
        parts = urlsplit(hub)
        good = parts.scheme in ("http", "https") and bool(parts.hostname)
        _ = parts.port
    except ValueError:
        good = False
    if not good:
        raise UsageError(f"--hub={hub}: an address looks like http://hub.example.com:8000")
