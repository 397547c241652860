"""Tests as the server describes them: their help, and words read as their parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from projects.core.errors import UsageError
from projects.jobs.library.client import Client, part
from projects.jobs.tools import words
from projects.jobs.tools.tool import from_description
from projects.satellite.satctl import printing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from projects.jobs.tools.tool import Tool

_OURS = ("wait", "timeout", "note", "job_timeout")


def tool_of(client: Client, name: str) -> Tool:
    """Return the test of this name.

    Raises
    ------
    UsageError
        It can't be used, with the reason.
    Refused
        There is none, with the nearest name.
    """
    said = printing.data_of(client.get(f"/satellite/tests/{part(name)}"))
    if not said["valid"]:
        raise UsageError(f'the test "{name}" can\'t be used: {said["reason"]}')
    return from_description(said)


def params_of(tool: Tool, given: Sequence[str]) -> dict[str, Any]:
    """Return the parameters that words mean; what is missing or not allowed the server says.

    Raises
    ------
    UsageError
        An unknown flag, a value of another type.
    """
    try:
        return words.from_words(tool, given)
    except UsageError as error:
        names = [word.partition("=")[0].lstrip("-").replace("-", "_") for word in given]
        known = [parameter.name for parameter in tool.parameters]
        ours = [name for name in names if name in _OURS and name not in known]
        if not ours:
            raise
        hint = f"satctl's own flags stand before the test: satctl run --{ours[0]} {tool.name}"
        raise UsageError(f"{error} ({hint})") from None


def help_of(tool: Tool) -> str:
    """Return what a test is, what it takes, an example."""
    from projects.satellite.satctl.help import called, page

    return words.help_text(tool, page(), f"{called()} run")
