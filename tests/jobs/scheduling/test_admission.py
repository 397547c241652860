"""Which jobs may start: limits, order, resources, places of submissions, and that none starves."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from projects.jobs.scheduling import admission
from projects.jobs.scheduling.admission import keeps_places, plan, rank
from projects.jobs.scheduling.view import Limits, Turn, View

SECOND = 1_000_000


@dataclass(slots=True)
class Job:
    number: int
    resources: tuple[str, ...] = ()
    request: Any = None


def turn(number: int, *jobs: Job, **more: Any) -> Turn:
    return Turn(number, more.pop("rank", number), waiting=deque(jobs), **more)


def view(*turns: Turn, m: int = 1, n: int = 2, capacity: int | None = None, **more: Any) -> View:
    running = sum(t.running for t in turns)
    return View(turns, Limits(m, n, capacity), running=running, **more)


def numbers(of: View) -> list[int]:
    return [start.job.number for start in plan(of)]


def test_jobs_of_a_submission_start_in_order_up_to_n() -> None:
    assert numbers(view(turn(1, Job(1), Job(2), Job(3)))) == [1, 2]


def test_a_submission_may_ask_for_more_or_fewer_at_once() -> None:
    assert numbers(view(turn(1, *map(Job, range(5)), parallel=3))) == [0, 1, 2]
    assert numbers(view(turn(1, *map(Job, range(5)), parallel=1))) == [0]


def test_a_second_submission_waits_until_the_first_has_ended() -> None:
    first, second = turn(1, Job(1), n := Job(2)), turn(2, Job(3))
    first.waiting, first.begun, first.running = deque(), True, 1
    assert numbers(view(first, second)) == []
    assert numbers(view(second)) == [3]
    assert n.number == 2


def test_two_submissions_at_once_where_m_is_two() -> None:
    views = view(turn(1, Job(1)), turn(2, Job(2), Job(3), Job(4)), turn(3, Job(5)), m=2)
    assert numbers(views) == [1, 2, 3]


def test_a_submission_that_came_before_by_rank_does_not_take_the_place_of_a_begun_one() -> None:
    begun = turn(2, Job(3), begun=True, running=0, rank=5)
    urgent = turn(3, Job(9), rank=1)
    assert numbers(view(urgent, begun)) == [3]


def test_capacity_is_shared() -> None:
    busy = turn(1, Job(1), Job(2), Job(3), parallel=5, begun=True, running=2)
    assert numbers(view(busy, turn(2, Job(4)), m=2, capacity=4)) == [1, 2]


def test_a_resource_is_held_once() -> None:
    jobs = [Job(1, ("gpu",)), Job(2, ("gpu",)), Job(3)]
    assert numbers(view(turn(1, *jobs), n=3)) == [1, 3]
    assert numbers(view(turn(1, *jobs), n=3, taken={"gpu": 99})) == [3]


def test_a_later_job_does_not_take_what_an_earlier_one_waits_for() -> None:
    both, one = Job(1, ("a", "b")), Job(2, ("b",))
    assert numbers(view(turn(1, both, one, Job(3, ("c",))), n=5, taken={"a": 99})) == [3]


def test_the_first_job_of_a_full_submission_keeps_its_resource_from_later_submissions() -> None:
    full = turn(1, Job(1, ("a",)), begun=True, running=2)
    assert numbers(view(full, turn(2, Job(2, ("a",)), Job(3)), m=2)) == [3]


def test_devices_are_asked_for_last_and_only_by_jobs_that_request_some() -> None:
    asked: list[int] = []

    def reserve(job: Any) -> bool:
        asked.append(job.number)
        return bool(job.request == "small")

    jobs = [Job(1, (), "big"), Job(2), Job(3, (), "small"), Job(4, ("a",), "small")]
    assert numbers(view(turn(1, *jobs), n=9, taken={"a": 7}, reserve=reserve)) == [2, 3]
    assert asked == [1, 3]
    assert numbers(view(turn(1, Job(1, (), "any")))) == []  # nobody to ask: no devices


def test_a_plan_looks_at_a_bounded_window() -> None:
    blocked = [Job(n, ("a",)) for n in range(admission.LOOK_AHEAD)]
    assert numbers(view(turn(1, *blocked, Job(999)), taken={"a": 7})) == []


@pytest.mark.parametrize(("priority", "hours"), [(1, 1), (3, 3), (-2, -2)])
def test_a_step_of_priority_is_worth_an_hour(priority: int, hours: int) -> None:
    assert rank(10 * 3600 * SECOND, priority) == rank((10 - hours) * 3600 * SECOND, 0)


# ---- properties: simulate whole lives ---------------------------------------------------------

RESOURCES = ("a", "b", "c")


@dataclass
class World:
    """Submissions that run to their end under `plan`, with a clock of whole steps."""

    limits: Limits
    turns: list[Turn]
    running: dict[int, tuple[Turn, Job, int]] = field(default_factory=dict)
    taken: dict[str, int] = field(default_factory=dict)
    started: list[int] = field(default_factory=list)

    def window(self) -> list[Turn]:
        begun = [t for t in self.turns if t.begun]
        further = [t for t in self.turns if not t.begun][: self.limits.parallel_submissions]
        return sorted(begun + further, key=lambda t: t.rank)

    def step(self, lengths: dict[int, int]) -> None:
        for number in [n for n, (_, _, left) in self.running.items() if left <= 0]:
            ended_turn, job, _ = self.running.pop(number)
            ended_turn.running -= 1
            for name in job.resources:
                del self.taken[name]
        for t in self.turns:
            if t.begun and not t.running and not t.waiting:
                t.begun = False
        self.turns = [t for t in self.turns if t.running or t.waiting]
        now = View(self.window(), self.limits, len(self.running), dict(self.taken))
        before = [(t, list(t.waiting)) for t in now.turns]
        starts = plan(now)
        self.check_order(before, {s.job.number for s in starts})
        for start in starts:
            job = cast("Job", start.job)
            assert isinstance(start.turn.waiting, deque)
            start.turn.waiting.remove(job)
            start.turn.begun = True
            start.turn.running += 1
            self.running[job.number] = (start.turn, job, lengths[job.number])
            self.started.append(job.number)
            for name in job.resources:
                assert name not in self.taken
                self.taken[name] = job.number
        self.running = {n: (t, j, left - 1) for n, (t, j, left) in self.running.items()}
        self.check_limits()

    def check_order(self, before: list[tuple[Turn, list[Any]]], started: set[int]) -> None:
        for _, jobs in before:
            waited_for: set[str] = set()
            for job in jobs:
                if job.number in started:
                    assert not waited_for.intersection(job.resources)
                else:
                    waited_for.update(job.resources)
                    if not job.resources:  # it waits for its turn: nobody behind it goes first
                        waited_for.update(RESOURCES)
                        later = [j for j in jobs[jobs.index(job) :] if not j.resources]
                        assert not started.intersection(j.number for j in later)

    def check_limits(self) -> None:
        assert sum(t.begun for t in self.turns) <= self.limits.parallel_submissions
        if self.limits.capacity is not None:
            assert len(self.running) <= self.limits.capacity
        for t in self.turns:
            assert t.running <= (t.parallel or self.limits.parallel_jobs)


resource_sets = st.lists(st.sampled_from(RESOURCES), unique=True, max_size=2).map(tuple)
worlds = st.tuples(
    st.builds(
        Limits,
        st.integers(1, 3),
        st.integers(1, 3),
        st.one_of(st.none(), st.integers(1, 4)),
    ),
    st.lists(
        st.tuples(
            st.lists(st.tuples(resource_sets, st.integers(1, 4)), min_size=1, max_size=6),
            st.one_of(st.none(), st.integers(1, 4)),
            st.integers(0, 20),
        ),
        max_size=6,
    ),
)


@given(worlds)
@settings(max_examples=300)
def test_every_job_runs_once_within_all_limits_and_in_order(
    world: tuple[Limits, list[tuple[list[tuple[tuple[str, ...], int]], int | None, int]]],
) -> None:
    limits, submissions = world
    lengths: dict[int, int] = {}
    turns, plain = [], []
    for number, (jobs, parallel, at) in enumerate(submissions):
        made = [Job(number * 100 + i, resources) for i, (resources, _) in enumerate(jobs)]
        lengths.update((job.number, length) for job, (_, length) in zip(made, jobs, strict=True))
        turns.append(Turn(number, at, parallel, waiting=deque(made)))
        plain.append([job.number for job in made if not job.resources])
    simulated = World(limits, sorted(turns, key=lambda t: t.rank))
    for _ in range(4 * sum(lengths.values()) + 10):
        simulated.step(lengths)
    assert sorted(simulated.started) == sorted(lengths)
    for order in plain:  # without resources the order is that of job_specs
        assert [n for n in simulated.started if n in order] == order


def test_a_job_that_needs_much_is_not_starved_by_a_stream_of_small_ones() -> None:
    """A new submission comes with each step; the one that needs all resources still starts."""
    greedy = Turn(0, 5, waiting=deque([Job(0, RESOURCES)]))
    stream = [Turn(n, n, waiting=deque([Job(n, (RESOURCES[n % 3],))])) for n in range(1, 60)]
    world = World(Limits(3, 1), [])
    lengths = dict.fromkeys(range(60), 3)
    for now in range(60):
        world.turns += [t for t in stream if t.rank == now] + ([greedy] if now == 5 else [])
        world.turns.sort(key=lambda t: (t.rank, t.number))
        world.step(lengths)
        if 0 in world.started:
            return
    pytest.fail("the job that needs all resources never started")


def test_no_stream_of_urgent_submissions_starves_an_old_one() -> None:
    hour = 3600 * SECOND
    old = Turn(0, rank(0, 0), waiting=deque([Job(0)]))
    world, lengths = World(Limits(1, 1), [old]), dict.fromkeys(range(200), 2)
    for n in range(1, 200):
        world.turns.append(Turn(n, rank(n * hour // 4, 3), waiting=deque([Job(n)])))
        world.turns.sort(key=lambda t: t.rank)
        if n > 1:
            world.step(lengths)
    assert world.started.index(0) <= 13  # three hours of quarters, and what was already running


def test_a_place_given_back_is_for_the_first_that_waits_if_places_are_few() -> None:
    waits = deque([Job(1)])
    first, second = Turn(1, 1, waiting=waits), turn(2, Job(2), begun=True, running=1)
    assert keeps_places(view(first, second, m=2), second)
    assert not keeps_places(view(first, second, m=2, capacity=1), second)
    assert keeps_places(view(first, second, m=2, capacity=1), first)
    assert keeps_places(view(first, second, m=1, capacity=1), second)  # the first has no place
    waits.clear()
    assert keeps_places(view(first, second, m=2, capacity=1), second)
