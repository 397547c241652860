"""The shape of a spec.json, as pydantic checks it and as its JSON schema tells editors.

Imported by `spec` when the first spec is read: pydantic takes longer to load than Python itself.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    WithJsonSchema,
)

from projects.jobs.tools import limits, units
from projects.jobs.tools.values import MAX_PARAMETERS

MAX_OPTIONS = 10_000

SCHEMA_TITLE = "spec.json of a Topgallant test script"

_TIME = {"anyOf": [{"type": "number", "exclusiveMinimum": 0}, {"type": "string"}]}
_SIZE = {"anyOf": [{"type": "integer", "minimum": 1}, {"type": "string"}]}
_COUNT = {"type": "integer", "minimum": 1}

Seconds = Annotated[float, BeforeValidator(units.seconds), WithJsonSchema(_TIME)]
Bytes = Annotated[int, BeforeValidator(units.size), WithJsonSchema(_SIZE)]
Count = Annotated[int, BeforeValidator(limits.count), WithJsonSchema(_COUNT)]
Cpus = Annotated[
    float,
    BeforeValidator(limits.cpus),
    WithJsonSchema({"type": "number", "minimum": 0.01}),
]
Variable = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=100)]
Resource = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._:/-]{1,100}$")]
Option = str | int | float


class _Shape(BaseModel):
    """Types as they are written: no text stands for a number unless a field says so."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True, allow_inf_nan=False)


class _Parameter(_Shape):
    name: Variable = Field(
        description="Reaches the script as --NAME=value and in the variable arg_NAME."
    )
    doc: str = Field(max_length=10_000, description="What it is, for people.")
    optional: bool = Field(default=False, description="A submission may leave it out.")
    default: Any = Field(
        default=None, description="Taken where a submission leaves it out, which it then may."
    )


class Boolean(_Parameter):
    """Reaches the script as True or False."""

    type: Literal["boolean"]


class String(_Parameter):
    """Any text, in a field of one line."""

    type: Literal["string"]


class Text(_Parameter):
    """Any text, in a field of many lines."""

    type: Literal["text"]


class _Listed(_Parameter):
    options: list[Option] = Field(default=[], max_length=MAX_OPTIONS)
    shell: str | None = Field(
        default=None,
        min_length=1,
        max_length=10_000,
        description="A shell command; each line that it prints is one more option.",
    )


class Choice(_Listed):
    """One of the options."""

    type: Literal["choice"]


class Some(_Listed):
    """Any of the options, joined by commas."""

    type: Literal["some"]
    no_duplicates: bool = Field(default=False, description="Each option at most once.")


class Integer(_Parameter):
    """An integer within ±2^53."""

    type: Literal["integer"]
    min: int | None = Field(default=None, description="The least that is allowed.")
    max: int | None = Field(default=None, description="The most that is allowed.")


class Nat(_Parameter):
    """An integer from 0 to 2^53."""

    type: Literal["nat"]


class Real(_Parameter):
    """A double, neither NaN nor infinite."""

    type: Literal["real"]
    min: float | None = Field(default=None, description="The least that is allowed.")
    max: float | None = Field(default=None, description="The most that is allowed.")


class Date(_Parameter):
    """A day, yyyy-MM-dd."""

    type: Literal["date"]


Parameter = Annotated[
    Boolean | String | Text | Choice | Integer | Nat | Real | Some | Date,
    Field(discriminator="type"),
]


class Upload(_Shape):
    """A JSON file that goes to a table of the hub when a job has ended."""

    results_file: str = Field(
        min_length=1, max_length=1000, description="A path below the job's directory."
    )
    test_system: str = Field(min_length=1, max_length=200)
    test_name: str = Field(min_length=1, max_length=200)


class Limits(_Shape):
    """The most that a job may take."""

    memory: Bytes | None = Field(default=None, description='Bytes, or a text like "2GiB".')
    cpus: Cpus | None = Field(default=None, description="Processors, which need not be whole.")
    cpu_seconds: Seconds | None = Field(default=None, description="CPU time of all its processes.")
    files: Count | None = Field(default=None, description="Files open at once in a process.")
    processes: Count | None = Field(default=None, description="Processes at once.")
    output: Bytes | None = Field(default=None, description="Bytes of stdout and stderr, each.")


class Spec(_Shape):
    """How a test script is called and what it takes."""

    description: str = Field(max_length=10_000, description="What the test script does.")
    parameters: list[Parameter] = Field(
        max_length=MAX_PARAMETERS, description="What the script takes, in the order of its words."
    )
    timeout: Seconds | None = Field(
        default=None, description='Seconds, or a text like "10m"; then the job ends as TIMEOUT.'
    )
    no_logs: bool = Field(default=False, description="true: neither stdout.log nor stderr.log.")
    working_directory: str | None = Field(
        default=None,
        min_length=1,
        max_length=4000,
        description="Where to run: absolute, or relative to this file; else the job's directory.",
    )
    uploads: list[Upload] = Field(default=[], max_length=100)
    on_restart: Literal["rerun", "reattach", "fail"] = Field(
        default="rerun",
        description="What becomes of a job whose end nobody saw: run again, or declared lost.",
    )
    resources: list[Resource] = Field(
        default=[],
        max_length=64,
        description="Names that only one running job at a time may hold.",
    )
    limits: Limits = Field(default=Limits())
    unknown_parameters: Literal["reject", "allow"] = Field(
        default="reject", description="What becomes of parameters that are not described here."
    )
    env_allow: list[Variable] = Field(
        default=[],
        max_length=100,
        description="Variables of the server's environment that the script gets.",
    )


def json_schema() -> dict[str, Any]:
    """Return the JSON schema (draft 2020-12) of a spec.json."""
    schema = Spec.model_json_schema()
    properties = {
        "$schema": {"type": "string", "description": "For editors: where this schema is."},
        **schema.pop("properties"),
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": SCHEMA_TITLE,
        "properties": properties,
    }


if __name__ == "__main__":
    import json

    print(json.dumps(json_schema(), indent=2))  # noqa: T201 (its output is the file)
