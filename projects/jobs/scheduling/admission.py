"""Which waiting jobs may start now, in what order, and why another one waits.

Submissions are taken strictly by rank: M of them have a place, a begun one keeps it. A job that
waits for a resource is passed only by jobs that need nothing it waits for; the first waiting job
of a submission also keeps what it needs from later submissions when it only waits for its turn.
So whoever is first in rank gets what it needs as soon as the running jobs let go of it, and
everyone becomes first, because ranks are fixed at submission.

A submission from inside a running job is outside of M, its rank is before that of the job, and the
job lends its place of the capacity to one job of what it has sent, whatever else runs. With jobs
that hold a resource sending only jobs that need none, whatever waits for a child isn't waited for
by the child: nothing waits in a circle (docs/decisions/0004).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from projects.jobs.scheduling.view import Start

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from projects.jobs.scheduling.view import Turn, View, Waiting

LOOK_AHEAD = 64
"""So many waiting jobs of one submission are looked at in one plan."""

MOST_PRIORITY = 1000
"""Bound of a priority, up and down."""

_NO_LIMIT = 1 << 30
_MOST_LISTED = 5

_SECOND = 1_000_000


def rank(submitted: int, priority: int, ageing: float = 3600.0) -> int:
    """Return the place in the queue, smaller first, in µs.

    One step of priority is worth `ageing` seconds of waiting. The number never changes, so what
    waits is overtaken only by what was submitted at most `priority` times
    `ageing` later.
    """
    return submitted - round(priority * ageing * _SECOND)


def plan(view: View, refused: dict[int, str] | None = None) -> list[Start]:
    """Return the jobs that may start now, in the order in which they should.

    `refused` gets a sentence for each job that was looked at and may not.
    """
    starts: list[Start] = []
    free = _free(view)
    if free <= 0 and not view.lent:
        return starts
    lent = dict(view.lent) if view.lent else {}
    kept: dict[str, int] = {}  # what starts of this plan take and earlier ones wait for, by whom
    for turn in _admitted(view):
        borrowed = turn.parent is not None and _may_borrow(turn, lent)
        taken = _start_of(turn, view, free + borrowed, kept, starts, refused)
        if taken and borrowed and turn.parent is not None:
            lent[turn.parent] = True
            taken -= 1
        free -= taken
        if free <= 0 and not lent:
            break
    return starts


def keeps_places(view: View, turn: Turn) -> bool:
    """Return whether a place that a job of a submission gives back is for its own next one.

    So that goes without a plan, for one that needs no resources.
    """
    if view.limits.capacity is None:
        return True  # others may not have more of them for it
    first = next((each for each in _admitted(view) if each is turn or each.waiting), None)
    return first is turn


def _start_of(  # noqa: PLR0917  (of this file only)
    turn: Turn,
    view: View,
    free: int,
    kept: dict[str, int],
    starts: list[Start],
    refused: dict[int, str] | None,
) -> int:
    room = _parallel(turn, view) - turn.running
    most = max(min(room, free), 0)
    count = 0
    for seen, job in enumerate(turn.waiting):
        if count >= most:
            if seen == count:  # the first one keeps what it needs although it is not its turn
                _keep(job, kept)
            break
        if seen >= LOOK_AHEAD:
            break
        if (not job.resources or _is_free(job, view, kept)) and _reserved(job, view):
            starts.append(Start(turn, job))
            count += 1
        elif refused is not None:
            refused[job.number] = _lacks(job, view, kept)
        if job.resources:
            _keep(job, kept)
    return count


def _keep(job: Waiting, kept: dict[str, int]) -> None:
    for name in job.resources:
        kept.setdefault(name, job.number)


def _lacks(job: Waiting, view: View, kept: Mapping[str, int]) -> str:
    for name in sorted(job.resources):
        if name in view.taken:
            return f'It needs "{name}", which job {view.taken[name]} has.'
        if name in kept:
            return f'It needs "{name}", for which job {kept[name]} has waited longer.'
    return "The devices that it requests are not free."


def why_waiting(view: View, number: int) -> str:
    """Return a sentence that says what a waiting job waits for.

    A job outside of the window waits for those before it.
    """
    turns, admitted = list(view.turns), list(_admitted(view))
    for at, turn in enumerate(turns):
        jobs = list(turn.waiting)
        place = next((i for i, job in enumerate(jobs) if job.number == number), None)
        if place is not None:
            if not any(each is turn for each in admitted):
                return _not_admitted(turns, at, view)
            said = _why_in_turn(turn, jobs[place], place, view)
            if turn.parent is None:
                return said
            return f"{said} Job {turn.parent}, which has sent it, keeps its own place."
    return "It waits for the jobs that were submitted before it."


def _why_in_turn(turn: Turn, job: Waiting, place: int, view: View) -> str:
    refused: dict[int, str] = {}
    starts = plan(view, refused)
    if any(start.job.number == job.number for start in starts):
        return "It is about to start."
    if job.number in refused or any(name in view.taken for name in job.resources):
        return refused.get(job.number) or _lacks(job, view, {})
    running, most = turn.running, _parallel(turn, view)
    if running >= most:
        verb = "runs" if running == 1 else "run"
        said = f"{running} of at most {_several(most, 'job')} of its submission {verb}"
        return _behind(said, place, "its submission")
    if _free(view) + _may_borrow(turn, view.lent) <= 0:
        places = view.limits.capacity or 0
        taken = (
            f"All {places} places of this site are" if places > 1 else "This site's one place is"
        )
        return f"{taken} taken."
    if place >= LOOK_AHEAD and not any(start.turn is turn for start in starts):
        return f"The first {LOOK_AHEAD} waiting jobs of its submission need what isn't free."
    return _behind("Others are about to start", place, "its submission")


def _not_admitted(turns: list[Turn], at: int, view: View) -> str:
    most = view.limits.parallel_submissions
    said = f"At most {_several(most, 'submission')} {'runs' if most == 1 else 'run'} at once"
    begun = [str(turn.number) for turn in turns if turn.begun and turn.parent is None]
    if begun:
        said += f", now {_listed(begun)}"
    return _behind(said, sum(not turn.begun for turn in turns[:at]), "the queue")


def _behind(what: str, before: int, where: str) -> str:
    if not before:
        return f"{what}; it is next."
    return f"{what}; {before} {'waits' if before == 1 else 'wait'} before it in {where}."


def _several(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _listed(numbers: list[str]) -> str:
    """Return "submission 7", "submissions 6 and 7"; of many only the first."""
    if len(numbers) > _MOST_LISTED:
        numbers = [*numbers[:_MOST_LISTED], f"{len(numbers) - _MOST_LISTED} more"]
    *first, last = numbers
    return f"submissions {', '.join(first)} and {last}" if first else f"submission {last}"


def _admitted(view: View) -> Iterable[Turn]:
    """Yield the submissions that have, now get, or need none of the M places, by rank."""
    turns = view.turns
    begun = sum(turn.begun and turn.parent is None for turn in turns)
    places = view.limits.parallel_submissions - begun
    for turn in turns:
        if turn.begun:
            yield turn
        elif places > 0:
            places -= 1
            yield turn


def _free(view: View) -> int:
    capacity = view.limits.capacity
    if capacity is None:
        return _NO_LIMIT
    return capacity - view.running + sum(view.lent.values())


def _may_borrow(turn: Turn, lent: Mapping[int, bool]) -> bool:
    """Return whether a job may start in the place of the one that has sent it."""
    return turn.parent is not None and not lent.get(turn.parent, True)


def _parallel(turn: Turn, view: View) -> int:
    return view.limits.parallel_jobs if turn.parallel is None else turn.parallel


def _is_free(job: Waiting, view: View, kept: Mapping[str, int]) -> bool:
    return not any(name in kept or name in view.taken for name in job.resources)


def _reserved(job: Waiting, view: View) -> bool:
    return job.request is None or (view.reserve is not None and view.reserve(job))
