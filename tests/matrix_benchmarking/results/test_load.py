"""Results found, merged, parsed, reported."""

from __future__ import annotations

import json
import os
import re
import shutil
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from projects.core.errors import ConfigurationError, UsageError
from projects.matrix_benchmarking.results import load as loading
from projects.matrix_benchmarking.results.cache import CACHE_FILE
from projects.matrix_benchmarking.results.load import load
from projects.matrix_benchmarking.results.parser import SimpleParser
from tests.matrix_benchmarking.results.conftest import NumbersParser, write

if TYPE_CHECKING:
    from pathlib import Path


def messages(root: Path, parser: NumbersParser) -> dict[str, str]:
    found = load(root, parser)
    return {str(each.directory.relative_to(root)): each.message for each in found.findings}


def test_a_result_tells_what_it_holds(root: Path, parser: NumbersParser) -> None:
    write(root / "one", "a: 1\nb: x\nc: true\nd: null\ne: 1.5", {"n": [1, 2]})
    (result,) = load(root, parser).results
    assert result.settings == {"a": 1, "b": "x", "c": True, "d": None, "e": 1.5}
    assert (result.exit_code, result.parsed, result.problem) == (0, {"n": [1, 2]}, None)
    assert result.start == datetime(2026, 1, 2, 3, 4, 5, 1, tzinfo=UTC)
    assert result.end == datetime(2026, 1, 2, 3, 4, 6, 500000, tzinfo=UTC)
    assert [file.path for file in result.files] == [
        "_meta/metadata.yaml",
        "exit_code",
        "numbers.json",
        "settings.yaml",
    ]


def test_settings_come_from_the_root_down_and_not_from_above(
    root: Path, parser: NumbersParser
) -> None:
    (root.parent / "settings.yaml").write_text("leaked: true")
    (root / "settings.from_url_file.yaml").write_text("version: 1\na: root")
    (root / "group").mkdir()
    (root / "group" / "settings.yaml").write_text("group: g\na: group")
    result = write(root / "group" / "one", "a: own")
    (result / "settings.later.yaml").write_text("a: later")
    (found,) = load(root, parser).results
    assert found.settings == {"version": 1, "group": "g", "a": "later"}


def test_the_root_itself_may_be_the_result(root: Path, parser: NumbersParser) -> None:
    root.rmdir()
    write(root)
    assert [result.directory for result in load(root, parser).results] == [root]


def test_old_settings_are_lines(root: Path, parser: NumbersParser) -> None:
    result = write(root / "one")
    (result / "settings.yaml").unlink()
    (result / "settings").write_text("a=1\n\nb = x=y \n")
    (found,) = load(root, parser).results
    assert found.settings == {"a": "1", "b ": " x=y"}


def test_containers_and_dates_become_text(root: Path, parser: NumbersParser) -> None:
    write(root / "one", "l: [2, a]\nm: {b: 1, a: 2}\nd: 2026-01-02\nn: .nan")
    (found,) = load(root, parser).results
    assert found.settings == {
        "l": '[2, "a"]',
        "m": '{"a": 2, "b": 1}',
        "d": "2026-01-02",
        "n": "nan",
    }


def test_nested_skipped_and_hidden_ones_do_not_count(root: Path, parser: NumbersParser) -> None:
    write(root / "one")
    write(root / "one" / "nested", "a: 2")
    write(root / "skipped" / "two", "a: 3")
    (root / "skipped" / "skip").touch()
    write(root / ".hidden", "a: 4")
    found = load(root, parser)
    assert [result.directory.name for result in found.results] == ["one"]
    assert found.findings == ()


def test_links_to_directories_are_not_followed(
    root: Path, tmp_path: Path, parser: NumbersParser
) -> None:
    write(tmp_path / "elsewhere")
    (root / "link").symlink_to(tmp_path / "elsewhere")
    (root / "loop").symlink_to(root)
    assert load(root, parser).results == ()


BROKEN: dict[str, tuple[Any, str]] = {
    "numbers.json": ('{"n": [1, 2', r"numbers.json:1:12: no JSON: .*\(truncated\?\)"),
    "exit_code": ("", "exit_code: it is empty"),
    "settings.yaml": ("a: [", r"settings.yaml:2:1: no YAML"),
    "test_uuid": ("none", 'test_uuid: "none" is no UUID'),
}


@pytest.mark.parametrize("name", BROKEN)
def test_one_that_is_broken_is_reported_and_the_others_go_on(
    root: Path, parser: NumbersParser, name: str
) -> None:
    content, said = BROKEN[name]
    write(root / "fine", "a: fine")
    (write(root / "broken", "a: broken") / name).write_text(content)
    found = load(root, parser)
    broken, fine = found.results
    assert fine.problem is None
    assert broken.problem is not None
    assert broken.parsed is None
    assert [finding.directory.name for finding in found.findings] == ["broken"]
    assert re.search(said, broken.problem)


