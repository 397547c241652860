from __future__ import annotations

import functools

from projects.core.processes.naming import LABEL, labels_of, name_of, name_of_call, named_by
from projects.core.secrets import masking


class Callable:
    def __call__(self) -> None:
        pass

    def method(self) -> None:
        pass


def test_functions_are_called_what_people_call_them() -> None:
    assert name_of(print) == "print"
    assert name_of(functools.partial(functools.partial(print, 1), 2)) == "print"
    assert name_of(Callable()) == "Callable"
    assert name_of(Callable().method) == "method"
    assert name_of(lambda: 1) == "lambda"


def test_a_call_of_what_calls_others_is_called_what_it_calls() -> None:
    @named_by("group", "command")
    def call(group: str, command: str, **_kwargs: int) -> None:
        pass

    assert name_of_call(call, ("disk", "measure"), {"size": 1}) == "disk_measure"
    assert name_of_call(call, ("disk",), {"size": 1, "command": "measure"}) == "disk_measure"
    assert name_of_call(call, (), {"command": "measure", "group": "disk"}) == "disk_measure"
    assert name_of_call(call, (), {}) == "call"
    assert name_of_call(print, ("disk",), {}) == "print"


def test_labels_of_tasks_are_short_aligned_and_unmistakable() -> None:
    assert labels_of(["wal", "delete"], ["000__wal", "001__delete"]) == ["wal   ", "delete"]
    same = labels_of(["nail", "nail", "saw"], ["003__nail", "004__nail", "005__saw"])
    assert same == ["nail 003", "nail 004", "saw     "]
    long = labels_of(["x" * 40 + "a", "x" * 40 + "b", "表"], ["000__x", "001__x", "002__x"])
    assert long[:2] == ["x" * (LABEL - 1) + "… 000", "x" * (LABEL - 1) + "… 001"]
    assert long[2] == "表" + " " * (LABEL + 2)
    masking.register("hunter22", "password")
    assert labels_of(["hunter22"], ["000__x"]) == ["***"]
