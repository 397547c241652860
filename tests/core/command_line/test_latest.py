"""`latest` in a call is the run before it."""

from __future__ import annotations

from pathlib import Path

import pytest

from projects.core.command_line.latest import pinned


@pytest.fixture
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    base = tmp_path / "artifacts"
    (base / "run").mkdir(parents=True)
    (base / "latest").symlink_to("run")
    (tmp_path / "link").symlink_to(base)
    monkeypatch.chdir(tmp_path)
    return base


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("artifacts/latest", "artifacts/run"),
        ("./artifacts/latest/", "./artifacts/run/"),
        ("{base}/latest/000__a", "{base}/run/000__a"),
        ("link/latest", "link/run"),
        ("--results_dir=artifacts/latest", "--results_dir=artifacts/run"),
        ("matbench.download.url=file://{base}/latest", "matbench.download.url=file://{base}/run"),
        ("latest", "latest"),
        ("elsewhere/latest", "elsewhere/latest"),
        ("s3://artifacts/latest", "s3://artifacts/latest"),
        ("artifacts/latest_of_all", "artifacts/latest_of_all"),
    ],
)
def test_only_the_link_itself_is_replaced(base: Path, word: str, expected: str) -> None:
    assert pinned([word.format(base=base)], base) == [expected.format(base=base)]


def test_without_a_run_words_stay(tmp_path: Path) -> None:
    assert pinned([f"{tmp_path}/latest"], tmp_path) == [f"{tmp_path}/latest"]
