"""What a job sees and how it ends: real store, real processes (SAT-16 to SAT-24, SAT-35)."""

from __future__ import annotations

import itertools
import os
import time
from typing import Any

import pytest
import sqlalchemy

from projects.jobs.engine.refusals import Conflict, InvalidRequest, NotFound, TooLarge
from projects.jobs.model import identity
from projects.jobs.model.states import Outcome, State
from projects.jobs.store.values import JobFilter, Phase

INTEGER = {"name": "a", "type": "integer", "doc": "a number"}


def environment_of(text: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)


def test_sat_16_the_job_sees_its_ids_and_directories(house: Any, monkeypatch: Any) -> None:
    monkeypatch.setenv("SECRET_OF_THE_SERVER", "hush")
    monkeypatch.setenv("TZ", "Europe/Berlin")
    house.tool("show", "env", [INTEGER])
    job = house.run("show", {"a": 7})
    seen = environment_of(house.output(job))
    assert seen["JOB_ID"] == job.id
    assert seen["SUBMISSION_ID"] == job.submission_id
    assert seen["TEST_SCRIPTS_DIRECTORY"] == str(house.scripts)
    assert seen["JOB_LOGS_DIRECTORY"] == str(house.data / "job_logs")
    assert seen["LOGDIR"] == str(house.logs(job))
    assert seen["arg_a"] == "7"
    assert seen["TZ"] == "Europe/Berlin"
    assert "SECRET_OF_THE_SERVER" not in seen
    assert os.path.isabs(seen["LOGDIR"])


def test_settings_and_specs_may_pass_variables_on(house: Any, monkeypatch: Any) -> None:
    monkeypatch.setenv("LICENSE_SERVER", "1@here")
    house.tool("show", "env")
    house.start(pass_environment=("LICENSE_SERVER",), environment={"SITE": "lab"})
    seen = environment_of(house.output(house.run("show")))
    assert (seen["LICENSE_SERVER"], seen["SITE"]) == ("1@here", "lab")


def test_sat_15_arguments_are_in_the_order_of_the_spec(house: Any) -> None:
    second = {"name": "b", "type": "string", "doc": "a text"}
    house.tool("show", 'printf "%s\\n" "$@"', [INTEGER, second])
    job = house.run("show", {"b": "x y\n$(z)", "a": 7})
    assert house.output(job) == "--a=7\n--b=x y\n$(z)\n"


def test_sat_17_the_job_runs_in_its_directory(house: Any, tmp_path: Any) -> None:
    house.tool("here", "pwd")
    job = house.run("here")
    assert house.output(job).strip() == str(house.logs(job))
    other = tmp_path / "elsewhere"
    other.mkdir()
    house.tool("there", "pwd; echo $LOGDIR", working_directory=str(other))
    job = house.run("there")
    assert house.output(job).split() == [str(other), str(house.logs(job))]


def test_sat_18_output_goes_to_two_logs_or_none(house: Any) -> None:
    house.tool("talk", "echo out; echo err >&2")
    logs = house.logs(house.run("talk"))
    assert (logs / "stdout.log").read_text() == "out\n"
    assert (logs / "stderr.log").read_text() == "err\n"
    house.tool("hush", "echo out; echo err >&2; echo kept > kept", no_logs=True)
    logs = house.logs(house.run("hush"))
    assert [path.name for path in logs.iterdir()] == ["kept"]


def test_sat_19_a_timeout_ends_the_whole_group(house: Any) -> None:
    house.tool("slow", "sleep 300 & echo $! > child; trap '' TERM; wait; sleep 300", timeout=0.3)
    job = house.run("slow")
    assert (job.state, job.outcome) == (State.DONE, Outcome.TIMEOUT)
    child = int((house.logs(job) / "child").read_text())
    assert not os.path.exists(f"/proc/{child}")


