"""What is done to jobs and tokens goes into the audit log, too, whichever façade it came through.

The rooms of the hub write their own entries, with what they do; jobs know nothing of the hub.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool

from projects.core.errors import TopgallantError
from projects.hub.accounts import audit
from projects.hub.accounts.values import Actor
from projects.jobs.http.access import PRINCIPAL

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from projects.jobs.store.database import Database

_ACTIONS = {
    "submit": "submission.create",
    "cancel_submission": "submission.cancel",
    "cancel_job": "job.cancel",
    "retry_job": "job.retry",
    "set_quota": "quota.set",
    "create_token": "token.create",
    "make_token": "token.create",
    "revoke_token": "token.revoke",
    "create_notification_rule": "notification_rule.create",
    "make_notification_rule": "notification_rule.create",
    "delete_notification_rule": "notification_rule.delete",
    "remove_notification_rule": "notification_rule.delete",
}
"""Routes by the names of their functions, those of pages, too."""

_SUCCESSES = frozenset({*range(200, 300), 303})
"""303: a form of a page was taken, and leads on."""
_log = logging.getLogger(__name__)


class Trail:
    """Middleware that writes an entry before such a call is answered."""

    def __init__(self, app: ASGIApp, database: Database) -> None:
        self.app = app
        self._database = database

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a call through."""
        if scope["type"] != "http" or scope["method"] not in ("POST", "PUT", "DELETE"):
            await self.app(scope, receive, send)
            return

        async def send_on(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] in _SUCCESSES:
                await self._note(scope, message)
            await send(message)

        await self.app(scope, receive, send_on)

    async def _note(self, scope: Scope, message: Message) -> None:
        route, who = scope.get("route"), scope.get(PRINCIPAL)
        action = _ACTIONS.get(getattr(route, "name", ""))
        if action is None or who is None:
            return
        address = scope["client"][0] if scope.get("client") else ""
        await run_in_threadpool(
            self._write,
            Actor(who.owner, address),
            action,
            _object(scope, message, is_made=action.endswith(".create")),
        )

    def _write(self, actor: Actor, action: str, what: str) -> None:
        try:
            with self._database.write(durable=False) as connection:
                audit.write(connection, actor, action, what)
        except TopgallantError as error:
            # What was done is done: the answer must say so.
            _log.error("%s of %s is not in the audit log: %s", action, what, error)


def _object(scope: Scope, message: Message, *, is_made: bool) -> str:
    """Return what was changed: named in the address, or in that of what was made."""
    if audit.MADE in scope:
        return str(scope[audit.MADE])
    names: dict[str, Any] = scope.get("path_params") or {}
    headers = {name.lower(): value for name, value in message["headers"]}
    where: bytes = headers.get(b"location", b"")
    if not names or is_made:
        return where.decode("latin-1").rpartition("/")[2]
    return str(list(names.values())[-1])
