"""The token with which this machine's user finds the server without typing one."""

from __future__ import annotations

import os
import pwd
from typing import TYPE_CHECKING, Any

from projects.jobs.http import token_files, tokens
from projects.jobs.http.gate import is_loopback
from projects.jobs.model import moment

if TYPE_CHECKING:
    from pathlib import Path

    from projects.server.app.options import Options

EVERYWHERE = ("", "0.0.0.0", "::")  # noqa: S104  (compared with, not bound to)


def keep_local_token(store: Any, options: Options) -> str:
    """Return the token in the data directory's file; a new one if that opens nothing any more."""
    text = token_files.read(options.token_file)
    known = store.token(tokens.digest(text)) if text else None
    now = moment.now()
    if text and known and tokens.is_good(known, now) and tokens.includes(known.scopes, "admin"):
        return text
    text, token = tokens.issue(user_name(), ["admin"], label="local")
    store.add_token(token)
    token_files.write(options.token_file, text)
    return text


def hand_over(store: Any, hub: str) -> str:
    """Return a new token by which the hub asks this satellite for its users; the last one ends."""
    label = f"hub {hub}"[:200]
    for known in store.tokens():
        if known.label == label and known.revoked is None:
            store.revoke_token(known.id, at=moment.now())
    text, token = tokens.issue("hub", ["admin"], label=label)
    store.add_token(token)
    return text


def files_for(options: Options, port: int) -> list[Path]:
    """Return the files in which clients on this machine look, for each name they may use."""
    names = {options.host} - set(EVERYWHERE)
    if options.host in EVERYWHERE or is_loopback(options.host):
        names |= {"127.0.0.1", "localhost", "::1"}
    return [token_files.path_for(name, port) for name in sorted(names)]


def user_name() -> str:
    """Return the name of the user whose process this is, or the number."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())
