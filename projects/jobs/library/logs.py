"""The log of a job as it grows: server-sent events read, a stream that breaks off taken up again.

Source: HTML Living Standard §9.2 (server-sent events).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from projects.jobs.library.client import Away, part

if TYPE_CHECKING:
    from collections.abc import Iterator

    from projects.jobs.library.client import Client
    from projects.jobs.library.waiting import Patience


class Message(NamedTuple):
    """One event of a stream; `id` is where to go on after it."""

    kind: str
    data: Any
    id: str | None


def follow(
    client: Client,
    job: str,
    log: str = "stdout",
    *,
    tail: int | None = None,
    patience: Patience | None = None,
) -> Iterator[str]:
    """Yield what a job prints until it has ended.

    Parameters
    ----------
    patience
        What to do when the server has gone; without it the first loss ends this.

    Raises
    ------
    Away, Refused
        No server answers (any more); there is no such job.
    """
    path = f"/api/v1/jobs/{part(job)}/logs/{log}"
    after: str | None = None
    while True:
        headers = {} if after is None else {"Last-Event-ID": after}
        try:
            for message in messages(client.stream(path, headers, follow=True, tail=tail)):
                after = message.id or after
                if patience is not None:
                    patience.found()
                if message.kind == "end":
                    return
                if message.kind == "log":
                    yield message.data["text"]
            lost = Away(f"the server at {client.address.url} stops")
        except Away as error:
            lost = error
        if patience is None:
            raise lost
        patience(lost)


def messages(pieces: Iterator[bytes]) -> Iterator[Message]:
    """Yield the events of a stream that comes in pieces; comments are passed over."""
    rest = b""
    for piece in pieces:
        *blocks, rest = (rest + piece).split(b"\n\n")
        for block in blocks:
            message = _message(block.decode("utf-8", "replace"))
            if message is not None:
                yield message


def _message(block: str) -> Message | None:
    kind, number, data = "message", None, []
    for line in block.split("\n"):
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "event":
            kind = value
        elif name == "id":
            number = value
        elif name == "data":
            data.append(value)
    return Message(kind, json.loads("\n".join(data)), number) if data else None
