"""The last lines of a log."""

from __future__ import annotations

from pathlib import Path

from projects.core.artifacts.summary import origins, summary
from tests.core.artifacts.recorded import Recording, failing_run


def test_a_failing_run_says_what_failed_where_and_what_took_long(tmp_path: Path) -> None:
    (tmp_path / "FAILURES").write_text("")
    told = summary(failing_run().run(), tmp_path)
    assert "✘ FAILED  demo test_ci quick  in 25 s" in told
    assert "failed      step measure" in told
    assert "TestFailed: p99 is" in told
    assert "see 000__test_ci/001__p/" in told
    assert "10 s     40 %  000__test_ci/000__cluster__scale" in told
    assert "1 command · 3 steps · 1 retry" not in told
    assert "1 command · 2 steps · 1 retry" in told
    assert str(tmp_path) in told
    assert "FAILURES" in told
    assert "timeline.html" not in told  # there is none
    assert len(told.splitlines()) <= 15


def test_a_passing_run_is_short(tmp_path: Path) -> None:
    told = Recording()
    told.started(0, "r", "run", "demo prepare_ci")
    told.ended(2, "r", 2)
    assert "✔ PASSED  demo prepare_ci  in 2.0 s" in summary(told.run(), tmp_path)
    assert len(summary(told.run(), tmp_path).splitlines()) == 4


def test_a_run_of_no_time_has_no_share_of_the_toolkit(tmp_path: Path) -> None:
    def told(seconds: float) -> str:
        recorded = Recording()
        recorded.started(0, "r", "run", "demo prepare_ci")
        recorded.ended(seconds, "r", seconds)
        lines = summary(recorded.run(), tmp_path).splitlines()
        (line,) = [line for line in lines if line.startswith("  toolkit")]
        return line.removeprefix("  toolkit").strip()

    assert told(0.04) == "1 ms"
    assert told(0.06) == "1 ms, 1.7 % of the run"


def test_what_was_only_cancelled_is_not_to_blame() -> None:
    assert [span.name for span in origins(failing_run().run().root)] == ["measure"]


def test_many_failures_still_fit(tmp_path: Path) -> None:
    told = Recording()
    told.started(0, "r", "run", "demo")
    for i in range(50):
        told.started(i, f"s{i}", "command", "x" * 300, parent="r", dir=f"{i:03d}__x")
        told.ended(i + 1, f"s{i}", 1, outcome="error", error="ValueError: " + "y" * 300)
    told.ended(60, "r", 60, outcome="error", error="ExceptionGroup: many")
    for name in ("FAILURES", "timeline.html", "reports_index.html"):
        (tmp_path / name).write_text("")
    lines = summary(told.run(), tmp_path).splitlines()
    assert len(lines) <= 15
    assert all(len(line) <= 100 for line in lines if str(tmp_path) not in line)


def test_an_interrupted_run_without_spans_says_why(tmp_path: Path) -> None:
    told = Recording()
    told.started(0, "r", "run", "demo")
    told.ended(1, "r", 1, outcome="interrupted", error="Interrupted: interrupted by SIGTERM")
    assert "because     Interrupted: interrupted by SIGTERM" in summary(told.run(), tmp_path)


def test_what_is_most_of_a_slow_command_is_not_listed_beside_it(tmp_path: Path) -> None:
    told = Recording()
    told.started(0, "r", "run", "demo")
    told.started(0, "c", "command", "disk measure", parent="r", dir="000__disk__measure")
    told.started(0, "most", "step", "hashing", parent="c")
    told.ended(9.5, "most", 9.5)
    told.started(9.5, "rest", "step", "writing", parent="c")
    told.ended(10, "rest", 0.5)
    told.ended(10, "c", 10)
    told.ended(10, "r", 10)
    text = summary(told.run(), tmp_path)
    assert "000__disk__measure" in text
    assert "writing" in text
    assert "hashing" not in text


def test_slow_commands_are_listed_instead_of_the_step_around_them(tmp_path: Path) -> None:
    told = Recording()
    told.started(0, "r", "run", "demo")
    told.started(0, "s", "step", "prepare", parent="r")
    told.started(0, "c", "command", "disk measure", parent="s", dir="000__disk__measure")
    told.ended(10, "c", 10)
    told.ended(10, "s", 10)
    told.ended(10, "r", 10)
    text = summary(told.run(), tmp_path)
    assert "000__disk__measure" in text
    assert "prepare" not in text


def test_a_skipped_run_says_why(tmp_path: Path) -> None:
    told = Recording()
    told.started(0, "r", "run", "demo")
    told.ended(1, "r", 1, outcome="skipped", error="exec_list.test_ci is false")
    assert "because     exec_list.test_ci is false" in summary(told.run(), tmp_path)


def test_a_failed_attempt_within_what_passed_is_not_to_blame() -> None:
    told = Recording()
    told.started(0, "r", "run", "demo")
    told.started(1, "s", "step", "retried", parent="r")
    told.started(1, "p", "process", "false", parent="s")
    told.ended(2, "p", 1, outcome="failed")
    told.ended(3, "s", 2)
    told.started(4, "c", "command", "the culprit", parent="r")
    told.ended(5, "c", 1, outcome="failed")
    told.ended(6, "r", 6, outcome="failed")
    assert [span.name for span in origins(told.run().root)] == ["the culprit"]


def test_what_no_command_explains_is_told_before_what_followed_from_it() -> None:
    told = Recording()
    told.started(0, "r", "run", "demo")
    told.started(1, "e", "entrypoint", "test_ci", parent="r")
    told.started(2, "c", "command", "compare", parent="e")
    told.ended(3, "c", 1, outcome="error", error="NoResults: no point was measured")
    bad = 'UsageError: measure: seconds: "abc" is not a float'
    told.ended(4, "e", 3, outcome="error", error=bad)
    told.ended(5, "r", 5, outcome="error", error=bad)
    assert [span.name for span in origins(told.run().root)] == ["test_ci", "compare"]


def test_an_error_that_is_passed_on_with_more_words_is_told_once() -> None:
    told = Recording()
    told.started(0, "r", "run", "demo")
    told.started(1, "c", "command", "measure", parent="r")
    told.ended(2, "c", 1, outcome="error", error="OSError: disk full")
    told.ended(3, "r", 3, outcome="error", error="1 of 2 tasks failed: OSError: disk full")
    assert [span.name for span in origins(told.run().root)] == ["measure"]
