"""Rules and the outbox in the database; any thread may call anything."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, insert, select, update

from projects.core.secrets.masking import mask
from projects.hub.notifications.values import Delivery, Kind, Rule, matches
from projects.hub.store.tables_notifications import delivery, memory, rule
from projects.jobs.http.refusals import Invalid, TooManyAttempts
from projects.jobs.model import moment

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from sqlalchemy import Connection

    from projects.hub.notifications.values import Happening
    from projects.jobs.store.database import Database

MOST_RULES = 50
"""Of a user."""

MOST_AN_HOUR = 60
"""Of a rule: what happens beyond is not told, and the last one says so."""

KEPT = 30 * 86_400 * moment.SECOND
"""What is over is kept so long (µs), and which tests fail three times as long."""

_HOUR = 3600 * moment.SECOND
_MOST_TEXT = 2000


class Outbox:
    """What users want to be told, and what is on its way to them."""

    def __init__(self, database: Database, clock: Callable[[], int] = moment.now) -> None:
        self.database = database
        self._clock = clock
        self.filled: Callable[[], None] = lambda: None
        """Called when there is more to send."""

    # Rules.

    def add_rule(self, values: Mapping[str, Any]) -> Rule:
        """Keep a rule; raises Invalid for one too many."""
        with self.database.write(durable=True) as connection:
            of_owner = select(func.count()).where(rule.c.owner == values["owner"])
            if (connection.scalar(of_owner) or 0) >= MOST_RULES:
                raise Invalid(f"a user has at most {MOST_RULES} rules: remove one")
            row = {**values, "kinds": " ".join(values["kinds"]), "created": self._clock()}
            return _rule(connection.execute(insert(rule).values(**row).returning(rule)).one())

    def rules(self, owner: str | None = None, *, active: bool = False) -> list[Rule]:
        """Return the rules of `owner` (None: all), by number."""
        with self.database.read() as connection:
            return _rules(connection, owner, active=active)

    def rule(self, number: int) -> Rule | None:
        """Return a rule."""
        with self.database.read() as connection:
            row = connection.execute(select(rule).where(rule.c.number == number)).one_or_none()
        return None if row is None else _rule(row)

    def change_rule(self, number: int, changes: Mapping[str, Any]) -> Rule | None:
        """Change a rule; what it has decided already is sent nevertheless."""
        values = dict(changes)
        if "kinds" in values:
            values["kinds"] = " ".join(values["kinds"])
        with self.database.write(durable=True) as connection:
            if values:
                connection.execute(update(rule).where(rule.c.number == number).values(**values))
            row = connection.execute(select(rule).where(rule.c.number == number)).one_or_none()
        return None if row is None else _rule(row)

    def remove_rule(self, number: int) -> None:
        """Forget a rule, and what was to be sent by it."""
        with self.database.write(durable=True) as connection:
            connection.execute(delete(delivery).where(delivery.c.rule == number))
            connection.execute(delete(rule).where(rule.c.number == number))

    # Decisions.

    def decide(
        self,
        connection: Connection,
        happenings: Iterable[Happening],
        groups: Mapping[str, Collection[str] | None],
        link: str = "",
    ) -> int:
        """Put what is to be told into the outbox, in the caller's transaction; return how many.

        `groups` are those of each owner of rules; None: they are told nothing any more.
        """
        rules, put = _rules(connection, None, active=True), 0
        for what in happenings:
            for each in rules:
                theirs = groups.get(each.owner, ())
                if theirs is not None and matches(each, what, theirs):
                    put += self._put(connection, each, what, link)
        return put

    def test(self, which: Rule, what: Happening, link: str = "") -> Delivery:
        """Put a test of a rule into the outbox; raises TooManyAttempts."""
        with self.database.write(durable=True) as connection:
            if not self._put(connection, which, what, link):
                raise TooManyAttempts(f"a rule sends at most {MOST_AN_HOUR} an hour")
            query = select(delivery).where(
                delivery.c.rule == which.number, delivery.c.event == what.id
            )
            made = _delivery(connection.execute(query).one())
        self.filled()
        return made

    def _put(self, connection: Connection, to: Rule, what: Happening, link: str) -> bool:
        known = select(delivery.c.number).where(
            delivery.c.rule == to.number, delivery.c.event == what.id
        )
        if connection.scalar(known) is not None:
            return False
        now = self._clock()
        lately = select(func.count()).where(
            delivery.c.rule == to.number, delivery.c.created > now - _HOUR
        )
        count = connection.scalar(lately) or 0
        if count >= MOST_AN_HOUR:
            return False
        text = mask(what.text)[:_MOST_TEXT]
        if count == MOST_AN_HOUR - 1:
            text = f"{text}\n(There may be more: a rule sends at most {MOST_AN_HOUR} an hour.)"
        message = {
            "event": str(what.kind),
            "at": moment.iso(what.at),
            "title": mask(what.title)[:_MOST_TEXT],
            "text": text.strip(),
            "url": f"{link}{what.path}" if link else "",
            "data": dict(what.data),
        }
        row = {
            "rule": to.number,
            "event": what.id,
            "message": json.dumps(message),
            "created": now,
            "attempts": 0,
            "next_at": now,
            "error": "",
        }
        connection.execute(insert(delivery).values(**row))
        return True

    # Deliveries.

    def due(self, limit: int = 100) -> list[Delivery]:
        """Return what is to be sent now, the longest waiting first.

        Of what waits alike that comes first which was tried least: one that never goes through
        must not keep others of its rule back.
        """
        query = select(delivery).where(delivery.c.next_at <= self._clock())
        order = (delivery.c.next_at, delivery.c.attempts, delivery.c.number)
        query = query.order_by(*order).limit(limit)
        with self.database.read() as connection:
            return [_delivery(row) for row in connection.execute(query)]

    def next_at(self) -> int | None:
        """Return when the next one is to be sent."""
        with self.database.read() as connection:
            found: int | None = connection.scalar(select(func.min(delivery.c.next_at)))
        return found

    def failures(self, which: int) -> int:
        """Return how often it was tried in vain to send what waits of a rule."""
        waiting = (delivery.c.rule == which) & delivery.c.next_at.is_not(None)
        query = select(func.coalesce(func.sum(delivery.c.attempts), 0)).where(waiting)
        with self.database.read() as connection:
            return int(connection.scalar(query) or 0)

    def page(self, owner: str | None, *, limit: int, before: int | None = None) -> list[Delivery]:
        """Return the outbox of `owner` (None: all), the newest first, below the number `before`."""
        query = select(delivery).order_by(delivery.c.number.desc()).limit(limit)
        if owner is not None:
            query = query.where(delivery.c.rule.in_(select(rule.c.number).filter_by(owner=owner)))
        if before is not None:
            query = query.where(delivery.c.number < before)
        with self.database.read() as connection:
            return [_delivery(row) for row in connection.execute(query)]

    def delivered(self, one: Delivery) -> None:
        """Note that it is there."""
        self._over(one, delivered=self._clock(), next_at=None, error="")

    def abandoned(self, one: Delivery, error: str) -> None:
        """Note that it won't be tried again."""
        self._over(one, next_at=None, error=_plain(error))

    def postponed(self, one: Delivery, next_at: int, error: str) -> None:
        """Note that it didn't work; what else goes the same way waits as well."""
        self._over(one, next_at=next_at, error=_plain(error))
        others = update(delivery).where(delivery.c.rule == one.rule, delivery.c.next_at < next_at)
        with self.database.write(durable=False) as connection:
            connection.execute(others.values(next_at=next_at))

    def _over(self, one: Delivery, **values: Any) -> None:
        which = update(delivery).where(delivery.c.number == one.number)
        with self.database.write(durable=True) as connection:
            connection.execute(which.values(attempts=one.attempts + 1, **values))

    def clean(self) -> None:
        """Remove what has been over for long."""
        now = self._clock()
        with self.database.write(durable=False) as connection:
            connection.execute(
                delete(delivery).where(
                    delivery.c.next_at.is_(None), delivery.c.created < now - KEPT
                )
            )
            failing = memory.c.key.like("failing:%"), memory.c.at < now - 3 * KEPT
            connection.execute(delete(memory).where(*failing))


