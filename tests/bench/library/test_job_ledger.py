"""What jobs wrote about themselves, and what is wrong when the store says something else."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from projects.bench.library.job_ledger import examine
from projects.jobs.model.states import Outcome, State
from projects.jobs.store.store import open_store
from projects.jobs.store.values import Change, NewJob, NewSubmission

if TYPE_CHECKING:
    from pathlib import Path


class Ended:
    """A store with one job of each policy that ended with exit code 3, and what it wrote."""

    def __init__(self, folder: Path) -> None:
        self.database, self.ledger = folder / "jobs.db", folder / "ledger"
        self.ledger.touch()
        with closing(open_store(f"sqlite:///{self.database}")) as store:
            policies = ("rerun", "reattach", "fail")
            jobs = [NewJob(p, {"code": 3}, on_restart=p) for p in policies]  # type: ignore[arg-type]
            kept = store.submit(NewSubmission("ann", jobs))
        self.first, self.ids = kept.first, list(kept.ids)

    def record(self, *changes: Change) -> None:
        with closing(open_store(f"sqlite:///{self.database}")) as store:
            assert store.record(changes) == []

    def end(self, at: int, attempt: int = 1, **more: Any) -> Change:
        said: dict[str, Any] = {"outcome": Outcome.FAILED, "return_code": 3} | more
        return Change(self.first + at, attempt, 5, State.DONE, **said)

    def write(self, *lines: tuple[str, int, int]) -> None:
        with self.ledger.open("a") as file:
            file.writelines(f"{mark} {self.ids[at]}.{attempt}\n" for mark, at, attempt in lines)

    def findings(self, *others: str) -> dict[str, float]:
        found, _ = examine(self.database, self.ledger, [*self.ids, *others])
        return {name: value for name, value in found.figures().items() if value}


@pytest.fixture
def ended(tmp_path: Path) -> Ended:
    return Ended(tmp_path)


def all_well(ended: Ended) -> None:
    ended.record(*(ended.end(at) for at in range(3)))
    ended.write(*((mark, at, 1) for at in range(3) for mark in "+-"))


def test_jobs_that_did_what_the_store_says_are_as_promised(ended: Ended) -> None:
    all_well(ended)
    assert ended.findings() == {"jobs": 3, "real": 3}


def test_a_job_that_is_not_there_or_has_no_end_is_lost(ended: Ended) -> None:
    ended.record(ended.end(0))
    ended.write(("+", 0, 1), ("-", 0, 1))
    assert ended.findings("A" * 22) == {"jobs": 3, "real": 1, "lost": 3}


def test_an_attempt_that_ran_twice_is_doubled(ended: Ended) -> None:
    all_well(ended)
    ended.write(("+", 0, 1))
    assert ended.findings() == {"jobs": 3, "real": 3, "doubled": 1}


@pytest.mark.parametrize(("at", "doubled"), [(0, 0), (1, 1), (2, 1)])
def test_only_a_tool_that_says_so_may_run_again(ended: Ended, at: int, doubled: int) -> None:
    others = [other for other in range(3) if other != at]
    again = Change(ended.first + at, 1, 5, restart=True)
    began = Change(ended.first + at, 1, 5, State.RUNNING)
    ended.record(began, again, ended.end(at, 2), *(ended.end(other) for other in others))
    ended.write(*((mark, other, 1) for other in others for mark in "+-"))
    ended.write(("+", at, 1), ("-", at, 1), ("+", at, 2), ("-", at, 2))
    found = ended.findings()
    assert (found.get("doubled", 0), found["again"], found["real"]) == (doubled, 1, 3)


def test_two_attempts_at_once_are_doubled(ended: Ended) -> None:
    all_well(ended)
    ended.ledger.write_text("")
    ended.write(("+", 0, 1), ("+", 0, 2), ("-", 0, 1), ("-", 0, 2))
    ended.write(*((mark, at, 1) for at in (1, 2) for mark in "+-"))
    assert ended.findings()["doubled"] == 1


@pytest.mark.parametrize(
    "said",
    [{"return_code": 4}, {"outcome": Outcome.SUCCESS}, {"return_code": None, "signal": 9}],
)
def test_an_end_that_is_not_the_real_one_is_wrong(ended: Ended, said: dict[str, Any]) -> None:
    ended.record(ended.end(0, **said), ended.end(1), ended.end(2))
    ended.write(*((mark, at, 1) for at in range(3) for mark in "+-"))
    assert ended.findings() == {"jobs": 3, "real": 2, "wrong": 1}


def test_what_nobody_could_see_is_no_mistake(ended: Ended) -> None:
    lost = ended.end(1, outcome=Outcome.LOST, return_code=None)
    ended.record(ended.end(0), lost, ended.end(2, return_code=None, signal=9))
    ended.write(("+", 0, 1), ("-", 0, 1), ("+", 1, 1), ("-", 1, 1))
    assert ended.findings() == {"jobs": 3, "real": 1, "unseen": 1, "unborn": 1}
