"""Who answers: the satellite at its port, the hub, and whether its clock agrees."""

from __future__ import annotations

import contextlib
import email.utils
import errno
import http.client
import socket
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from projects.core.errors import TopgallantError, UsageError
from projects.satellite.doctor.findings import Finding, ok, problem, warning

if TYPE_CHECKING:
    from collections.abc import Mapping

TIMEOUT = 5.0
MOST_APART = 5.0
"""Seconds that the hub's clock may differ."""

_BAD = 500


def port(host: str, number: int, environ: Mapping[str, str], server: int | None) -> list[Finding]:
    """Look who is at the port: nobody, our server, or somebody else."""
    from projects.jobs.library.client import Away, Client, Refused

    name = f"[{host}]" if ":" in host else host
    name = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "[::]": "[::1]"}.get(name, name)  # noqa: S104
    url = f"http://{name}:{number}"
    try:
        said = Client(url, environ=environ, timeout=TIMEOUT).get_json("/satellite/info")["data"]
    except Refused as error:
        advice = "set TOPGALLANT_TOKEN, or choose another --port"
        return [problem("server", f"a server answers at {url}: {error}", advice)]
    except (Away, LookupError, TypeError):
        if _is_free(host, number):
            if server is None:
                return [ok("port", f"{url} is free; no server runs")]
            said = f"the server with pid {server} doesn't answer at {url}"
            return [problem("server", said, "name its --port and --host; or look into its log")]
        advice = "choose another with --port=PORT; 0 is one that is free"
        return [problem("port", f"something else listens at {url}", advice)]
    except UsageError as error:
        return [problem("port", str(error), "name a --host and --port")]
    busy = f"{said['running']} jobs run, {said['waiting']} wait"
    found = [ok("server", f"answers at {url}, version {said['version']}; {busy}")]
    hub_state = said.get("hub")
    if hub_state and hub_state["problem"]:
        found.append(
            warning(
                "registration",
                f"the hub {hub_state['address']} has not heard of it: {hub_state['problem']}",
                "nothing, if the hub is away: it is tried again by itself",
            )
        )
    elif hub_state:
        known = f"the hub knows it as {hub_state['export_url']}"
        found.append(ok("registration", known))
    return found


def _is_free(host: str, number: int) -> bool:
    with contextlib.suppress(OSError):
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                sock.bind((host, number))
            except OSError as error:
                return error.errno != errno.EADDRINUSE
    return True


def hub(address: str) -> list[Finding]:
    """Look whether the hub answers, and what its clock says."""
    from projects.satellite.registration.registration import check

    try:
        check(address)
    except TopgallantError as error:
        return [problem("hub", str(error), "correct it")]
    parts = urlsplit(address)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=TIMEOUT)
    try:
        connection.request("GET", f"{parts.path.rstrip('/')}/healthz")
        response = connection.getresponse()
        date, now = response.headers.get("Date"), time.time()
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        advice = "nothing, if it comes back: results wait in the outbox; else correct --hub"
        return [warning("hub", f"{address} doesn't answer ({reason})", advice)]
    finally:
        connection.close()
    found = [ok("hub", f"{address} answers")]
    if response.status >= _BAD:
        found = [warning("hub", f"{address} answers {response.status} {response.reason}")]
    return [*found, *_clock(date, now)]


def _clock(date: str | None, now: float) -> list[Finding]:
    try:
        apart = now - email.utils.parsedate_to_datetime(date or "").timestamp()
    except (ValueError, OverflowError):
        return []
    if abs(apart) <= MOST_APART:
        return [ok("clock", "agrees with the hub's")]
    how = "ahead of" if apart > 0 else "behind"
    said = f"this machine's is {abs(apart):.0f} s {how} the hub's"
    return [warning("clock", said, "keep both by NTP: timedatectl set-ntp true")]
