"""`/api/v1/notifications`: rules of one's own, a test of each, and what is on its way."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, ConfigDict
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from projects.hub.notifications import rules
from projects.hub.notifications.notifications import notifications_of
from projects.hub.notifications.values import CHANNELS
from projects.jobs.http.access import Reader, Submitter
from projects.jobs.http.answers import answer, page_answer
from projects.jobs.http.body import read_json, read_model
from projects.jobs.http.schemas import COMMON_ERRORS, body_schema

router = APIRouter(prefix="/api/v1/notifications", responses=COMMON_ERRORS, tags=["notifications"])

_MOST_BODY = 64 << 10
_Number = Annotated[int, Path(ge=1, le=1 << 53)]
_Limit = Annotated[int, Query(ge=1, le=1000, description="items of a page")]
_Cursor = Annotated[int | None, Query(ge=1, le=1 << 53, description="`next` of the page before")]


class Anything(BaseModel):
    """An object; the reference of notifications shows its fields."""

    model_config = ConfigDict(extra="allow")


@router.get("/rules", response_model=Anything)
async def notification_rules(request: Request, who: Reader) -> Response:
    """List one's rules, for admins everybody's, and the channels that there are."""
    room = notifications_of(request)
    found = await run_in_threadpool(room.outbox.rules, who.sees)
    there = [name for name in CHANNELS if name in room.channels]
    return answer({"items": [rules.shown(room, one) for one in found], "channels": there})


@router.post(
    "/rules", status_code=201, response_model=Anything, openapi_extra=body_schema(rules.NewRule)
)
async def create_notification_rule(request: Request, who: Submitter) -> Response:
    """Make a rule. What signs a webhook's messages, `secret`, is shown this once."""
    room = notifications_of(request)
    value = await read_json(request, _MOST_BODY)
    made, secret = await run_in_threadpool(rules.make, room, who.owner, value)
    more = {"secret": secret} if secret else {}
    where = {"Location": f"/api/v1/notifications/rules/{made.number}"}
    return answer(rules.shown(room, made) | more, 201, where)


@router.get("/rules/{rule}", response_model=Anything)
async def notification_rule(request: Request, who: Reader, rule: _Number) -> Response:
    """Show a rule."""
    found = await run_in_threadpool(rules.find, notifications_of(request), who, rule)
    return answer(rules.shown(notifications_of(request), found))


@router.patch("/rules/{rule}", response_model=Anything, openapi_extra=body_schema(rules.RuleChange))
async def change_notification_rule(request: Request, who: Submitter, rule: _Number) -> Response:
    """Change a rule, or make it inactive."""
    room = notifications_of(request)
    await run_in_threadpool(rules.find, notifications_of(request), who, rule)
    wanted = read_model(rules.RuleChange, await read_json(request, _MOST_BODY))
    changes = wanted.model_dump(exclude_none=True)
    if "on" in changes:
        changes["kinds"] = rules.in_order(changes.pop("on"))
    found = await run_in_threadpool(room.outbox.change_rule, rule, changes)
    if found is None:
        raise rules.absent(rule)
    return answer(rules.shown(room, found))


@router.delete("/rules/{rule}", status_code=204, response_class=Response)
async def delete_notification_rule(request: Request, who: Submitter, rule: _Number) -> Response:
    """Remove a rule; what waits to be sent by it is not sent."""
    await run_in_threadpool(rules.find, notifications_of(request), who, rule)
    await run_in_threadpool(notifications_of(request).outbox.remove_rule, rule)
    return Response(status_code=204)


@router.post("/rules/{rule}/test", status_code=202, response_model=Anything)
async def try_notification_rule(request: Request, who: Submitter, rule: _Number) -> Response:
    """Send a test message; the outbox says what became of it."""
    room = notifications_of(request)
    found = await run_in_threadpool(rules.find, notifications_of(request), who, rule)
    made = await run_in_threadpool(rules.try_out, room, who, found)
    return answer(rules.of_delivery(made), 202)


@router.get("/outbox", response_model=Anything)
async def notification_outbox(
    request: Request, who: Reader, limit: _Limit = 100, cursor: _Cursor = None
) -> Response:
    """List what was told by one's rules, or waits, or was abandoned and why; the newest first."""
    room = notifications_of(request)
    found = await run_in_threadpool(lambda: room.outbox.page(who.sees, limit=limit, before=cursor))
    following = str(found[-1].number) if len(found) == limit else None
    return page_answer(request, [rules.of_delivery(one) for one in found], following)