def recall(connection: Connection, key: str) -> str | None:
    """Return what was remembered."""
    return connection.scalar(select(memory.c.value).where(memory.c.key == key))


def remember(connection: Connection, key: str, value: str, at: int) -> None:
    """Remember a value."""
    values = {"value": value, "at": at}
    if not connection.execute(update(memory).where(memory.c.key == key).values(**values)).rowcount:
        connection.execute(insert(memory).values(key=key, **values))


def forget(connection: Connection, key: str) -> bool:
    """Forget a value; return whether it was there."""
    return bool(connection.execute(delete(memory).where(memory.c.key == key)).rowcount)


def _plain(error: str) -> str:
    """Return text that every database keeps."""
    return mask(error.replace("\0", "").encode("utf-8", "replace").decode())[:_MOST_TEXT]


def _rules(connection: Connection, owner: str | None, *, active: bool) -> list[Rule]:
    query = select(rule).order_by(rule.c.number)
    if owner is not None:
        query = query.where(rule.c.owner == owner)
    if active:
        query = query.where(rule.c.active)
    return [_rule(row) for row in connection.execute(query)]


def _rule(row: Any) -> Rule:
    values = dict(row._mapping)  # noqa: SLF001  (so it is called)
    return Rule(**{**values, "kinds": tuple(Kind(word) for word in values["kinds"].split())})


def _delivery(row: Any) -> Delivery:
    values = dict(row._mapping)  # noqa: SLF001  (so it is called)
    return Delivery(**{**values, "message": json.loads(values["message"])})
