"""Whatever changes something is in the audit log, whichever way it was done."""

from __future__ import annotations

from typing import Any

import httpx
from fastapi.routing import iter_route_contexts

from projects.hub.app.trail import ACTIONS
from tests.hub import test_authorisation as authorisation
from tests.hub.authorisation import tables
from tests.hub.authorisation.expected import May
from tests.hub.hub_world import PASSWORD, TEST, Hub


class Form(str):
    """What a page sends."""

    __slots__ = ()


FORM = Form("scope=read&label=x&name=owner")
ROWS = "/api/v1/tables/{test_system}/{test_name}"

SHARED = "/api/v1/submissions/{submission}/groups"
SHARED_THERE = "/api/v1/satellites/{satellite}/submissions/{submission}/groups"

EXEMPT = {
    # Each says by itself who sent it, and there are very many.
    ("POST", ROWS + "/rows"),
    # Parts of an export, of which the end is noted.
    ("POST", "/api/v1/artifacts"),
    ("PUT", "/api/v1/artifacts/{id_}/lease"),
    ("POST", "/api/v1/blobs"),
    ("PUT", "/api/v1/blobs/{sha256}"),
    # These change nothing.
    ("POST", "/submit/{tool}/preview"),
    ("POST", "/api/v1/notifications/rules/{rule}/test"),
    ("POST", "/notifications/{rule}/test"),
}

DONE: dict[tuple[str, str], tuple[str, Any]] = {
    ("POST", "/api/v1/login"): ("login", {"name": "pia", "password": PASSWORD}),
    ("POST", "/api/v1/logout"): ("logout", None),
    ("POST", "/api/v1/register"): ("user.create", {"name": "reg", "password": PASSWORD}),
    ("POST", "/register"): ("user.create", Form(f"name=reg2&password={PASSWORD}")),
    ("DELETE", "/api/v1/sessions/{session}"): ("logout", None),
    ("POST", "/api/v1/users"): ("user.create", {"name": "new"}),
    ("PATCH", "/api/v1/users/{user}"): ("user.change", {"full_name": "Own R"}),
    ("PUT", "/api/v1/users/{user}/password"): ("user.password", {"new": "another horse"}),
    ("POST", "/api/v1/links"): ("link.create", {"user": "owner"}),
    ("POST", "/api/v1/groups"): ("group.create", {"id": "made", "title": "Made"}),
    ("PATCH", "/api/v1/groups/{group}"): ("group.change", {"title": "Other"}),
    ("DELETE", "/api/v1/groups/{group}"): ("group.delete", None),
    ("PUT", "/api/v1/groups/{group}/members/{user}"): ("group.member.put", {"manager": True}),
    ("DELETE", "/api/v1/groups/{group}/members/{user}"): ("group.member.delete", None),
    ("PATCH", "/api/v1/settings"): ("settings.change", {"registration": "open"}),
    ("POST", "/api/v1/tokens"): ("token.create", {"scopes": ["read"]}),
    ("DELETE", "/api/v1/tokens/{token}"): ("token.revoke", None),
    ("PATCH", ROWS): ("table.change", {"groups": []}),
    ("POST", ROWS + "/acknowledgements"): ("acknowledgement.create", tables.ACCEPTED),
    ("DELETE", ROWS + "/acknowledgements/{acknowledgement}"): ("acknowledgement.delete", None),
    ("POST", "/api/v1/artifacts/{id_}/finish"): ("artifact.publish", {}),
    ("POST", "/api/v1/artifacts/{id_}/withdraw"): ("artifact.withdraw", None),
    ("DELETE", "/api/v1/artifacts/{id_}"): ("artifact.delete", None),
    ("PUT", "/api/v1/artifact-quotas/{user}"): ("quota.change", {"quota": 5}),
    ("POST", "/api/v1/notifications/rules"): (
        "notification_rule.create",
        {"channel": "webhook", "target": "http://127.0.0.1:9/hook"},
    ),
    ("PATCH", "/api/v1/notifications/rules/{rule}"): ("notification_rule.change", {"name": "x"}),
    ("DELETE", "/api/v1/notifications/rules/{rule}"): ("notification_rule.delete", None),
    ("POST", "/api/v1/satellites"): (
        "satellite.register",
        {"nickname": "lab-9", "url": "http://lab-9.example.com:8001", "tools": []},
    ),
    ("DELETE", "/api/v1/satellites/{satellite}"): ("satellite.delete", None),
    **{
        (method, below + path): done
        for below in ("/api/v1", "/satellite")
        for (method, path), done in {
            ("POST", "/submissions"): (
                "submission.create",
                {"job_specs": [{"name": "example"}]},
            ),
            ("POST", "/submissions/{submission}/cancel"): ("submission.cancel", None),
            ("POST", "/jobs/{job}/cancel"): ("job.cancel", None),
            ("POST", "/jobs/{job}/retry"): ("job.retry", None),
        }.items()
    },
    **{
        ("POST", below + path): (action, FORM)
        for below in ("", "/satellites/{nickname}")
        for path, action in {
            "/submissions/{submission}/cancel": "submission.cancel",
            "/submissions/{submission}/share": "submission.share",
            "/jobs/{job}/cancel": "job.cancel",
            "/jobs/{job}/retry": "job.retry",
        }.items()
    },
    ("PUT", SHARED): ("submission.share", {"groups": ["team"]}),
    ("PUT", SHARED_THERE): ("submission.share", {"groups": ["team"]}),
    ("POST", "/submit/{tool}"): ("submission.create", FORM),
    ("POST", "/account/tokens"): ("token.create", FORM),
    ("POST", "/account/tokens/{token}/revoke"): ("token.revoke", FORM),
    ("POST", "/account/sessions/{session}/end"): ("logout", FORM),
    ("POST", "/account/sessions/end"): ("logout", FORM),
    ("POST", "/account/about"): ("user.change", Form("full_name=Own+R")),
    ("POST", "/account/autoshare"): ("user.change", FORM),
    ("POST", "/account/password"): (
        "user.password",
        Form(f"old=&new={PASSWORD}+2&again={PASSWORD}+2"),
    ),
    ("POST", "/admin/users"): ("link.create", FORM),
    ("POST", "/admin/quotas"): ("quota.change", Form("user=owner&quota=5")),
    ("POST", "/groups"): ("group.create", Form("id=seen&title=Seen")),
    ("POST", "/groups/{group}/title"): ("group.change", Form("title=Other")),
    ("POST", "/groups/{group}/members"): ("group.member.put", Form("user=owner")),
    ("POST", "/groups/{group}/members/{user}/remove"): ("group.member.delete", FORM),
    ("POST", "/groups/{group}/remove"): ("group.delete", FORM),
    ("POST", "/notifications"): (
        "notification_rule.create",
        Form("channel=webhook&target=http%3A%2F%2F127.0.0.1%3A9%2Fhook&on=failed"),
    ),
    ("POST", "/notifications/{rule}/active"): ("notification_rule.change", Form("active=no")),
    ("POST", "/notifications/{rule}/remove"): ("notification_rule.delete", FORM),
    ("POST", "/tables/{test_system}/{test_name}/settings"): ("table.change", FORM),
}
"""What is done by a route, with what is sent."""

