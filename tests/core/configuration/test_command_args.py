"""Command arguments: which entry is meant, and what of it is passed on."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects.core.configuration import template
from projects.core.configuration.command_args import (
    Arguments,
    arguments_for,
    entry_key,
    split_key,
)
from projects.core.configuration.configuration import assemble
from projects.core.configuration.document import Document
from projects.core.errors import ConfigurationError

TEXT = """\
cluster set_scale:
  name: plain
sutest/cluster set_scale:
  name: sutest
  scale: SET_AT_RUNTIME
  _istag: "image:{@tag}"
sutest/cluster set_scale/big:
  name: big
rhods deploy_ods:
  _none: true
rhods undeploy_ods:
rhods wait_ods: 3
_aliases: {}
"""


def arguments(*words: Any, **options: Any) -> Arguments:
    config = assemble(Document.loads("tag: latest", "config.yaml"))
    return arguments_for(template.render(TEXT, config, {}), *words, **options)


def test_prefix_and_suffix_choose_the_entry() -> None:
    assert arguments("cluster", "set_scale").passed == {"name": "plain"}
    big = arguments("cluster", "set_scale", prefix="sutest", suffix="big")
    assert big.passed == {"name": "big"}


def test_extra_is_merged_last_and_underscored_keys_are_shown_but_not_passed() -> None:
    found = arguments("cluster", "set_scale", "sutest", None, {"scale": 2, "name": "mine"})
    assert found.passed == {"name": "mine", "scale": 2}
    assert found.shown == {"name": "mine", "scale": 2, "_istag": "image:latest"}
    assert found.one("_istag") == "image:latest"


def test_an_argument_left_to_the_caller_is_refused_when_it_is_passed_but_shown() -> None:
    found = arguments("cluster", "set_scale", prefix="sutest")
    assert found.shown["scale"] == "SET_AT_RUNTIME"
    with pytest.raises(ConfigurationError, match=r"<template>:3:1: .*with extra: scale"):
        _ = found.passed


def test_an_entry_without_arguments_passes_none() -> None:
    assert arguments("rhods", "deploy_ods").passed == {}
    assert arguments("rhods", "undeploy_ods").passed == {}


def test_an_unknown_entry_names_the_nearest_and_all_others() -> None:
    with pytest.raises(ConfigurationError) as caught:
        arguments("cluster", "set_scal", prefix="sutest")
    said = str(caught.value)
    assert 'unknown entry "sutest/cluster set_scal"' in said
    assert 'did you mean "sutest/cluster set_scale"?' in said
    assert "rhods wait_ods" in said
    assert "_aliases" not in said


def test_an_unknown_argument_names_the_nearest() -> None:
    with pytest.raises(ConfigurationError, match=r'<template>:1:1: .*did you mean "name"?'):
        arguments("cluster", "set_scale").one("naming")


def test_an_entry_that_is_no_mapping_is_an_error_with_its_line() -> None:
    with pytest.raises(ConfigurationError, match='<template>:12:1: "rhods wait_ods" is a int'):
        arguments("rhods", "wait_ods")


def test_what_comes_back_may_be_changed() -> None:
    first = arguments("cluster", "set_scale")
    first.shown["name"] = "changed"
    assert arguments("cluster", "set_scale").passed == {"name": "plain"}


NAMES = st.from_regex(r"[a-z_][a-z0-9_]*", fullmatch=True)
PARTS = st.from_regex(r"[a-z0-9_.-]+", fullmatch=True)


@given(st.none() | PARTS, NAMES, NAMES, st.none() | PARTS)
def test_a_key_splits_into_what_it_was_made_of(
    prefix: str | None, group: str, command: str, suffix: str | None
) -> None:
    assert split_key(entry_key(group, command, prefix, suffix)) == (prefix, group, command, suffix)


@pytest.mark.parametrize("key", ["", "cluster", "a b c", "/a b", "a b/", " b", "a "])
def test_a_key_of_another_form_is_refused(key: str) -> None:
    with pytest.raises(ValueError, match="not of the form"):
        split_key(key)