@pytest.mark.parametrize("content", ["two", "1 2", "\u0663 x"])
def test_an_exit_code_that_is_no_number_is_said(
    root: Path, parser: NumbersParser, content: str
) -> None:
    (write(root / "one") / "exit_code").write_text(content)
    assert f'"{content}" is no number' in messages(root, parser)["one"]


def test_what_is_missing_is_reported(root: Path, parser: NumbersParser) -> None:
    (write(root / "unended") / "exit_code").unlink()
    (write(root / "nameless") / "settings.yaml").unlink()
    (write(root / "empty") / "numbers.json").unlink()
    said = messages(root, parser)
    assert "no exit_code: it never ended" in said["unended"]
    assert said["nameless"] == "has an exit_code but no settings.yaml: this is no result"
    assert "numbers.json: No such file or directory" in said["empty"]


def test_a_parser_that_raises_is_reported_with_its_line(root: Path) -> None:
    class Raising(NumbersParser):
        def parse_once(self, directory: Path) -> Any:
            return {"n": 1 / int(super().parse_once(directory)["n"])}

    write(root / "one", "a: 1", {"n": 0})
    write(root / "two", "a: 2", {"n": 2})
    one, two = load(root, Raising()).results
    assert two.parsed == {"n": 0.5}
    assert one.problem is not None
    assert one.problem.startswith("ZeroDivisionError: division by zero (")
    assert "test_load.py:" in one.problem


def test_a_failed_test_without_results_says_its_exit_code(
    root: Path, parser: NumbersParser
) -> None:
    result = write(root / "one")
    (result / "exit_code").write_text("2")
    (result / "numbers.json").unlink()
    (found,) = load(root, parser).results
    assert found.exit_code == 2
    assert str(found.problem).startswith("exit code 2; /")


def test_what_json_cannot_hold_is_reported(root: Path) -> None:
    class Wrong(NumbersParser):
        def parse_once(self, directory: Path) -> Any:
            return {1, 2}

    write(root / "one")
    (found,) = load(root, Wrong()).results
    assert "what JSON cannot hold: Object of type set" in str(found.problem)


def test_parse_always_is_called_every_time(root: Path) -> None:
    class Always(NumbersParser):
        def parse_always(self, parsed: Any, directory: Path) -> Any:
            if parsed["n"] == 0:
                raise ValueError("zero")
            return {**parsed, "where": directory.name}

    write(root / "one", "a: 1")
    write(root / "two", "a: 2", {"n": 0})
    for _ in range(2):
        one, two = load(root, Always()).results
        assert one.parsed == {"n": 1, "where": "one"}
        assert str(two.problem).startswith("ValueError: zero (")


def test_parse_always_does_not_see_what_could_not_be_parsed(root: Path) -> None:
    class Never(NumbersParser):
        def parse_always(self, parsed: Any, directory: Path) -> Any:
            raise AssertionError(f"called with {parsed} of {directory}")

    (write(root / "one") / "numbers.json").write_text("{")
    (result,) = load(root, Never()).results
    assert "numbers.json:1:2: no JSON" in str(result.problem)


def test_of_two_with_the_same_settings_the_newest_is_kept(
    root: Path, parser: NumbersParser
) -> None:
    write(root / "a_newest", "a: 1", seconds=30)
    write(root / "b_older", "a: 1", seconds=20)
    write(root / "c_other", "a: '1'", seconds=10)
    found = load(root, parser)
    assert [result.directory.name for result in found.results] == ["a_newest", "c_other"]
    (finding,) = found.findings
    assert finding.directory.name == "b_older"
    assert finding.message.endswith("a_newest, which is newer (a=1)")
    assert len(load(root, parser, keep_duplicates=True).results) == 3


def test_one_with_a_problem_replaces_none(root: Path, parser: NumbersParser) -> None:
    write(root / "older", seconds=10)
    (write(root / "newer", seconds=20) / "numbers.json").write_text("{")
    newer, older = load(root, parser).results
    assert older.problem is None
    assert newer.problem is not None


def test_the_same_result_has_the_same_id_anywhere(root: Path, parser: NumbersParser) -> None:
    write(root / "one", "a: 1")
    write(root / "two", "a: 2")
    shutil.copytree(root, root.parent / "copy" / "deep" / "er")
    (root.parent / "copy" / "settings.from_url_file.yaml").write_text("version: 7")
    ids = [result.test_uuid for result in load(root, parser).results]
    copied = [result.test_uuid for result in load(root.parent / "copy", parser).results]
    assert len(set(ids)) == 2
    assert copied == ids
    given = "12345678-1234-4234-8234-123456789abc"
    (root / "one" / "test_uuid").write_text(f"{given}\n")
    assert str(load(root, parser).results[0].test_uuid) == given


