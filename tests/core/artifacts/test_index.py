from __future__ import annotations

from pathlib import Path

import pytest

from projects.core.artifacts import index


def test_a_page_is_listed_by_its_title_with_its_name_beside_it(tmp_path: Path) -> None:
    (tmp_path / "verdict.html").write_text("<!doctype html><title>No\n change</title>")
    text = index.index(tmp_path)
    assert '<a href="verdict.html">No change</a><small>verdict.html</small>' in text


def test_a_page_without_a_title_is_listed_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "bare.html").write_text("hello")
    assert '<a href="bare.html">bare.html</a>' in index.index(tmp_path)


def test_titles_and_names_of_others_are_escaped(tmp_path: Path) -> None:
    (tmp_path / "a&b #1.html").write_text("<title>&lt;script>alert(1)//</title>")
    text = index.index(tmp_path)
    assert "<script" not in text
    assert 'href="a%26b%20%231.html"' in text


def test_pages_at_the_top_come_before_those_of_directories(tmp_path: Path) -> None:
    (tmp_path / "000__plots").mkdir()
    (tmp_path / "000__plots" / "report.html").write_text("<title>Plot</title>")
    (tmp_path / "timeline.html").write_text("<title>Timeline</title>")
    text = index.index(tmp_path)
    assert text.index("Timeline") < text.index("<h3>000__plots</h3>") < text.index("Plot</a>")


def test_other_files_at_the_top_are_listed_and_hidden_ones_are_not(tmp_path: Path) -> None:
    (tmp_path / "junit.xml").touch()
    (tmp_path / ".next").touch()
    text = index.index(tmp_path)
    assert 'href="junit.xml"' in text
    assert ".next" not in text


def test_a_long_list_of_pages_is_cut_and_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        (tmp_path / f"{number}.html").touch()
    monkeypatch.setattr(index, "MOST_PAGES", 3)
    assert "and 2 more" in index.index(tmp_path)
