"""The check of a whole project: every finding at once, each at its place."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from projects.core.configuration import check

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

TOPSAIL_LIKE = Path(__file__).parents[2] / "data" / "topsail_like" / "testing"

CONFIG = """\
ci_presets:
  to_apply: null
  small: {tests.users: 1}
  typo:
    tests.usrs: 2
    tests.modde: x
  loop: {extends: [loop]}
  breaks:
    tests.referred: "@tests.no_such"
  removes:
    extends: small
    tests.mapping: null
tests:
  users: 10
  mode: scale
  referred: "@tests.mode"
  mapping: {a: 1}
  wrong: ["{@tests.modd}"]
  inner: "@tests.mapping.a"
  secret: "*$@tests.mode"
"""

TEMPLATE = """\
{% if not false | or_env("VAULT") %}{{ "no vault" | raise_exception }}{% endif %}
cluster scale:
  users: {{ tests.users }}
  mode: {{ tests.mod }}
  colour: red
  runtime: SET_AT_RUNTIME
cluster unknown:
  a: "@tests.lost"
not_a_key:
_ignored: {a: 1}
{% if tests.users == 1 %}
x/cluster scale/y:
  kolour: {{ tests.mapping.b }}
{% endif %}
"""


def judge(group: str, command: str, arguments: Mapping[str, Any]) -> Iterator[tuple[Any, str]]:
    if command == "unknown":
        yield None, f"no command {group} {command}"
    for name in arguments:
        if name.endswith("olour"):
            yield name, f"no parameter {name}"


def check_text(tmp_path: Path, config: str = CONFIG, text: str | None = TEMPLATE) -> check.Report:
    (tmp_path / "config.yaml").write_text(config)
    if text is not None:
        (tmp_path / "command_args.yaml.j2").write_text(text)
    return check.check_project(tmp_path, judge, {})


def said(report: check.Report) -> list[str]:
    return [f"{Path(f.file).name}:{f.line}:{f.column}: {f.message}" for f in report.findings]


def test_a_good_project_has_no_findings_and_counts_what_was_checked() -> None:
    report = check.check_project(TOPSAIL_LIKE, lambda *_: (), {})
    assert report == check.Report((), presets=3, references=4, commands=10)


def test_everything_wrong_is_found_at_once_each_at_its_place(tmp_path: Path) -> None:
    found = said(check_text(tmp_path))
    expected = [
        'command_args.yaml.j2:4:12: unknown key "tests.mod"; did you mean "tests.mode"?',
        "command_args.yaml.j2:5:3: no parameter colour",
        "command_args.yaml.j2:7:1: no command cluster unknown",
        'command_args.yaml.j2:8:3: "@tests.lost" refers to nothing',
        'command_args.yaml.j2:9:1: "not_a_key" is not of the form',
        "command_args.yaml.j2:13:3: no parameter kolour (with the preset",
        'command_args.yaml.j2:13:14: unknown key "tests.mapping.b"',
        'config.yaml:5:5: unknown key "tests.usrs"; did you mean "tests.users"?',
        'config.yaml:6:5: unknown key "tests.modde"; did you mean "tests.mode"?',
        "config.yaml:7:20: presets extend each other in a circle: loop -> loop",
        'config.yaml:9:21: tests.referred: "@tests.no_such" refers to nothing',
        'config.yaml:18:11: tests.wrong[0]: "{@tests.modd}" refers to nothing',
        'config.yaml:19:10: tests.inner: "@tests.mapping.a" refers to nothing',
    ]
    for wanted in expected:
        assert any(line.startswith(wanted) for line in found), (wanted, found)


def test_a_finding_is_said_once_however_many_presets_show_it(tmp_path: Path) -> None:
    found = said(check_text(tmp_path))
    assert len([line for line in found if '"{@tests.modd}"' in line]) == 1
    assert not any('"*$@tests.mode"' in line for line in found)


def test_a_finding_that_only_a_preset_causes_names_the_preset(tmp_path: Path) -> None:
    found = said(check_text(tmp_path))
    by_preset = [line for line in found if "with the preset" in line]
    assert any(":13:3: " in line and line.endswith('preset "small")') for line in by_preset)
    assert any(":19:10: " in line and line.endswith('preset "removes")') for line in by_preset)


@pytest.mark.parametrize(
    ("config", "finding"),
    [
        ("a: 1\n b: 2", "config.yaml:2:3: "),
        ("a: 1\na: 2", "config.yaml:2:1: "),
        ("- 1", "config.yaml:1:1: "),
        ("ci_presets: {to_apply: smalll, small: {}}", "config.yaml:1:14: unknown preset"),
        ("ci_presets: 3", "config.yaml:1:1: "),
        ("ci_presets: {a: 3}", "config.yaml:1:"),
        ("ci_presets: {a: {extends: 3}}", "config.yaml:1:"),
        ("ci_presets: {a: {'$[': 3}}", "config.yaml:1:"),
    ],
)
def test_a_broken_configuration_is_a_finding_not_a_crash(
    tmp_path: Path, config: str, finding: str
) -> None:
    found = said(check_text(tmp_path, config, None))
    assert found
    assert found[0].startswith(finding)


def test_a_broken_template_is_a_finding(tmp_path: Path) -> None:
    found = said(check_text(tmp_path, "a: 1", "\n{% if %}"))
    assert found == [
        "command_args.yaml.j2:2:1: Expected an expression, got 'end of statement block'"
    ]


def test_a_key_that_is_no_text_is_a_finding(tmp_path: Path) -> None:
    found = said(check_text(tmp_path, "a: 1", "1: {a: 2}\nnull: 3\n"))
    assert [line.split(" is ")[0] for line in found] == [
        'command_args.yaml.j2:1:1: "1"',
        'command_args.yaml.j2:2:1: "None"',
    ]


def test_two_templates_are_a_finding(tmp_path: Path) -> None:
    (tmp_path / "command_args.yml.j2").write_text("")
    found = said(check_text(tmp_path, "a: 1", ""))
    assert found == ["command_args.yml.j2:1:1: there is command_args.yaml.j2 as well; keep one"]


def test_variables_that_are_not_set_stand_for_their_names(tmp_path: Path) -> None:
    text = "cluster scale:\n  a: {{ false | or_env('A_DIR') }}\n"
    assert check_text(tmp_path, "a: 1", text).findings == ()
