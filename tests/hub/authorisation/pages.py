"""Who may call the routes of pages."""

from __future__ import annotations

from hashlib import sha256

from projects.hub.artifacts.artifacts import Artifacts
from projects.hub.artifacts.values import File, Wanted
from tests.hub.authorisation.expected import May, Table, Things
from tests.hub.hub_world import Hub

OPEN = ("/login", "/register", "/static/{name:path}")
"""The pages that anybody may see, and the form by which one becomes a user."""

_OF_A_SITE: Table = {
    ("GET", "/jobs"): May("read"),
    ("GET", "/find"): May("read"),
    ("GET", "/jobs/{job}"): May("read", "team reads"),
    ("POST", "/jobs/{job}/cancel"): May("submit", "team changes"),
    ("POST", "/jobs/{job}/retry"): May("submit", "team changes"),
    ("GET", "/jobs/{job}/log/{log}"): May("read", "team reads"),
    ("GET", "/jobs/{job}/log/{log}/plain"): May("read", "team reads"),
    ("GET", "/jobs/{job}/log/{log}/follow"): May("read", "team reads"),
    ("GET", "/jobs/{job}/files/{path:path}"): May("read", "team reads"),
    ("GET", "/submissions"): May("read"),
    ("GET", "/submissions/{submission}"): May("read", "team reads"),
    ("POST", "/submissions/{submission}/cancel"): May("submit", "team changes"),
    ("POST", "/submissions/{submission}/share"): May("submit", "team changes", fresh=True),
    ("GET", "/live"): May("read"),
}

TABLE: Table = {
    **_OF_A_SITE,
    **{
        (method, "/satellites/{nickname}" + path): may for (method, path), may in _OF_A_SITE.items()
    },
    ("GET", "/static/{name:path}"): May("nothing"),
    ("POST", "/register"): May("nothing"),
    ("GET", "/"): May("read"),
    ("GET", "/live/all"): May("read"),
    ("GET", "/satellite"): May("read"),
    ("GET", "/satellites"): May("read"),
    ("GET", "/satellites/{nickname}"): May("read"),
    ("GET", "/submit"): May("submit"),
    ("GET", "/submit/{tool}"): May("submit"),
    ("POST", "/submit/{tool}"): May("submit"),
    ("POST", "/submit/{tool}/preview"): May("submit"),
    ("GET", "/submit/{tool}/options/{parameter}"): May("submit"),
    ("GET", "/tables"): May("read"),
    ("GET", "/tables/{test_system}/{test_name}"): May("read", "team reads"),
    ("GET", "/tables/{test_system}/{test_name}/verdict"): May(
        "read", "team reads", query="column=latency"
    ),
    ("GET", "/artifacts"): May("read"),
    ("GET", "/artifacts/{run}"): May("read", "team reads"),
    ("GET", "/artifacts/{run}/{path:anything}"): May("read", "team reads"),
    ("GET", "/compare"): May("read", "team reads", query="a={run}&b={run}"),
    ("GET", "/projects"): May("read"),
    ("GET", "/account"): May("read"),
    ("POST", "/account/tokens"): May("submit"),
    ("POST", "/account/tokens/{token}/revoke"): May("submit", "owner's", fresh=True),
    ("POST", "/account/sessions/{session}/end"): May("submit", "owner's", fresh=True),
    ("GET", "/admin"): May("admin"),
    ("POST", "/admin/users"): May("admin"),
}


def _run(hub: Hub) -> str:
    """Export a run of `owner`, shared with `team`, with the file that `path` names."""
    artifacts: Artifacts = hub.world.app.state.artifacts
    digest = sha256(b"hello\n").digest()
    run = artifacts.begin(
        "owner", Wanted("nightly/1", groups=("team",)), [File(b"stdout.log", 6, digest, 0)]
    )
    if artifacts.missing(run):
        upload = artifacts.receive(run, digest, 0)
        try:
            upload.write(b"hello\n")
            artifacts.received(run, upload, digest)
        finally:
            upload.close()
    return artifacts.finish(run, "nightly/1", 1).id


THINGS: Things = {
    "nickname": lambda _: "nick",
    "name": lambda _: "topgallant.css",
    "run": _run,
}
