"""Which waiting jobs may start now, in what order, and why another one waits.

Submissions are taken strictly by rank: M of them have a place, a begun one keeps it. A job that
waits for a resource is passed only by jobs that need nothing it waits for; the first waiting job
of a submission also keeps what it needs from later submissions when it only waits for its turn.
So whoever is first in rank gets what it needs as soon as the running jobs let go of it, and
everyone becomes first, because ranks are fixed at submission.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from projects.jobs.scheduling.view import Start

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from projects.jobs.scheduling.view import Turn, View, Waiting

LOOK_AHEAD = 64
"""So many waiting jobs of one submission are looked at in one plan."""

MOST_PRIORITY = 1000
"""Bound of a priority, up and down."""

_NO_LIMIT = 1 << 30

_SECOND = 1_000_000


def rank(submitted: int, priority: int, ageing: float = 3600.0) -> int:
    """Return the place in the queue, smaller first, in µs.

    One step of priority is worth `ageing` seconds of waiting. The number never changes, so what
    waits is overtaken only by what was submitted at most `priority` times
    `ageing` later.
    """
    return submitted - round(priority * ageing * _SECOND)


def plan(view: View) -> list[Start]:
    """Return the jobs that may start now, in the order in which they should."""
    starts: list[Start] = []
    free = _free(view)
    if free <= 0:
        return starts
    kept: set[str] = set()  # what starts of this plan take, and what earlier ones wait for
    for turn in _admitted(view):
        taken = _start_of(turn, view, free, kept, starts)
        free -= taken
        if free <= 0:
            break
    return starts


def _start_of(turn: Turn, view: View, free: int, kept: set[str], starts: list[Start]) -> int:
    room = _parallel(turn, view) - turn.running
    most = min(room, free)
    count = 0
    for seen, job in enumerate(turn.waiting):
        if count >= most:
            if seen == count:  # the first one keeps what it needs although it is not its turn
                kept.update(job.resources)
            break
        if seen >= LOOK_AHEAD:
            break
        if (not job.resources or _is_free(job, view, kept)) and _reserved(job, view):
            starts.append(Start(turn, job))
            count += 1
        if job.resources:
            kept.update(job.resources)
    return count


def why_waiting(view: View, number: int) -> str:
    """Return a sentence that says what a waiting job waits for.

    A job outside of the window waits for those before it.
    """
    admitted = list(_admitted(view))
    for turn in view.turns:
        jobs = list(turn.waiting)
        place = next((i for i, job in enumerate(jobs) if job.number == number), None)
        if place is not None:
            if turn not in admitted:
                return _not_admitted(turn, view)
            return _why_in_turn(turn, jobs, place, view, admitted)
    return "It waits for the jobs that were submitted before it."


def _why_in_turn(
    turn: Turn, jobs: list[Waiting], place: int, view: View, admitted: list[Turn]
) -> str:
    job = jobs[place]
    held = next((name for name in sorted(job.resources) if name in view.taken), None)
    if held is not None:
        return f'It needs "{held}", which job {view.taken[held]} has.'
    running, most = turn.running, _parallel(turn, view)
    if running >= most:
        return _count(
            place,
            f"{running} of at most {most} {'job' if most == 1 else 'jobs'} of its submission run",
            "its submission",
        )
    if _free(view) <= 0:
        return f"{view.running} jobs run here, which is all that this site takes at once."
    if any(start.job.number == job.number for start in plan(view)):
        return "It is about to start."
    return _why_behind(turn, job, place, admitted)


def _why_behind(turn: Turn, job: Waiting, place: int, admitted: list[Turn]) -> str:
    for name, earlier in _waited_for(admitted, turn, job):
        return f'It needs "{name}", for which job {earlier} has waited longer.'
    if job.request is not None:
        return "The devices that it requests are not free."
    return _count(place, "jobs are about to start", "its submission")


def _waited_for(admitted: list[Turn], turn: Turn, job: Waiting) -> Iterator[tuple[str, int]]:
    needed = set(job.resources)
    for earlier_turn in admitted:
        for earlier in earlier_turn.waiting:
            if earlier_turn is turn and earlier.number == job.number:
                return
            for name in sorted(needed.intersection(earlier.resources)):
                yield name, earlier.number


def _not_admitted(turn: Turn, view: View) -> str:
    begun = [t.number for t in view.turns if t.begun]
    most = view.limits.parallel_submissions
    before = sum(not t.begun and t.rank < turn.rank for t in view.turns)
    names = ", ".join(f"#{number}" for number in begun) or "none"
    run = "submission runs" if most == 1 else "submissions run"
    return _count(before, f"at most {most} {run} at once, now {names}", "the queue")


def _count(before: int, what: str, where: str) -> str:
    if not before:
        return f"{what[0].upper()}{what[1:]}; it is next."
    wait = "1 waits" if before == 1 else f"{before} wait"
    return f"{what[0].upper()}{what[1:]}; {wait} before it in {where}."


def _admitted(view: View) -> Iterable[Turn]:
    """Yield the submissions that have, or now get, one of the M places, by rank."""
    turns = view.turns
    places = view.limits.parallel_submissions - sum(turn.begun for turn in turns)
    for turn in turns:
        if turn.begun:
            yield turn
        elif places > 0:
            places -= 1
            yield turn


def _free(view: View) -> int:
    capacity = view.limits.capacity
    return _NO_LIMIT if capacity is None else capacity - view.running


def _parallel(turn: Turn, view: View) -> int:
    return view.limits.parallel_jobs if turn.parallel is None else turn.parallel


def _is_free(job: Waiting, view: View, kept: set[str]) -> bool:
    return not any(name in kept or name in view.taken for name in job.resources)


def _reserved(job: Waiting, view: View) -> bool:
    return job.request is None or (view.reserve is not None and view.reserve(job))
