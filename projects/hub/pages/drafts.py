"""A submission being filled in: fields of a form become values, jobs, and words to copy."""

from __future__ import annotations

import itertools
import json
import math
import re
import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from projects.jobs.tools import parameters as kinds
from projects.jobs.tools.texts import Invalid

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from projects.jobs.http.body import Form

MOST_JOBS = 10_000
"""Jobs that one form may make; the API takes more."""

_WHOLE = re.compile(r"-?[0-9]{1,9}")
_SHOWN_JOBS = 50
COMMON = ("note", "parallel", "priority", "timeout")


@dataclass(frozen=True, slots=True)
class Field:
    """A parameter with what was filled in: `raw` for one value, `several` for many."""

    said: Mapping[str, Any]
    raw: Sequence[str] = ()
    several: Sequence[str] = ()
    error: str = ""

    @property
    def text(self) -> str:
        """What a field for one value holds."""
        return self.raw[-1] if self.raw else ""

    @property
    def lines(self) -> str:
        """What a field for several values holds."""
        return "\n".join(self.several)


@dataclass(slots=True)
class Draft:
    """All of a form: `errors` has a sentence for each wrong field, by its name."""

    tool: Mapping[str, Any]
    fields: list[Field]
    common: dict[str, str] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    axes: dict[str, list[Any]] = field(default_factory=dict)
    groups: Sequence[str] = ()
    """With which it is shared."""
    usual: Sequence[str] = ()
    """With which it is shared if it doesn't say so."""

    @property
    def count(self) -> int:
        """How many jobs it makes."""
        return math.prod(len(values) for values in self.axes.values())

    def request(self, most: int = MOST_JOBS) -> dict[str, Any]:
        """Return the submission, as `/api/v1/submissions` takes it; of at most so many jobs."""
        names = list(self.axes)
        wanted: dict[str, Any] = {}
        if self.common.get("note"):
            wanted["note"] = self.common["note"]
        for name in ("parallel", "priority"):
            if (text := self.common.get(name, "")) and name not in self.errors:
                wanted[name] = int(text)
        if self.shares_otherwise:
            wanted["groups"] = list(self.groups)
        more: dict[str, Any] = {}
        if self.common.get("timeout"):
            more["timeout"] = _timeout(self.common["timeout"])
        wanted["job_specs"] = [
            {"name": self.tool["name"], "params": dict(zip(names, each, strict=True)), **more}
            for each in itertools.islice(itertools.product(*self.axes.values()), most)
        ]
        return wanted

    def json(self) -> str:
        """Return the submission as text to copy; of many jobs only the first ones are written."""
        return json.dumps(self.request(_SHOWN_JOBS), ensure_ascii=False, indent=2)

    @property
    def is_cut(self) -> bool:
        """Whether the text has not all jobs."""
        return self.count > _SHOWN_JOBS

    @property
    def shares_otherwise(self) -> bool:
        """Whether it says with whom it is shared."""
        return set(self.groups) != set(self.usual)

    def satctl(self) -> str:
        """Return the command that does the same."""
        of_many = self.common.get("parallel") or self.common.get("priority")
        if self.count != 1 or of_many or self.shares_otherwise:
            return "satctl submit_file submission.json"
        (job,) = self.request()["job_specs"]
        words = ["satctl", "run"]
        if self.common.get("note"):
            words.append(f"--note={self.common['note']}")
        if self.common.get("timeout"):
            words.append(f"--job-timeout={job['timeout']}")
        words.append(str(self.tool["name"]))
        words += [f"--{name}={_word(value)}" for name, value in job["params"].items()]
        return shlex.join(words)


def empty(tool: Mapping[str, Any], given: Mapping[str, Any] | None = None) -> Draft:
    """Return the form as it is at first: with defaults, or with the values of a job."""
    fields = []
    for said in tool["parameters"]:
        known = said.get("default") if given is None else given.get(said["name"])
        fields.append(Field(said, _raw(known)))
    return Draft(tool, fields)


def read(tool: Mapping[str, Any], form: Form) -> Draft:
    """Return what was filled in, checked; `p.NAME` are single values, `m.NAME` several."""
    draft = Draft(tool, [], {name: form.get(name).strip() for name in COMMON})
    draft.groups = form.all_of("groups")
    for said in tool["parameters"]:
        draft.fields.append(_field(draft, said, form))
    for name in ("parallel", "priority", "timeout"):
        if draft.common[name] and (wrong := _wrong_number(name, draft.common[name])):
            draft.errors[name] = wrong
    if draft.count > MOST_JOBS:
        draft.errors["jobs"] = f"{draft.count:,} jobs; a form makes at most {MOST_JOBS:,}"
    return draft


def place_errors(draft: Draft, message: str, fields: Mapping[str, str]) -> None:
    """Put what a satellite said beside the fields that it is about."""
    placed = False
    names = {one.said["name"] for one in draft.fields}
    for where, what in fields.items():
        name = where.rpartition(".")[2]
        if (".params." in where and name in names) or name in (*COMMON, "groups"):
            draft.errors.setdefault(name, what)
            placed = True
    if not placed:
        draft.errors["form"] = message
    draft.fields = [
        Field(one.said, one.raw, one.several, draft.errors.get(one.said["name"], ""))
        for one in draft.fields
    ]


def _field(draft: Draft, said: Mapping[str, Any], form: Form) -> Field:
    name = said["name"]
    raw = form.all_of(f"p.{name}")
    if said["type"] != "some":
        raw = raw[-1:]
    raw = [text.replace("\r\n", "\n") for text in raw if text]
    # Only these break lines: others that Python knows may be part of a value.
    written = "\n".join(form.all_of(f"m.{name}")).replace("\r\n", "\n").replace("\r", "\n")
    several = [line.strip() for line in written.split("\n") if line.strip()]
    try:
        parameter = kinds.from_description(said)
        values = _values(parameter, raw, several)
        if values:
            draft.axes[name] = values
        elif said["required"]:
            raise Invalid("it is required")
    except Invalid as error:
        draft.errors[name] = str(error)
    return Field(said, raw, several, draft.errors.get(name, ""))


def _values(parameter: kinds.Parameter, raw: Sequence[str], several: Sequence[str]) -> list[Any]:
    if several:
        if len(several) > MOST_JOBS:
            raise Invalid(f"{len(several):,} values; a form makes at most {MOST_JOBS:,} jobs")
        found = (parameter.read(text, kinds.any_option) for text in several)
        return list({repr(one): one for one in found}.values())
    if not raw:
        return []
    if isinstance(parameter, kinds.Some):
        chosen = [word for text in raw for word in text.split(",") if word]
        return [parameter.read(chosen, kinds.any_option)]
    return [parameter.read(raw[-1], kinds.any_option)]


def _raw(known: Any) -> list[str]:
    if known is None:
        return []
    if isinstance(known, bool):
        return ["true" if known else "false"]
    if isinstance(known, list):
        return [str(one) for one in known]
    return [str(known)]


def _word(one: Any) -> str:
    if isinstance(one, bool):
        return "true" if one else "false"
    if isinstance(one, list):
        return ",".join(one)
    return str(one)


def _wrong_number(name: str, text: str) -> str:
    if name == "timeout":
        try:
            good = 0 < float(text) < math.inf
        except ValueError:
            good = False
        return "" if good else f"{text[:40]!r} is not a number of seconds"
    if not _WHOLE.fullmatch(text):
        return f"{text[:40]!r} is not a whole number"
    return "" if name == "priority" or int(text) > 0 else "at least 1"


def _timeout(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0
