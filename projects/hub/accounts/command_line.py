"""Logging in from a command line: a password becomes a token in a file of this user's."""

from __future__ import annotations

import getpass
import json
import socket
import sys
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from projects.core.errors import InfrastructureError, UsageError
from projects.core.secrets.secret import Secret
from projects.jobs.http import token_files
from projects.jobs.library.client import Refused

if TYPE_CHECKING:
    import httpx

    from projects.jobs.library.client import Client

_TIMEOUT = 60.0
_GOOD = range(200, 300)
_UNAUTHORIZED = 401


def ask_password(prompt: str = "Password: ") -> str:
    """Return a password: typed, not shown; or the first line of stdin.

    Raises
    ------
    UsageError
        There is none.
    """
    text = getpass.getpass(prompt) if sys.stdin.isatty() else sys.stdin.readline().rstrip("\r\n")
    if not text:
        raise UsageError("no password was given: type it, or send it on stdin")
    return Secret(text, "password")


def keep_token(client: Client, name: str, password: str, days: float) -> dict[str, Any]:
    """Log in, keep a new token where the client looks for one, and log out again.

    What a server on this machine has left for its user stays: `use` in what is returned says how
    to be called by the new one instead.

    Raises
    ------
    Refused, InfrastructureError
        The hub doesn't let us in, or doesn't answer; the file can't be written.
    """
    address = client.address
    label = f"{getpass.getuser()}@{socket.gethostname()}"
    origin = f"{address.scheme}://{address.url.partition('://')[2].partition('/')[0]}"
    import httpx

    with httpx.Client(base_url=address.url, timeout=_TIMEOUT, headers={"Origin": origin}) as hub:
        began = _post(hub, "/api/v1/login", {"name": name, "password": str(password)})
        hub.headers["X-CSRF-Token"] = began["csrf_token"]
        scopes = ["admin" if began["user"]["admin"] else "submit"]
        wanted = {"scopes": scopes, "label": label, "lifetime": days * 86400.0}
        made = _post(hub, "/api/v1/tokens", wanted)
        _post(hub, "/api/v1/logout", None)
        user = str(began["user"]["name"])
        path = token_files.path_for(address.host, address.port, client.environ, user)
        token_files.write(path, made.pop("token"))
        _forget_what_opens_nothing(hub, client)
    if token_files.find(address.host, address.port, client.environ) == path:
        return {**made, "file": str(path)}
    return {**made, "file": str(path), "use": f"{token_files.USER_VARIABLE}={user}"}


def _forget_what_opens_nothing(hub: httpx.Client, client: Client) -> None:
    """Remove the token of a server that isn't on this machine any more: it would be used first."""
    address = client.address
    own = token_files.path_for(address.host, address.port, client.environ)
    text = token_files.read(own)
    if text is None:
        return
    answer = hub.get("/api/v1/me", headers={"Authorization": f"Bearer {text}"})
    if answer.status_code == _UNAUTHORIZED:
        token_files.remove(own, text)


def change_password(client: Client, name: str) -> dict[str, Any]:
    """Ask for a new password, one's own old one before it (on stdin: a line each), and set it."""
    me = client.get_json("/api/v1/me")
    asks = me["name"] == name and me.get("has_password", False)
    old = ask_password("Old password: ") if asks else ""
    new = ask_password("New password: ")
    if sys.stdin.isatty() and ask_password("New password again: ") != new:
        raise UsageError("the two new passwords are not the same: nothing was changed")
    path = f"/api/v1/users/{quote(name, safe='')}/password"
    client.send_json("PUT", path, {"old": str(old), "new": str(new)})
    return {"name": name, "changed": True}


def _post(hub: httpx.Client, path: str, value: Any) -> Any:
    import httpx

    try:
        answer = hub.post(path, json=value)
    except httpx.HTTPError as error:
        raise InfrastructureError(f"{hub.base_url} doesn't answer: {error}") from None
    if answer.status_code in _GOOD:
        return answer.json() if answer.content else None
    try:
        message = str(answer.json()["error"]["message"])
    except (ValueError, KeyError, TypeError):
        message = f"what answers at {hub.base_url} is no hub ({answer.status_code})"
    raise Refused(message, answer.status_code, json.dumps(message).encode())
