from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from projects.jobs.tools.catalog import Catalog, NoTestScripts, UnknownTool, UnusableTool
from projects.jobs.tools.tool import InvalidTool, Tool
from tests.conftest import CHECKOUT
from tests.jobs.tools.conftest import Make


def names(catalog: Catalog) -> list[str]:
    return [tool.name for tool in catalog.all()]


def reason(catalog: Catalog, name: str) -> str:
    tool = catalog.look(name)
    assert isinstance(tool, InvalidTool)
    assert tool in catalog.all()
    return tool.reason


def test_sat_01_a_missing_directory_is_named(tmp_path: Path) -> None:
    with pytest.raises(NoTestScripts, match=rf"there is no directory {tmp_path}/none with test"):
        Catalog([tmp_path, tmp_path / "none"]).check()
    Catalog([tmp_path]).check()
    assert Catalog([tmp_path / "none"]).all() == []


def test_sat_02_a_wrong_one_says_why_and_others_keep_working(make: Make, scripts: Path) -> None:
    make("good")
    make("bad", {"parameters": []})
    catalog = Catalog([scripts])
    assert names(catalog) == ["bad", "good"]
    assert "description: it is missing" in reason(catalog, "bad")
    assert catalog.find("good").description == "a test"
    with pytest.raises(UnusableTool, match=r"\"bad\" can.t be used: .*description"):
        catalog.find("bad")


def test_sat_03_changes_are_seen_without_a_restart(make: Make, scripts: Path) -> None:
    catalog = Catalog([scripts])
    assert names(catalog) == []
    make("one")
    assert names(catalog) == ["one"]
    assert catalog.find("one").timeout is None
    for timeout in range(1, 6):  # quicker than the kernel's clock ticks, and of the same size
        make("one", timeout=timeout)
        assert catalog.find("one").timeout == timeout
    digest = catalog.find("one").digest
    make("one", timeout=5, run="#!/bin/sh\nexit 9\n")
    assert catalog.find("one").digest != digest
    make("two")
    assert names(catalog) == ["one", "two"]
    shutil.rmtree(scripts / "one")
    assert names(catalog) == ["two"]
    assert catalog.look("one") is None
    shutil.rmtree(scripts)
    assert names(catalog) == []


def test_sat_03_also_when_files_have_been_at_rest(make: Make, scripts: Path) -> None:
    there = make("one", timeout=1)
    catalog = Catalog([scripts])
    before = catalog.find("one")
    settle(catalog)
    assert catalog.find("one") is before
    (there / "spec.json").write_text((there / "spec.json").read_text().replace("1", "2"))
    assert catalog.find("one").timeout == 2
    settle(catalog)
    (there / "spec.json").rename(there / "run_spec.json")
    assert "out of use" in catalog.find("one").warnings[0]


def settle(catalog: Catalog) -> None:
    """Take what was read as read long after the last change."""
    catalog._scripts = {k: v._replace(settled=True) for k, v in catalog._scripts.items()}


def test_sat_04_chmod_is_seen(make: Make, scripts: Path) -> None:
    there = make("one")
    catalog = Catalog([scripts])
    catalog.find("one")
    settle(catalog)
    (there / "run").chmod(0o644)
    assert "is not executable" in reason(catalog, "one")
    settle(catalog)
    (there / "run").chmod(0o755)
    catalog.find("one")


def test_sat_04_a_directory_without_anything_is_listed_too(scripts: Path) -> None:
    (scripts / "empty").mkdir()
    said = reason(Catalog([scripts]), "empty")
    assert "there is no spec.json" in said
    assert "there is no run" in said


def test_what_is_no_directory_or_hidden_is_passed_over(make: Make, scripts: Path) -> None:
    make("one")
    (scripts / "README").touch()
    (scripts / ".git").mkdir()
    catalog = Catalog([scripts])
    assert names(catalog) == ["one"]
    assert catalog.look(".git") is None


@pytest.mark.parametrize(
    "name", ["", ".", "..", "a/b", "../mine", "a\0b", "x" * 101, "ä", "a\n", "*"]
)
def test_no_name_leads_elsewhere(make: Make, scripts: Path, name: str) -> None:
    make("mine")
    with pytest.raises(UnknownTool):
        Catalog([scripts / "mine"]).find(name)


def test_a_directory_with_such_a_name_is_listed_as_wrong(make: Make, scripts: Path) -> None:
    make("with space")
    (tool,) = Catalog([scripts]).all()
    assert isinstance(tool, InvalidTool)
    assert "can't be the name of a tool" in tool.reason


@pytest.mark.parametrize("name", ["with space", "ünicode", "new\nline"])
def test_who_asks_for_such_a_name_is_told_what_is_wrong_with_it(
    make: Make, scripts: Path, name: str
) -> None:
    make("true")
    (scripts / name).mkdir()
    with pytest.raises(UnusableTool, match=r"can't be used: .* can't be the name of a tool"):
        Catalog([scripts]).find(name)


def test_an_unknown_name_gets_the_nearest(make: Make, scripts: Path) -> None:
    make("measure")
    with pytest.raises(UnknownTool, match='unknown test "measurr"; did you mean "measure"'):
        Catalog([scripts]).find("measurr")


def test_links_lead_to_test_scripts_elsewhere(make: Make, scripts: Path, tmp_path: Path) -> None:
    make("one").rename(tmp_path / "elsewhere")
    (scripts / "linked").symlink_to(tmp_path / "elsewhere")
    (scripts / "dangling").symlink_to(tmp_path / "nowhere")
    catalog = Catalog([scripts])
    assert catalog.find("linked").argv == (str(scripts / "linked" / "run"),)
    assert "leads nowhere" in reason(catalog, "dangling")


def test_of_two_with_one_name_that_of_the_first_root_counts(
    make: Make, scripts: Path, tmp_path: Path
) -> None:
    shutil.copytree(make("one", timeout=1).parent, tmp_path / "second")
    make("one", timeout=2)
    assert Catalog([tmp_path / "second", scripts]).find("one").timeout == 1
    assert len(Catalog([tmp_path / "second", scripts]).all()) == 1


def test_entrypoints_of_a_checkout_follow(make: Make, scripts: Path) -> None:
    make("one")
    catalog = Catalog([scripts], CHECKOUT)
    assert names(catalog)[0] == "one"
    assert "skeleton.test_ci" in names(catalog)
    assert catalog.find("skeleton.test_ci").kind == "entrypoint"


def test_nothing_is_read_again_when_nothing_has_changed(
    make: Make, scripts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make("one")
    catalog = Catalog([scripts])
    (before,) = catalog.all()
    settle(catalog)
    monkeypatch.setattr("projects.jobs.tools.catalog.read_spec", None)
    assert catalog.all() == [before]
    assert catalog.find("one") is before


EXAMPLES = CHECKOUT / "projects" / "satellite" / "test_scripts"


def test_the_examples_are_all_right() -> None:
    found = Catalog([EXAMPLES]).all()
    assert {tool.name for tool in found} >= {"example", "all_types", "upload", "locked"}
    for tool in found:
        assert isinstance(tool, Tool), tool
        assert not tool.warnings
        assert os.access(tool.argv[0], os.X_OK)
