"""Test scripts: a directory with `run` and `spec.json`, read into a Tool."""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from projects.core.errors import ConfigurationError
from projects.jobs.tools import json_text, limits, units
from projects.jobs.tools.parameters import TYPES
from projects.jobs.tools.texts import Invalid, shown, text_of
from projects.jobs.tools.tool import NAME, Problem, SpecError, Tool, UploadSpec
from projects.jobs.tools.values import MAX_PARAMETERS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from projects.core.errors import Mark
    from projects.jobs.tools.json_text import Document, Path
    from projects.jobs.tools.parameters import Parameter

SPEC, LEGACY_SPEC, RUN = "spec.json", "run_spec.json", "run"

MAX_BYTES = 1024 * 1024
"""Bytes of a spec.json."""

_CHUNK = 1024 * 1024
_OPEN = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC  # a FIFO called spec.json must not hang us


def read_spec(directory: str | os.PathLike[str], name: str | None = None) -> Tool:
    """Read the test script in `directory`; its name is that of the directory unless given.

    Unknown keys are no errors but in the tool's `warnings`, with the nearest key.

    Raises
    ------
    SpecError
        With everything that is wrong: `run`, the spec's text, keys, values.
    """
    directory = os.path.abspath(directory)
    return _Reader(directory, name or os.path.basename(directory)).tool()


