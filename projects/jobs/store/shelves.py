"""Shelves: what jobs are counted and found by; and terms: what many jobs have in common."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import and_, bindparam, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from projects.jobs.model.states import Outcome, State
from projects.jobs.store.prepared import Prepared
from projects.jobs.store.tables import (
    JOB_SHELF,
    SUBMISSION_SHELF,
    shelf,
    tally,
    terms,
)
from projects.jobs.store.values import NewJob, Phase

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy import ColumnElement, Connection

    from projects.jobs.model.entities import OnRestart

MOST_TERMS = 10_000
"""Terms that are remembered; each is a few hundred bytes."""

OUTCOMES = (None, *Outcome)
"""Outcomes by the number that they have in the database."""

OUTCOME_CODES: dict[Outcome | None, int] = {outcome: i for i, outcome in enumerate(OUTCOMES)}
PHASES = tuple(Phase)


class Shelf(NamedTuple):
    """What all on a shelf have in common; `state` is a phase on one of submissions."""

    kind: int
    tool: str
    owner: str
    state: int
    outcome: int


class Shelves:
    """The shelves by number and the numbers by shelf; what a shelf is never changes."""

    def __init__(self) -> None:
        self._numbers: dict[Shelf, int] = {}
        self._shelves: dict[int, Shelf] = {}

    def forget(self) -> None:
        """Forget all: what was made in a transaction may not be there."""
        self._numbers, self._shelves = {}, {}

    def number(self, connection: Connection, wanted: Shelf) -> int:
        """Return the number of a shelf, in a writing transaction; a new one is made."""
        number = self._numbers.get(wanted)
        if number is not None:
            return number
        found = connection.scalar(_FIND, wanted._asdict())
        if found is None:
            found = (connection.scalar(_LAST) or 0) + 1
            connection.execute(insert(shelf), {"number": found, "amount": 0, **wanted._asdict()})
        self._keep(found, wanted)
        return found

    def get(self, connection: Connection, number: int) -> Shelf:
        """Return the shelf with a number that is in a row."""
        known = self._shelves.get(number)
        if known is None:
            row = connection.execute(_GET, {"n": number}).one()
            known = Shelf(*row)
            self._keep(number, known)
        return known

    def _keep(self, number: int, known: Shelf) -> None:
        self._numbers[known] = number
        self._shelves[number] = known


_FIND = select(shelf.c.number).where(
    and_(*(shelf.c[name] == bindparam(name) for name in Shelf._fields))
)
_LAST = select(func.max(shelf.c.number))
_GET = select(*(shelf.c[name] for name in Shelf._fields)).where(shelf.c.number == bindparam("n"))


class Moves:
    """What a transaction takes from shelves and puts onto them, summed up and written once."""

    def __init__(self) -> None:
        self._shelves: dict[int, int] = {}
        self._tally: dict[tuple[int, int], int] = {}

    def put(self, where: int, block: int, items: int = 1) -> None:
        """Put jobs of a block of numbers onto a shelf; fewer than 0 takes them away."""
        self._shelves[where] = self._shelves.get(where, 0) + items
        key = block, where
        self._tally[key] = self._tally.get(key, 0) + items

    def put_submission(self, where: int, items: int = 1) -> None:
        """Put submissions onto a shelf."""
        self._shelves[where] = self._shelves.get(where, 0) + items

    def write(self, connection: Connection) -> None:
        """Change the counters."""
        rows = [{"b_number": n, "b_amount": items} for n, items in self._shelves.items() if items]
        _COUNT.run(connection, rows)
        tallied = [
            {"block": block, "shelf": n, "amount": items}
            for (block, n), items in self._tally.items()
            if items
        ]
        statement = _TALLY_SQLITE if connection.dialect.name == "sqlite" else _TALLY_POSTGRESQL
        statement.run(connection, tallied)


_COUNT = Prepared(
    update(shelf)
    .where(shelf.c.number == bindparam("b_number"))
    .values(amount=shelf.c.amount + bindparam("b_amount")),
    ("b_amount",),
)


def _tally(dialect: Any) -> Prepared:
    statement = dialect.insert(tally)
    upsert = statement.on_conflict_do_update(
        index_elements=[tally.c.block, tally.c.shelf],
        set_={"amount": tally.c.amount + statement.excluded.amount},
    )
    return Prepared(upsert, ("block", "shelf", "amount"))


_TALLY_SQLITE, _TALLY_POSTGRESQL = _tally(sqlite), _tally(postgresql)


def job_shelf(tool: str, owner: str, state: State, outcome: Outcome | None) -> Shelf:
    """Return the shelf that a job belongs on."""
    return Shelf(JOB_SHELF, tool, owner, int(state), OUTCOME_CODES[outcome])


def submission_shelf(owner: str, phase: Phase) -> Shelf:
    """Return the shelf that a submission belongs on."""
    return Shelf(SUBMISSION_SHELF, "", owner, PHASES.index(phase), 0)


def fitting(
    kind: int,
    *,
    tools: Sequence[str] = (),
    owners: Sequence[str] = (),
    states: Iterable[int] = (),
    outcomes: Iterable[int] = (),
) -> ColumnElement[bool]:
    """Return the condition for shelves that are not empty and fit all that is given."""
    said = (
        (shelf.c.tool, tuple(tools)),
        (shelf.c.owner, tuple(owners)),
        (shelf.c.state, tuple(int(state) for state in states)),
        (shelf.c.outcome, tuple(outcomes)),
    )
    return and_(
        shelf.c.kind == kind,
        shelf.c.amount > 0,
        *(column.in_(values) for column, values in said if values),
    )


@dataclass(frozen=True, slots=True)
class Terms:
    """What a job was given beside its parameters."""

    timeout: float | None
    on_restart: OnRestart
    resources: tuple[str, ...]
    limits: Mapping[str, int | float]
    spec_digest: str

    @classmethod
    def read(cls, text: str) -> Terms:
        """Return the terms that `written` wrote."""
        timeout, on_restart, resources, limits, digest = json.loads(text)
        return cls(timeout, on_restart, tuple(resources), limits, digest)


def written(new: NewJob) -> str:
    """Return the terms of a job as text: the same text for the same terms."""
    return json.dumps(
        [
            new.timeout,
            new.on_restart,
            list(new.resources),
            dict(sorted(new.limits.items())),
            new.spec_digest,
        ],
        separators=(",", ":"),
    )


class TermsCache:
    """Terms by number, and numbers by their text."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._terms: dict[int, Terms] = {}

    def forget(self) -> None:
        """Forget all."""
        self._numbers, self._terms = {}, {}

    def number(self, connection: Connection, text: str) -> int:
        """Return the number of terms, in a writing transaction; new ones are kept."""
        number = self._numbers.get(text)
        if number is not None:
            return number
        found = connection.scalar(_FIND_TERMS, {"wanted": text})
        if found is None:
            found = (connection.scalar(_LAST_TERMS) or 0) + 1
            connection.execute(insert(terms), {"number": found, "text": text})
        if len(self._numbers) >= MOST_TERMS:
            self._numbers = {}
        self._numbers[text] = found
        return found

    def get(self, connection: Connection, number: int) -> Terms:
        """Return the terms with a number that is in a row."""
        known = self._terms.get(number)
        if known is None:
            text = connection.execute(_GET_TERMS, {"n": number}).scalar_one()
            known = Terms.read(text)
            if len(self._terms) >= MOST_TERMS:
                self._terms = {}
            self._terms[number] = known
        return known


_FIND_TERMS = select(terms.c.number).where(terms.c.text == bindparam("wanted"))
_LAST_TERMS = select(func.max(terms.c.number))
_GET_TERMS = select(terms.c.text).where(terms.c.number == bindparam("n"))
