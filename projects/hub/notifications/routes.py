"""`/api/v1/notifications`: rules of one's own, a test of each, and what is on its way."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from projects.core.errors import unknown
from projects.hub.notifications.notifications import notifications_of
from projects.hub.notifications.values import CHANNELS, WANTED, Happening, Kind, Rule
from projects.jobs.http.access import Principal, Reader, Submitter
from projects.jobs.http.answers import answer, page_answer
from projects.jobs.http.body import read_json
from projects.jobs.http.refusals import Absent, Invalid
from projects.jobs.http.schemas import COMMON_ERRORS, body_schema
from projects.jobs.model import moment

if TYPE_CHECKING:
    from projects.hub.notifications.notifications import Notifications
    from projects.hub.notifications.values import Delivery

router = APIRouter(prefix="/api/v1/notifications", responses=COMMON_ERRORS, tags=["notifications"])

_MOST_BODY = 64 << 10
_Number = Annotated[int, Path(ge=1, le=1 << 53)]
_Limit = Annotated[int, Query(ge=1, le=1000, description="items of a page")]
_Cursor = Annotated[int | None, Query(ge=1, le=1 << 53, description="`next` of the page before")]
_Line = Annotated[str, Field(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]
_Pattern = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]
_Kind = Literal["failed", "recovered", "slower"]
_Kinds = Annotated[list[_Kind], Field(min_length=1, max_length=3)]
Wanted = TypeVar("Wanted", bound=BaseModel)


class RuleChange(BaseModel):
    """What is changed of a rule; another target is another rule."""

    model_config = ConfigDict(extra="forbid")

    name: _Line | None = None
    on: _Kinds | None = None
    pattern: _Pattern | None = Field(None, description="of names of tests, or `system/name`")
    shared: bool | None = Field(None, description="also what one's groups see")
    active: bool | None = None


class NewRule(BaseModel):
    """Whom to tell of what."""

    model_config = ConfigDict(extra="forbid")

    channel: Literal["mail", "webhook", "slack", "github"]
    target: Annotated[str, Field(min_length=1, max_length=2000)]
    name: _Line = ""
    on: _Kinds = ["failed", "recovered", "slower"]
    pattern: _Pattern = "*"
    shared: bool = False


class Anything(BaseModel):
    """An object; the reference of notifications shows its fields."""

    model_config = ConfigDict(extra="allow")


@router.get("/rules", response_model=Anything)
async def notification_rules(request: Request, who: Reader) -> Response:
    """List one's rules, for admins everybody's, and the channels that there are."""
    room = notifications_of(request)
    found = await run_in_threadpool(room.outbox.rules, who.sees)
    there = [name for name in CHANNELS if name in room.channels]
    return answer({"items": [_shown(room, one) for one in found], "channels": there})


@router.post("/rules", status_code=201, response_model=Anything, openapi_extra=body_schema(NewRule))
async def create_notification_rule(request: Request, who: Submitter) -> Response:
    """Make a rule. What signs a webhook's messages, `secret`, is shown this once."""
    room = notifications_of(request)
    wanted = _checked(NewRule, await read_json(request, _MOST_BODY))
    channel = room.channels.get(wanted.channel)
    if channel is None:
        said = f"the hub has no {wanted.channel} set up; it has {', '.join(room.channels)}"
        raise Invalid(f"channel: {said}", fields={"channel": said})
    if wrong := channel.wrong(wanted.target):
        raise Invalid(f"target: {wrong}", fields={"target": wrong})
    secret = secrets.token_urlsafe(32) if wanted.channel == "webhook" else ""
    values = wanted.model_dump(exclude={"on"}) | {
        "owner": who.owner,
        "kinds": _in_order(wanted.on),
        "secret": secret,
        "active": True,
    }
    made = await run_in_threadpool(room.outbox.add_rule, values)
    more = {"secret": secret} if secret else {}
    where = {"Location": f"/api/v1/notifications/rules/{made.number}"}
    return answer(_shown(room, made) | more, 201, where)


@router.get("/rules/{rule}", response_model=Anything)
async def notification_rule(request: Request, who: Reader, rule: _Number) -> Response:
    """Show a rule."""
    found = await _find(request, who, rule)
    return answer(_shown(notifications_of(request), found))


