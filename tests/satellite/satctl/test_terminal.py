"""A job that prints commands for the terminal of whoever looks at its log."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects.satellite.satctl.printing import json_bytes
from projects.satellite.satctl.terminal import Terminal


def shown(*pieces: bytes) -> bytes:
    terminal = Terminal()
    return b"".join([*map(terminal.shown, pieces), terminal.end()])


@pytest.mark.parametrize(
    ("sent", "wanted"),
    [
        (
            b"\x1b[32mgreen\x1b[0m\r\n\ttext \xc3\xa4\n",
            b"\x1b[32mgreen\x1b[0m\r\n\ttext \xc3\xa4\n",
        ),
        (b"\x1b]0;title\x07", "␛]0;title␇".encode()),
        (b"\x1b]52;c;cm0gLXJmIC8=\x1b\\", "␛]52;c;cm0gLXJmIC8=␛\\".encode()),
        (b"\x1b[2J\x1b[H", "␛[2J␛[H".encode()),
        (b"\xc2\x9b2J", b"\\x9b2J"),
        (b"\x1bPq\x08\x7f\0", "␛Pq␈␡␀".encode()),
        (b"\x1b[38;5;1", "␛[38;5;1".encode()),
    ],
)
def test_colours_stay_and_commands_are_only_seen(sent: bytes, wanted: bytes) -> None:
    assert shown(sent) == wanted
    assert shown(*(sent[at : at + 1] for at in range(len(sent)))) == wanted


@given(
    st.lists(
        st.binary(max_size=5) | st.sampled_from([b"\x1b", b"[", b"3", b"m", b"\xc2", b"\x9b", b"]"])
    )
)
def test_whatever_comes_commands_nothing(pieces: list[bytes]) -> None:
    left = re.sub(rb"\x1b\[[0-9;:]*m", b"", shown(*pieces))
    assert not re.search(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\xc2[\x80-\x9f]", left)


def test_what_is_printed_as_json_commands_nothing_and_is_the_same_value() -> None:
    value = {"note": "\x1b[2J\x9b2J\x7f\u202egpj.exe ä"}
    printed = json_bytes(value, indent=2)
    assert json.loads(printed) == value
    assert not re.search("[\x7f-\x9f\u202e]", printed.decode())
