"""What goes in and out, for the documentation: `render` makes the answers, the engine checks.

A test holds each answer against its schema here.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Header
from pydantic import BaseModel, ConfigDict, Field

from projects.jobs.http.tokens import Scope

Moment = Annotated[
    str, Field(description="ISO 8601, UTC", examples=["2026-01-02T03:04:05.000006Z"])
]
Id = Annotated[
    str, Field(description="UUIDv4 as 22 base64url characters", min_length=22, max_length=22)
]
ParentHeader = Annotated[
    str | None,
    Header(
        alias="Topgallant-Parent",
        description="$JOB_ID, sent from inside a job: the submission runs beside that job, whatever"
        " waits, and ends with it",
    ),
]
StateName = Literal[
    "NEW", "PREPARING", "WAITING", "STARTING", "RUNNING", "STOPPING", "CLEANING", "DONE", "ARCHIVED"
]
OutcomeName = Literal["SUCCESS", "FAILED", "TIMEOUT", "CANCELLED", "LOST"]


class ErrorBody(BaseModel):
    """What went wrong."""

    code: str
    message: str
    fields: dict[str, str] | None = Field(None, description="what is wrong where in the request")


class Error(BaseModel):
    """Every answer that isn't a success."""

    error: ErrorBody


class JobSpec(BaseModel):
    """One job to run."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(description="the tool", pattern="^[A-Za-z0-9._-]{1,100}$")
    params: dict[str, Any] = Field(default_factory=dict, max_length=200)
    timeout: float | None = Field(None, description="seconds", gt=0)
    limits: dict[str, int | float] | None = None


class SubmissionRequest(BaseModel):
    """Jobs that belong together."""

    model_config = ConfigDict(extra="forbid")

    job_specs: list[JobSpec] = Field(min_length=1, max_length=100_000)
    parallel: int | None = Field(None, description="so many of its jobs at once", ge=1)
    note: str = Field("", max_length=4096)
    priority: int = 0
    groups: list[str] | None = Field(
        None, description="with a hub: ids of groups that see it, too", max_length=100
    )


class Usage(BaseModel):
    """What a job took."""

    wall: float = Field(description="seconds")
    cpu: float = Field(description="seconds")
    peak_memory: int = Field(description="bytes")


class Job(BaseModel):
    """One execution of a tool."""

    id: Id
    uuid: str
    number: int
    submission_id: Id
    position: int
    owner: str
    tool: str
    params: dict[str, Any]
    state: StateName
    outcome: OutcomeName | None
    reason: str
    attempt: int
    return_code: int | None
    signal: int | None
    created: Moment
    started: Moment | None
    finished: Moment | None
    timeout: float | None
    on_restart: Literal["rerun", "reattach", "fail"]
    resources: list[str]
    limits: dict[str, int | float]
    usage: Usage | None


class Upload(BaseModel):
    """A result file on its way to the hub."""

    id: str
    test_system: str
    test_name: str
    attempts: int
    last_error: str
    done: Moment | None
    abandoned: bool


class UploadList(BaseModel):
    """The results of a job that go to the hub."""

    items: list[Upload]


class JobDetail(Job):
    """A job, and why it waits."""

    waits_for: str = Field(description="a sentence; empty unless it waits")
    queue_position: int | None = Field(
        description="among all jobs that wait, 1 is next; null: it doesn't wait, or is far behind"
    )


class SubmissionBase(BaseModel):
    """What a user sent."""

    id: Id
    uuid: str
    number: int
    owner: str
    note: str
    parallel: int | None
    priority: int
    created: Moment
    jobs: int
    cancelled: Moment | None
    parent: Id | None = Field(description="the job from inside which it was sent")


class Submission(SubmissionBase):
    """What a user sent, and what its jobs are doing."""

    phase: Literal["pending", "running", "done"]
    finished: Moment | None
    states: dict[StateName, int]
    outcomes: dict[OutcomeName, int]
    waits_for: str = Field(description="a sentence; empty unless none of its jobs has begun")
    queue_position: int | None = Field(
        description="among the submissions that haven't begun, 1 is next; null: as of a job"
    )


class Submitted(SubmissionBase):
    """An accepted submission: it is on disk."""

    job_ids: list[Id] = Field(description="in the order of job_specs")


class JobPage(BaseModel):
    """Jobs, the newest first."""

    items: list[Job]
    next: str | None = Field(description="the cursor of the next page")


class SubmissionPage(BaseModel):
    """Submissions, the newest first."""

    items: list[Submission]
    next: str | None = Field(description="the cursor of the next page")


class Event(BaseModel):
    """Something that happened to a job."""

    seq: int
    at: Moment
    job: int = Field(description="the job's number")
    attempt: int
    type: str
    before: StateName | None
    after: StateName | None
    message: str
    data: dict[str, Any]


class EventList(BaseModel):
    """What happened to one job, in order: the newest 1,000 events."""

    items: list[Event]


class Artifact(BaseModel):
    """A file that a job left."""

    path: str
    size: int = Field(description="bytes")
    modified: Moment


class ArtifactList(BaseModel):
    """The files of a job by path; `complete` is false if there are more than 10,000."""

    items: list[Artifact]
    complete: bool


class Tool(BaseModel):
    """What can be run; of an invalid one only why it can't."""

    model_config = ConfigDict(extra="allow")

    name: str
    kind: str
    valid: bool
    reason: str | None = None
    description: str | None = None
    parameters: list[dict[str, Any]] | None = None
    timeout: float | None = Field(None, description="seconds")