def test_the_id_is_made_of_what_was_measured_and_when(root: Path, parser: NumbersParser) -> None:
    def ids() -> dict[str, object]:
        return {r.directory.name: r.test_uuid for r in load(root, parser).results}

    write(root / "with_metadata", "a: 1")
    shutil.rmtree(write(root / "without", "a: 2") / "_meta")
    before = ids()
    for name in before:
        (root / name / "settings.from_url_file.yaml").write_text("version: 7")
    assert ids() == before
    for name in before:
        (root / name / "numbers.json").write_text('{"n": 2}')
    after = ids()
    assert after["with_metadata"] == before["with_metadata"]
    assert after["without"] != before["without"]


def test_the_surroundings_are_the_nearest_ones(root: Path, parser: NumbersParser) -> None:
    (root / "_meta").mkdir()
    start = "versions:\n  python: 3.11.7\n  topgallant: '0.1'\nstart: '2026-01-01T00:00:00Z'\n"
    (root / "_meta" / "metadata.yaml").write_text(start)
    (root / "_meta" / "config.yaml").write_text("a: 1")
    (root / "config.yaml").write_text("a: changed later")
    (root / "presets_applied").write_text("preset[quick] a --> 1\npreset[quick] b --> 2\nodd\n")
    (root / "fingerprint.yaml").write_text("cpu: outer\nlist: [1]")
    write(root / "one", "a: 1")
    (write(root / "two", "a: 2") / "fingerprint.yaml").write_text("cpu: inner")
    one, two = load(root, parser).results
    around = one.surroundings
    assert around.fingerprint == {"cpu": "outer", "list": "[1]"}
    assert two.surroundings.fingerprint == {"cpu": "inner", "list": "[1]"}
    assert around.presets == two.surroundings.presets == ("quick",)
    assert around.versions == {"python": "3.11.7", "topgallant": "0.1"}
    assert around.run_start == "2026-01-01T00:00:00Z"
    assert around.config_sha256 is not None
    (root / "config.yaml").write_text("a: changed again")
    assert load(root, parser).results[0].surroundings.config_sha256 == around.config_sha256


def test_many_are_parsed_in_processes_with_the_same_result(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from projects.bench.library.generated_results import generate
    from projects.bench.library.measured_workload import PARSER

    generate(root, count=30, samples=5, seed=1)
    (root / "run_0000" / "007__made_up__measure" / "results.json").write_text("{")
    here = load(root, PARSER, cache="ignore", workers=1)
    monkeypatch.setattr(loading, "_TRIAL_SECONDS", 0.0)
    monkeypatch.setattr(loading, "_WORTH_SECONDS", 0.0)
    there = load(root, PARSER, cache="ignore", workers=2)
    assert there == here
    assert len(here.findings) == 1


@pytest.mark.parametrize("pattern", ["/etc/passwd", "../other", "a/../../b"])
def test_a_glob_that_leads_out_is_refused(root: Path, pattern: str) -> None:
    class Nosy(SimpleParser):
        important_files = (pattern,)

    with pytest.raises(ConfigurationError, match="leads out of the result"):
        load(root, Nosy())


def test_a_link_that_leads_out_is_reported(
    root: Path, tmp_path: Path, parser: NumbersParser
) -> None:
    (tmp_path / "outside.json").write_text('{"secret": 1}')
    result = write(root / "one")
    (result / "numbers.json").unlink()
    (result / "numbers.json").symlink_to(tmp_path / "outside.json")
    assert "leads out of the result" in messages(root, parser)["one"]


def test_a_pipe_does_not_hold_up(root: Path, parser: NumbersParser) -> None:
    result = write(root / "one")
    (result / "numbers.json").unlink()
    os.mkfifo(result / "numbers.json")
    assert "numbers.json: is no regular file" in messages(root, parser)["one"]


def test_words_that_do_not_fit_are_refused(root: Path, parser: NumbersParser) -> None:
    with pytest.raises(UsageError, match="does not exist"):
        load(root / "gone", parser)
    with pytest.raises(UsageError, match='did you mean "verify"'):
        load(root, parser, cache="verify!")  # type: ignore[arg-type]


def test_a_cold_and_a_warm_parse_say_the_same(root: Path, parser: NumbersParser) -> None:
    write(root / "one", "a: 1", {"n": float("nan"), "t": [1, 2.5, None, "ü\ud800"], "big": 10**30})
    cold, warm = load(root, parser), load(root, parser)
    assert (root / CACHE_FILE).is_file()
    assert repr(cold) == repr(warm)
    assert json.dumps(cold.results[0].parsed) == json.dumps(warm.results[0].parsed)
    assert parser.parsed_directories == ["one"]
