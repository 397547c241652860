"""Templates: what they render to, and that every error names its line."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from projects.core.configuration import template
from projects.core.configuration.configuration import Configuration, assemble
from projects.core.configuration.document import Document
from projects.core.errors import ConfigurationError, InfrastructureError, SecretError
from projects.core.secrets.secret import Secret

TOPSAIL_LIKE = Path(__file__).parents[2] / "data" / "topsail_like" / "testing"

CONFIG = """\
secrets: {dir: {name: vault, env_key: VAULT}, token_file: token}
tests:
  batch_sizes: [1, 100]
  mode: scale
  nothing: null
  literal: "@@here"
  interpolated: "{@tests.mode}-x"
  same_sizes: "@tests.batch_sizes"
  lost: "@tests.no_such"
  token: "*$@secrets.token_file"
  mapping: {quote: "it's", empty: null, yes: true, text: "two\\nlines", mode: "@tests.mode"}
  keys: 3
  "dotted.name": 4
namespace: mine
"""


def configuration(text: str = CONFIG) -> Configuration:
    return assemble(Document.loads(text, "config.yaml"))


def rendered(text: str, environ: dict[str, str] | None = None, **options: Any) -> Any:
    result = template.render(text, configuration(), environ or {}, **options)
    return {key: result.entry(key) for key in result.entries}


def error_of(text: str) -> ConfigurationError:
    with pytest.raises(ConfigurationError) as caught:
        rendered(text)
    return caught.value


def test_a_topsail_template_renders_unchanged_with_references_resolved() -> None:
    config = assemble(Document.load(TOPSAIL_LIKE / "config.yaml"))
    result = template.render(
        template.find_template(TOPSAIL_LIKE), config, {"PSAP_ODS_SECRET_PATH": "/vault"}
    )
    assert result.entry("sutest/cluster set_scale") == {
        "name": "workload-pods",
        "instance_type": "m6i.2xlarge",
        "taint": "only-workload-pods=yes:NoSchedule",
        "scale": "SET_AT_RUNTIME",
    }
    assert result.entry("driver/cluster set_scale") == {
        "name": "test-pods",
        "instance_type": "m6i.2xlarge",  # a reference in the configuration
        "disk_size": 100,  # a default filter
        "scale": None,
    }
    assert result.entry("cluster deploy_minio_s3_server") == {
        "secret_properties_file": "/vault/s3_ldap.passwords"
    }
    annotation = result.entry("sutest/cluster set_project_annotation/scale_test_toleration")
    assert annotation["project"] == "scale-image-project"  # a reference in the template's text
    assert result.entry("local_ci run_multi/scale") == {
        "namespace": "scale-image-user",
        "user_count": 10,
        "models": ["small", "large"],
        "resources": {"cpu": 1, "memory": "2Gi", "gpu": None},
        "ci_command": "scale run_one",
    }
    assert result.entry("kserve deploy_model/large") == {"name": "large-2"}


def test_the_header_of_a_topsail_template_refuses_a_missing_secrets_directory() -> None:
    config = assemble(Document.load(TOPSAIL_LIKE / "config.yaml"))
    with pytest.raises(ConfigurationError, match=r"env.secrets.dir.env_key=PSAP_ODS") as caught:
        template.render(template.find_template(TOPSAIL_LIKE), config, {})
    assert str(caught.value).startswith(f"{TOPSAIL_LIKE}/command_args.yml.j2:3:")


@pytest.mark.parametrize("name", template.FILE_NAMES)
def test_both_spellings_of_the_file_name_are_found(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("")
    assert template.find_template(tmp_path) == tmp_path / name


def test_no_template_or_two_templates_is_an_error_that_names_them(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"no command_args.yaml.j2 and no"):
        template.find_template(tmp_path)
    for name in template.FILE_NAMES:
        (tmp_path / name).write_text("")
    with pytest.raises(ConfigurationError, match=r"both command_args.yaml.j2 and"):
        template.find_template(tmp_path)


def test_or_env_takes_the_variable_where_the_value_is_false_or_missing() -> None:
    text = "a b: [{{ false | or_env('X') }}, {{ 1 | or_env('X') }}, {{ no_such | or_env('X') }}]"
    assert rendered(text, {"X": "env"}) == {"a b": ["env", 1, "env"]}
    assert rendered("a b: {{ false | or_env('X') }}") == {"a b": None}


def test_log_warning_goes_to_the_callback_once_and_renders_as_nothing() -> None:
    said: list[str] = []
    text = "a b:\n  c: 1{{ 'careful' | log_warning }}\n"
    result = template.render(text, configuration(), {}, said.append)
    assert result.entry("a b") == {"c": 1}
    assert result.place("a b", "c").line == 2
    assert said == ["careful"]


def test_raise_exception_says_its_message_and_the_line() -> None:
    error = error_of(
        "\n{% if tests.mode == 'scale' %}\n  {{ 'not today' | raise_exception }}{% endif %}"
    )
    assert str(error) == "<template>:3:3: not today"


def test_an_unknown_name_is_an_error_with_line_column_and_the_nearest_name() -> None:
    assert str(error_of("x y:\n  a: {{ tests.batch_szes }}")).startswith(
        '<template>:2:9: unknown key "tests.batch_szes"; did you mean "tests.batch_sizes"?'
    )
    assert str(error_of("{{ test.mode }}")).startswith(
        '<template>:1:4: unknown key "test"; did you mean "tests"?'
    )
    assert 'has no "z"' in str(error_of("{{ tests.mode.z }}"))
    assert "unknown key" in str(error_of("{{ tests.no_such.deeper }}"))


@pytest.mark.parametrize(
    "expression",
    ["{{ x }}", "{% for i in x %}{% endfor %}", "{% if x %}{% endif %}", "{{ x | length }}",
     "{{ x == 1 }}", "{{ 'a' in x }}", "{{ x + 1 }}", "{{ x.y }}"],
)  # fmt: skip
def test_nothing_can_be_done_with_an_unknown_name(expression: str) -> None:
    assert 'unknown key "x"' in str(error_of(expression))


def test_defined_and_default_take_unknown_names() -> None:
    text = "a b: [{{ x is defined }}, {{ tests.x | default(7) }}, {{ tests.mode is defined }}]"
    assert rendered(text) == {"a b": [False, 7, True]}


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("\n{% if x %}\n{% endfor %}\n", "3:4"),
        ("\n\n{{ tests.mode | no_filter }}", "3:17"),
        ("a: {{ 1 / 0 }}", "1:1"),
        ("a:\n  {{ tests.mode + 1 }}", "2:3"),
        ("a:\n b: 1\n  c: 2", "3:4"),
        ("{% for i in [1, 2] %}\na: {{ i }}\n{% endfor %}", "2:1"),
        ("- 1", "1:1"),
        ("a: {{ tests.keys }}", "1:13"),
    ],
)
def test_every_failure_names_the_line_of_the_template(text: str, place: str) -> None:
    assert str(error_of(text)).startswith(f"<template>:{place}: ")


def test_a_wrong_yaml_line_is_shown_as_rendered_and_located_in_the_template() -> None:
    text = "{% for i in range(3) %}\n{% endfor %}\nab c:\n  d: {{ tests.mode }}: no\n"
    said = str(error_of(text))
    assert said.startswith("<template>:4:")
    assert "d: scale: no" in said
    assert "line 6 of the rendered text" in said


def test_a_template_that_looks_at_its_own_text_still_gets_an_error() -> None:
    text = "{% set x %}\na\n{% endset %}{{ 'no' | raise_exception if x | length > 5 }}\na: b: c"
    assert "mapping values are not allowed" in str(error_of(text))


def test_values_are_written_so_that_yaml_reads_them_back() -> None:
    text = "a b: {m: {{ tests.mapping }}, l: {{ tests.same_sizes }}, n: {{ tests.nothing }}}"
    assert rendered(text)["a b"] == {
        "m": {
            "quote": "it's",
            "empty": None,
            True: True,
            "text": "two\nlines",
            "mode": "scale",
        },
        "l": [1, 100],
        "n": None,
    }
    assert rendered("a b: {{ tests.mapping.items() | list | length }}") == {"a b": 5}
    assert rendered("a b: {{ tests.batch_sizes | tojson }}") == {"a b": [1, 100]}
    assert rendered("a b: '{{ {'k': tests.mode} | tojson }}'") == {"a b": '{"k": "scale"}'}


PLAIN = st.none() | st.booleans() | st.integers() | st.text(st.characters(codec="utf-8"))


@given(
    st.recursive(PLAIN, lambda inner: st.lists(inner) | st.dictionaries(st.text("ab'@{"), inner))
)
def test_any_container_of_a_configuration_survives_rendering(value: Any) -> None:
    config = assemble(Document.loads("v: null", "config.yaml"))
    config.set("v", yaml.safe_load(yaml.safe_dump(_escaped([value]))))
    result = template.render("a b: {{ v }}", config, {})
    assert result.entry("a b") == [value]


def _escaped(value: Any) -> Any:
    from projects.core.configuration.references import escape

    if isinstance(value, str):
        return escape(value)
    if isinstance(value, list):
        return [_escaped(item) for item in value]
    if isinstance(value, dict):
        return {key: _escaped(item) for key, item in value.items()}
    return value


def test_references_in_the_text_are_resolved_and_those_that_expressions_yield_are_not() -> None:
    text = """
