"""Help teaches: usage, what it does, parameters, an example."""

from pathlib import Path
from typing import Literal

from projects.core.words.catalog import Catalog, Entry, Group, Project
from projects.core.words.help import help_name, help_verb
from projects.core.words.overview import help_overview
from projects.core.words.page import Page
from projects.core.words.signature import Signature


def measure(
    size: int, mode: Literal["wal", "delete"] = "wal", *, where: str = "", loud: bool = False
) -> None:
    """Measure one point.

    It writes rows.

    Args:
        size: bytes per row
        where: Directory of the data file.
    """


def test_a_verb() -> None:
    assert (
        help_verb(["sqlite", "measure"], Signature.of(measure), Page(80))
        == """\
sqlite measure: Measure one point.

Usage: ./run_toolbox.py sqlite measure SIZE [--mode=wal|delete] [--where=str]
       [--loud]

It writes rows.

Parameters
  --size=int         bytes per row. Required.
  --mode=wal|delete  Default: wal.
  --where=str        Directory of the data file. Default: empty.
  --loud             Default: false.

Example
  ./run_toolbox.py sqlite measure --size=3
"""
    )


def test_the_example_has_words_that_fit() -> None:
    def tune(sizes: list[int], names: list[str], weights: dict[str, int]) -> None:
        pass

    text = help_verb(["disk", "tune"], Signature.of(tune), Page(80))
    assert text.endswith(" disk tune --sizes=1,2 --names=a,b --weights='{key: 1}'\n")


def test_an_entrypoint_shows_its_presets() -> None:
    def test_ci() -> None:
        """Run the test."""

    text = help_verb(
        ["disk", "test_ci"],
        Signature.of(test_ci),
        Page(80),
        is_entrypoint=True,
        presets={
            "quick": {"tests.sizes": [1, 100], "tests.mode": "wal"},
            "full": {"extends": ["quick"], "a": 1, "b": "x" * 40, "c": None, "d": True},
            "none": None,
        },
    )
    assert "Usage: ./run_toolbox.py disk test_ci [PRESET …] [key.path=value …]\n" in text
    presets = text.partition("Presets\n")[2].partition("\n\n")[0]
    assert " ".join(presets.split()) == (
        "quick tests.sizes=[1, 100]; tests.mode=wal "
        f"full extends quick; a=1; b={'x' * 29}…; c=null; … 1 more "
        "none"
    )
    assert text.endswith("Example\n  ./run_toolbox.py disk test_ci quick\n")


def test_a_name_that_is_both_says_so() -> None:
    entry = Entry("disk", Project("disk", "/nowhere"), Group("disk", "disk", "/nowhere.py"))
    signature = Signature.of(measure)
    text = help_name(entry, {"go": signature}, {"go": signature, "measure": signature}, Page(80))
    assert "the entrypoint wins" in text
    assert text.count("  go ") == 1
    assert "Commands\n  measure  Measure one point.\n" in text


def test_lines_keep_to_the_width_and_colour_only_when_asked(tmp_path: Path) -> None:
    folder = tmp_path / "projects" / "disk" / "testing"
    folder.mkdir(parents=True)
    (folder / "test.py").write_text(f'"""{"Measure a disk. " * 12}"""')
    plain = help_overview(Catalog(tmp_path), "1", "disk", Page(60))
    rows = plain[plain.index("Projects") : plain.index("Words and flags")].splitlines()
    assert max(map(len, rows)) <= 60
    assert "(selected: `project`)" in " ".join(plain.split())
    assert "\x1b" not in plain
    assert "\x1b[1mProjects\x1b[0m" in help_overview(
        Catalog(tmp_path), "1", "disk", Page(60, colour=True)
    )