@router.patch("/rules/{rule}", response_model=Anything, openapi_extra=body_schema(RuleChange))
async def change_notification_rule(request: Request, who: Submitter, rule: _Number) -> Response:
    """Change a rule, or make it inactive."""
    room = notifications_of(request)
    await _find(request, who, rule)
    wanted = _checked(RuleChange, await read_json(request, _MOST_BODY))
    changes = wanted.model_dump(exclude_none=True)
    if "on" in changes:
        changes["kinds"] = _in_order(changes.pop("on"))
    found = await run_in_threadpool(room.outbox.change_rule, rule, changes)
    if found is None:
        raise _absent(rule)
    return answer(_shown(room, found))


@router.delete("/rules/{rule}", status_code=204, response_class=Response)
async def delete_notification_rule(request: Request, who: Submitter, rule: _Number) -> Response:
    """Remove a rule; what waits to be sent by it is not sent."""
    await _find(request, who, rule)
    await run_in_threadpool(notifications_of(request).outbox.remove_rule, rule)
    return Response(status_code=204)


@router.post("/rules/{rule}/test", status_code=202, response_model=Anything)
async def try_notification_rule(request: Request, who: Submitter, rule: _Number) -> Response:
    """Send a test message; the outbox says what became of it."""
    room = notifications_of(request)
    found = await _find(request, who, rule)
    what = Happening(
        Kind.TEST,
        f"test:{secrets.token_hex(8)}",
        "",
        found.owner,
        (),
        "A test from Topgallant",
        f"{who.owner} asked for it: this is where notifications arrive.",
        "/account",
        moment.now(),
    )
    made = await run_in_threadpool(room.outbox.test, found, what, room.settings.url)
    return answer(_of_delivery(made), 202)


@router.get("/outbox", response_model=Anything)
async def notification_outbox(
    request: Request, who: Reader, limit: _Limit = 100, cursor: _Cursor = None
) -> Response:
    """List what was told by one's rules, or waits, or was abandoned and why; the newest first."""
    room = notifications_of(request)
    found = await run_in_threadpool(lambda: room.outbox.page(who.sees, limit=limit, before=cursor))
    following = str(found[-1].number) if len(found) == limit else None
    return page_answer(request, [_of_delivery(one) for one in found], following)


async def _find(request: Request, who: Principal, number: int) -> Rule:
    found = await run_in_threadpool(notifications_of(request).outbox.rule, number)
    if found is None or not who.may_change(found.owner):
        raise _absent(number)
    return found


def _absent(number: int) -> Absent:
    return Absent(f"there is no rule {number}")


def _in_order(kinds: list[Any]) -> list[str]:
    return [str(kind) for kind in WANTED if kind in kinds]


def _checked(kind: type[Wanted], value: Any) -> Wanted:
    try:
        return kind.model_validate(value, strict=True)
    except ValidationError as error:
        fields = {}
        for one in error.errors(include_url=False, include_input=False)[:20]:
            name = ".".join(map(str, one["loc"]))[:100] or "body"
            said = str(one["msg"])
            if one["type"] == "extra_forbidden":
                said = unknown("field", name, kind.model_fields)
            fields[name] = said
        message = "; ".join(f"{name}: {said}" for name, said in fields.items())
        raise Invalid(message, fields=fields) from None


def _shown(room: Notifications, one: Rule) -> dict[str, Any]:
    channel = room.channels.get(one.channel)
    return {
        "number": one.number,
        "owner": one.owner,
        "name": one.name,
        "on": list(map(str, one.kinds)),
        "pattern": one.pattern,
        "shared": one.shared,
        "channel": one.channel,
        "target": channel.shown(one.target) if channel else "***",
        "active": one.active,
        "created": moment.iso(one.created),
    }


def _of_delivery(one: Delivery) -> dict[str, Any]:
    return {
        "number": one.number,
        "rule": one.rule,
        "state": one.state,
        "event": one.message["event"],
        "title": one.message["title"],
        "created": moment.iso(one.created),
        "attempts": one.attempts,
        "next_at": None if one.next_at is None else moment.iso(one.next_at),
        "delivered": None if one.delivered is None else moment.iso(one.delivered),
        "error": one.error,
    }
