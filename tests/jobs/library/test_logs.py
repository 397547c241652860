"""Server-sent events, read however they are cut."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from projects.jobs.library.logs import Message, messages

STREAM = (
    ": still here\n\n"
    'id: 6\nevent: log\ndata: {"at":0,"text":"hällo\\n"}\n\n'
    ": still here\n\n"
    'event: end\ndata: {"state":"DONE",\ndata: "outcome":null}\n\n'
).encode()


@given(st.lists(st.integers(0, len(STREAM)), max_size=20))
def test_events_are_whole_wherever_a_stream_is_cut(cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), len(STREAM)]
    pieces = [STREAM[a:b] for a, b in itertools.pairwise(edges)]
    assert list(messages(iter(pieces))) == [
        Message("log", {"at": 0, "text": "hällo\n"}, "6"),
        Message("end", {"state": "DONE", "outcome": None}, None),
    ]


def test_half_an_event_at_the_end_counts_for_nothing() -> None:
    assert list(messages(iter([b"event: log\ndata: {}\n"]))) == []
