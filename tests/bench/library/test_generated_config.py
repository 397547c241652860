"""The made-up configuration, in all its formats."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from projects.bench.library import generated_config
from projects.bench.library.generated_config import GeneratedConfig, Preset, generate, leaves
from projects.core.errors import ConfigurationError


@st.composite
def configs(draw: st.DrawFn) -> GeneratedConfig:
    presets = draw(st.integers(0, 20))
    return generate(
        lines=draw(st.integers(200, 500)),
        presets=presets,
        applied=draw(st.integers(0, presets)),
        seed=draw(st.integers(0, 2**32)),
    )


def load(text: str) -> Any:
    return yaml.load(text, Loader=yaml.CSafeLoader)


def test_the_same_seed_gives_the_same_text_and_another_one_another() -> None:
    def text(seed: int) -> str:
        made = generate(lines=1000, presets=60, applied=60, seed=seed)
        return generated_config.as_our_file(made)

    assert text(1) == text(1)
    assert text(1) != text(2)


@pytest.mark.parametrize(("lines", "applied"), [(1000, 0), (1000, 6), (1000, 60), (3000, 60)])
def test_it_has_exactly_so_many_lines_and_presets(lines: int, applied: int) -> None:
    made = generate(lines=lines, presets=60, applied=applied, seed=1)
    for text in (generated_config.as_our_file(made), generated_config.as_omegaconf_file(made)):
        assert text.count("\n") == lines
    assert len(made.presets) == 60
    assert sorted(made.applied()) == sorted(list(made.presets)[:applied])


@settings(max_examples=50)
@given(configs())
def test_every_key_that_a_preset_or_a_reference_names_exists_and_is_plain(
    made: GeneratedConfig,
) -> None:
    plain = set(made.plain_keys())
    for preset in made.presets.values():
        assert set(preset.changes) <= plain
    references = dict(leaves(made.values))
    assert made.reference_keys()
    assert {references[key].target for key in made.reference_keys()} <= plain


@settings(max_examples=50)
@given(configs())
def test_our_file_says_what_the_model_says(made: GeneratedConfig) -> None:
    read = load(generated_config.as_our_file(made))
    presets = read.pop("ci_presets")
    assert presets["to_apply"] == made.chosen
    for name, preset in made.presets.items():
        written = presets[name]
        assert written.pop("extends", [None])[0] == preset.extends
        assert written == preset.changes
    found = dict(leaves(read))
    assert {key: found[key] for key in made.plain_keys()} == {
        key: value for key, value in leaves(made.values) if key in set(made.plain_keys())
    }
    assert all("@" in found[key] for key in made.reference_keys())


@settings(max_examples=50)
@given(configs())
def test_hydras_folder_says_the_same_and_no_preset_comes_twice(made: GeneratedConfig) -> None:
    files = generated_config.as_hydra_folder(made)
    assert set(files) == {"config.yaml"} | {f"preset/{name}.yaml" for name in made.presets}
    assert set(load(files["config.yaml"])) == set(made.values)
    for name, preset in made.presets.items():
        read = load(files[f"preset/{name}.yaml"]) or {}
        assert read.pop("defaults", [None, "_self_"]) == [preset.extends, "_self_"]
        assert dict(leaves(read)) == preset.changes
    assert len(set(made.applied())) == len(made.applied())


def test_the_final_value_is_that_of_the_last_preset_in_the_chain() -> None:
    made = GeneratedConfig(
        values={"a": {"b": 1, "c": 2}},
        presets={
            "first": Preset(None, {"a.b": 10, "a.c": 15}),
            "second": Preset("first", {"a.b": 20}),
            "other": Preset(None, {"a.b": 30}),
        },
        chosen=["second"],
    )
    assert made.applied() == ["first", "second"]
    assert (made.final("a.b"), made.final("a.c")) == (20, 15)


def test_references_are_written_in_each_dialect() -> None:
    made = generate(lines=1000, presets=60, applied=60, seed=1)
    ours, theirs = generated_config.as_our_file(made), generated_config.as_omegaconf_file(made)
    assert re.search(r': "@section_', ours)
    assert re.search(r"\{@section_\d+\S*\} for it", ours)
    assert "@" not in theirs
    assert re.search(r': "\$\{section_', theirs)


def test_too_few_lines_or_presets_are_an_error_that_says_so() -> None:
    with pytest.raises(ConfigurationError, match="100 lines are too few for 60 presets"):
        generate(lines=100, presets=60, applied=0, seed=1)
    with pytest.raises(ConfigurationError, match="applied is 7"):
        generate(lines=1000, presets=6, applied=7, seed=1)