class _Reader:
    """One reading of a test script: collects what is wrong and what is odd."""

    def __init__(self, directory: str, name: str) -> None:
        self.directory = directory
        self.name = name
        self.problems: list[Problem] = []
        self.warnings: list[str] = []
        self.document: Document | None = None
        self.digest = hashlib.sha256()

    def tool(self) -> Tool:
        if not NAME.match(self.name):
            said = f"{shown(self.name)} can't be the name of a tool; 1 to 100 of A-Z a-z 0-9 . _ -"
            self.problems.append(Problem("", said))
        file = self._spec_file()
        data = self._read(file) if file else None
        self._read_run()
        if file and data is not None:
            self._load(file, data)
        keywords = self._keywords(self.document.values) if self.document else None
        if self.problems or keywords is None or file is None:
            raise SpecError(self.problems)
        return Tool(
            name=self.name,
            directory=self.directory,
            argv=(os.path.join(self.directory, RUN),),
            digest=self.digest.hexdigest(),
            warnings=tuple(self.warnings),
            spec_file=file,
            **keywords,
        )

    def _spec_file(self) -> str | None:
        spec, legacy = (os.path.join(self.directory, each) for each in (SPEC, LEGACY_SPEC))
        if os.path.lexists(legacy):
            used = os.path.lexists(spec)
            said = f"{SPEC} is read instead" if used else f"it is read; rename it to {SPEC}"
            self.warnings.append(f"{legacy}: the name {LEGACY_SPEC} is out of use; {said}")
            return spec if used else legacy
        if os.path.lexists(spec):
            return spec
        self.problems.append(Problem("", f"there is no {SPEC} in {self.directory}"))
        return None

    def _read(self, file: str) -> bytes | None:
        try:
            with open(os.open(file, _OPEN), "rb") as opened:
                if not stat.S_ISREG(os.fstat(opened.fileno()).st_mode):
                    self.problems.append(Problem("", f"{file} is not a file"))
                    return None
                data = opened.read(MAX_BYTES + 1)
        except OSError as error:
            self.problems.append(Problem("", f"{file}: {error.strerror}"))
            return None
        if len(data) > MAX_BYTES:
            self.problems.append(Problem("", f"{file}: larger than 1 MiB, the most that is read"))
            return None
        self.digest.update(b"%d\n" % len(data) + data)
        return data

    def _read_run(self) -> None:
        run = os.path.join(self.directory, RUN)
        try:
            mode = os.stat(run).st_mode
            if not stat.S_ISREG(mode):
                kind = "a directory" if stat.S_ISDIR(mode) else "no file"
                self.problems.append(Problem("", f"{run} is {kind}; a program or script has to be"))
            elif not os.access(run, os.X_OK):
                self.problems.append(Problem("", f"{run} is not executable: chmod +x {run}"))
            else:
                self._digest_run(run)
        except FileNotFoundError:
            said = f"there is no {RUN} in {self.directory}"
            self.problems.append(Problem("", f"{said}; it is what is started"))
        except OSError as error:
            self.problems.append(Problem("", f"{run}: {error.strerror}"))

    def _digest_run(self, run: str) -> None:
        """Add the script to the digest; one that may be executed but not read counts by name."""
        try:
            with open(run, "rb") as opened:
                data = opened.read(_CHUNK)
                self._check_beginning(run, data[:200])
                while data:
                    self.digest.update(data)
                    data = opened.read(_CHUNK)
        except PermissionError:
            self.digest.update(run.encode(errors="surrogateescape"))

    def _check_beginning(self, run: str, data: bytes) -> None:
        if data.startswith(b"#!"):
            words = data[2:].split(b"\n")[0].strip(b" \t").split(b" ")
            interpreter = os.fsdecode(words[0])
            if not os.path.exists(interpreter):
                windows = "; the line ends as on Windows" if interpreter.endswith("\r") else ""
                shown_name = shown(interpreter.rstrip("\r"))
                self.warnings.append(f"{run}:1:3: {shown_name} is not there{windows}")
        elif not data.startswith(b"\x7fELF"):
            self.warnings.append(f'{run}:1:1: it is no program and has no "#!" line')

    def _load(self, file: str, data: bytes) -> None:
        try:
            self.document = json_text.loads(data, file)
        except ConfigurationError as error:
            self.problems.append(Problem("", error.message, error.where))

    def _problem(self, path: Path, reason: str) -> None:
        self.problems.append(Problem(field_name(path), reason, self._mark(path)))

    def _mark(self, path: Path) -> Mark | None:
        return self.document.mark(path) if self.document else None

    def _keywords(self, values: Any) -> dict[str, Any] | None:
        """Return what the spec says as keywords of Tool; None, with problems, if it is wrong."""
        if not isinstance(values, dict):
            self._problem((), "a spec has to be an object: { … }")
            return None
        from projects.jobs.tools import spec_errors

        shape = spec_errors.check(values)
        self.warnings += [f"{self._mark(path)}: {said}" for path, said in shape.warnings]
        for path, reason in shape.problems:
            self._problem(path, reason)
        parameters = self._parameters(values.get("parameters"), shape.broken)
        uploads = self._uploads(values.get("uploads"), shape.broken)
        place = self._place(values.get("working_directory"))
        if self.problems:
            return None
        said: dict[str, Any] = {
            key: values[key]
            for key in ("description", "no_logs", "on_restart", "unknown_parameters")
            if key in values
        }
        for key in ("resources", "env_allow"):
            said[key] = tuple(dict.fromkeys(values.get(key, ())))
        timeout = values.get("timeout")
        asked = values.get("limits", {})
        known = {name: value for name, value in asked.items() if name in limits.READERS}
        return said | {
            "parameters": parameters,
            "uploads": uploads,
            "working_directory": place,
            "timeout": None if timeout is None else units.seconds(timeout),
            "limits": limits.read_limits(known),
        }

    def _parameters(self, listed: Any, broken: set[Path]) -> tuple[Parameter, ...]:
        made: dict[str, Parameter] = {}
        first: dict[str, int] = {}
        for number, said in enumerate(listed[:MAX_PARAMETERS] if isinstance(listed, list) else ()):
            path = ("parameters", number)
            if any(place[:2] == path for place in broken):
                continue
            try:
                parameter = parameter_of(said)
            except Invalid as error:
                self._problem((*path, error.key) if error.key else path, str(error))
                continue
            name = parameter.name
            if name in made:
                self._problem((*path, "name"), f'"{name}" is parameters[{first[name]}] already')
            made.setdefault(name, parameter)
            first.setdefault(name, number)
        return tuple(made.values())

    def _uploads(self, listed: Any, broken: set[Path]) -> tuple[UploadSpec, ...]:
        made = []
        for number, said in enumerate(listed if isinstance(listed, list) else ()):
            path = ("uploads", number)
            if any(place[:2] == path for place in broken):
                continue
            file = said["results_file"]
            if "\0" in file or os.path.isabs(file) or ".." in file.split("/"):
                self._problem(
                    (*path, "results_file"),
                    f"{shown(file)} leads out of the job's directory; a path below it has to be",
                )
            made.append(UploadSpec(file, said["test_system"], said["test_name"]))
        return tuple(made)

    def _place(self, said: Any) -> str | None:
        if not isinstance(said, str) or not said:
            return None
        if "\0" in said:
            self._problem(("working_directory",), "a path can't hold a NUL character")
        return os.path.normpath(os.path.join(self.directory, said))


def parameter_of(said: Mapping[str, Any]) -> Parameter:
    """Return the parameter that an object of a spec, whose shape is right, defines.

    Raises
    ------
    Invalid
        The definition contradicts itself.
    """
    kind = TYPES[said["type"]]
    keys = {each.name: said[each.name] for each in fields(kind) if each.name in said}
    if "options" in keys:
        keys["options"] = tuple(text_of(option) for option in keys["options"])
    return kind(**keys)


def field_name(path: Path) -> str:
    """Return a path as people write it: `parameters[1].min`."""
    said = ""
    for part in path:
        said += f"[{part}]" if isinstance(part, int) else f".{part}" if said else part
    return said
