"""A tool: what can be run as a job, with its parameters and how it wants to be run."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from projects.core.errors import ConfigurationError, TopgallantError
from projects.jobs.tools import parameters as kinds
from projects.jobs.tools.limits import Limits
from projects.jobs.tools.values import Values, validate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from projects.core.errors import Mark
    from projects.jobs.model.entities import OnRestart
    from projects.jobs.tools.parameters import Parameter
    from projects.jobs.tools.values import Options

NAME = re.compile(r"[A-Za-z0-9._-]{1,100}\Z")
"""Names of tools; one that begins with a dot is not looked at."""


@dataclass(frozen=True, slots=True)
class UploadSpec:
    """A file below the job's directory whose content goes to a table of the hub."""

    results_file: str
    test_system: str
    test_name: str


@dataclass(frozen=True, slots=True)
class Tool:
    """What can be run. `timeout` in seconds; `working_directory` absolute, None: the job's.

    `argv` are the first words of the command, `env_allow` the variables of the server that the
    job gets, `warnings` what is odd about its spec without being wrong.
    """

    name: str
    directory: str
    argv: tuple[str, ...]
    description: str = ""
    parameters: tuple[Parameter, ...] = ()
    digest: str = ""
    timeout: float | None = None
    no_logs: bool = False
    working_directory: str | None = None
    uploads: tuple[UploadSpec, ...] = ()
    on_restart: OnRestart = "rerun"
    resources: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)
    unknown_parameters: Literal["reject", "allow"] = "reject"
    env_allow: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    spec_file: str = ""
    kind: Literal["script", "entrypoint"] = "script"

    def parameter(self, name: str) -> Parameter | None:
        """Return the parameter called `name`, or None."""
        return next((each for each in self.parameters if each.name == name), None)

    def validate(
        self,
        given: Mapping[str, Any],
        options: Options | None = None,
        *,
        on_invalid: Literal["reject", "drop"] = "reject",
    ) -> Values:
        """Check the values of a job; InvalidParameters names all that are wrong."""
        return validate(
            self.parameters,
            given,
            unknown=self.unknown_parameters,
            on_invalid=on_invalid,
            options=options,
        )

    def command(self, values: Values) -> list[str]:
        """Return the words of the process: the script, and `--name=value` in the spec's order."""
        return [*self.argv, *values.arguments]

    def environment(self, values: Values, job_directory: str) -> dict[str, str]:
        """Return the variables that come from the tool and its values; no others."""
        del job_directory
        return values.environment

    def place(self, job_directory: str) -> str:
        """Return the directory to run in; ConfigurationError if the spec's isn't there."""
        place = self.working_directory or job_directory
        if not os.path.isdir(place):
            raise ConfigurationError(
                f"{self.spec_file}: working_directory: {place} is not a directory"
            )
        return place

    def describe(self) -> dict[str, Any]:
        """Return what forms, help texts and other machines need to know, as JSON values."""
        return {
            "name": self.name,
            "kind": self.kind,
            "description": self.description,
            "parameters": [parameter.describe() for parameter in self.parameters],
            "timeout": self.timeout,
            "no_logs": self.no_logs,
            "on_restart": self.on_restart,
            "resources": list(self.resources),
            "limits": self.limits.given(),
            "unknown_parameters": self.unknown_parameters,
            "digest": self.digest,
            "warnings": list(self.warnings),
        }

    def json_schema(self) -> dict[str, Any]:
        """Return the JSON schema of the `params` of a job of this tool."""
        return {
            "type": "object",
            "properties": {p.name: p.json_schema() for p in self.parameters},
            "required": [p.name for p in self.parameters if p.required],
            "additionalProperties": self.unknown_parameters == "allow",
        }


def from_description(said: Mapping[str, Any]) -> Tool:
    """Return the tool that `describe` described, to check words against; it can't be run here."""
    return Tool(
        name=said["name"],
        directory="",
        argv=(),
        description=said["description"],
        parameters=tuple(kinds.from_description(each) for each in said["parameters"]),
        timeout=said.get("timeout"),
        unknown_parameters=said.get("unknown_parameters", "reject"),
        digest=said.get("digest", ""),
        kind=said.get("kind", "script"),
    )


@dataclass(frozen=True, slots=True)
class InvalidTool:
    """A directory that should be a tool and isn't: `reason` says why, all of it."""

    name: str
    directory: str
    reason: str
    kind: Literal["script", "entrypoint"] = "script"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a spec: where, in which field (`parameters[1].min`), what."""

    field: str
    reason: str
    where: Mark | None = None

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        return f"{place}{self.field}: {self.reason}" if self.field else f"{place}{self.reason}"


class SpecError(ConfigurationError):
    """A tool can't be used: `problems` has all that is wrong with it."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        TopgallantError.__init__(self, "\n".join(map(str, problems)))
        self.where = problems[0].where
