"""The values of one job: checked against the parameters, written for a script."""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from projects.core.errors import UsageError, unknown
from projects.jobs.tools.texts import NAME, Invalid, any_text, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from projects.jobs.tools.parameters import Parameter

    Options = Callable[[Parameter], Sequence[str]]
    """Gives the options that the command of a parameter adds."""

MAX_PARAMETERS = 200
"""Parameters of one job."""

MAX_JSON_BYTES = 120_000
"""All values of a job as JSON: one environment variable holds them, and Linux takes 128 KiB."""

JSON_VARIABLE = "TOPGALLANT_PARAMETERS"

_MOST_HINTS = 5

_LARGEST_GROWTH = 6  # of a character that JSON writes as \u0001
_ALWAYS_FITS = MAX_JSON_BYTES // _LARGEST_GROWTH - MAX_PARAMETERS * 10


class InvalidParameters(UsageError):
    """Values that a tool doesn't take: `fields` has a sentence for each name."""

    http_status = 422

    def __init__(self, fields: Mapping[str, str]) -> None:
        self.fields = dict(fields)
        super().__init__("; ".join(f"{name}: {said}" for name, said in self.fields.items()))


@dataclass(frozen=True, slots=True)
class Values:
    """The values of a job in the order of the spec; unset optional parameters are not among them.

    `values` are JSON values, `texts` what reaches the script, `dropped` why something was left
    out.
    """

    values: Mapping[str, Any]
    texts: Mapping[str, str]
    dropped: Mapping[str, str] = field(default_factory=dict)

    @property
    def arguments(self) -> list[str]:
        """The words after `run`: `--name=value` each."""
        return [f"--{name}={text}" for name, text in self.texts.items()]

    @property
    def environment(self) -> dict[str, str]:
        """`arg_<name>` for each, and all as JSON in TOPGALLANT_PARAMETERS."""
        variables = {f"arg_{name}": text for name, text in self.texts.items()}
        variables[JSON_VARIABLE] = self.json
        return variables

    @property
    def json(self) -> str:
        """All values as one JSON object."""
        return json.dumps(self.values, ensure_ascii=False, allow_nan=False)


def validate(
    parameters: Sequence[Parameter],
    given: Mapping[str, Any],
    *,
    unknown: Literal["reject", "allow"] = "reject",
    on_invalid: Literal["reject", "drop"] = "reject",
    options: Options | None = None,
) -> Values:
    """Check what is given against the parameters; null counts as not given.

    Parameters
    ----------
    unknown
        What becomes of names that no parameter has: refused, or passed on as text.
    on_invalid
        What becomes of a value that doesn't fit: refused, or left out as if not given.
    options
        Asked for the options of a parameter with a command; without it, only the static ones
        count.

    Raises
    ------
    InvalidParameters
        With a sentence for every name that is wrong or missing.
    """
    check = _Check()
    declared = 0
    for parameter in parameters:
        name = parameter.name
        value = given.get(name)
        if name in given:
            declared += 1
        if value is not None:
            more = functools.partial(options, parameter) if options else None
            try:
                check.values[name] = value = parameter.read(value, more)
                check.texts[name] = parameter.text(value)
                continue
            except Invalid as error:
                check.wrong[name] = str(error)
        if parameter.default is not None:
            check.values[name] = parameter.default
            check.texts[name] = parameter.text(parameter.default)
        elif parameter.required:
            check.missing[name] = check.wrong.get(name, "it is required and not given")
    if declared < len(given):
        check.take_others([parameter.name for parameter in parameters], given, unknown)
    refused = check.missing if on_invalid == "drop" else {**check.wrong, **check.missing}
    if refused:
        raise InvalidParameters(refused)
    result = Values(check.values, check.texts, dropped=check.wrong)
    _check_size(result)
    return result


class _Check:
    """One check of values under way: what is good, wrong, and missing."""

    __slots__ = ("missing", "texts", "values", "wrong")

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.texts: dict[str, str] = {}
        self.wrong: dict[str, str] = {}
        self.missing: dict[str, str] = {}

    def take_others(self, known: list[str], given: Mapping[str, Any], policy: str) -> None:
        """Pass on, or refuse, what no parameter describes."""
        if len(given) > MAX_PARAMETERS:
            said = f"{len(given):,} of them; the most is {MAX_PARAMETERS}"
            raise InvalidParameters({"params": said})
        for name, value in given.items():
            if name in known:
                continue
            if policy != "allow":
                told = len(self.wrong) < _MOST_HINTS  # looking for the nearest name takes time
                said = unknown("parameter", _safe(name), known) if told else "unknown parameter"
                self.wrong[_safe(name)] = said
            elif not NAME.match(name):
                self.wrong[_safe(name)] = "the name can't be an environment variable's (arg_…)"
            elif value is not None:
                try:
                    self.texts[name] = any_text(value)
                    self.values[name] = value
                except Invalid as error:
                    self.wrong[name] = str(error)


def _safe(name: str) -> str:
    """Return a name as messages may show it."""
    return shown(name).strip('"')


def _check_size(result: Values) -> None:
    if sum(map(len, result.texts.values())) < _ALWAYS_FITS:
        return
    size = len(result.json.encode())
    if size > MAX_JSON_BYTES:
        said = f"all of them together have {size:,} bytes as JSON; the most is {MAX_JSON_BYTES:,}"
        raise InvalidParameters({"params": said})