def test_a_job_may_lower_the_timeout_of_its_tool_and_not_raise_it(house: Any) -> None:
    house.tool("slow", "exec sleep 300", timeout=200)
    spec = {"name": "slow", "timeout": 0.2}
    done = house.done(house.engine.submit({"job_specs": [spec]}, "ann").job_ids[0])
    assert done.outcome == Outcome.TIMEOUT
    with pytest.raises(InvalidRequest, match="more than the 200 s of the tool"):
        house.engine.submit({"job_specs": [{"name": "slow", "timeout": 201}]}, "ann")


def test_sat_20_the_exit_code_decides(house: Any) -> None:
    house.tool("good", "exit 0")
    house.tool("bad", "exit 7")
    house.tool("killed", "kill -SEGV $$")
    good, bad, killed = (house.run(name) for name in ("good", "bad", "killed"))
    assert (good.outcome, good.return_code, good.reason) == (Outcome.SUCCESS, 0, "")
    assert (bad.outcome, bad.return_code, bad.reason) == (Outcome.FAILED, 7, "exit code 7")
    assert (killed.outcome, killed.signal) == (Outcome.FAILED, 11)
    assert killed.reason == "killed by SIGSEGV"
    assert good.started is not None
    assert good.finished is not None
    assert good.created <= good.started <= good.finished


def test_sat_21_submissions_run_one_after_the_other_and_three_jobs_at_once(
    house: Any, gate: Any
) -> None:
    house.tool("wait", f"{gate.wait}; sleep 0.1")
    house.tool("quick", "true")
    first = house.submit(*["wait"] * 5, parallel=3)
    second = house.submit("quick")
    three = [house.running(id_) for id_ in first.job_ids[:3]]
    assert [job.state for job in three] == [State.RUNNING] * 3
    assert all(house.job(id_).state <= State.WAITING for id_ in first.job_ids[3:])
    assert house.engine.running() == 3
    assert "At most 1 submission runs at once" in house.engine.why_waiting(second.job_ids[0])
    assert "3 of at most 3 jobs" in house.engine.why_waiting(first.job_ids[3])
    gate.open()
    last = house.done(second.job_ids[0])
    jobs = [house.done(id_) for id_ in first.job_ids]
    assert last.started is not None
    assert last.started >= max(job.finished or 0 for job in jobs)
    assert most_at_once(jobs) == 3


def most_at_once(jobs: list[Any]) -> int:
    moments = [(job.started, 1) for job in jobs] + [(job.finished, -1) for job in jobs]
    now = most = 0
    for _, step in sorted(moments):
        now += step
        most = max(most, now)
    return most


def test_sat_22_without_parallel_n_counts_and_jobs_begin_in_their_order(
    house: Any, gate: Any
) -> None:
    house.tool("wait", gate.wait)
    house.tool("quick", "sleep 0.02")
    house.start(parallel_jobs=2)
    sent = house.submit(*["wait"] * 8)
    for id_ in sent.job_ids[:2]:
        house.running(id_)
    assert house.engine.running() == 2
    assert "2 of at most 2 jobs" in house.engine.why_waiting(sent.job_ids[2])
    gate.open()
    jobs = [house.done(id_) for id_ in sent.job_ids]
    assert most_at_once(jobs) == 2
    jobs = [house.done(id_) for id_ in house.submit(*["quick"] * 6, parallel=1).job_ids]
    assert sorted(jobs, key=lambda job: job.started) == jobs


def test_sat_23_lists_of_pending_and_running(house: Any, gate: Any) -> None:
    house.tool("wait", gate.wait)
    first, second = house.submit("wait", "wait", "wait", parallel=1), house.submit("wait")
    house.running(first.job_ids[0])

    def phases() -> list[Any]:
        return [s.phase for s in house.store.submissions(oldest_first=True).items]

    assert phases() == [Phase.RUNNING, Phase.PENDING]
    running = house.store.jobs(JobFilter(states=[State.RUNNING])).items
    assert [job.id for job in running] == [first.job_ids[0]]
    waiting = house.store.jobs(
        JobFilter(states=[State.NEW, State.WAITING]), oldest_first=True
    ).items
    assert [job.id for job in waiting] == [*first.job_ids[1:], *second.job_ids]
    gate.open()
    house.done(second.job_ids[0])
    assert phases() == [Phase.DONE, Phase.DONE]


