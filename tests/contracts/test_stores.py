"""What every store of jobs does, on SQLite and on PostgreSQL."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from projects.core.errors import UsageError
from projects.jobs.model import identity, moment
from projects.jobs.model.entities import Process, Token, Upload, Usage
from projects.jobs.model.states import Outcome, State, TransitionError
from projects.jobs.store import pages
from projects.jobs.store.errors import ParentOver
from projects.jobs.store.store import Store, open_store
from projects.jobs.store.values import (
    MOST_BELOW,
    MOST_JOBS,
    Change,
    JobFilter,
    NewJob,
    NewSubmission,
    Parent,
    Phase,
    SubmissionFilter,
    Submitted,
    Why,
)
from tests.jobs.store.recount import all_jobs, assert_counts_are_true

Open = Callable[[], Store]

SECOND = moment.SECOND
AT = 1_800_000_000 * SECOND

STORES = ["sqlite", "postgresql"]


@pytest.fixture(params=STORES)
def open_it(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Open]:
    """How to open the same store, again and again."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path}/satellite.db"
    else:
        url = request.getfixturevalue("postgresql")
    with ExitStack() as stack:

        def open_one() -> Store:
            store = open_store(url, wait=5)
            stack.callback(store.close)
            return store

        yield open_one


@pytest.fixture
def store(open_it: Open) -> Store:
    return open_it()


def new(*tools: str, owner: str = "ada", created: int = AT, **fields: object) -> NewSubmission:
    jobs = [NewJob(tool, {"a": number}) for number, tool in enumerate(tools)]
    return NewSubmission(owner, jobs, created=created, **fields)  # type: ignore[arg-type]


def to(number: int, state: State, outcome: Outcome | None = None, attempt: int = 1) -> Change:
    return Change(number, attempt, AT + state * SECOND, state, outcome=outcome)


def end(store: Store, *numbers: int, outcome: Outcome = Outcome.SUCCESS) -> None:
    changes = [
        change
        for number in numbers
        for change in (to(number, State.RUNNING), to(number, State.DONE, outcome))
    ]
    assert store.record(changes) == []


# Submissions from inside jobs.


def sent_from(store: Store, sender: int) -> Submitted:
    job = store.job(sender)
    assert job is not None
    parent = Parent(job.number, job.id, job.attempt)
    return store.submit(new("below", parent=parent))


def test_a_submission_knows_the_job_that_sent_it(store: Store) -> None:
    sender = store.submit(new("sender"))
    store.record([to(sender.first, State.RUNNING)])
    sent = sent_from(store, sender.first)
    found = store.submission(sent.submission.number)
    assert found is not None
    assert (found.parent, found.below) == (sender.ids[0], sender.first)
    assert (sent.submission.parent, sent.submission.below) == (found.parent, found.below)
    assert [each.number for each in store.depending()] == [found.number]
    assert store.left_over() == []
    ordinary = store.submission(sender.submission.number)
    assert ordinary is not None
    assert (ordinary.parent, ordinary.below) == (None, None)
    end(store, sent.first)
    assert store.depending() == []


@pytest.mark.parametrize(
    "over",
    [
        to(1, State.STOPPING),
        to(1, State.DONE, Outcome.SUCCESS),
        Change(1, 1, AT, restart=True),
    ],
)
def test_what_has_outlived_its_sender_is_found_and_no_more_is_taken(
    store: Store, over: Change
) -> None:
    sender = store.submit(new("sender"))
    store.record([to(sender.first, State.RUNNING)])
    parent = Parent(sender.first, sender.ids[0], 1)
    left = store.submit(new("below", parent=parent))
    assert store.record([over]) == []
    assert [each.number for each in store.left_over()] == [left.submission.number]
    with pytest.raises(ParentOver, match="has ended or is being stopped"):
        store.submit(new("below", parent=parent))
    assert store.counts().total == 2
    store.cancel_waiting(submission=left.submission.number, reason="over", at=AT)
    assert store.left_over() == []