_WORKING = ("running", "waiting")


def test_every_route_that_changes_something_is_noted_or_exempt(hub: Hub) -> None:
    changing = {route for route in authorisation.routes(hub) if route[0] not in ("GET", "HEAD")}
    assert changing - set(DONE) - EXEMPT == set()
    assert (set(DONE) | EXEMPT) - changing == set()
    names = {getattr(route, "name", "") for route in _flat(hub)}
    assert set(ACTIONS) - names == set(), "these are no routes any more"


def _flat(hub: Hub) -> list[Any]:
    return [context.route for context in iter_route_contexts(hub.world.app.routes)]


def test_what_was_done_is_in_the_log_once_with_who_and_on_what(hub: Hub) -> None:
    stage = authorisation.Stage(hub)
    hub.user("pia", password=PASSWORD)
    hub.directory.set_registration("open", TEST)
    wrong = {}
    for (method, path), (action, sent) in DONE.items():
        address = _address(hub, stage, path)
        before = len(hub.audited())
        answer = _send(_caller(hub, path), method, address, sent)
        after = hub.audited()
        added = after[: len(after) - before]
        if answer.status_code >= httpx.codes.BAD_REQUEST:
            wrong[method, path] = f"{answer.status_code}: {answer.text[:200]}"
        elif [bool(who and what) for who, done, what in added if done == action] != [True]:
            wrong[method, path] = f"{action}: {added}"
    assert wrong == {}


def _address(hub: Hub, stage: authorisation.Stage, path: str) -> str:
    """Return an address of a new thing; of a job that runs where one is cancelled."""
    info = hub.client("boss", "admin")
    hub.world.until(lambda: not any(info.get("/api/v1/info").json()[w] for w in _WORKING))
    hub.world.puppets.hold = path.endswith("/cancel")
    if hub.world.puppets.hold:
        (job,) = hub.world.submit(hub.client("owner"))
        found = hub.world.store.job(job)
        assert found is not None
        path = path.replace("{job}", job).replace("{submission}", found.submission_id)
    other = {"id_": "open_run"} if path.endswith("/finish") else {}
    if path == SHARED_THERE:
        other = {"satellite": "nickname"}
    return stage.address(path, May("admin", fresh=True, other=other))


def _caller(hub: Hub, path: str) -> httpx.Client:
    if path in ("/api/v1/login", "/api/v1/register", "/register"):
        return hub.browser()
    is_page = path == "/api/v1/logout" or not path.startswith(("/api/", "/satellite/"))
    return hub.browser("boss") if is_page else hub.client("boss", "admin")


def _send(client: httpx.Client, method: str, address: str, sent: Any) -> httpx.Response:
    if isinstance(sent, Form):
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        return client.request(method, address, content=str(sent), headers=kind)
    return client.request(method, address, **({} if sent is None else {"json": sent}))
