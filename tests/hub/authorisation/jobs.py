"""Who may call the routes of jobs, and of the server itself."""

from __future__ import annotations

from tests.hub.authorisation.expected import May, Table, Things
from tests.hub.hub_world import Hub

THERE = "/api/v1/satellites/{satellite}/submissions/{submission}/groups"
NICK = {"satellite": "nickname"}
ONE = {"job_specs": [{"name": "example"}]}

TABLE: Table = {
    ("POST", "/api/v1/submissions"): May("submit", body=ONE),
    ("GET", "/api/v1/submissions"): May("read"),
    ("GET", "/api/v1/submissions/{submission}"): May("read", "team reads"),
    ("POST", "/api/v1/submissions/{submission}/cancel"): May("submit", "team changes"),
    ("GET", "/api/v1/submissions/{submission}/groups"): May("read", "team reads"),
    ("PUT", "/api/v1/submissions/{submission}/groups"): May(
        "submit", "team changes", body={"groups": ["team"]}
    ),
    ("GET", THERE): May("read", "team reads", other=NICK),
    ("PUT", THERE): May("submit", "team changes", body={"groups": ["team"]}, other=NICK),
    ("GET", "/api/v1/jobs"): May("read"),
    ("GET", "/api/v1/jobs/{job}"): May("read", "team reads"),
    ("GET", "/api/v1/jobs/{job}/uploads"): May("read", "team reads"),
    ("POST", "/api/v1/jobs/{job}/cancel"): May("submit", "team changes"),
    ("POST", "/api/v1/jobs/{job}/retry"): May("submit", "team changes"),
    ("GET", "/api/v1/jobs/{job}/events"): May("read", "team reads"),
    ("GET", "/api/v1/jobs/{job}/logs/{log}"): May("read", "team reads"),
    ("GET", "/api/v1/jobs/{job}/artifacts"): May("read", "team reads"),
    ("GET", "/api/v1/jobs/{job}/artifacts/{path:path}"): May("read", "team reads"),
    ("GET", "/api/v1/tools"): May("read"),
    ("GET", "/api/v1/tools/{tool}"): May("read"),
    ("GET", "/api/v1/tools/{tool}/options/{parameter}"): May("read"),
    ("GET", "/api/v1/counts"): May("read"),
    ("GET", "/api/v1/info"): May("read"),
    ("GET", "/api/v1/events"): May("read"),
    ("POST", "/satellite/submissions"): May("submit", body=ONE),
    ("GET", "/satellite/submissions"): May("read"),
    ("GET", "/satellite/submissions/{submission}"): May("read", "team reads"),
    ("POST", "/satellite/submissions/{submission}/cancel"): May("submit", "team changes"),
    ("GET", "/satellite/jobs"): May("read"),
    ("GET", "/satellite/jobs/{job}"): May("read", "team reads"),
    ("POST", "/satellite/jobs/{job}/cancel"): May("submit", "team changes"),
    ("POST", "/satellite/jobs/{job}/retry"): May("submit", "team changes"),
    ("GET", "/satellite/jobs/{job}/logs/{log}"): May("read", "team reads"),
    ("GET", "/satellite/jobs/{job}/artifacts"): May("read", "team reads"),
    ("GET", "/satellite/jobs/{job}/artifacts/{path:path}"): May("read", "team reads"),
    ("GET", "/satellite/tests"): May("read"),
    ("GET", "/satellite/tests/{test}"): May("read"),
    ("GET", "/satellite/tests/{test}/options/{parameter}"): May("read"),
    ("GET", "/satellite/info"): May("read"),
    ("GET", "/healthz"): May("nothing"),
    ("GET", "/readyz"): May("nothing"),
    ("GET", "/metrics"): May("read"),
    ("GET", "/openapi.json"): May("read"),
    ("GET", "/docs"): May("read"),
}


def _job(hub: Hub) -> str:
    """Make a job of `owner`, shared with `team`, that has ended."""
    (job,) = hub.world.submit(hub.client("owner"), groups=["team"])
    hub.world.ended(job)
    return job


def _submission(hub: Hub) -> str:
    found = hub.world.store.job(_job(hub))
    assert found is not None
    return found.submission_id


THINGS: Things = {
    "job": _job,
    "submission": _submission,
    "log": lambda _: "stdout",
    "path": lambda _: "stdout.log",
    "tool": lambda _: "example",
    "test": lambda _: "example",
    "parameter": lambda _: "pet",
}