def test_sat_24_ids_are_in_the_order_of_job_specs(house: Any) -> None:
    house.tool("quick", "true", [INTEGER])
    sent = house.submit(*(("quick", {"a": n}) for n in range(5)))
    assert [identity.parse(id_) for id_ in sent.job_ids] == list(sent.job_ids)
    assert [house.job(id_).params for id_ in sent.job_ids] == [{"a": n} for n in range(5)]


def test_sat_35_a_waiting_job_is_cancelled(house: Any, gate: Any) -> None:
    house.tool("wait", gate.wait)
    sent = house.submit("wait", "wait", "wait", parallel=1)
    house.running(sent.job_ids[0])
    job = house.engine.cancel(sent.job_ids[1], "not needed")
    assert (job.state, job.outcome, job.reason) == (State.DONE, Outcome.CANCELLED, "not needed")
    with pytest.raises(Conflict, match="has ended already"):
        house.engine.cancel(sent.job_ids[1])
    gate.open()
    assert house.done(sent.job_ids[2]).outcome == Outcome.SUCCESS
    assert not house.logs(job).exists()


def test_sat_35_a_running_job_is_stopped_with_its_children(house: Any) -> None:
    house.tool("slow", "sleep 300 & echo $! > child; wait")
    sent = house.submit("slow")
    job = house.running(sent.job_ids[0])
    child = house.logs(job) / "child"
    house.until(lambda: child.exists() and child.read_text())
    assert house.engine.cancel(job.id).state >= State.STOPPING
    job = house.done(job.id)
    assert (job.outcome, job.reason) == (Outcome.CANCELLED, "cancelled")
    assert not os.path.exists(f"/proc/{int(child.read_text())}")


def test_sat_35_a_whole_submission_is_cancelled(house: Any) -> None:
    house.tool("slow", "exec sleep 300")
    house.tool("quick", "true")
    sent, after = house.submit(*["slow"] * 50), house.submit("quick")
    house.running(sent.job_ids[0])
    view = house.engine.cancel_submission(sent.submission.id, "enough")
    assert view.cancelled is not None
    jobs = [house.done(id_) for id_ in sent.job_ids]
    assert {job.outcome for job in jobs} == {Outcome.CANCELLED}
    assert {job.reason for job in jobs} == {"enough"}
    assert house.done(after.job_ids[0]).outcome == Outcome.SUCCESS
    assert house.engine.running() == 0


