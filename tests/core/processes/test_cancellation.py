from __future__ import annotations

import signal
import subprocess
import threading
import time

import pytest

from projects.core import errors
from projects.core.processes import cancellation
from projects.core.processes.cancellation import Scope, Watch


def test_a_cancellation_is_delivered_once() -> None:
    with Scope("test") as scope:
        cancellation.checkpoint()
        scope.cancel("enough")
        with pytest.raises(errors.Cancelled, match="enough"):
            cancellation.checkpoint()
        cancellation.checkpoint()
        cancellation.sleep(0.001)
        scope.cancel("once more")  # it is cleaning up already
        cancellation.checkpoint()
    assert scope.cause is not None
    assert scope.cause.reason == "enough"


def test_a_cancellation_reaches_everything_below_and_nothing_above() -> None:
    top = Scope("top")
    middle, sibling = Scope("middle", top), Scope("sibling", top)
    leaf = Scope("leaf", middle)
    middle.cancel("enough")
    assert (middle.cause, leaf.cause) == (("enough", None), ("enough", None))
    assert (top.cause, sibling.cause) == (None, None)


def test_a_scope_below_one_that_is_being_cancelled_begins_cancelled() -> None:
    top = Scope("top", grace=5)
    top.cancel("enough")
    late = Scope("late", top)
    assert late.grace == 5
    with late, pytest.raises(errors.Cancelled):
        cancellation.checkpoint()
    assert top.take() is not None
    with Scope("cleanup", top):
        cancellation.checkpoint()


def test_a_sleep_wakes_up_in_every_thread_of_the_scope() -> None:
    woken: list[BaseException] = []
    with Scope("test") as scope:

        def sleeper() -> None:
            try:
                with scope:
                    cancellation.sleep(1000)
            except errors.Cancelled as error:
                woken.append(error)

        threads = [threading.Thread(target=sleeper) for _ in range(5)]
        for thread in threads:
            thread.start()
        while len(scope.watches) < 5:
            time.sleep(0.001)
        scope.cancel("enough")
        for thread in threads:
            thread.join(30)
    assert len(woken) == 5
    assert not scope.watches


def test_kill_is_told_to_those_who_clean_up_as_well() -> None:
    with Scope("test") as scope:
        scope.cancel("enough")
        with pytest.raises(errors.Cancelled):
            cancellation.checkpoint()
        scope.kill("now")
        with pytest.raises(errors.Cancelled, match="now"):
            cancellation.checkpoint()


def test_nothing_can_be_started_in_a_closed_scope() -> None:
    with Scope("the run") as scope:
        scope.close()
        for _ in range(2):
            with pytest.raises(errors.Cancelled, match="the run is over"):
                cancellation.sleep(0)
        with Scope("below", scope), pytest.raises(errors.Cancelled):
            cancellation.checkpoint()


def test_a_group_that_is_followed_late_gets_the_strongest_signal() -> None:
    process = subprocess.Popen(["sleep", "1000"], start_new_session=True)
    try:
        with Scope("test") as scope, Watch() as watch:
            scope.cancel("enough")
            scope.kill("now")
            watch.follow_group(process.pid)
            assert process.wait(30) == -signal.SIGKILL
            watch.leave_group()
    finally:
        process.kill()


def test_only_the_main_thread_is_interrupted_others_are_cancelled() -> None:
    raised: list[BaseException] = []

    def check() -> None:
        with Scope("test") as scope:
            scope.cancel("interrupted by SIGINT", signal.SIGINT)
            try:
                cancellation.checkpoint()
            except BaseException as error:
                raised.append(error)

    check()
    thread = threading.Thread(target=check)
    thread.start()
    thread.join()
    assert [type(error) for error in raised] == [errors.Interrupted, errors.Cancelled]
    assert errors.exit_status_of(raised[0]) == 130


def test_sleeps_and_checkpoints_notice_the_nearest_deadline() -> None:
    with (
        pytest.raises(errors.DeadlineExceeded, match=r"the inner was .* deadline of 0\.05 s"),
        cancellation.deadline(1000, "the outer"),
        cancellation.deadline(0.05, "the inner"),
    ):
        cancellation.sleep(1000)
    with (
        pytest.raises(errors.DeadlineExceeded, match="the outer"),
        cancellation.deadline(0.05, "the outer"),
        cancellation.deadline(1000, "the inner"),
    ):
        cancellation.sleep(1000)
    assert cancellation.nearest_deadline() is None


def test_a_deadline_leaves_time_to_clean_up_and_is_told_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(errors.DeadlineExceeded), cancellation.deadline(0.01):
        with pytest.raises(errors.DeadlineExceeded):
            cancellation.sleep(1000)
        cancellation.sleep(0.001)
        later = time.monotonic() + cancellation.CLEANUP
        monkeypatch.setattr("time.monotonic", lambda: later)
        cancellation.checkpoint()


def test_each_scope_is_told_about_a_shared_deadline() -> None:
    with cancellation.deadline(0):
        for name in ("one", "two"):
            with Scope(name), pytest.raises(errors.DeadlineExceeded):
                cancellation.checkpoint()
        with pytest.raises(errors.DeadlineExceeded):
            cancellation.checkpoint()


def test_a_block_that_ends_too_late_without_noticing_fails() -> None:
    with pytest.raises(errors.DeadlineExceeded), cancellation.deadline(0):
        pass
    with cancellation.deadline(1000):
        pass


def test_deadlines_can_be_suspended() -> None:
    with pytest.raises(errors.DeadlineExceeded), cancellation.deadline(0):  # noqa: SIM117
        with cancellation.no_deadline():
            cancellation.checkpoint()
            cancellation.sleep(0.001)
