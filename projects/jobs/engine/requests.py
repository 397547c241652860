"""A submission as users send it, checked whole: every mistake is named, or all of it is taken."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from projects.core.errors import TopgallantError, UsageError, unknown
from projects.jobs.engine.refusals import MOST_SHOWN, InvalidRequest, TooLarge
from projects.jobs.scheduling.admission import MOST_PRIORITY, rank
from projects.jobs.store.values import MOST_JOBS, NewJob, NewSubmission
from projects.jobs.tools.limits import read_limits
from projects.jobs.tools.texts import Invalid, shown
from projects.jobs.tools.units import seconds
from projects.jobs.tools.values import InvalidParameters

if TYPE_CHECKING:
    from collections.abc import Mapping

    from projects.jobs.tools.catalog import Catalog
    from projects.jobs.tools.options import OptionProvider
    from projects.jobs.tools.tool import Tool

NOTE_BYTES = 4096
MOST_PARALLEL = 10_000
MOST_DEPTH = 32

_PARALLEL = range(1, MOST_PARALLEL + 1)
_PRIORITIES = range(-MOST_PRIORITY, MOST_PRIORITY + 1)
_KEYS = ("parallel", "note", "priority", "job_specs")
_JOB_KEYS = ("name", "params", "timeout", "limits")


def read_submission(
    request: Any,
    owner: str,
    catalog: Catalog,
    options: OptionProvider,
    *,
    created: int,
    ageing: float,
) -> NewSubmission:
    """Return what is to be stored.

    Raises
    ------
    InvalidRequest
        With a sentence for each mistake, at most `MOST_SHOWN` of them.
    TooLarge
        More than `MOST_JOBS` jobs.
    """
    if not isinstance(request, dict):
        raise InvalidRequest({"": "a submission is an object with job_specs"})
    mistakes = _Mistakes()
    parallel = _integer(request, "parallel", _PARALLEL, None, mistakes)
    priority = _integer(request, "priority", _PRIORITIES, 0, mistakes) or 0
    note = _note(request, mistakes)
    for key in request:
        if key not in _KEYS:
            mistakes.add(shown(key).strip('"'), unknown("key", shown(key).strip('"'), _KEYS))
    jobs = _JobReader(catalog, options, mistakes).read_all(request.get("job_specs"))
    mistakes.raise_if_any()
    return NewSubmission(
        owner=owner,
        jobs=jobs,
        note=note,
        parallel=parallel,
        priority=priority,
        created=created,
        rank=rank(created, priority, ageing),
    )


class _Mistakes:
    """What is wrong where; the first ones are kept, all are counted."""

    def __init__(self) -> None:
        self._fields: dict[str, str] = {}
        self._count = 0

    def add(self, where: str, what: str) -> None:
        self._count += 1
        if len(self._fields) < MOST_SHOWN:
            self._fields[where] = what

    def raise_if_any(self) -> None:
        if self._count:
            raise InvalidRequest(self._fields, count=self._count)


class _JobReader:
    """Reads job_specs; looks each tool up once."""

    def __init__(self, catalog: Catalog, options: OptionProvider, mistakes: _Mistakes) -> None:
        self._catalog = catalog
        self._options = options
        self._mistakes = mistakes
        self._tools: dict[str, tuple[Tool | None, Any, str]] = {}

    def read_all(self, specs: Any) -> list[NewJob]:
        if not isinstance(specs, list) or not specs:
            self._mistakes.add("job_specs", "a list of at least one job is needed")
            return []
        if len(specs) > MOST_JOBS:
            raise TooLarge(
                f"job_specs: {len(specs):,} jobs; a submission has at most {MOST_JOBS:,}"
            )
        jobs = (self._read(spec, index) for index, spec in enumerate(specs))
        return [job for job in jobs if job is not None]

    def _read(self, spec: Any, index: int) -> NewJob | None:
        if not isinstance(spec, dict):
            self._wrong(index, "", f"{shown(spec)} is no job: an object with name and params is")
            return None
        tool, options = self._tool(spec.get("name"), index)
        params = spec.get("params")
        if params is None:
            params = {}
        if not isinstance(params, dict):
            self._wrong(index, ".params", f"{shown(params)} is not an object")
            return None
        if len(spec) > 1 + ("params" in spec):
            self._check_keys(spec, index)
        if tool is None:
            return None
        try:
            tool.validate(params, options)
        except InvalidParameters as error:
            for name, said in error.fields.items():
                self._wrong(index, ".params" if name == "params" else f".params.{name}", said)
        if any(isinstance(value, dict | list) and _depth(value) for value in params.values()):
            self._wrong(index, ".params", f"nested more than {MOST_DEPTH} deep")
        return NewJob(
            tool=tool.name,
            params=params,
            timeout=self._timeout(spec, tool, index),
            on_restart=tool.on_restart,
            resources=tool.resources,
            limits=self._limits(spec, index),
            spec_digest=tool.digest,
        )

    def _tool(self, name: Any, index: int) -> tuple[Tool | None, Any]:
        if not isinstance(name, str):
            missing = "it is missing" if name is None else f"{shown(name)} is not a text"
            self._wrong(index, ".name", missing)
            return None, None
        known = self._tools.get(name)
        if known is None:
            known = self._tools[name] = self._found(name)
        tool, options, problem = known
        if problem:
            self._wrong(index, ".name", problem)
        return tool, options

    def _found(self, name: str) -> tuple[Tool | None, Any, str]:
        try:
            tool = self._catalog.find(name)
        except TopgallantError as error:
            return None, None, str(error)
        return tool, self._options.of(tool), ""

    def _check_keys(self, spec: Mapping[str, Any], index: int) -> None:
        for key in spec:
            if key not in _JOB_KEYS:
                text = shown(key).strip('"')
                self._wrong(index, f".{text}", unknown("key", text, _JOB_KEYS))

    def _timeout(self, spec: Mapping[str, Any], tool: Tool, index: int) -> float | None:
        given = spec.get("timeout")
        if given is None:
            return None
        try:
            timeout = seconds(given)
        except Invalid as error:
            self._wrong(index, ".timeout", str(error))
            return None
        if tool.timeout is not None and timeout > tool.timeout:
            said = f"{timeout:g} s is more than the {tool.timeout:g} s of the tool's spec.json"
            self._wrong(index, ".timeout", said)
        return timeout

    def _limits(self, spec: Mapping[str, Any], index: int) -> Mapping[str, int | float]:
        given = spec.get("limits")
        if given is None:
            return {}
        if not isinstance(given, dict):
            self._wrong(index, ".limits", f"{shown(given)} is not an object")
            return {}
        try:
            return read_limits(given).given()
        except UsageError as error:
            self._wrong(index, ".limits", error.message)
            return {}

    def _wrong(self, index: int, field: str, what: str) -> None:
        self._mistakes.add(f"job_specs[{index}]{field}", what)


def _note(request: Mapping[str, Any], mistakes: _Mistakes) -> str:
    note = request.get("note")
    if note is None:
        return ""
    if not isinstance(note, str) or "\0" in note:
        mistakes.add("note", f"{shown(note)} is not a text without NUL characters")
        return ""
    try:
        size = len(note.encode())
    except UnicodeEncodeError:
        mistakes.add("note", "half of a surrogate pair is in it, which UTF-8 doesn't have")
        return ""
    if size > NOTE_BYTES:
        mistakes.add("note", f"{size:,} bytes; the most is {NOTE_BYTES:,}")
    return note


def _integer(
    request: Mapping[str, Any], key: str, bounds: range, default: int | None, mistakes: _Mistakes
) -> int | None:
    value = request.get(key)
    if value is None:
        return default
    if type(value) is not int or value not in bounds:
        said = f"from {bounds.start:,} to {bounds.stop - 1:,}"
        mistakes.add(key, f"{shown(value)} is not a whole number {said}")
        return default
    return value


def _depth(value: Any, left: int = MOST_DEPTH - 3) -> bool:
    """Return whether lists and objects go deeper than they may (a request is three deep here)."""
    if left < 0:
        return True
    children = value.values() if isinstance(value, dict) else value
    return any(isinstance(child, dict | list) and _depth(child, left - 1) for child in children)
