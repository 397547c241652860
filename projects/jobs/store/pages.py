"""Pages by number: merged from the shelves that fit, so that no filter reads what it leaves out."""

from __future__ import annotations

from heapq import heapify, heappop, heapreplace
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import select

from projects.core.errors import UsageError
from projects.jobs.model import identity
from projects.jobs.store.shelves import OUTCOME_CODES, PHASES, fitting
from projects.jobs.store.tables import JOB_SHELF, SUBMISSION_SHELF, shelf, submission
from projects.jobs.store.values import MOST_ITEMS, JobFilter, SubmissionFilter, read_cursor

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import ColumnElement, Connection

LAST = 2**62
"""More than any number."""

_MOST_BRANCHES = 64  # SQLite takes 500, and each costs 10 µs even if it is empty
_MOST_VALUES = 10_000
_FEW = 16
_MOST_OF = 0.5
_SCANNED = 4


class Span(NamedTuple):
    """Numbers from `low` to `high`, both included; none if `high` is smaller."""

    low: int
    high: int

    def after(self, number: int, *, descending: bool) -> Span:
        """Return what is left behind `number`."""
        if descending:
            return Span(self.low, min(self.high, number - 1))
        return Span(max(self.low, number + 1), self.high)


ALL = Span(0, LAST)


def check_limit(limit: int) -> None:
    """Refuse pages that are empty or too large."""
    if not 1 <= limit <= MOST_ITEMS:
        raise UsageError(f"limit={limit}: a page has 1 to {MOST_ITEMS} items")


def from_cursor(span: Span, cursor: str | None, *, descending: bool) -> Span:
    """Return what is left of the numbers behind a cursor."""
    if cursor is None:
        return span
    return span.after(read_cursor(cursor), descending=descending)


def job_span(connection: Connection, which: JobFilter) -> Span:
    """Return the numbers that jobs of a submission and a time can have."""
    low, high = ALL
    if which.submission is not None:
        query = select(submission.c.first, submission.c.jobs).where(by(which.submission))
        row = connection.execute(query).one_or_none()
        if row is None:
            return Span(1, 0)
        low, high = row.first, row.first + row.jobs - 1
    begin, end = submission_span(connection, which.since, which.until)
    if begin > end:
        return Span(1, 0)
    if which.since is not None:
        low = max(low, _first_job(connection, begin))
    if which.until is not None:
        high = min(high, _first_job(connection, end + 1) - 1)
    return Span(low, high)


def submission_span(connection: Connection, since: int | None, until: int | None) -> Span:
    """Return the numbers that submissions of a time can have."""
    arrival, number = submission.c.arrival, submission.c.number
    low, high = ALL
    if since is not None:
        query = select(number).where(arrival >= since).order_by(arrival, number)
        low = connection.scalar(query.limit(1)) or LAST
    if until is not None:
        query = select(number).where(arrival < until).order_by(arrival.desc(), number.desc())
        high = connection.scalar(query.limit(1)) or 0
    return Span(low, high)


def _first_job(connection: Connection, number: int) -> int:
    query = select(submission.c.first).where(submission.c.number == number)
    return connection.scalar(query) or LAST


def by(which: int | str) -> ColumnElement[bool]:
    """Return the condition for one submission by number or id."""
    if isinstance(which, int):
        return submission.c.number == which
    return submission.c.id == identity.to_bytes(identity.parse(which))


def job_shelves(which: JobFilter) -> ColumnElement[bool] | None:
    """Return the condition for shelves of jobs; None if any will do."""
    if not (which.states or which.outcomes or which.tools or which.owners):
        return None
    return fitting(
        JOB_SHELF,
        tools=which.tools,
        owners=which.owners,
        states=which.states,
        outcomes=[OUTCOME_CODES[outcome] for outcome in which.outcomes],
    )


def submission_shelves(which: SubmissionFilter) -> ColumnElement[bool] | None:
    """Return the condition for shelves of submissions; None if any will do."""
    if not (which.phases or which.owners):
        return None
    phases = [PHASES.index(phase) for phase in which.phases]
    return fitting(SUBMISSION_SHELF, owners=which.owners, states=phases)


class Cut(NamedTuple):
    """The first `limit` numbers of a table in a span; SQL that also holds of them."""

    table: str
    span: Span
    limit: int
    descending: bool
    also: str = ""

    # Only numbers are put into these texts. SQLAlchemy's own union takes 2 ms to put together.
    def query(self, on: str = "") -> str:
        """Return the query for the numbers of which `on` holds, too."""
        low, high = self.span
        return (
            f"SELECT number FROM {self.table}"  # noqa: S608
            f" WHERE {on}number BETWEEN {low:d} AND {high:d}{self.also}{self.end}"
        )

    def with_shelf(self) -> str:
        """Return the query for numbers with their shelves, whatever these are."""
        low, high = self.span
        return (
            f"SELECT number, shelf FROM {self.table}"  # noqa: S608
            f" WHERE number BETWEEN {low:d} AND {high:d}{self.end}"
        )

    def on_shelf(self, number: int) -> str:
        """Return the query for what is on a shelf, fit for a union."""
        query = self.query(f"shelf = {number:d} AND ")
        return f"SELECT {number:d} AS shelf, number FROM ({query}) AS s{number:d}"  # noqa: S608

    @property
    def end(self) -> str:
        """How such a query ends."""
        return f" ORDER BY number{' DESC' if self.descending else ''} LIMIT {self.limit:d}"