def test_what_is_retried_after_its_sender_stands_for_itself(store: Store) -> None:
    sender = store.submit(new("sender"))
    store.record([to(sender.first, State.RUNNING)])
    sent = sent_from(store, sender.first)
    end(store, sent.first)
    assert store.retry(sent.first, reason="", at=AT)
    again = store.submission(sent.submission.number)
    assert again is not None
    assert again.below == sender.first
    end_again = [
        to(sent.first, State.RUNNING, attempt=2),
        to(sent.first, State.DONE, Outcome.SUCCESS, attempt=2),
    ]
    assert store.record([*end_again, to(sender.first, State.DONE, Outcome.SUCCESS)]) == []
    assert store.retry(sent.first, reason="", at=AT)
    again = store.submission(sent.submission.number)
    assert again is not None
    assert (again.below, again.parent) == (None, sender.ids[0])
    assert store.left_over() == store.depending() == []


def test_one_job_may_have_sent_so_many_that_go_on(store: Store) -> None:
    sender = store.submit(new("sender"))
    store.record([to(sender.first, State.RUNNING)])
    sent = [sent_from(store, sender.first) for _ in range(MOST_BELOW)]
    with pytest.raises(ParentOver, match=f"{MOST_BELOW} submissions .* wait for one of them"):
        sent_from(store, sender.first)
    end(store, sent[0].first)
    sent_from(store, sender.first)


# Submissions.


def test_what_was_submitted_is_there_also_after_opening_again(open_it: Open) -> None:
    params = {"text": "ünï\0code \ud800 'quotes'", "list": [1, 2.5, None, True], "big": 2**53}
    given = NewJob(
        "example",
        params,
        timeout=1.5,
        on_restart="fail",
        resources=("gpu", "disk"),
        limits={"memory": 2**40},
        spec_digest="d1",
    )
    first = open_it()
    kept = first.submit(
        NewSubmission(
            "ada", [given, NewJob("other")], note="a\0note", parallel=3, priority=-2, created=AT
        )
    )
    first.close()
    store = open_it()
    view = store.submission(kept.submission.id)
    assert view is not None
    assert view == store.submission(kept.submission.number)
    assert (view.owner, view.note, view.parallel, view.priority) == ("ada", "a\ufffdnote", 3, -2)
    assert (view.rank, view.created, view.jobs, view.first, view.last) == (AT, AT, 2, 1, 2)
    assert (view.phase, view.counts, view.outcomes) == (Phase.PENDING, {State.NEW: 2}, {})
    job = store.job(kept.ids[0])
    assert job is not None
    assert job == store.job(identity.uuid_form(job.id)) == store.job(1)
    assert job.params == params
    assert (job.tool, job.owner, job.position, job.attempt) == ("example", "ada", 0, 1)
    assert (job.state, job.outcome, job.created, job.rank) == (State.NEW, None, AT, AT)
    assert (job.timeout, job.on_restart, job.spec_digest) == (1.5, "fail", "d1")
    assert (job.resources, job.limits) == (("gpu", "disk"), {"memory": 2**40})
    assert (job.submission, job.submission_id) == (view.number, view.id)
    assert [store.job(each).position for each in kept.ids] == [0, 1]  # type: ignore[union-attr]


def test_what_is_not_there_is_none(store: Store) -> None:
    assert store.job(1) is None
    assert store.job(identity.new()) is None
    assert store.submission(identity.new()) is None
    assert store.events_of(7) == []
    with pytest.raises(UsageError, match="is not an id"):
        store.job("nonsense")


@pytest.mark.parametrize("count", [0, MOST_JOBS + 1])
def test_a_submission_has_bounds(store: Store, count: int) -> None:
    with pytest.raises(UsageError, match=rf"{count} jobs in a submission: 1 to 100000"):
        store.submit(NewSubmission("ada", [NewJob("true")] * count))
    assert store.counts().total == 0


