"""What a checkout offers: projects and toolbox groups, found by file name, never imported."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from projects.core.errors import UsageError, unknown

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_PROJECT = "sqlite_bench"
"""What the name `project` stands for where nothing was selected."""

SELECTION = os.path.join(".topgallant", "project")
"""File of the checkout that holds the name of the selected project."""

_MOST_DOCSTRING_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Project:
    """A folder below `projects/` that has `testing/test.py`."""

    name: str
    directory: str

    @property
    def testing_dir(self) -> str:
        """The folder of the orchestration."""
        return os.path.join(self.directory, "testing")

    @property
    def file(self) -> str:
        """The file whose public entrypoints are the project's verbs."""
        return os.path.join(self.testing_dir, "test.py")

    @property
    def module(self) -> str:
        """The name under which the file is imported."""
        return f"projects.{self.name}.testing.test"

    @property
    def summary(self) -> str:
        """First line of the docstring of test.py, or of the project's package; may be empty."""
        return summary_of(self.file) or summary_of(os.path.join(self.directory, "__init__.py"))


@dataclass(frozen=True, slots=True)
class Group:
    """A file `projects/*/toolbox/GROUP.py`, whose public functions are commands."""

    name: str
    project: str
    file: str

    @property
    def module(self) -> str:
        """The name under which the file is imported."""
        return f"projects.{self.project}.toolbox.{self.name}"

    @property
    def summary(self) -> str:
        """First line of the file's docstring; may be empty."""
        return summary_of(self.file)


@dataclass(frozen=True, slots=True)
class Entry:
    """What a name stands for: a project, a group, or both (then entrypoints win)."""

    name: str
    project: Project | None
    group: Group | None


class Catalog:
    """The projects and groups of the checkout at `root`; every call looks at the files again."""

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self.root = os.fspath(root)

    def projects(self) -> dict[str, Project]:
        """Return the projects by name, sorted."""
        return {
            name: Project(name, directory)
            for name, directory in self._folders()
            if os.path.isfile(os.path.join(directory, "testing", "test.py"))
        }

    def groups(self) -> dict[str, Group]:
        """Return the toolbox groups by name, sorted; of a doubled name the first one."""
        return {name: files[0] for name, files in sorted(self._all_groups().items())}

    def names(self) -> list[str]:
        """Return every name of a project or group, sorted."""
        return sorted({*self.projects(), *self._all_groups()})

    def project(self, name: str) -> Project:
        """Return the project called `name`; UsageError with the nearest name if there is none."""
        projects = self.projects()
        if name not in projects:
            raise UsageError(unknown("project", name, projects))
        return projects[name]

    def group(self, name: str) -> Group:
        """Return the group called `name`; UsageError if there is none, or more than one."""
        groups = self._all_groups()
        if name not in groups:
            raise UsageError(unknown("toolbox group", name, groups))
        return _only(groups[name])

    def find(self, name: str) -> Entry:
        """Return what `name` stands for; UsageError with the nearest name if nothing does."""
        projects, groups = self.projects(), self._all_groups()
        for spelling in (name, name.replace("-", "_")):
            if spelling in projects or spelling in groups:
                same = groups.get(spelling)
                return Entry(spelling, projects.get(spelling), _only(same) if same else None)
        raise UsageError(unknown("project or toolbox group", name, {*projects, *groups}))

    def _folders(self) -> list[tuple[str, str]]:
        top = os.path.join(self.root, "projects")
        try:
            names = sorted(os.listdir(top))
        except OSError as error:
            raise UsageError(f"{top}: no projects here ({error.strerror})") from error
        return [(n, os.path.join(top, n)) for n in names if n.isidentifier()]

    def _all_groups(self) -> dict[str, list[Group]]:
        groups: dict[str, list[Group]] = {}
        for project, directory in self._folders():
            toolbox = os.path.join(directory, "toolbox")
            try:
                files = os.listdir(toolbox)
            except OSError:
                continue
            for file in files:
                name, extension = os.path.splitext(file)
                if extension == ".py" and name.isidentifier() and not name.startswith("_"):
                    group = Group(name, project, os.path.join(toolbox, file))
                    groups.setdefault(name, []).append(group)
        return groups


def _only(groups: list[Group]) -> Group:
    if len(groups) > 1:
        files = " and ".join(group.file for group in groups)
        raise UsageError(f'the toolbox group "{groups[0].name}" exists twice: {files}; rename one')
    return groups[0]


def selected_project(root: str | os.PathLike[str], environ: Mapping[str, str]) -> str:
    """Return the name that `project` stands for.

    It is $TOPGALLANT_PROJECT, else what `configure enter` wrote into the checkout, else
    `sqlite_bench`. The name is not checked here.
    """
    if environ.get("TOPGALLANT_PROJECT"):
        return environ["TOPGALLANT_PROJECT"]
    try:
        with open(os.path.join(root, SELECTION), encoding="utf-8") as file:
            return file.read(200).strip() or DEFAULT_PROJECT
    except OSError:
        return DEFAULT_PROJECT


def summary_of(path: str) -> str:
    """Return the first line of the docstring of a Python file, "" if unreadable or without one."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return docstring_line(file.read(_MOST_DOCSTRING_BYTES))
    except OSError:
        return ""


def docstring_line(source: str) -> str:
    """Return the first line of a module's docstring from the beginning of its source.

    A scan of the text, so that broken code has a summary too, and looking costs no compiler.
    """
    lines = iter(source.removeprefix("\ufeff").splitlines())
    for line in lines:
        text = line.strip()
        if text and not text.startswith("#"):
            break
    else:
        return ""
    text = text.lstrip("rRuU")
    quote = next((q for q in ('"""', "'''", '"', "'") if text.startswith(q)), "")
    if not quote:
        return ""
    text = text[len(quote) :]
    while quote not in text and text.strip(" \\") == "":
        text = next(lines, quote)
    return text.split(quote)[0].rstrip(" \\").strip()
