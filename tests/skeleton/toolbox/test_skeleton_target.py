from __future__ import annotations

import json
from typing import TYPE_CHECKING

from projects.core.library import env
from projects.skeleton.toolbox import skeleton_target

if TYPE_CHECKING:
    from pathlib import Path


def test_a_measurement_becomes_a_result(tmp_path: Path) -> None:
    with env.TempArtifactDir(tmp_path):
        skeleton_target.measure(megabytes=2, algorithm="blake2b")
    assert (tmp_path / "settings.yaml").read_text() == "algorithm: blake2b\nmegabytes: 2\n"
    assert (tmp_path / "exit_code").read_text() == "0\n"
    numbers = json.loads((tmp_path / "results.json").read_text())
    assert numbers["megabytes_per_second"] == 2 / numbers["seconds"]
