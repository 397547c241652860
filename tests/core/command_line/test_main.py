"""Whole calls: words in; data, messages and an exit status out."""

import json
from pathlib import Path
from typing import Any

import pytest

from projects.core.command_line.main import main, take_flag

Capture = pytest.CaptureFixture[str]


def test_no_words_give_the_overview(checkout: Path, capsys: Capture) -> None:
    assert main([], str(checkout)) == 0
    out = capsys.readouterr().out
    assert "  broken  Not Python.\n" in out
    assert "  rows   Rows of a table.\n" in out
    assert main(["--help"], str(checkout)) == 0
    assert capsys.readouterr().out == out


def test_the_version(checkout: Path, capsys: Capture) -> None:
    assert main(["--version"], str(checkout)) == 0
    assert capsys.readouterr().out.startswith("topgallant ")


def test_help_of_a_name_and_of_a_verb(checkout: Path, capsys: Capture) -> None:
    assert main(["rows", "--help"], str(checkout)) == 0
    assert "  write  Write rows.\n" in capsys.readouterr().out
    assert main(["rows", "write", "--help"], str(checkout)) == 0
    assert "--count=int  Required.\n" in capsys.readouterr().out
    assert main(["disk", "test_ci", "-h"], str(checkout)) == 0
    assert "Presets\n  quick  a=1\n  full   a=2\n" in capsys.readouterr().out
    assert main(["alone", "--help"], str(checkout)) == 0
    assert "Usage: ./run_toolbox.py alone WORD [REST …]\n" in capsys.readouterr().out


def test_a_command_is_handed_down_typed(
    checkout: Path, calls: list[dict[str, Any]], capsys: Capture
) -> None:
    assert main(["rows", "write", "3", "--tag=01"], str(checkout)) == 0
    assert calls == [
        {
            "group": "rows",
            "verb": "write",
            "arguments": {"count": 3, "tag": "01"},
            "command_line": ("rows", "write", "3", "--tag=01"),
        }
    ]
    assert capsys.readouterr().out == "- 3\n- '01'\n"


def test_an_entrypoint_gets_presets_overrides_and_flags(
    checkout: Path, calls: list[dict[str, Any]], capsys: Capture
) -> None:
    words = ["disk", "test-ci", "quick", "a.b=[1, x]", "--mute", "--output=json"]
    assert main(words, str(checkout)) == 0
    (seen,) = calls
    assert (seen["project"], seen["verb"], seen["kwargs"]) == ("disk", "test_ci", {"mute": True})
    assert (seen["presets"], seen["overrides"]) == (["quick"], [("a.b", [1, "x"], "a.b=[1, x]")])
    assert seen["testing_dir"] == str(checkout / "projects/disk/testing")
    assert seen["command_line"] == words
    assert json.loads(capsys.readouterr().out) == {"muted": True}


def test_required_parameters_of_an_entrypoint_come_first(
    checkout: Path, calls: list[dict[str, Any]]
) -> None:
    assert main(["disk", "rebuild", "12", "quick"], str(checkout)) == 0
    assert (calls[0]["kwargs"], calls[0]["presets"]) == ({"pr_number": 12}, ["quick"])


def test_an_entrypoint_may_import_siblings_when_called(
    checkout: Path, calls: list[dict[str, Any]], capsys: Capture
) -> None:
    assert main(["disk", "late"], str(checkout)) == 0
    assert capsys.readouterr().out == "sibling\n"
    assert calls