def test_a_submission_that_fails_half_way_leaves_nothing(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    same = identity.new()
    with monkeypatch.context() as patch, pytest.raises(Exception, match=r"(?i)unique"):
        patch.setattr(identity, "new", lambda: same)
        store.submit(new("one", "two"))
    assert store.counts().total == 0
    assert store.submissions().items == []
    assert store.last_event() == 0
    store.submit(new("three", owner="bob"))
    assert_counts_are_true(store)
    assert store.counts().tools == {"three": 1}


def test_submissions_of_many_threads_and_stores_have_numbers_of_their_own(open_it: Open) -> None:
    stores = [open_it(), open_it()]
    ids: list[str] = []

    def work(store: Store, owner: str) -> None:
        for _ in range(5):
            ids.extend(store.submit(new("a", owner, owner=owner)).ids)

    threads = [threading.Thread(target=work, args=(stores[n % 2], f"owner{n}")) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ids) == len(set(ids)) == 60
    assert sorted(all_jobs(stores[0])) == list(range(1, 61))
    assert_counts_are_true(stores[1])


# News of jobs.


def test_a_job_goes_through_its_states(store: Store) -> None:
    store.submit(new("tool", "tool"))
    usage = Usage(1.25, 0.5, 10**9)
    assert not store.record([to(1, State.STARTING)], durable=True)
    running = Change(1, 1, AT + 1, State.RUNNING, "at last", pid=7, start_ticks=8, boot_id="b")
    over = Change(
        1, 1, AT + 2, State.DONE, outcome=Outcome.FAILED, return_code=3, usage=usage,
        data={"why": "x"},
    )  # fmt: skip
    assert not store.record([running, over])
    job = store.job(1)
    assert job is not None
    assert (job.state, job.outcome, job.return_code) == (State.DONE, Outcome.FAILED, 3)
    assert (job.started, job.finished, job.usage) == (AT + 1, AT + 2, usage)
    assert (job.pid, job.start_ticks, job.boot_id, job.reason) == (7, 8, "b", "at last")
    events = store.events_of(1)
    assert [(e.before, e.after) for e in events] == [
        (None, State.NEW),
        (State.NEW, State.STARTING),
        (State.STARTING, State.RUNNING),
        (State.RUNNING, State.DONE),
    ]
    assert (events[2].message, events[3].data, events[3].at) == ("at last", {"why": "x"}, AT + 2)
    assert store.processes(1) == [Process(1, 1, 0, 0, 7, 8, "b", 3, None)]
    assert_counts_are_true(store)
    end(store, 2)
    view = store.submission(1)
    assert view is not None
    assert (view.phase, view.finished) == (Phase.DONE, AT + 7 * SECOND)
    assert_counts_are_true(store)


def test_news_that_come_late_twice_or_of_another_attempt_are_left_out(store: Store) -> None:
    store.submit(new("tool"))
    end(store, 1)
    late = [
        to(1, State.RUNNING),
        to(1, State.DONE, Outcome.LOST),
        to(1, State.DONE, Outcome.LOST, attempt=2),
        to(99, State.RUNNING),
    ]
    refused = store.record(late)
    assert [each.change for each in refused] == late
    assert [each.why for each in refused] == [Why.LATE, Why.LATE, Why.STALE, Why.UNKNOWN]
    assert (refused[0].attempt, refused[0].state) == (1, State.DONE)
    job = store.job(1)
    assert job is not None
    assert job.outcome is Outcome.SUCCESS
    assert len(store.events_of(1)) == 3
    assert_counts_are_true(store)


@pytest.mark.parametrize(
    "wrong",
    [
        to(1, State.DONE),
        to(1, State.RUNNING, Outcome.SUCCESS),
        to(1, State.ARCHIVED),
        Change(1, 1, AT, outcome=Outcome.LOST),
    ],
)
def test_a_change_that_is_a_bug_changes_nothing(store: Store, wrong: Change) -> None:
    store.submit(new("tool"))
    with pytest.raises(TransitionError):
        store.record([to(1, State.STARTING), wrong])
    job = store.job(1)
    assert job is not None
    assert job.state is State.NEW


def test_an_attempt_that_was_killed_before_its_start_was_recorded_is_fenced(store: Store) -> None:
    store.submit(new("tool"))
    assert not store.record([Change(1, 1, AT, reason="it was killed", restart=True)])
    job = store.job(1)
    assert job is not None
    assert (job.state, job.attempt) == (State.NEW, 2)
    (refused,) = store.record([to(1, State.RUNNING)])
    assert refused.why is Why.STALE
    event = store.events_of(1)[-1]
    assert (event.before, event.after, event.attempt) == (State.NEW, State.NEW, 2)
    assert_counts_are_true(store)


def test_a_restart_begins_the_next_attempt_and_fences_the_last_one(store: Store) -> None:
    store.submit(new("tool"))
    store.record([replace(to(1, State.RUNNING), pid=7, start_ticks=8, boot_id="b")])
    restart = Change(1, 1, AT, reason="the machine was started again", restart=True)
    assert not store.record([restart])
    job = store.job(1)
    assert job is not None
    assert (job.state, job.attempt, job.pid, job.started) == (State.NEW, 2, None, None)
    assert job.reason == "the machine was started again"
    (refused,) = store.record([to(1, State.DONE, Outcome.SUCCESS)])
    assert refused.why is Why.STALE
    (refused,) = store.record([restart])
    assert refused.why is Why.STALE  # news may come twice
    assert store.events_of(1)[-1].attempt == 2
    assert_counts_are_true(store)


def test_an_outcome_may_be_known_before_the_end(store: Store) -> None:
    store.submit(new("tool"))
    store.record([to(1, State.RUNNING), to(1, State.STOPPING, Outcome.TIMEOUT)])
    assert all_jobs(store, JobFilter(outcomes=[Outcome.TIMEOUT])) == [1]
    assert_counts_are_true(store)
    store.record([to(1, State.DONE, Outcome.CANCELLED)])
    assert store.counts().outcomes == {Outcome.CANCELLED: 1}
    assert_counts_are_true(store)


def test_other_events_change_no_state(store: Store) -> None:
    store.submit(new("tool"))
    note = Change(1, 1, AT, reason="the hub is away", type="upload", data={"n": 1})
    assert not store.record([note])
    event = store.events_of(1)[-1]
    assert (event.type, event.message, event.before, event.after) == (
        "upload", "the hub is away", None, None,
    )  # fmt: skip


def test_a_job_may_have_several_processes(store: Store) -> None:
    store.submit(new("tool"))
    first, second = Process(1, 1, 0, 0, 10, 20, "b"), Process(1, 1, 0, 1, 11, 21, "b")
    store.record([replace(to(1, State.RUNNING), processes=[second, first])])
    over = replace(second, exit_code=None, signal=9)
    store.record([Change(1, 1, AT, processes=[over], type="process")])
    assert store.processes(1) == [first, over]
    assert store.processes(2) == []


# Ending what waits.


def test_a_whole_submission_is_cancelled(store: Store) -> None:
    store.submit(new("other", owner="bob"))
    store.submit(new("a", "b", "a", "b"))
    store.record([to(3, State.PREPARING), to(4, State.RUNNING)])
    assert store.cancel_waiting(submission=2, reason="by bob", at=AT + 5) == [2, 3, 5]
    assert_counts_are_true(store)
    view = store.submission(2)
    assert view is not None
    assert (view.cancelled, view.phase) == (AT + 5, Phase.RUNNING)
    job = store.job(3)
    assert job is not None
    assert (job.outcome, job.finished, job.reason) == (Outcome.CANCELLED, AT + 5, "by bob")
    event = store.events_of(3)[-1]
    assert (event.before, event.after, event.message) == (State.PREPARING, State.DONE, "by bob")
    assert store.cancel_waiting(submission=2, reason="again", at=AT + 6) == []
    store.record([to(4, State.DONE, Outcome.SUCCESS)])
    assert store.submission(2).phase is Phase.DONE  # type: ignore[union-attr]
    assert store.cancel_waiting(submission=9, reason="none", at=AT) == []
    assert_counts_are_true(store)


def test_a_submission_that_only_waits_is_done_when_it_is_cancelled(store: Store) -> None:
    store.submit(new("a", "b"))
    assert store.cancel_waiting(submission=1, reason="no", at=AT) == [1, 2]
    assert store.submission(1).phase is Phase.DONE  # type: ignore[union-attr]
    assert_counts_are_true(store)


def test_single_jobs_are_cancelled(store: Store) -> None:
    store.submit(new("a", "b", "c"))
    store.record([to(2, State.RUNNING)])
    assert store.cancel_waiting([1, 2, 1, 77], reason="no", at=AT) == [1]
    assert store.submission(1).cancelled is None  # type: ignore[union-attr]
    assert_counts_are_true(store)


def test_what_has_ended_can_be_tried_again(store: Store) -> None:
    store.submit(new("a"))
    assert not store.retry(1, reason="by ada", at=AT)
    end(store, 1, outcome=Outcome.FAILED)
    assert store.retry(1, reason="by ada", at=AT)
    job = store.job(1)
    assert job is not None
    assert (job.state, job.attempt, job.outcome, job.finished) == (State.NEW, 2, None, None)
    assert_counts_are_true(store)
    assert not store.retry(5, reason="by ada", at=AT)


def test_what_is_old_is_archived(store: Store) -> None:
    store.submit(new("a", "b", "c", "d"))
    end(store, 1, 3, 4)
    late = AT + State.DONE * SECOND
    assert [job.number for job in store.expired(late + 1)] == [1, 3, 4]
    assert [job.number for job in store.expired(late + 1, after=1, limit=1)] == [3]
    assert store.expired(late) == []
    assert store.archive([1, 2, 3, 3, 9], at=AT) == 2
    assert [job.number for job in store.expired(late + 1)] == [4]
    job = store.job(1)
    assert job is not None
    assert (job.state, job.outcome) == (State.ARCHIVED, Outcome.SUCCESS)
    assert_counts_are_true(store)


# The scheduler's questions.


def test_the_queue_is_in_the_order_of_rank(store: Store) -> None:
    for rank in (30, 10, 20, 10):
        store.submit(new("a", "b", rank=rank))
    assert [view.number for view in store.head(10)] == [2, 4, 3, 1]
    assert [view.number for view in store.head(2)] == [2, 4]
    end(store, 3, 4)
    assert [view.number for view in store.head(2)] == [4, 3]
    store.retry(3, reason="again", at=AT)
    (view,) = store.head(1)
    assert (view.number, view.waiting, view.live, view.phase) == (2, 1, 0, Phase.RUNNING)


def test_the_next_jobs_are_those_that_wait(store: Store) -> None:
    store.submit(new("x"))
    store.submit(new(*"abcabc"))
    store.record([to(2, State.RUNNING), to(4, State.WAITING)])
    assert [job.position for job in store.next_jobs(2, limit=3)] == [1, 2, 3]
    assert [job.position for job in store.next_jobs(2, after=3, limit=9)] == [4, 5]
    assert store.next_jobs(2, after=5, limit=9) == []
    assert store.next_jobs(7, limit=9) == []
    assert [job.number for job in store.unfinished()] == [2]
    assert store.unfinished(after=2) == []


# Lists.


def _mixed(store: Store) -> None:
    for number in range(30):
        owner = ("ada", "bob", "eve")[number % 3]
        tools = ("x", "y")[: 1 + number % 2]
        store.submit(new(*tools, owner=owner, created=AT + number * SECOND))
    jobs = [job for job in store.jobs(limit=1000).items if job.number % 4]
    for job in jobs:
        outcome = tuple(Outcome)[job.number % 5]
        if job.number % 4 == 1:
            store.record([to(job.number, State.RUNNING)])
        else:
            end(store, job.number, outcome=outcome)


FILTERS = [
    JobFilter(),
    JobFilter(states=[State.NEW]),
    JobFilter(states=[State.NEW, State.DONE]),
    JobFilter(outcomes=[Outcome.FAILED, Outcome.LOST]),
    JobFilter(tools=["x"]),
    JobFilter(tools=["x", "no such tool"], states=[State.RUNNING]),
    JobFilter(owners=["ada"], tools=["y"]),
    JobFilter(owners=["ada", "eve"], outcomes=[Outcome.SUCCESS]),
    JobFilter(submission=4),
    JobFilter(submission=99),
    JobFilter(submission=identity.new()),
    JobFilter(since=AT + 10 * SECOND),
    JobFilter(since=AT + 10 * SECOND, until=AT + 20 * SECOND, states=[State.DONE]),
    JobFilter(until=AT),
    JobFilter(since=AT + 90 * SECOND),
    JobFilter(since=AT + 20 * SECOND, until=AT + 10 * SECOND),
    JobFilter(submission=4, until=AT + 1),
    JobFilter(owners=["nobody"]),
]


@pytest.mark.parametrize(("branches", "most"), [(64, 0.5), (2, 0.0), (2, 2.0)])
def test_every_filter_gives_what_fits_in_order(
    store: Store, branches: int, most: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "_MOST_BRANCHES", branches)
    monkeypatch.setattr(pages, "_MOST_OF", most)
    monkeypatch.setattr(pages, "_MOST_VALUES", 3)
    monkeypatch.setattr(pages, "_FEW", branches // 2)
    _mixed(store)
    jobs = store.jobs(limit=1000).items
    assert [job.number for job in jobs] == sorted((j.number for j in jobs), reverse=True)
    for which in FILTERS:
        expected = [
            job
            for job in jobs
            if (not which.states or job.state in which.states)
            and (not which.outcomes or job.outcome in which.outcomes)
            and (not which.tools or job.tool in which.tools)
            and (not which.owners or job.owner in which.owners)
            and which.submission in (None, job.submission)
            and (which.since is None or job.created >= which.since)
            and (which.until is None or job.created < which.until)
        ]
        numbers = [job.number for job in expected]
        assert all_jobs(store, which, limit=4) == numbers, which
        backwards = store.jobs(which, limit=1000, oldest_first=True)
        assert [job.number for job in backwards.items] == numbers[::-1]
        assert backwards.next is None
        counts = store.counts(which)
        assert counts.total == len(expected)
        for name in ("state", "outcome", "tool", "owner"):
            values = [getattr(job, name) for job in expected]
            found = getattr(counts, f"{name}s")
            assert found == {value: values.count(value) for value in values if value is not None}


def test_counts_of_a_span_are_right_across_blocks(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("counting", "recording", "submitting", "cancelling"):
        monkeypatch.setattr(f"projects.jobs.store.{module}.BLOCK", 2)
    _mixed(store)
    store.cancel_waiting(submission=30, reason="", at=AT)
    jobs = store.jobs(limit=1000).items
    for begin in range(0, 31, 3):
        for end_ in range(begin, 31, 4):
            which = JobFilter(since=AT + begin * SECOND, until=AT + end_ * SECOND)
            there = [j for j in jobs if which.since <= j.created < which.until]  # type: ignore[operator]
            assert store.counts(which).total == len(there)


def test_a_page_goes_on_where_the_last_one_ended_whatever_comes_between(store: Store) -> None:
    for _ in range(5):
        store.submit(new("a"))
    page = store.jobs(limit=2)
    store.submit(new("a"))
    assert [job.number for job in store.jobs(limit=2, cursor=page.next).items] == [3, 2]
    page = store.jobs(limit=5, oldest_first=True)
    page = store.jobs(limit=5, cursor=page.next, oldest_first=True)
    assert ([job.number for job in page.items], page.next) == ([6], None)


def test_submissions_are_listed(store: Store) -> None:
    _mixed(store)
    views = store.submissions(limit=1000).items
    assert [view.number for view in views] == list(range(30, 0, -1))
    for phases in ([], [Phase.DONE], [Phase.PENDING, Phase.RUNNING]):
        for owners in ([], ["ada"], ["bob", "eve"], ["nobody"]):
            which = SubmissionFilter(phases=phases, owners=owners, since=AT + 5 * SECOND)
            expected = [
                view.number
                for view in views
                if (not phases or view.phase in phases)
                and (not owners or view.owner in owners)
                and view.created >= AT + 5 * SECOND
            ]
            found, cursor = [], None
            while True:
                page = store.submissions(which, limit=4, cursor=cursor)
                found += [view.number for view in page.items]
                cursor = page.next
                if cursor is None:
                    break
            assert found == expected


@pytest.mark.parametrize("limit", [0, -1, 1001])
def test_a_page_has_bounds(store: Store, limit: int) -> None:
    with pytest.raises(UsageError, match=f"limit={limit}: a page has 1 to 1000"):
        store.jobs(limit=limit)
    with pytest.raises(UsageError):
        store.submissions(limit=limit)


@pytest.mark.parametrize("text", ["", "x", "bm8", "é", "bjE=", "bi0x", "A" * 500])
def test_what_is_no_cursor_is_said(store: Store, text: str) -> None:
    with pytest.raises(UsageError, match="is not a cursor"):
        store.jobs(cursor=text)


def test_a_clock_that_is_set_back_does_not_hide_jobs(store: Store) -> None:
    store.submit(new("a", created=AT + 100 * SECOND))
    store.submit(new("b", created=AT))
    job = store.job(2)
    assert job is not None
    assert job.created == AT
    assert all_jobs(store, JobFilter(since=AT + 50 * SECOND)) == [2, 1]


# Events.


def test_events_go_on_from_where_one_was(store: Store) -> None:
    assert store.events(after=0).seq == 0
    kept = store.submit(new("a", "b"))
    store.submit(new("c", owner="bob"))
    seen = store.events()
    assert [event.type for event in seen.items] == ["submitted", "submitted"]
    assert seen.items[0].data == {"submission": kept.submission.id, "jobs": 2}
    assert seen.seq == store.last_event()
    end(store, 1, 3)
    more = store.events(after=seen.seq, limit=3)
    assert [(event.job, event.after) for event in more.items] == [
        (1, State.RUNNING), (1, State.DONE), (3, State.RUNNING),
    ]  # fmt: skip
    rest = store.events(after=more.seq)
    assert [(event.job, event.after) for event in rest.items] == [(3, State.DONE)]
    mine = store.events(owner="ada", limit=3)
    assert [event.job for event in mine.items] == [1, 1]
    assert store.events(owner="ada", after=mine.seq).seq == store.last_event()


# The outbox.


def _upload(number: int, next_at: int = AT) -> Upload:
    return Upload(identity.new(), number, "system", "test", "result.json", next_at=next_at)


def test_uploads_wait_until_the_hub_has_them(store: Store) -> None:
    store.submit(new("a"))
    first, second = _upload(1), _upload(1, AT + 5)
    store.record([replace(to(1, State.DONE, Outcome.SUCCESS), uploads=[first])])
    store.add_upload(second)
    store.add_upload(replace(first, file="another"))
    assert store.uploads_due(AT) == [first]
    assert store.next_upload() == AT
    store.upload_failed(first.id, next_at=AT + 9, error="no\0route")
    assert store.uploads_due(AT + 8) == [second]
    assert store.uploads_due(AT + 9)[1] == replace(
        first, attempts=1, next_at=AT + 9, last_error="no\ufffdroute"
    )
    store.upload_done(second.id, at=AT + 6)
    store.upload_done(second.id, at=AT + 7)
    store.upload_failed(second.id, next_at=AT, error="late")
    store.upload_failed(first.id, next_at=None, error="gone")
    assert store.uploads_due(AT + 99) == []
    assert store.next_upload() is None
    by_id = {upload.id: upload for upload in store.uploads_of(1)}
    assert by_id[first.id].abandoned
    assert by_id[first.id].attempts == 2
    assert (by_id[second.id].done, by_id[second.id].attempts) == (AT + 6, 1)
    assert not by_id[second.id].abandoned


def test_news_that_are_left_out_bring_no_uploads(store: Store) -> None:
    store.submit(new("a"))
    store.record([replace(to(1, State.RUNNING, attempt=4), uploads=[_upload(1)])])
    assert store.uploads_of(1) == []


# Tokens and settings.


def test_tokens_are_found_by_their_hash(store: Store) -> None:
    first = Token("t1", "hash1", "ada", "laptop", ("read", "write"), AT, expires=AT + 9)
    second = Token("t2", "hash2", "bob", "", (), AT + 1)
    store.add_token(second)
    store.add_token(first)
    assert store.token("hash1") == first
    assert store.token("hash3") is None
    assert store.tokens() == [first, second]
    assert store.tokens("bob") == [second]
    store.touch_token("t1", at=AT + 3)
    assert store.revoke_token("t1", at=AT + 4)
    assert not store.revoke_token("t1", at=AT + 5)
    assert not store.revoke_token("t3", at=AT + 5)
    assert store.token("hash1") == replace(first, last_used=AT + 3, revoked=AT + 4)


def test_settings_are_kept(open_it: Open) -> None:
    store = open_it()
    assert store.setting("nickname", "none") == "none"
    store.set_setting("nickname", {"a": ["ü", 1]})
    store.set_setting("other", 1)
    store.set_setting("nickname", {"a": ["ü", 2]})
    assert open_it().settings() == {"nickname": {"a": ["ü", 2]}, "other": 1}
    store.set_setting("other", None)
    assert open_it().setting("other") is None


# The store.


def test_readers_do_not_wait_for_a_writer(open_it: Open) -> None:
    store = open_it()
    store.submit(new("a"))
    with store._database.write(durable=False):
        assert store.counts().total == 1
        assert store.job(1) is not None
    store.sync()
    store.ping()


def test_closing_twice_does_nothing(open_it: Open) -> None:
    store = open_it()
    store.submit(new("a"))
    store.record([to(1, State.RUNNING)])
    store.close()
    store.close()
    assert open_it().counts().states == {State.RUNNING: 1}
