from __future__ import annotations

import functools

from projects.core.processes.naming import name_of, name_of_call, named_by


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
