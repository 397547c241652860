"""Foreign values become plain and masked."""

from __future__ import annotations

import json
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from projects.core.artifacts.plain import plain


class Rude:
    def __str__(self) -> str:
        raise RuntimeError("no")


def test_plain_values_stay_and_others_become_text() -> None:
    value = {"a": 1, "b": [True, None, 1.5], 3: ("x", Path("/y"))}
    assert plain(value) == {"a": 1, "b": [True, None, 1.5], "3": ["x", "/y"]}
    assert plain(Rude()) == "<Rude: RuntimeError>"
    assert plain(float("nan")) == "nan"


def test_bounds_are_kept_and_said() -> None:
    assert plain([1, 2, 3], most_items=2) == [1, 2, "… 3 in all"]
    assert plain({"a": 1, "b": 2}, most_items=1) == {"a": 1, "…": "2 in all"}
    assert plain("abcdef", most_text=3) == "abc… (6 characters)"


def test_what_contains_itself_ends_somewhere() -> None:
    loop: list[object] = []
    loop.append(loop)
    json.dumps(plain(loop))


@given(st.recursive(st.none() | st.text() | st.floats() | st.binary(), st.lists))
def test_everything_fits_json(value: object) -> None:
    json.loads(json.dumps(plain(value), allow_nan=False))
