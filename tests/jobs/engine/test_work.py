"""What the engine hands over ahead, by a backend whose jobs end when the test says so."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import pytest

from projects.jobs.engine.work import FOLLOWERS
from projects.jobs.model.entities import Usage
from projects.jobs.model.states import Outcome
from projects.jobs.process.orders import Ended, Order, Report, Returned, Started


class Puppet:
    """Runs nothing; `slots` are the running job and what follows it, of each launched one."""

    def __init__(self) -> None:
        self.slots: list[list[Order]] = []
        self.begun: list[int] = []
        self._reports: list[Report] = []
        self._changed = threading.Condition()
        self._woken = False

    def start(self) -> list[Report]:
        return []

    def launch(self, order: Order) -> None:
        self.slots.append([order])
        self._begin(order)

    def follow(self, orders: Sequence[Order], number: int, attempt: int) -> bool:
        [slot] = [slot for slot in self.slots if slot[0].number == number]
        slot += orders
        return True

    def stop(self, number: int, attempt: int, reason: str) -> None:
        for slot in self.slots:
            for order in slot[1:]:
                if order.number == number:
                    slot.remove(order)
                    self._tell(Ended(number, attempt, None, None, "stopped", 1, None, (reason,)))

    def wait(self, timeout: float | None) -> list[Report]:
        with self._changed:
            self._changed.wait_for(lambda: self._reports or self._woken, timeout)
            self._woken = False
            reports, self._reports = self._reports, []
            return reports

    def wake(self) -> None:
        with self._changed:
            self._woken = True
            self._changed.notify_all()

    def settled(self, attempts: Any) -> None:
        pass

    def close(self, stop_jobs: bool = False) -> None:
        pass

    def end(self, slot: list[Order]) -> None:
        """End the running job of a slot, quickly; what follows begins."""
        order = slot.pop(0)
        self._tell(Ended(order.number, 1, 0, None, "exit", 1, Usage(0.001, 0.001, 1)))
        if slot:
            self._begin(slot[0])
        else:
            self.slots.remove(slot)

    def give_back(self, slot: list[Order]) -> None:
        """Let nothing follow."""
        for order in slot[1:]:
            self._tell(Returned(order.number, 1))
        del slot[1:]

    def _begin(self, order: Order) -> None:
        self.begun.append(order.number)
        self._tell(Started(order.number, 1, 4000 + order.number, 1, "boot", 1))

    def _tell(self, report: Report) -> None:
        with self._changed:
            self._reports.append(report)
            self._changed.notify_all()


@pytest.fixture
def puppet(house: Any) -> Puppet:
    built = Puppet()
    house.backend = lambda: built
    house.tool("quick", "true")
    return built


def settle(house: Any) -> None:
    """Return when the engine has decided on everything that has happened."""
    for _ in range(
        3
    ):  # the first turn may be half over; what the second hears, the third decides on
        house.engine._loop.ask(lambda: None)


def end(house: Any, puppet: Puppet, slot: int = 0) -> None:
    puppet.end(puppet.slots[slot])
    settle(house)


def test_several_jobs_are_handed_over_after_a_short_one(house: Any, puppet: Puppet) -> None:
    house.start()
    ids = house.submit(*["quick"] * 40).job_ids
    settle(house)
    assert [len(slot) for slot in puppet.slots] == [1, 1]  # whether they are short isn't known
    end(house, puppet)
    assert max(len(slot) for slot in puppet.slots) == 1 + FOLLOWERS
    while puppet.slots:
        assert len(puppet.slots) <= 2
        end(house, puppet, -1)
    assert {house.done(job).outcome for job in ids} == {Outcome.SUCCESS}
    assert sorted(puppet.begun) == sorted(house.job(job).number for job in ids)


def test_the_last_jobs_are_shared_between_the_places(house: Any, puppet: Puppet) -> None:
    house.start()
    house.submit(*["quick"] * 8)
    settle(house)
    end(house, puppet)
    assert len(puppet.slots) == 2
    end(house, puppet)
    assert len(puppet.slots) == 2  # the other place has something to do, too


def test_one_that_follows_is_cancelled_and_those_after_it_are_not(
    house: Any, puppet: Puppet
) -> None:
    house.start(parallel_jobs=1)
    ids = house.submit(*["quick"] * 12).job_ids
    settle(house)
    end(house, puppet)
    [slot] = puppet.slots
    house.engine.cancel(slot[2].number)
    settle(house)
    while puppet.slots:
        end(house, puppet)
    outcomes = [house.done(job).outcome for job in ids]
    assert outcomes.count(Outcome.CANCELLED) == 1
    assert outcomes.count(Outcome.SUCCESS) == 11
    assert house.engine.running() == 0


def test_what_was_given_back_begins_in_its_order(house: Any, puppet: Puppet) -> None:
    house.start(parallel_jobs=1)
    ids = house.submit(*["quick"] * 12).job_ids
    settle(house)
    end(house, puppet)
    puppet.give_back(puppet.slots[0])
    settle(house)
    while puppet.slots:
        end(house, puppet)
    assert {house.done(job).outcome for job in ids} == {Outcome.SUCCESS}
    assert puppet.begun == [house.job(job).number for job in ids]


def test_short_jobs_keep_no_place_of_the_site_from_who_comes_first(
    house: Any, puppet: Puppet
) -> None:
    house.start(parallel_submissions=2, capacity=1)
    house.submit(*["quick"] * 40)
    settle(house)
    end(house, puppet)
    before = len(puppet.begun)
    [urgent] = house.submit("quick", priority=1).job_ids
    settle(house)
    while house.job(urgent).number not in puppet.begun:
        end(house, puppet)
    assert len(puppet.begun) - before <= FOLLOWERS + 1
