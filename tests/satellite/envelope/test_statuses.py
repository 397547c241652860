from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects.core.errors import TopgallantError
from projects.jobs.model import identity
from projects.jobs.model.entities import Job
from projects.jobs.model.states import Outcome, State
from projects.satellite.envelope import statuses, views
from projects.satellite.envelope.envelope import enveloped, local

JOB = Job(
    number=1,
    id=identity.new(),
    submission=1,
    submission_id=identity.new(),
    position=0,
    owner="ann",
    tool="example",
    params={"a": 1, "b": "is a test"},
    state=State.NEW,
    outcome=None,
    attempt=1,
    created=1_590_512_842_844_715,
    rank=0,
)


@pytest.mark.parametrize(
    ("state", "outcome", "status"),
    [
        (State.NEW, None, "PENDING"),
        (State.PREPARING, None, "PENDING"),
        (State.WAITING, None, "PENDING"),
        (State.STARTING, None, "RUNNING"),
        (State.RUNNING, None, "RUNNING"),
        (State.STOPPING, None, "RUNNING"),
        (State.CLEANING, Outcome.SUCCESS, "RUNNING"),
        (State.DONE, Outcome.SUCCESS, "DONE"),
        (State.ARCHIVED, Outcome.SUCCESS, "DONE"),
        (State.DONE, Outcome.FAILED, "FAILED"),
        (State.DONE, Outcome.TIMEOUT, "TIMEOUT"),
        (State.DONE, Outcome.CANCELLED, "CANCELLED"),
        (State.DONE, Outcome.LOST, "FAILED"),
    ],
)
def test_each_state_has_one_status(state: State, outcome: Outcome | None, status: str) -> None:
    assert statuses.status_of(replace(JOB, state=state, outcome=outcome)) == status


def test_a_job_of_each_status_is_found_by_it() -> None:
    for state in State:
        for outcome in (*Outcome,) if state >= State.DONE else (None,):
            job = replace(JOB, state=state, outcome=outcome)
            states, outcomes = statuses.states_and_outcomes(statuses.status_of(job))
            assert state in states
            assert not outcomes or outcome in outcomes


def test_statuses_that_no_one_list_has_are_refused() -> None:
    assert statuses.states_and_outcomes(None) == ([], [])
    assert statuses.states_and_outcomes("pending,RUNNING")[0][0] == State.NEW
    for text in ("PENDING,DONE", "GREEN", ""):
        with pytest.raises(TopgallantError):
            statuses.states_and_outcomes(text)
    with pytest.raises(TopgallantError, match="TIMEOUT"):
        statuses.phases("TIMEOUT")


def test_a_job_that_waits_has_neither_start_nor_end_nor_return_code() -> None:
    shown = views.job(JOB)
    assert shown["status"] == "PENDING"
    assert (shown["started"], shown["finished"], shown["return_code"]) == (None, None, None)


def test_a_job_that_a_signal_ended_has_a_negative_return_code() -> None:
    assert views.job(replace(JOB, signal=9))["return_code"] == -9
    assert views.job(replace(JOB, return_code=3))["return_code"] == 3


@given(st.integers(0, 4_000_000_000_000_000))
def test_moments_are_local_and_naive_with_six_digits(at: int) -> None:
    from datetime import datetime

    text = local(at)
    assert text is not None
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}", text)
    assert text == datetime.fromtimestamp(at // 10**6).replace(microsecond=at % 10**6).strftime(  # noqa: DTZ006
        "%Y-%m-%d %H:%M:%S.%f"
    )


def test_the_envelope_has_exactly_three_keys() -> None:
    assert list(enveloped({"a": 1}, "0.0.0")) == ["timestamp", "version", "data"]