def test_project_stands_for_the_selected_one(
    checkout: Path, calls: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    assert main(["project", "test_ci"], str(checkout)) == 2
    assert 'unknown project "sqlite_bench"' in capsys.readouterr().err
    monkeypatch.setenv("TOPGALLANT_PROJECT", "disk")
    assert main(["project", "test_ci"], str(checkout)) == 0
    assert calls[0]["project"] == "disk"


def test_a_group_of_one_command_needs_no_verb(
    checkout: Path, calls: list[dict[str, Any]], capsys: Capture
) -> None:
    assert main(["alone", "a", "1", "2", "--output=json"], str(checkout)) == 0
    assert calls[0]["arguments"] == {"word": "a", "rest": [1, 2]}
    assert json.loads(capsys.readouterr().out) == ["a", 1, 2]


@pytest.mark.parametrize(
    ("form", "printed"),
    [
        ("text", "count: 7\ntag: '01'\n"),
        ("yaml", "count: 7\ntag: '01'\n"),
        ("json", '{\n  "count": 7,\n  "tag": "01"\n}\n'),
    ],
)
def test_a_query_is_called_directly_and_printed(
    checkout: Path, calls: list[dict[str, Any]], capsys: Capture, form: str, printed: str
) -> None:
    assert main(["rows", "show", "7", "--output", form], str(checkout)) == 0
    assert (capsys.readouterr().out, calls) == (printed, [])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["dsik"], 'unknown project or toolbox group "dsik"; did you mean "disk"?'),
        (["rows", "wryte"], 'unknown verb of rows "wryte"; did you mean "write"?'),
        (["rows"], "rows: a verb is missing. Possible: write, show, fail, crash."),
        (["rows", "--count=3"], "rows: a verb is missing."),
        (["rows", "write"], "a parameter is missing: --count=<int>"),
        (["rows", "write", "--cuont=3"], 'unknown flag "--cuont"; did you mean "--count"?'),
        (["rows", "write", "two"], 'count: "two" is not an int'),
        (["rows", "show", "--output=jsn"], 'unknown --output "jsn"; did you mean "json"?'),
        (["disk", "test_ci", "=3"], '"=3" is neither a preset nor key=value'),
        (["disk", "test_ci", "a=[1"], "is not YAML"),
        (["--verison"], 'unknown flag "--verison"; did you mean "--version"?'),
        (["--hlep"], 'unknown flag "--hlep"; did you mean "--help"?'),
        (["--hlep", "rows"], 'unknown flag "--hlep"; did you mean "--help"?'),
        (["rows", "--hlep"], 'unknown flag "--hlep"; did you mean "--help"?'),
        (["rows", "show", "--hlep"], 'unknown flag "--hlep"; did you mean "--help"?'),
        (["disk", "test_ci", "--hlep"], 'unknown flag "--hlep"; did you mean "--help"?'),
        (["--count=3", "rows", "show"], 'unknown flag "--count=3". Possible: --debug'),
        (["--output=json"], "a name is missing"),
        (["disk", "test_ci", "--quick"], 'did you mean the preset "quick", without --?'),
        (["disk", "test_ci", "--quik"], 'did you mean the preset "quick", without --?'),
        (["disk", "test_ci", "--mut"], 'unknown flag "--mut"; did you mean "--mute"?'),
        (["completion", "bahs"], 'unknown shell "bahs"; did you mean "bash"?'),
        (["broken", "f"], "projects/broken/testing/test.py:3:7: SyntaxError: invalid syntax"),
        (["broken", "--help"], "projects/broken/testing/test.py:3:7: SyntaxError"),
    ],
)
def test_bad_usage_is_one_message_and_status_2(
    checkout: Path, calls: list[dict[str, Any]], capsys: Capture, words: list[str], message: str
) -> None:
    assert main(words, str(checkout)) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.err.startswith("error: ")
    assert captured.err.count("\n") == 1
    assert (captured.out, calls) == ("", [])


@pytest.mark.parametrize(
    "words",
    [
        ["--output=json", "rows", "show", "7"],
        ["--output", "json", "rows", "show", "7"],
        ["rows", "--output=json", "show", "7"],
        ["rows", "--output", "json", "show", "7"],
        ["rows", "show", "--output", "json", "--", "7"],
        ["--output=json", "rows", "show", "--", "7"],
        ["rows", "--count=7", "show", "--output=json"],
    ],
)
def test_flags_before_the_verb_belong_to_it(
    checkout: Path, capsys: Capture, words: list[str]
) -> None:
    assert main(words, str(checkout)) == 0
    assert json.loads(capsys.readouterr().out) == {"count": 7, "tag": "01"}


def test_a_failed_test_is_status_1(checkout: Path, capsys: Capture) -> None:
    assert main(["rows", "fail", "--output=too slow"], str(checkout)) == 1
    assert capsys.readouterr().err.startswith("error: RuntimeError: too slow [")


def test_a_bug_is_status_2_and_its_traceback_is_for_debugging(
    checkout: Path, capsys: Capture
) -> None:
    assert main(["rows", "crash"], str(checkout)) == 2
    short = capsys.readouterr().err
    assert short.startswith("error: ZeroDivisionError: division by zero [")
    assert "rows.py:19]" in short
    assert "Traceback" not in short
    assert main(["rows", "crash", "--debug"], str(checkout)) == 2
    assert "Traceback" in capsys.readouterr().err


def test_flags_of_ours_end_at_the_double_dash() -> None:
    assert take_flag(["a", "--debug", "--", "--debug"], "--debug") == (["a", "--", "--debug"], True)
    assert take_flag(["a", "--", "--debug"], "--debug") == (["a", "--", "--debug"], False)
