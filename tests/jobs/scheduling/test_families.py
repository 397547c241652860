"""Submissions from inside jobs: beside the one that sent them, and never waiting in a circle."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any, cast

from hypothesis import given, settings
from hypothesis import strategies as st

from projects.jobs.scheduling.admission import plan, why_waiting
from projects.jobs.scheduling.view import Limits, Turn, View
from tests.jobs.scheduling.test_admission import RESOURCES, Job, numbers, resource_sets, turn, view


def child(number: int, parent: int, *jobs: Job, **more: Any) -> Turn:
    return turn(number, *jobs, begun=True, parent=parent, **more)


def test_it_starts_although_all_places_are_taken() -> None:
    sender = turn(1, Job(2), begun=True, running=1, rank=5)
    below = child(9, 1, Job(3), Job(4), rank=4)
    assert numbers(view(below, sender, n=1, capacity=1, lent={1: False})) == [3]


def test_a_job_lends_its_place_to_one_at_a_time() -> None:
    sender = turn(1, Job(2), begun=True, running=1, rank=5)
    below = child(9, 1, Job(3), Job(4), rank=4, parallel=5)
    assert numbers(view(below, sender, n=1, capacity=1, lent={1: False})) == [3]
    below.running = 1
    assert numbers(view(below, sender, n=1, capacity=1, lent={1: True})) == []
    assert numbers(view(below, sender, n=1, capacity=2, lent={1: True})) == [3]


def test_it_takes_no_place_from_the_other_submissions() -> None:
    sender = turn(1, begun=True, running=1, rank=5)
    below = child(9, 1, Job(3), rank=4)
    assert numbers(view(below, sender, turn(2, Job(8), rank=6), m=2, lent={1: False})) == [3, 8]
    assert numbers(view(below, sender, turn(2, Job(8), rank=6), m=1, lent={1: False})) == [3]


def test_it_passes_what_waits_behind_the_job_that_sent_it() -> None:
    sender = turn(1, Job(2, ("gpu",)), begun=True, running=1, rank=5)
    below = child(9, 1, Job(3, ("gpu",)), rank=4)
    assert numbers(view(below, sender, n=1, lent={1: False})) == [3]


def test_it_does_not_pass_what_has_waited_longer() -> None:
    earlier = turn(7, Job(70, ("gpu", "disk")), begun=True, rank=1)
    below = child(9, 1, Job(3, ("gpu",)), rank=4)
    sender = turn(1, begun=True, running=1, rank=5)
    now = view(earlier, below, sender, m=2, capacity=1, taken={"disk": 5}, lent={1: False})
    assert numbers(now) == []
    assert why_waiting(now, 3) == (
        'It needs "gpu", for which job 70 has waited longer.'
        " Job 1, which has sent it, keeps its own place."
    )


# ---- lives: each job may send submissions from inside, and waits for their end -------------------


@dataclass
class Plan:
    """A job: what it needs, how long it works, and what it sends, one submission after another."""

    resources: tuple[str, ...]
    length: int
    sends: list[list[Plan]] = field(default_factory=list)


@dataclass
class At:
    job: Job
    turn: Turn
    left: int
    sends: list[list[Plan]]
    below: Turn | None = None


class World:
    """Runs whole families to their end as the engine does."""

    def __init__(self, limits: Limits, submissions: list[list[Plan]]) -> None:
        self.limits = limits
        self.count = 0
        self.plans: dict[int, Plan] = {}
        self.running: dict[int, At] = {}
        self.turns = [self.turn_of(jobs, rank=10 * n) for n, jobs in enumerate(submissions)]

    def turn_of(self, jobs: list[Plan], rank: int, parent: int | None = None) -> Turn:
        made = deque[Any]()
        for each in jobs:
            self.count += 1
            self.plans[self.count] = each
            made.append(Job(self.count, each.resources))
        self.count += 1
        return Turn(self.count, rank, parent=parent, begun=parent is not None, waiting=made)

    def view(self) -> View:
        further = [t for t in self.turns if not t.begun][: self.limits.parallel_submissions]
        seen = sorted(
            [t for t in self.turns if t.begun] + further, key=lambda t: (t.rank, t.number)
        )
        taken = {name: n for n, at in self.running.items() for name in at.job.resources}
        lent = {t.parent: False for t in self.turns if t.parent is not None}
        for t in self.turns:
            if t.parent is not None and t.running:
                lent[t.parent] = True
        return View(seen, self.limits, len(self.running), taken, lent)

    def step(self) -> None:
        for number, at in list(self.running.items()):
            if at.below is not None and not at.below.running and not at.below.waiting:
                self.turns.remove(at.below)
                at.below = None
            if at.below is None and at.sends:
                at.below = self.turn_of(at.sends.pop(0), at.turn.rank - 1, number)
                self.turns.append(at.below)
            at.left -= 1
            if at.left < 0 and at.below is None:
                del self.running[number]
                at.turn.running -= 1
        self.turns = [t for t in self.turns if t.running or t.waiting or t.parent is not None]
        for start in plan(self.view()):
            job = cast("Job", start.job)
            assert not any(
                set(job.resources) & set(at.job.resources) for at in self.running.values()
            )
            cast("deque[Any]", start.turn.waiting).remove(job)
            start.turn.begun = True
            start.turn.running += 1
            planned = self.plans[job.number]
            self.running[job.number] = At(job, start.turn, planned.length, list(planned.sends))
        self.check_limits()

    def check_limits(self) -> None:
        lent = self.view().lent
        if self.limits.capacity is not None:
            assert len(self.running) - sum(lent.values()) <= self.limits.capacity
        begun = sum(t.begun and t.parent is None for t in self.turns)
        assert begun <= self.limits.parallel_submissions
        assert all(t.running <= self.limits.parallel_jobs for t in self.turns)


def plans(depth: int) -> st.SearchStrategy[Plan]:
    """Jobs that keep the rule: one that holds a resource sends only jobs that need none."""
    if depth == 0:
        return st.builds(Plan, resource_sets, st.integers(0, 2))
    below = st.lists(st.lists(plans(depth - 1), min_size=1, max_size=3), max_size=2)
    made = st.builds(Plan, resource_sets, st.integers(0, 2), below)
    return made.map(lambda each: without_resources(each, top=True) if each.resources else each)


def without_resources(each: Plan, *, top: bool = False) -> Plan:
    each.sends = [[without_resources(job) for job in jobs] for jobs in each.sends]
    return each if top else Plan((), each.length, each.sends)


families = st.lists(st.lists(plans(2), min_size=1, max_size=3), min_size=1, max_size=4)
limits = st.builds(
    Limits, st.integers(1, 2), st.integers(1, 2), st.one_of(st.none(), st.integers(1, 3))
)


@given(limits, families)
@settings(max_examples=200, deadline=None)
def test_no_family_waits_in_a_circle(within: Limits, submissions: list[list[Plan]]) -> None:
    world = World(within, submissions)
    quiet = 0
    while world.turns:
        before = world.count, len(world.running), sum(len(list(t.waiting)) for t in world.turns)
        world.step()
        after = world.count, len(world.running), sum(len(list(t.waiting)) for t in world.turns)
        quiet = quiet + 1 if before == after else 0
        assert quiet < 10, "all of them wait"
    assert not world.running
    assert RESOURCES
