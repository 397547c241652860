"""What one wants to be told, and what became of it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from projects.hub.notifications import rules
from projects.hub.notifications.notifications import notifications_of
from projects.hub.notifications.values import CHANNELS, WANTED
from projects.hub.pages import forms
from projects.hub.pages.page_route import Actor, PageRoute, Viewer
from projects.hub.pages.rendering import page
from projects.jobs.http.access import DONE_TO, Principal
from projects.jobs.http.body import Form, read_form
from projects.jobs.http.refusals import Refusal

router = APIRouter(route_class=PageRoute, include_in_schema=False)

MOST = 30
"""Deliveries that are shown."""

_FIELDS = ("channel", "target", "on", "pattern", "name")
_ABOUT = {
    "failed": "a job fails",
    "recovered": "a job succeeds that failed before",
    "slower": "a column of a table gets worse",
}
_TARGETS = {
    "mail": ("mail", "an address: ann@example.com"),
    "webhook": ("webhook", "an address that takes JSON: https://example.com/hook"),
    "slack": ("Slack", "an incoming webhook: https://hooks.slack.com/services/…"),
    "github": ("GitHub", "an issue or pull request: owner/repository#12"),
}
_DONE = {
    "made": "The rule is made. Send a test message to see that it arrives.",
    "sent": "A test message is on its way: what becomes of it is below.",
    "removed": "The rule is removed.",
}
_Number = Annotated[int, Path(ge=1, le=1 << 53)]


@router.get("/notifications")
async def notifications(request: Request, who: Viewer, done: str = "") -> Response:
    """Show one's rules, and what they told lately."""
    return await _page(request, who, done=_DONE.get(done, ""))


@router.post("/notifications")
async def make_notification_rule(request: Request, who: Actor) -> Response:
    """Make a rule; what signs a webhook's messages is on the page that answers, nowhere else."""
    form = await read_form(request)
    room = notifications_of(request)
    try:
        made, secret = await run_in_threadpool(rules.make, room, who.owner, _request_of(form))
    except Refusal as refusal:
        return await _page(request, who, new=_refused(form, refusal))
    request.scope[DONE_TO] = made.number
    if not secret:
        return RedirectResponse(f"/notifications?done=made#rule-{made.number}", 303)
    return await _page(request, who, secret=secret, made=made.number)


@router.post("/notifications/{rule}/test")
async def try_notification_rule(request: Request, who: Actor, rule: _Number) -> Response:
    """Send a test message."""
    room = notifications_of(request)
    found = await run_in_threadpool(rules.find, room, who, rule)
    await run_in_threadpool(rules.try_out, room, who, found)
    return RedirectResponse("/notifications?done=sent#deliveries", 303)


@router.post("/notifications/{rule}/active")
async def pause_notification_rule(request: Request, who: Actor, rule: _Number) -> Response:
    """Let a rule tell nothing for a while, or tell again."""
    room = notifications_of(request)
    await run_in_threadpool(rules.find, room, who, rule)
    form = await read_form(request)
    change = {"active": form.get("active") == "yes"}
    await run_in_threadpool(room.outbox.change_rule, rule, change)
    return RedirectResponse(f"/notifications#rule-{rule}", 303)


@router.post("/notifications/{rule}/remove")
async def remove_notification_rule(request: Request, who: Actor, rule: _Number) -> Response:
    """Remove a rule; what waits to be sent by it is not sent."""
    room = notifications_of(request)
    await run_in_threadpool(rules.find, room, who, rule)
    await run_in_threadpool(room.outbox.remove_rule, rule)
    return RedirectResponse("/notifications?done=removed", 303)


def _request_of(form: Form) -> dict[str, Any]:
    """Return a form as the request that a program would send."""
    return {
        "channel": form.get("channel"),
        "target": form.get("target").strip(),
        "name": form.get("name").strip(),
        "on": form.all_of("on"),
        "pattern": form.get("pattern").strip() or "*",
        "shared": form.get("shared") == "yes",
    }


def _refused(form: Form, refusal: Refusal) -> forms.Filled:
    if not form.all_of("on"):
        refusal.fields["on"] = "choose at least one"
    if not form.get("target").strip():
        refusal.fields["target"] = "say where to"
    return forms.refused(form, refusal, _FIELDS)


async def _page(
    request: Request,
    who: Principal,
    *,
    done: str = "",
    secret: str = "",
    made: int = 0,
    new: forms.Filled = forms.EMPTY,
) -> Response:
    room = notifications_of(request)

    def read() -> dict[str, Any]:
        own = room.outbox.rules(who.owner)
        lately = room.outbox.page(who.owner, limit=MOST)
        shown = [rules.shown(room, one) for one in own]
        return {
            "rules": shown,
            "names": {
                one["number"]: one["name"] or f"{one['channel']} {one['target']}" for one in shown
            },
            "deliveries": [rules.of_delivery(one) for one in lately],
        }

    told = await run_in_threadpool(read)
    return page(
        request,
        "notifications.html",
        who,
        status=new.status,
        section="account",
        tab="notifications",
        done=done,
        secret=secret,
        made=made,
        new=new,
        kinds=[(str(kind), _ABOUT[kind]) for kind in WANTED],
        chosen=[value for name, value in new.fields if name == "on"] if new.fields else [*WANTED],
        channels=[(name, *_TARGETS[name]) for name in CHANNELS if name in room.channels],
        missing=[_TARGETS[name][0] for name in CHANNELS if name not in room.channels],
        has_link=bool(room.settings.url),
        **told,
    )