class ToolDetail(Tool):
    """A tool with the JSON schema of the `params` of its jobs."""

    params_schema: dict[str, Any] | None = None


class ToolList(BaseModel):
    """All tools, valid or not."""

    items: list[Tool]


class OptionList(BaseModel):
    """What a parameter may be; `warning` if the command that adds options failed."""

    options: list[str]
    warning: str


class Limits(BaseModel):
    """How much runs at once, and how long logs are kept."""

    parallel_submissions: int
    parallel_jobs: int
    capacity: int | None
    expire_days: float


class Info(BaseModel):
    """The server, in short."""

    version: str
    nickname: str
    uptime: float = Field(description="seconds")
    now: Moment
    running: int
    waiting: int
    tools: int
    limits: Limits


class Counts(BaseModel):
    """How many jobs there are."""

    total: int
    states: dict[StateName, int]
    outcomes: dict[OutcomeName, int]
    tools: dict[str, int]
    owners: dict[str, int]


class Health(BaseModel):
    """Whether the server does its work."""

    status: Literal["ok", "not ready"]
    problems: list[str]


class TokenRequest(BaseModel):
    """A token to be made."""

    model_config = ConfigDict(extra="forbid")

    owner: str | None = Field(
        None,
        description="oneself by default; somebody else only for admins",
        min_length=1,
        max_length=100,
        pattern=r"^[^\x00-\x1f]+$",
    )
    scopes: list[Scope] = Field(min_length=1, max_length=4)
    label: str = Field("", max_length=200)
    lifetime: float | None = Field(
        90 * 86400.0, description="seconds; null: it doesn't expire", gt=0, le=100 * 366 * 86400.0
    )


class Token(BaseModel):
    """What may be shown of a token."""

    id: str
    owner: str
    label: str
    scopes: list[str]
    created: Moment
    expires: Moment | None
    last_used: Moment | None
    revoked: Moment | None


class NewToken(Token):
    """A new token: its text is shown this once."""

    token: str


class TokenList(BaseModel):
    """All tokens."""

    items: list[Token]


def body_schema(model: type[BaseModel]) -> dict[str, Any]:
    """Return what a route that reads its body itself says about it in the documentation."""
    schema = model.model_json_schema()
    parts = schema.pop("$defs", {})
    content = {"application/json": {"schema": _inlined(schema, parts)}}
    return {"requestBody": {"required": True, "content": content}}


def _inlined(schema: Any, parts: dict[str, Any]) -> Any:
    if isinstance(schema, list):
        return [_inlined(each, parts) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _inlined(parts[schema["$ref"].rpartition("/")[2]], parts)
    return {key: _inlined(value, parts) for key, value in schema.items()}


COMMON_ERRORS: dict[int | str, dict[str, Any]] = {
    "4XX": {"model": Error, "description": "the request can't be served as it is"},
    "503": {"model": Error, "description": "not now"},
}
"""What every route may answer."""
