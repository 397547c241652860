"""Any sequence of calls: the store does what a few dictionaries do, and counts what is there."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from projects.jobs.model.states import Outcome, State
from projects.jobs.store.store import open_store
from projects.jobs.store.values import Change, JobFilter, NewJob, NewSubmission, Refused, Why
from tests.jobs.store.recount import all_jobs, assert_counts_are_true

TOOLS = st.sampled_from(["x", "y", "z"])
OWNERS = st.sampled_from(["ada", "bob"])
ENDING = (State.STOPPING, State.CLEANING, State.DONE)


@dataclass
class Known:
    """A job as a few lines of Python keep it."""

    submission: int
    tool: str
    owner: str
    state: State = State.NEW
    outcome: Outcome | None = None
    attempt: int = 1
    events: int = 1

    def move(self, state: State, outcome: Outcome | None) -> None:
        self.state, self.events = state, self.events + 1
        self.outcome = outcome or self.outcome

    def restart(self) -> None:
        self.state, self.outcome, self.events = State.NEW, None, self.events + 1
        self.attempt += 1


class Stores(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.mkdtemp()
        self.store = open_store(f"sqlite:///{self.folder}/satellite.db")
        self.jobs: dict[int, Known] = {}
        self.submissions = 0
        self.clock = 0

    def teardown(self) -> None:
        self.store.close()
        shutil.rmtree(self.folder)

    def at(self) -> int:
        self.clock += 1
        return self.clock

    @rule(owner=OWNERS, tools=st.lists(TOOLS, min_size=1, max_size=5))
    def submit(self, owner: str, tools: list[str]) -> None:
        jobs = [NewJob(tool) for tool in tools]
        kept = self.store.submit(NewSubmission(owner, jobs, created=self.at()))
        self.submissions += 1
        assert (kept.submission.number, kept.first) == (self.submissions, len(self.jobs) + 1)
        for number, tool in enumerate(tools, kept.first):
            self.jobs[number] = Known(self.submissions, tool, owner)

    @rule(data=st.data())
    def record(self, data: st.DataObject) -> None:
        changes, expected = [], []
        for _ in range(data.draw(st.integers(1, 4))):
            number = data.draw(st.integers(1, len(self.jobs) + 1))
            attempt = data.draw(st.integers(1, 2))
            restart = data.draw(st.integers(0, 4)) == 0
            state = data.draw(st.sampled_from([None, *State][:-1]))
            early = restart or state not in ENDING
            needed = st.sampled_from(list(Outcome))
            outcome = None if early else data.draw(needed)
            change = Change(
                number, attempt, self.at(), None if restart else state, "why",
                outcome=outcome, restart=restart,
            )  # fmt: skip
            changes.append(change)
            expected += self._expect(change)
        assert self.store.record(changes, durable=data.draw(st.booleans())) == expected

    def _expect(self, change: Change) -> list[Refused]:
        job = self.jobs.get(change.number)
        if job is None:
            return [Refused(change, Why.UNKNOWN)]
        if change.attempt != job.attempt:
            return [Refused(change, Why.STALE, job.attempt, job.state)]
        if change.restart:
            job.restart()
        elif change.state is None:
            job.events += 1
        elif change.state <= job.state:
            return [Refused(change, Why.LATE, job.attempt, job.state)]
        else:
            job.move(change.state, change.outcome)
        return []

    @rule(numbers=st.lists(st.integers(1, 20), max_size=5))
    def cancel_jobs(self, numbers: list[int]) -> None:
        found = self.store.cancel_waiting(numbers, reason="no", at=self.at())
        assert found == self._cancel(list(dict.fromkeys(numbers)))

    @rule(number=st.integers(1, 6))
    def cancel_submission(self, number: int) -> None:
        found = self.store.cancel_waiting(submission=number, reason="no", at=self.at())
        assert found == self._cancel([n for n, j in self.jobs.items() if j.submission == number])

    def _cancel(self, numbers: list[int]) -> list[int]:
        waiting = [n for n in numbers if n in self.jobs and self.jobs[n].state < State.STARTING]
        for number in waiting:
            self.jobs[number].move(State.DONE, Outcome.CANCELLED)
        return waiting

    @rule(number=st.integers(1, 20))
    def retry(self, number: int) -> None:
        job = self.jobs.get(number)
        over = job is not None and job.state >= State.DONE
        assert self.store.retry(number, reason="again", at=self.at()) == over
        if job is not None and over:
            job.restart()

    @rule(numbers=st.lists(st.integers(1, 20), max_size=5))
    def archive(self, numbers: list[int]) -> None:
        done = [
            self.jobs[n]
            for n in dict.fromkeys(numbers)
            if n in self.jobs and self.jobs[n].state == State.DONE
        ]
        assert self.store.archive(numbers, at=self.at()) == len(done)
        for job in done:
            job.move(State.ARCHIVED, None)

    @precondition(lambda self: self.jobs)
    @rule()
    def open_again(self) -> None:
        self.store.close()
        self.store = open_store(f"sqlite:///{self.folder}/satellite.db")

    @rule(owner=OWNERS, tool=TOOLS, state=st.sampled_from(State))
    def list_some(self, owner: str, tool: str, state: State) -> None:
        which = JobFilter(states=[state], tools=[tool], owners=[owner])
        expected = [
            number
            for number, job in self.jobs.items()
            if (job.state, job.tool, job.owner) == (state, tool, owner)
        ]
        assert all_jobs(self.store, which, limit=2) == expected[::-1]
        assert self.store.counts(which).total == len(expected)

    @rule(number=st.integers(1, 6))
    def ask_what_is_next(self, number: int) -> None:
        expected = [
            n
            for n, job in self.jobs.items()
            if job.submission == number and job.state < State.STARTING
        ]
        found = [job.number for job in self.store.next_jobs(number, limit=100)]
        assert found == expected

    @invariant()
    def every_job_is_as_it_should_be(self) -> None:
        for number, known in self.jobs.items():
            job = self.store.job(number)
            assert job is not None
            assert (job.state, job.outcome, job.attempt) == (
                known.state, known.outcome, known.attempt,
            )  # fmt: skip
            assert len(self.store.events_of(number)) == known.events
        live = [n for n, job in self.jobs.items() if State.STARTING <= job.state < State.DONE]
        assert [job.number for job in self.store.unfinished()] == live

    @invariant()
    def the_counters_are_true(self) -> None:
        assert_counts_are_true(self.store)


TestStores = Stores.TestCase
TestStores.settings = settings(
    max_examples=25,
    stateful_step_count=25,
    suppress_health_check=list(HealthCheck),
)
