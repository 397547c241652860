"""Flags and plain words told apart."""

from __future__ import annotations

import base64
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects.core.errors import UsageError
from projects.satellite.satctl.words import is_id, split

FLAGS = {"follow": "flag", "tail": "count", "status": "text", "timeout": "seconds"}


@given(st.uuids(version=4))
def test_sat_24_every_id_is_a_word_also_one_that_begins_with_a_hyphen(one: uuid.UUID) -> None:
    data = bytearray(one.bytes)
    for first in (data[0], 0xF8, 0xFB):
        data[0], data[1] = first, 0xEF
        text = base64.urlsafe_b64encode(bytes(data))[:22].decode()
        assert is_id(text)
        assert split([text, "--follow"], FLAGS) == ({"follow": True}, [text])  # type: ignore[arg-type]


def test_values_come_with_or_without_an_equals_sign() -> None:
    given, plain = split(["--tail", "3", "x", "--status=a=b", "--timeout=.5"], FLAGS)  # type: ignore[arg-type]
    assert given == {"tail": 3, "status": "a=b", "timeout": 0.5}
    assert plain == ["x"]


def test_after_two_hyphens_or_the_first_plain_word_nothing_is_read() -> None:
    assert split(["--", "--tail"], FLAGS) == ({}, ["--tail"])  # type: ignore[arg-type]
    given, plain = split(["--follow", "t", "--tail=x"], FLAGS, until_plain=True)  # type: ignore[arg-type]
    assert (given, plain) == ({"follow": True}, ["t", "--tail=x"])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--tial=1"], 'did you mean "--tail"'),
        (["-f"], 'unknown flag "-f"'),
        (["--tail"], "--tail needs a value"),
        (["--tail", "--follow"], "--tail needs a value"),
        (["--tail=-1"], "is not a whole number"),
        (["--timeout=nan"], "is not a number of seconds"),
        (["--follow", "--follow"], "given twice"),
        (["--follow=yes"], "takes no value"),
    ],
)
def test_mistakes_are_told(words: list[str], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        split(words, FLAGS)  # type: ignore[arg-type]
