"""What is done to jobs and tokens goes into the audit log, too, whichever façade it came through.

The rooms of the hub write their own entries, with what they do; jobs know nothing of the hub.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool

from projects.core.errors import TopgallantError
from projects.hub.accounts import audit
from projects.hub.accounts.cookies import SAFE
from projects.hub.accounts.values import Actor
from projects.hub.tables.names import unmarked
from projects.jobs.http.access import DONE_TO, PRINCIPAL

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from projects.jobs.store.database import Database

ACTIONS = {
    "submit": "submission.create",
    "cancel_submission": "submission.cancel",
    "share_submission": "submission.share",
    "share_submission_there": "submission.share",
    "cancel_job": "job.cancel",
    "retry_job": "job.retry",
    "create_token": "token.create",
    "make_token": "token.create",
    "revoke_token": "token.revoke",
    "create_notification_rule": "notification_rule.create",
    "make_notification_rule": "notification_rule.create",
    "change_notification_rule": "notification_rule.change",
    "pause_notification_rule": "notification_rule.change",
    "delete_notification_rule": "notification_rule.delete",
    "remove_notification_rule": "notification_rule.delete",
    "change_table": "table.change",
    "acknowledge": "acknowledgement.create",
    "forget": "acknowledgement.delete",
    "finish_artifact": "artifact.publish",
    "withdraw_artifact": "artifact.withdraw",
    "remove_artifact": "artifact.delete",
    "set_quota": "quota.change",
    "heartbeat": "satellite.register",
    "remove": "satellite.delete",
}
"""Routes by the names of their functions; the API's and the pages'."""

OFTEN = frozenset(("heartbeat",))
"""Routes that are noted only when they say that they did something new."""

_SUCCESSES = frozenset((*range(200, 300), 303))
"""A page leads on (303) to what was done."""

_log = logging.getLogger(__name__)


class Trail:
    """Middleware that writes an entry before such a call is answered."""

    def __init__(self, app: ASGIApp, database: Database) -> None:
        self.app = app
        self._database = database

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a call through."""
        if scope["type"] != "http" or scope["method"] in SAFE:
            await self.app(scope, receive, send)
            return

        async def send_on(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] in _SUCCESSES:
                await self._note(scope, message)
            await send(message)

        await self.app(scope, receive, send_on)

    async def _note(self, scope: Scope, message: Message) -> None:
        route, who = scope.get("route"), scope.get(PRINCIPAL)
        name = getattr(route, "name", "")
        action = ACTIONS.get(name)
        if action is None or who is None or (name in OFTEN and DONE_TO not in scope):
            return
        address = scope["client"][0] if scope.get("client") else ""
        await run_in_threadpool(
            self._write, Actor(who.owner, address), action, _object(scope, message)
        )

    def _write(self, actor: Actor, action: str, what: str) -> None:
        try:
            with self._database.write(durable=False) as connection:
                audit.write(connection, actor, action, what)
        except TopgallantError as error:
            # What was done is done: the answer must say so.
            _log.error("%s of %s is not in the audit log: %s", action, what, error)


def _object(scope: Scope, message: Message) -> str:
    """Return what was changed: as the route says, the address, or where the answer leads."""
    if DONE_TO in scope:
        return str(scope[DONE_TO])
    if names := scope.get("path_params") or {}:
        return "/".join(str(unmarked(name)) for name in names.values())
    headers = {name.lower(): value for name, value in message["headers"]}
    where: bytes = headers.get(b"location", b"")
    return where.decode("latin-1").rpartition("/")[2]
