"""Reading events back and folding them into a tree."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects.core.artifacts.spans import fold, read_events
from tests.core.artifacts.recorded import Recording, failing_run, moment


def test_the_tree_is_what_ran_within_what() -> None:
    run = failing_run().run()
    names = [(depth, span.name) for depth, span in run.walk()]
    assert names == [
        (0, "demo test_ci"),
        (1, "test_ci"),
        (2, "cluster scale"),
        (2, 'point <wal> & "off"'),
        (3, "measure"),
        (2, "point delete"),
        (1, "to a folder"),
        (1, "plots"),
    ]
    command = run.root.children[0].children[0]
    assert command.parameters == {"replicas": 3, "names": ["a", "b"]}
    assert command.progress is not None
    assert (command.progress.done, command.progress.total) == (2, 3)
    assert [note.message for note in command.notes] == ["attempt 1 of 3 failed"]
    assert command.fields["attempt"] == 2
    assert run.root.fields["host"] == "lab-1"
    assert run.root.overhead == 0.001


def test_an_unfinished_span_of_a_dead_run_is_lost_and_of_a_live_one_running() -> None:
    told = Recording()
    told.started(0, "r", "run", "demo")
    told.started(1, "a", "step", "x", parent="r")
    told.add(5, "note", "r", level="info", message="m", data={})
    dead = told.run()
    assert [span.outcome for _, span in dead.walk()] == ["lost", "lost"]
    assert dead.seconds(dead.root) == 5
    assert [span.outcome for _, span in told.run(alive=True).walk()] == ["running", "running"]


def test_a_span_of_a_child_process_goes_where_its_directory_is() -> None:
    told = failing_run()
    told.started(5, "z", "command", "child", dir="000__test_ci/000__cluster__scale/000__child")
    run = told.run()
    assert [child.name for child in run.root.children[0].children[0].children] == ["child"]


def test_of_several_runs_in_one_journal_the_last_one_counts() -> None:
    told = failing_run()
    told.started(30, "r2", "run", "demo cleanup_ci")
    told.ended(31, "r2", 1)
    run = told.run()
    assert run.root.name == "demo cleanup_ci"
    assert len(run.roots) == 2


def test_of_runs_at_the_same_time_the_one_that_is_asked_for_counts() -> None:
    told = failing_run()
    told.started(5, "r2", "run", "demo other_ci")
    run = told.run()
    run.about = run.roots[0].id
    assert run.root.name == "demo test_ci"


def test_an_empty_journal_is_a_run_without_anything() -> None:
    assert fold([]).root.children == []


def test_a_cut_line_rubbish_and_unknown_types_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    whole = [json.dumps(event).encode() for event in failing_run().events]
    unknown = json.dumps({"at": moment(1), "type": "invented", "id": "r"}).encode()
    odd = [b"", b"\xff\xfe", b"[1]", b"{}", b'"text"', unknown, b'{"type":"ended","id":"r"}']
    path.write_bytes(b"\n".join([*whole[:3], *odd, *whole[3:], whole[-1][:30]]))
    assert fold(read_events(path)) == failing_run().run()


@given(st.data())
def test_any_cut_of_a_journal_can_be_read(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    whole = "".join(json.dumps(event) + "\n" for event in failing_run().events).encode()
    path = tmp_path_factory.mktemp("cut") / "events.jsonl"
    path.write_bytes(whole[: data.draw(st.integers(0, len(whole)))])
    run = fold(read_events(path))
    told = sum(1 for _ in run.walk())
    assert told == sum(1 for event in read_events(path) if event["type"] == "started")


@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(["at", "type", "id", "kind", "name", "seconds"]),
            st.sampled_from(["started", "ended", "progress", "note", "r", moment(1), 3, None, []]),
        )
    )
)
def test_no_sequence_of_events_is_too_strange(events: list[dict[str, Any]]) -> None:
    fold(events)


@pytest.mark.parametrize(
    "more",
    [{"seconds": "NaN"}, {"seconds": 10**400}, {"overhead": "inf"}, {"at": "0001-01-01T00:00:00Z"}],
)
def test_figures_that_can_not_be_drawn_are_no_end(more: dict[str, Any]) -> None:
    told = Recording()
    told.started(0, "r", "run", "demo")
    told.ended(1, "r", 1)
    told.events[-1] |= more
    assert told.run().root.outcome == "lost"


def test_a_line_that_is_nested_too_deeply_is_no_event(tmp_path: Path) -> None:
    (tmp_path / "events.jsonl").write_bytes(b"[" * 200_000 + b'\n{"id": "a"}\n')
    assert [event["id"] for event in read_events(tmp_path / "events.jsonl")] == ["a"]