a b:
  whole: "@tests.batch_sizes"
  inside: "x-{@tests.mode}"
  nested: [{k: "@tests.mode"}]
  escaped: "@@tests.mode"
  yielded: {{ tests.literal }}
  said: "{{ '@tests.mode' }}"
"""
    assert rendered(text)["a b"] == {
        "whole": [1, 100],
        "inside": "x-scale",
        "nested": [{"k": "scale"}],
        "escaped": "@tests.mode",
        "yielded": "@here",
        "said": "@tests.mode",
    }


def test_a_reference_to_nothing_in_the_text_names_its_line() -> None:
    error = error_of('x y:\n  a: "@tests.mod"')
    assert str(error).startswith('<template>:2:3: "@tests.mod" refers to nothing: ')


def test_a_reference_to_nothing_hurts_only_who_uses_it() -> None:
    assert rendered("a b: {{ tests.mode }}") == {"a b": "scale"}
    said = str(error_of("\na b: {{ tests.lost }}"))
    assert said.startswith("<template>:2:")
    assert "config.yaml:9:" in said
    assert "tests.no_such" in said


@pytest.mark.parametrize("text", ["a b: {{ tests.token }}", 'a b: "*$@secrets.token_file"'])
def test_a_secret_is_not_rendered_into_arguments(text: str) -> None:
    with pytest.raises(SecretError, match="pass its file's name"):
        rendered(text)


def test_a_secret_that_was_set_is_not_rendered_either() -> None:
    config = configuration()
    config.set("tests.mode", Secret("hunter22hunter22", "password"))
    for text in ("a b: {{ tests.mode }}", "a b: {{ [tests.mode] }}"):
        with pytest.raises(SecretError, match="a secret is not rendered") as caught:
            template.render(text, config, {})
        assert "hunter22" not in str(caught.value)


def test_a_key_of_the_configuration_wins_over_a_global_of_jinja() -> None:
    assert rendered("a b: {{ namespace }}") == {"a b": "mine"}
    assert rendered("a b: {{ range(2) | list }}") == {"a b": [0, 1]}


def test_names_that_the_template_sets_win_over_keys() -> None:
    assert rendered("{% set namespace = 1 %}a b: {{ namespace }}") == {"a b": 1}


def test_macros_and_loops_see_the_configuration() -> None:
    text = (
        "{% macro m(x) %}{{ x }}-{{ namespace }}{% endmacro %}"
        "{% for size in tests.batch_sizes %}a{{ size }} b: {{ m(size) }}\n{% endfor %}"
    )
    assert rendered(text) == {"a1 b": "1-mine", "a100 b": "100-mine"}


def test_what_is_read_counts_as_read() -> None:
    config = configuration()
    template.render("a b: {{ tests.interpolated }}", config, {})
    assert {"tests.interpolated", "tests.mode"} <= config.read_keys
    assert "tests.nothing" not in config.read_keys


def test_a_rendering_is_kept_until_file_configuration_or_variable_change(tmp_path: Path) -> None:
    path = tmp_path / "command_args.yaml.j2"
    path.write_text("a b: {{ tests.mode }}{{ '' | or_env('X') }}")
    config = configuration()
    first = template.render(path, config, {"X": "1"})
    assert template.render(path, config, {"X": "1"}) is first
    assert template.render(path, config, {"X": "2"}).entry("a b") == "scale2"
    config.set("tests.mode", "e2e")
    assert template.render(path, config, {"X": "2"}).entry("a b") == "e2e2"
    other = configuration(CONFIG.replace("mode: scale", "mode: other"))
    other.set("namespace", "same version")
    assert other.version == config.version
    assert template.render(path, other, {"X": "2"}).entry("a b") == "other2"
    path.write_text("a b: other")
    assert template.render(path, config, {}).entry("a b") == "other"
    assert first.entry("a b") == "scale1"


def test_an_unreadable_or_too_large_file_is_an_error_that_names_it(tmp_path: Path) -> None:
    path = tmp_path / "command_args.yaml.j2"
    with pytest.raises(InfrastructureError, match=r"command_args.yaml.j2: No such file"):
        template.render(path, configuration(), {})
    path.write_bytes(b"a: \xff")
    with pytest.raises(ConfigurationError, match="not UTF-8 at byte 3"):
        template.render(path, configuration(), {})
    os.truncate(path, template.MOST_BYTES + 1)
    with pytest.raises(ConfigurationError, match="at most 1048576 bytes"):
        template.render(path, configuration(), {})


def test_every_entry_knows_its_place_also_behind_loops_and_blocks() -> None:
    text = (
        "{% for i in [1, 2] %}\n"
        "a b/{{ i }}:\n"
        "  c: {{ i }}\n"
        "{% endfor %}\n"
        "{% if tests.mode %}\n"
        "d e:\n"
        "    f: 1\n"
        "{% endif %}\n"
        "g h: 1\n"
    )
    result = template.render(text, configuration(), {})
    places = {key: str(result.place(key)) for key in result.entries}
    assert places == {
        "a b/1": "<template>:2:1",
        "a b/2": "<template>:2:1",
        "d e": "<template>:6:1",
        "g h": "<template>:9:1",
    }
    assert str(result.place("a b/2", "c")) == "<template>:3:3"
    assert str(result.place("d e", "f")) == "<template>:7:5"


def test_all_unknown_names_can_be_asked_for_at_once() -> None:
    text = "a b:\n  c: {{ tests.a1 }}\n{% if tests.a2 %}{% endif %}\n  d: {{ tests.mode }}\n"
    found: list[Any] = []
    result = template.Template(text, "t.j2").render(configuration(), {}, undefined=found)
    assert [(mark.line, said.split(";")[0].split(".")[1][:2]) for mark, said in found] == [
        (2, "a1"),
        (3, "a2"),
    ]
    assert result.entry("a b") == {"c": "SET_AT_RUNTIME", "d": "scale"}
