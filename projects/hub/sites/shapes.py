"""What a satellite answers, held against what `/api/v1` says: another program is not believed.

What passes is shown in pages of the hub, put into their addresses, and counted with. So an id is
an id, a moment a moment, and the name of a tool leads nowhere else.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, Field, TypeAdapter, ValidationError

from projects.core.errors import UsageError
from projects.hub.sites.site import SiteAway
from projects.jobs.http import schemas
from projects.jobs.model import identity, moment
from projects.jobs.tools import parameters
from projects.jobs.tools.texts import Invalid
from projects.jobs.tools.tool import NAME


def _is_id(text: str) -> str:
    try:
        whole = identity.parse(text) == text
    except UsageError:
        whole = False
    if not whole:
        raise ValueError("is no id")
    return text


def _is_moment(text: str) -> str:
    moment.parse_iso(text)
    return text


def _is_tool(text: str) -> str:
    if not NAME.match(text):
        raise ValueError("is no name of a tool")
    return text


_Id = Annotated[str, AfterValidator(_is_id)]
_Moment = Annotated[str, AfterValidator(_is_moment)]
_Tool = Annotated[str, AfterValidator(_is_tool)]
_Next = Annotated[str, Field(max_length=1000)] | None


class _Job(schemas.Job):
    id: _Id
    submission_id: _Id
    tool: _Tool
    created: _Moment
    started: _Moment | None
    finished: _Moment | None


class _Submission(schemas.Submission):
    id: _Id
    created: _Moment
    finished: _Moment | None
    cancelled: _Moment | None
    waits_for: str = ""
    queue_position: int | None = None


class _Submitted(schemas.SubmissionBase):
    id: _Id
    job_ids: list[_Id]


class _JobDetail(_Job):
    waits_for: str = ""
    queue_position: int | None = None


class _Page(BaseModel):
    next: _Next


class _Jobs(_Page):
    items: list[_Job]


class _Submissions(_Page):
    items: list[_Submission]


class _Event(schemas.Event):
    at: _Moment


class _Upload(schemas.Upload):
    done: _Moment | None


class _Artifact(schemas.Artifact):
    modified: _Moment


class _Artifacts(BaseModel):
    items: list[_Artifact]
    complete: bool


class _Events(BaseModel):
    items: list[_Event]


class _Uploads(BaseModel):
    items: list[_Upload]


class _Parameter(BaseModel):
    name: str
    type: str
    doc: str
    required: bool
    min: float | str | None = None
    max: float | str | None = None
    options: list[str] = []
    dynamic: bool = False
    no_duplicates: bool = False


class _Described(schemas.Tool):
    name: _Tool
    parameters: list[_Parameter] | None = None  # type: ignore[assignment]


class _Tools(BaseModel):
    items: list[_Described]


class _Token(BaseModel):
    # It goes into a header, and is masked wherever it is written.
    token: str = Field(pattern=r"^[!-~]{16,200}$")


class _LogPiece(BaseModel):
    at: int
    text: str


class _LogEnd(BaseModel):
    state: schemas.StateName
    outcome: schemas.OutcomeName | None


Kind = Literal[
    "job",
    "job in short",
    "submission",
    "accepted submission",
    "list of jobs",
    "list of submissions",
    "list of events",
    "list of uploads",
    "list of files",
    "list of tools",
    "tool",
    "list of options",
    "server",
    "count",
    "token",
    "log",
    "end",
]
_KINDS: dict[Kind, TypeAdapter[Any]] = {
    "job": TypeAdapter(_JobDetail),
    "job in short": TypeAdapter(_Job),
    "submission": TypeAdapter(_Submission),
    "accepted submission": TypeAdapter(_Submitted),
    "list of jobs": TypeAdapter(_Jobs),
    "list of submissions": TypeAdapter(_Submissions),
    "list of events": TypeAdapter(_Events),
    "list of uploads": TypeAdapter(_Uploads),
    "list of files": TypeAdapter(_Artifacts),
    "list of tools": TypeAdapter(_Tools),
    "tool": TypeAdapter(_Described),
    "list of options": TypeAdapter(schemas.OptionList),
    "server": TypeAdapter(schemas.Info),
    "count": TypeAdapter(schemas.Counts),
    "token": TypeAdapter(_Token),
    "log": TypeAdapter(_LogPiece),
    "end": TypeAdapter(_LogEnd),
}


def checked(nickname: str, kind: Kind, value: Any) -> Any:
    """Return `value` if it is what it should be; what older satellites don't say is added.

    Raises
    ------
    SiteAway
        It isn't: says where and how.
    """
    try:
        _KINDS[kind].validate_python(value, strict=True)
        for tool in {"tool": [value], "list of tools": value.get("items")}.get(kind) or ():
            _complete(tool)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"]))[:100]
        raise _wrong(nickname, kind, f"{where}: {first['msg']}") from None
    except (Invalid, KeyError, TypeError, ValueError, AttributeError) as error:
        raise _wrong(nickname, kind, str(error)[:200]) from None
    return value


def fits(kind: Kind, value: Any) -> bool:
    """Return whether a value of a stream is what it should be."""
    try:
        _KINDS[kind].validate_python(value, strict=True)
    except ValidationError:
        return False
    return True


def _complete(tool: dict[str, Any]) -> None:
    if tool["valid"]:
        for one in tool.setdefault("parameters", []):
            parameters.from_description(one)
    for name, usual in (("description", ""), ("reason", ""), ("timeout", None)):
        if tool.get(name) is None:
            tool[name] = usual


def _wrong(nickname: str, kind: str, said: str) -> SiteAway:
    return SiteAway(f"satellite {nickname} answered something that is no {kind} ({said})")
