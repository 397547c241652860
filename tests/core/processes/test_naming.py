from __future__ import annotations

import functools

from projects.core.processes.naming import name_of


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