def job_cut(span: Span, limit: int, *, descending: bool, finished_before: int | None = None) -> Cut:
    """Return the wish for jobs."""
    also = "" if finished_before is None else f" AND finished < {finished_before:d}"
    return Cut("job", span, limit, descending, also)


def submission_cut(span: Span, limit: int, *, descending: bool) -> Cut:
    """Return the wish for submissions."""
    return Cut("submission", span, limit, descending)


def numbers(connection: Connection, cut: Cut, condition: ColumnElement[bool] | None) -> list[int]:
    """Return the numbers of a cut that are on shelves of which the condition holds."""
    if cut.span.low > cut.span.high:
        return []
    if condition is None:
        return _run(connection, cut.query())
    fit = connection.execute(select(shelf.c.number, shelf.c.amount).where(condition)).all()
    shelves = [number for number, _ in fit]
    if len(shelves) > _MOST_BRANCHES and not cut.also:
        found = None
        if sum(amount for _, amount in fit) > _MOST_OF * _last(connection, cut.table):
            found = _scanned(connection, cut, frozenset(shelves))
        if found is not None:
            return found
        shelves = _leading(connection, cut, shelves)
    return list(islice(_merged(connection, cut, shelves), cut.limit))


def _scanned(connection: Connection, cut: Cut, shelves: frozenset[int]) -> list[int] | None:
    """Return the numbers if they are among the next few, fit or not; else None.

    Where a filter leaves most jobs, reading on is a fraction of the work of merging a hundred
    shelves.
    """
    count = _SCANNED * cut.limit
    rows = connection.exec_driver_sql(cut._replace(limit=count).with_shelf()).all()
    found = [number for number, shelf in rows if shelf in shelves]
    if len(found) >= cut.limit or len(rows) < count:
        return found[: cut.limit]
    return None


def _merged(connection: Connection, cut: Cut, shelves: Sequence[int]) -> Iterator[int]:
    """Yield numbers in their order: few of each shelf are read, and more of those that run out."""
    runs: dict[int, list[int]] = {}
    even = 4 * cut.limit // max(len(shelves), 1)
    few = cut._replace(limit=min(max(even, 2), _FEW, cut.limit))
    for begin in range(0, len(shelves), _MOST_BRANCHES):
        branches = [few.on_shelf(number) for number in shelves[begin : begin + _MOST_BRANCHES]]
        for where, number in connection.exec_driver_sql(" UNION ALL ".join(branches)):
            runs.setdefault(where, []).append(number)
    for run in runs.values():
        run.sort(reverse=cut.descending)  # they are: no standard says so of a union
    sign = -1 if cut.descending else 1
    heap = [(sign * run[0], where, 0) for where, run in runs.items()]
    heapify(heap)
    while heap:
        key, where, at = heap[0]
        yield sign * key
        run, at = runs[where], at + 1
        if at == len(run):  # it had `few` or more of them, or it is empty
            wanted = min(2 * at, cut.limit)
            rest = cut._replace(
                span=cut.span.after(run[-1], descending=cut.descending), limit=wanted
            )
            run = _run(connection, rest.query(f"shelf = {where:d} AND ")) if at >= few.limit else []
            runs[where], at = run, 0
        if run:
            heapreplace(heap, (sign * run[at], where, at))
        else:
            heappop(heap)


def _leading(connection: Connection, cut: Cut, shelves: Sequence[int]) -> list[int]:
    """Return the shelves that can be on the page: those whose first number is among the first."""
    (low, high), extreme = cut.span, "max" if cut.descending else "min"
    found: list[tuple[int, int]] = []
    for begin in range(0, len(shelves), _MOST_VALUES):
        chunk = ",".join(f"{number:d}" for number in shelves[begin : begin + _MOST_VALUES])
        query = (
            f"SELECT (SELECT {extreme}(i.number) FROM {cut.table} i WHERE i.shelf = s.number"  # noqa: S608
            f" AND i.number BETWEEN {low:d} AND {high:d}), s.number FROM shelf s"
            f" WHERE s.number IN ({chunk})"
        )
        found += [(row[0], row[1]) for row in connection.exec_driver_sql(query) if row[0]]
    found.sort(reverse=cut.descending)
    return [number for _, number in found[: cut.limit]]


def _last(connection: Connection, table: str) -> int:
    return connection.exec_driver_sql(f"SELECT max(number) FROM {table}").scalar() or 0  # noqa: S608


def _run(connection: Connection, query: str) -> list[int]:
    return [number for (number,) in connection.exec_driver_sql(query)]
