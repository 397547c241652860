"""The task that probes are given, and their answers."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from projects.bench.library import configuration_point, pyyaml_probe
from projects.bench.library.configuration_point import Task, read_answer, read_task, write_task
from projects.bench.library.generated_config import GeneratedConfig, generate

Written = tuple[GeneratedConfig, Task, Path]


@pytest.fixture
def written(tmp_path: Path) -> Written:
    made = generate(lines=400, presets=10, applied=10, seed=1)
    return made, write_task(tmp_path, made), tmp_path


def test_the_task_comes_back_as_it_was_written(written: Written) -> None:
    _, task, folder = written
    assert read_task(folder) == task


def test_the_key_to_read_is_one_that_a_preset_changed(written: Written) -> None:
    made, task, _ = written
    changes: dict[str, Any] = {}
    for name in made.applied():
        changes |= made.presets[name].changes
    assert changes[task.plain_key] == task.plain_value


def test_all_formats_are_there(written: Written) -> None:
    _, _, folder = written
    names = {str(path.relative_to(folder)) for path in folder.rglob("*.*")}
    assert {"config.yaml", "omegaconf.yaml", "task.json", "hydra/config.yaml"} <= names
    assert "hydra/preset/preset_09.yaml" in names


def answer(task: Task, **changed: str) -> str:
    said = {
        "plain_value": task.plain_value,
        "reference_value": task.reference_value,
        "first_load": 5.0,
        "load": 1.0,
        "get": 2.0,
        "get_reference": 3.0,
        "set": 4.0,
        **changed,
    }
    return "a warning\n" + json.dumps(said) + "\n"


def test_an_answer_is_the_last_line(written: Written) -> None:
    _, task, _ = written
    seconds = {"first_load": 5.0, "load": 1.0, "get": 2.0, "get_reference": 3.0, "set": 4.0}
    assert read_answer(answer(task), task) == seconds


@pytest.mark.parametrize("what", ["plain_value", "reference_value"])
def test_an_answer_with_a_wrong_value_is_found_out(written: Written, what: str) -> None:
    _, task, _ = written
    with pytest.raises(ValueError, match=f"{what} is 'wrong'"):
        read_answer(answer(task, **{what: "wrong"}), task)


def test_no_answer_is_an_error(written: Written) -> None:
    _, task, _ = written
    with pytest.raises(ValueError, match="printed nothing"):
        read_answer("\n", task)


def test_a_probe_prints_an_answer_that_can_be_read(
    written: Written, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _, task, folder = written
    monkeypatch.setattr(sys, "argv", ["probe", str(folder)])
    configuration_point.run_probe(pyyaml_probe.answer)
    seconds = read_answer(capsys.readouterr().out, task)
    assert set(seconds) == {"first_load", "load", "get", "set"}
    assert min(seconds.values()) > 0
