"""Values of a job as words of a command line, and back: `--name=value`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from projects.core.errors import UsageError, nearest
from projects.core.words.page import Page, join
from projects.jobs.tools.parameters import Boolean, Choice, Date, Parameter, Real, Some, any_option
from projects.jobs.tools.texts import NAME, Invalid, shown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from projects.jobs.tools.tool import Tool
    from projects.jobs.tools.values import Values

_SHOWN_OPTIONS = 12
_METAVARS = {"integer": "INTEGER", "nat": "INTEGER", "real": "NUMBER", "date": "YYYY-MM-DD"}


def words(tool: Tool, values: Values) -> list[str]:
    """Return the words that `from_words` reads as these values."""
    del tool
    return values.arguments


def from_words(tool: Tool, given: Sequence[str]) -> dict[str, Any]:
    """Read `--name=value`, `--name value`, `--flag` and `--no-flag` as parameters of a submission.

    In names `-` and `_` are the same. A parameter of type some may come several times, its values
    add up. What is missing is not looked for here, nor are options that a command adds.

    Raises
    ------
    UsageError
        An unknown flag (with the nearest), a plain word, a value of another type, a parameter
        given twice.
    """
    values: dict[str, Any] = {}
    left = list(given)
    while left:
        word = left.pop(0)
        if not word.startswith("--") or word == "--":
            hint = f'; write --{tool.parameters[0].name}="{word}"' if tool.parameters else ""
            raise UsageError(f'"{word[:60]}" is not of the form --name=value{hint}')
        flag, equals, text = word[2:].partition("=")
        parameter, negated = _named(tool, flag)
        if negated and equals:
            raise UsageError(f"--{flag} takes no value")
        if isinstance(parameter, Boolean) and not equals:
            value: Any = not negated
        elif equals or (left and not left[0].startswith("--")):
            value = _read(parameter, flag, text if equals else left.pop(0))
        else:
            raise UsageError(f"--{flag} needs a value: --{flag}={_metavar(parameter)}")
        name = parameter.name if parameter else flag
        if name in values and not isinstance(parameter, Some):
            raise UsageError(f"--{name} is given twice")
        values[name] = values[name] + value if name in values else value
    return values


def _named(tool: Tool, flag: str) -> tuple[Parameter | None, bool]:
    """Return the parameter that a flag names, and whether it was `--no-…`.

    None where the tool takes others as well.
    """
    folded = flag.replace("-", "_").casefold()
    named = {parameter.name: parameter for parameter in tool.parameters}
    exact = named.get(flag) or named.get(flag.replace("-", "_"))
    same = [each for each in tool.parameters if each.name.casefold() == folded]
    if exact or len(same) == 1:
        return exact or same[0], False
    negated = named.get(folded.removeprefix("no_"))
    if folded.startswith("no_") and isinstance(negated, Boolean):
        return negated, True
    if tool.unknown_parameters == "allow" and NAME.match(flag):
        return None, False
    close = nearest(flag[:100], [*named, "help"])
    hint = f'; did you mean "--{close}"?' if close else "."
    flags = ", ".join(f"--{name}" for name in named) or "none"
    raise UsageError(f"unknown flag {shown('--' + flag)}{hint} Possible: {flags}.")


def _read(parameter: Parameter | None, flag: str, text: str) -> Any:
    if parameter is None:
        return text
    try:
        return parameter.read(text, any_option)
    except Invalid as error:
        raise UsageError(f"--{flag}: {error}") from None


def help_text(tool: Tool, page: Page | None = None, command: str = "satctl run") -> str:
    """Return the help of a test: what it does, how it is called, what it takes."""
    page = page or Page()
    required = [parameter for parameter in tool.parameters if parameter.required]
    shown_words = [f"--{each.name}={_metavar(each)}" for each in required]
    more = ["[--parameter=value …]"] if len(required) < len(tool.parameters) else []
    rows = [(f"--{each.name}={_metavar(each)}", _about(each)) for each in tool.parameters]
    other = "It also takes parameters that are not listed here."
    return join(
        page.head(tool.name, tool.description),
        [f"{page.title('Usage:')} {' '.join([command, tool.name, *shown_words, *more])}"],
        [page.title("Parameters"), *page.rows(rows)] if rows else [],
        [other] if tool.unknown_parameters == "allow" else [],
        [page.title("Example"), f"  {' '.join([command, tool.name, *_example(required)])}"],
    )


def _metavar(parameter: Parameter | None) -> str:
    if isinstance(parameter, Boolean):
        return "true|false"
    if isinstance(parameter, Choice) and parameter.options and not parameter.dynamic:
        joined = "|".join(parameter.options)
        return joined if len(joined) < 30 else "CHOICE"  # noqa: PLR2004
    if isinstance(parameter, Some):
        return "A,B,…"
    return _METAVARS.get(parameter.type, "TEXT") if parameter else "TEXT"


def _about(parameter: Parameter) -> str:
    said = [parameter.doc + ("" if parameter.doc[-1:] in ".!?" else ".")] if parameter.doc else []
    described: Mapping[str, Any] = parameter.describe()
    options = described.get("options", [])
    if options:
        listed = ", ".join(options[:_SHOWN_OPTIONS])
        more = ", …" if described["dynamic"] or len(options) > _SHOWN_OPTIONS else "."
        said.append(f"Options: {listed}{more}")
    elif described.get("dynamic"):
        said.append("The server knows the options.")
    bounds = [f"{key} {described[key]}" for key in ("min", "max") if key in described]
    if bounds:
        said.append(f"{', '.join(bounds).capitalize()}.")
    if parameter.default is not None:
        said.append(f"Default: {parameter.text(parameter.default) or 'empty'}.")
    elif parameter.required:
        said.append("Required.")
    return " ".join(said)


def _example(required: Sequence[Parameter]) -> list[str]:
    import shlex

    return [shlex.quote(f"--{each.name}={_sample(each)}") for each in required]


def _sample(parameter: Parameter) -> str:
    """Return a value that fits."""
    described = parameter.describe()
    if described.get("options"):
        return str(described["options"][0])
    if isinstance(parameter, Date):
        return "2026-01-31"
    number = described.get("min", described.get("max", 1))
    if isinstance(parameter, Real) or parameter.type in _METAVARS:
        return str(number)
    return "true" if isinstance(parameter, Boolean) else "text"
