from __future__ import annotations

from pathlib import Path

from projects.matrix_benchmarking.reports.failures import Broken, error_page
from projects.matrix_benchmarking.results.result import Collection, Finding, Result


def test_what_failed_is_there_with_links_that_hold_in_a_copy(tmp_path: Path) -> None:
    step, plots = tmp_path / "000__step", tmp_path / "010__plots"
    step.mkdir()
    plots.mkdir()
    (step / "FAILURE").write_text("ValueError: <b>\n\nTraceback <i>\n")
    (tmp_path / "timeline.html").touch()
    collection = Collection(
        tmp_path,
        (Result(step, {"mode": "wal"}, 1),),
        (Finding(tmp_path / "001__cut", "results.json is cut"),),
    )
    broken = [Broken("report_00", "Plot", "KeyError: x", "Traceback")]
    text = error_page(collection, tmp_path, plots, broken)
    assert 'href="../timeline.html"' in text
    assert 'href="../000__step/FAILURE"' in text
    assert "ValueError: &lt;b&gt;" in text
    assert "<i>" not in text
    for said in ("mode=wal", "results.json is cut", "KeyError: x", "3 wrong"):
        assert said in text


def test_a_run_in_which_nothing_failed_says_so(tmp_path: Path) -> None:
    text = error_page(Collection(tmp_path, ()), tmp_path, tmp_path)
    assert "Nothing failed" in text
    assert "<title>Error report: nothing wrong</title>" in text


def test_a_long_failure_is_cut(tmp_path: Path) -> None:
    (tmp_path / "FAILURE").write_text("E: x\n" + "y" * 100_000)
    assert len(error_page(None, tmp_path, tmp_path)) < 60_000
