"""How many jobs there are, from counters."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from projects.jobs.model.states import State
from projects.jobs.store.pages import ALL, Span, job_shelves, job_span
from projects.jobs.store.shelves import OUTCOMES, fitting
from projects.jobs.store.tables import BLOCK, JOB_SHELF, job, shelf, submission, tally
from projects.jobs.store.values import Counts

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from projects.jobs.model.states import Outcome
    from projects.jobs.store.values import JobFilter


def counts(connection: Connection, which: JobFilter) -> Counts:
    """Return how many jobs fit; see `Store.counts`."""
    condition = job_shelves(which)
    if condition is None:
        condition = fitting(JOB_SHELF)
    kinds = [
        *connection.execute(
            select(
                shelf.c.number,
                shelf.c.tool,
                shelf.c.owner,
                shelf.c.state,
                shelf.c.outcome,
                shelf.c.amount,
            ).where(condition)
        )
    ]
    span = job_span(connection, which)
    within = None if span == ALL else _within(connection, span)
    states, outcomes = Counter[State](), Counter["Outcome"]()
    tools, owners = Counter[str](), Counter[str]()
    for number, tool, owner, state, outcome, items in kinds:
        here = items if within is None else within[number]
        if not here:
            continue
        states[State(state)] += here
        tools[tool] += here
        owners[owner] += here
        known = OUTCOMES[outcome]
        if known is not None:
            outcomes[known] += here
    return Counts(states.total(), dict(states), dict(outcomes), dict(tools), dict(owners))


def _within(connection: Connection, span: Span) -> Counter[int]:
    """Return how many jobs with numbers in a span each shelf has: whole blocks and two ends."""
    query = select(submission.c.first + submission.c.jobs - 1)
    newest = connection.scalar(query.order_by(submission.c.number.desc()).limit(1)) or 0
    low, high = max(span.low, 1), min(span.high, newest)
    if low > high:
        return Counter()
    first, last = -(-low >> BLOCK), (high + 1 >> BLOCK) - 1  # whole blocks
    if first > last:
        return _rows(connection, low, high)
    found = Counter[int]()
    summed = select(tally.c.shelf, func.sum(tally.c.amount)).group_by(tally.c.shelf)
    for number, items in connection.execute(summed.where(tally.c.block.between(first, last))):
        found[number] += int(items)
    found.update(_rows(connection, low, (first << BLOCK) - 1))
    found.update(_rows(connection, last + 1 << BLOCK, high))
    return found


def _rows(connection: Connection, low: int, high: int) -> Counter[int]:
    if low > high:
        return Counter()
    query = select(job.c.shelf, func.count()).where(job.c.number.between(low, high))
    rows = connection.execute(query.group_by(job.c.shelf))
    return Counter({row[0]: row[1] for row in rows})