def test_who_listens_makes_no_cancel_of_many_jobs_slow(
    house: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.tool("slow", "exec sleep 300")
    sent = house.submit(*["slow"] * 1500)
    house.running(sent.job_ids[0])
    execute, looks = sqlalchemy.Connection.execute, []

    def look(*words: Any, **more: Any) -> Any:
        looks.append(1)
        return execute(*words, **more)

    with monkeypatch.context() as patch:
        patch.setattr(sqlalchemy.Connection, "execute", look)
        house.engine.cancel_submission(sent.submission.id)
    assert len(looks) < 500
    house.done(sent.job_ids[0])
    house.until(lambda: {news.id for news in house.news if news.outcome} == set(sent.job_ids))


def test_a_job_that_has_ended_is_retried_in_a_clean_directory(house: Any) -> None:
    house.tool("once", "test -e ../seen && { echo good; exit 0; }; echo bad; touch ../seen; exit 3")
    job = house.run("once")
    assert (job.outcome, job.attempt, house.output(job)) == (Outcome.FAILED, 1, "bad\n")
    again = house.engine.retry(job.id)
    assert (again.attempt, again.outcome) == (2, None)
    job = house.done(job.id)
    assert (job.outcome, job.attempt, house.output(job)) == (Outcome.SUCCESS, 2, "good\n")
    earlier = house.logs(job) / "_attempts" / "1" / "stdout.log"
    assert earlier.read_text() == "bad\n"


def test_a_job_that_runs_or_waits_is_not_retried(house: Any) -> None:
    house.tool("slow", "exec sleep 300")
    job = house.running(house.submit("slow").job_ids[0])
    with pytest.raises(Conflict, match="RUNNING"):
        house.engine.retry(job.id)


def test_what_is_not_there_is_not_found(house: Any) -> None:
    nobody = identity.new()
    for call in (house.engine.cancel, house.engine.retry, house.engine.why_waiting):
        with pytest.raises(NotFound):
            call(nobody)
    with pytest.raises(NotFound):
        house.engine.cancel_submission(nobody)


def test_all_mistakes_of_a_submission_are_named_and_nothing_is_stored(house: Any) -> None:
    house.tool("quick", "true", [INTEGER])
    request = {
        "parallel": 0,
        "note": "x" * 5000,
        "priority": "high",
        "prallel": 3,
        "job_specs": [
            {"name": "quick", "params": {"a": 1}},
            {"name": "quick", "params": {"a": "x", "b": 1}},
            {"name": "quikc", "params": {}},
            {"name": "quick", "params": {"a": 1}, "timeout": -1, "limits": {"ram": 1}},
            "quick",
            {"name": "quick", "params": {"a": 1}, "timeouts": 1},
        ],
    }
    with pytest.raises(InvalidRequest) as caught:
        house.engine.submit(request, "ann")
    assert set(caught.value.fields) == {
        "parallel",
        "note",
        "priority",
        "prallel",
        "job_specs[1].params.a",
        "job_specs[1].params.b",
        "job_specs[2].name",
        "job_specs[3].timeout",
        "job_specs[3].limits",
        "job_specs[4]",
        "job_specs[5].timeouts",
    }
    assert house.store.counts().total == 0


def test_of_very_many_mistakes_the_first_are_shown_and_all_are_counted(house: Any) -> None:
    house.start()
    with pytest.raises(InvalidRequest, match="180 more") as caught:
        house.submit(*["nothing"] * 200)
    assert len(caught.value.fields) == 20


def test_too_many_jobs_are_refused_at_once(house: Any) -> None:
    house.tool("quick", "true")
    with pytest.raises(TooLarge, match="100,001 jobs; a submission has at most 100,000"):
        house.engine.submit({"job_specs": [{"name": "quick"}] * 100_001}, "ann")


@pytest.mark.parametrize("request_", [None, [], {}, {"job_specs": []}, {"job_specs": {}}])
def test_no_submission_at_all(house: Any, request_: Any) -> None:
    with pytest.raises(InvalidRequest):
        house.engine.submit(request_, "ann")


def test_params_that_do_not_fit_an_edited_spec_any_more_fail_with_the_reason(
    house: Any, gate: Any
) -> None:
    house.tool("block", gate.wait)
    house.tool("edited", "true", [INTEGER])
    sent = house.submit("block", ("edited", {"a": 1}), ("edited", {"a": 2}), parallel=1)
    house.running(sent.job_ids[0])
    house.tool("edited", "true", [{**INTEGER, "min": 2}])
    gate.open()
    gone, fits = (house.done(id_) for id_ in sent.job_ids[1:])
    assert (gone.outcome, fits.outcome) == (Outcome.FAILED, Outcome.SUCCESS)
    assert "a: 1 is less than 2" in gone.reason


def test_a_tool_that_is_gone_fails_its_jobs(house: Any, gate: Any) -> None:
    house.tool("block", gate.wait)
    directory = house.tool("gone", "true")
    sent = house.submit("block", "gone", parallel=1)
    house.running(sent.job_ids[0])
    (directory / "spec.json").unlink()
    gate.open()
    job = house.done(sent.job_ids[1])
    assert job.outcome == Outcome.FAILED
    assert "gone" in job.reason


def test_a_script_that_cannot_be_started_fails(house: Any) -> None:
    directory = house.tool("odd", "true")
    (directory / "run").write_text("#!/no/such/interpreter\n")
    job = house.run("odd")
    assert job.outcome == Outcome.FAILED
    assert job.reason.startswith("not started")


@pytest.mark.parametrize("parallel", [1, 2])
def test_short_jobs_begin_in_their_order_and_never_more_than_they_may(
    house: Any, parallel: int
) -> None:
    house.tool("quick", "true")
    house.tool("slow", "sleep 0.02")
    house.start(parallel_jobs=2)
    names = (["quick"] * 20 + ["slow"]) * 5
    sent = house.submit(*names, parallel=parallel)
    jobs = [house.done(id_) for id_ in sent.job_ids]
    assert all(job.outcome == "SUCCESS" and job.attempt == 1 for job in jobs)
    moments = [(job.started, 1) for job in jobs] + [(job.finished, -1) for job in jobs]
    running = list(itertools.accumulate(by for _, by in sorted(moments)))
    assert max(running) == parallel
    places = sorted(range(len(jobs)), key=lambda place: jobs[place].started)
    assert parallel > 1 or places == sorted(places)


def test_what_waits_behind_short_jobs_is_cancelled_like_everything(house: Any) -> None:
    house.tool("quick", "true")
    sent = house.submit(*["quick"] * 300, parallel=2)
    house.done(sent.job_ids[10])
    house.engine.cancel_submission(sent.submission.id)
    outcomes = [house.done(id_).outcome for id_ in sent.job_ids]
    assert set(outcomes) == {"SUCCESS", "CANCELLED"}
    house.tool("after", "true")
    assert house.run("after").outcome == "SUCCESS"


def test_exclusive_resources_are_never_held_twice(house: Any) -> None:
    script = "mkdir ../held || exit 9; sleep 0.02; rmdir ../held"
    house.tool("gpu", script, resources=["gpu"])
    house.tool("free", "sleep 0.02")
    house.start(parallel_jobs=4)
    sent = house.submit("gpu", "free", "gpu", "gpu", "free", "gpu")
    assert {house.done(id_).outcome for id_ in sent.job_ids} == {Outcome.SUCCESS}


def test_a_higher_priority_goes_first(house: Any, gate: Any) -> None:
    house.tool("block", gate.wait)
    house.tool("quick", "true")
    first = house.submit("block")
    house.running(first.job_ids[0])
    late, urgent = house.submit("quick"), house.submit("quick", priority=5)
    gate.open()
    jobs = house.done(late.job_ids[0]), house.done(urgent.job_ids[0])
    assert (jobs[1].started or 0) <= (jobs[0].started or 0)


def test_listeners_hear_every_transition_in_order(house: Any) -> None:
    house.tool("quick", "true")
    sent = house.submit(*["quick"] * 20)
    for id_ in sent.job_ids:
        house.done(id_)
    house.until(lambda: sum(news.state == State.DONE for news in house.news) == 20)
    states = {id_: [n.state for n in house.news if n.id == id_] for id_ in sent.job_ids}
    assert set(map(tuple, states.values())) == {(State.RUNNING, State.DONE)}


def test_a_slow_listener_holds_nobody_up_and_is_told_what_it_missed(house: Any) -> None:
    import threading

    house.tool("quick", "true")
    blocked, missed = threading.Event(), []

    def listen(news: Any, lost: int) -> None:
        missed.append(lost)
        blocked.wait(60)

    house.engine.subscribe(listen, most=3)
    for id_ in house.submit(*["quick"] * 20).job_ids:
        while house.job(id_).state < State.DONE:
            time.sleep(0.01)  # news don't come through now
    blocked.set()
    house.until(lambda: sum(missed) > 0)


def test_an_idle_engine_does_nothing(house: Any) -> None:
    house.tool("quick", "true")
    house.run("quick")
    time.sleep(0.1)  # it is told that the store has it
    loop, turns = house.engine._loop, []
    inner = loop._turn

    def turn() -> None:
        turns.append(1)
        inner()

    loop._turn = turn
    time.sleep(0.5)  # nothing to wait for: nothing is what is to happen
    assert not turns
