"""An address of each page of the hub, with something on it and with nothing."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from starlette.routing import compile_path

from tests.end_to_end.in_browser.exported_runs import Run
from tests.end_to_end.in_browser.hub_server import HubServer

NO_PAGES = {
    "/static/{name:path}": "files of the pages",
    "/satellite": "leads to /satellites",
    "/find": "leads to what was found",
    "/live/all": "says that something changed",
    "/live": "says that something changed",
    "/jobs/{job}/log/{log}/plain": "a log as text",
    "/jobs/{job}/log/{log}/follow": "a log as it comes",
    "/jobs/{job}/files/{path:path}": "a download",
    "/submit/{tool}/options/{parameter}": "a part of the form",
    "/tables/{test_system}/{test_name}/verdict": "a part of the table's page",
}
"""Routes that are asked by pages and aren't pages, and what they are."""


def empty() -> dict[str, str]:
    """Return the pages that begin empty."""
    names = ("jobs", "submissions", "tables", "artifacts", "projects", "compare", "notifications")
    return {"overview-empty": "/"} | {f"{name}-empty": f"/{name}" for name in names}


def full(server: HubServer, runs: Sequence[Run]) -> dict[str, str]:
    """Let everything happen that pages show; return an address of each."""
    failed, matrix = _jobs_that_ended(server)
    running = server.submit("slow", note="Nightly latency on the lab machines", steps=500)
    waiting = server.submit("slow", steps=1)
    further = server.submit("example", note="a question", test="cublas")
    _table(server)
    _rules(server)
    of = partial(_submission_of, server)
    (plots,) = runs[0].folder.glob("*__plots")
    at, other = runs[0].address, runs[1]
    here = "/satellites/harbour"
    return {
        "overview": "/",
        "jobs": "/jobs",
        "jobs-none-fits": "/jobs?tool=nothing",
        "job-failed": f"/jobs/{failed}",
        "job-running": f"/jobs/{running}",
        "job-waiting": f"/jobs/{further}",
        "log": f"/jobs/{running}/log/stdout",
        "submissions": "/submissions",
        "submission": f"/submissions/{of(running)}",
        "submission-waiting": f"/submissions/{of(waiting)}",
        "submission-matrix": f"/submissions/{matrix}",
        "satellites": "/satellites",
        "satellite": here,
        "satellite-jobs": f"{here}/jobs",
        "satellite-job": f"{here}/jobs/{failed}",
        "satellite-log": f"{here}/jobs/{failed}/log/stderr",
        "satellite-submissions": f"{here}/submissions",
        "satellite-submission": f"{here}/submissions/{matrix}",
        "submit": "/submit",
        "form": "/submit/all_types",
        "form-again": f"/submit/slow?again={running}",
        "form-warned": "/submit/warned",
        "tables": "/tables",
        "table": "/tables/storage/latency",
        "table-wrong": "/tables/storage/latency?where=speed+%3E+3",
        "artifacts": "/artifacts",
        "run": at,
        "run-folder": f"{at}/{plots.name}/",
        "run-log": f"{at}/colours.log",
        "run-plot": f"{at}/{plots.name}/report_00_throughput.html",
        "run-image": f"{at}/{plots.name}/report_01_latency_files/fig_01.svg",
        "run-bytes": f"{at}/trace.bin",
        "compare-one": f"/compare?a={runs[0].id}",
        "compare": f"/compare?a={runs[0].id}&b={other.id}",
        "projects": "/projects",
        "account": "/account",
        "groups": "/groups",
        "group": "/groups/team",
        "notifications": "/notifications",
        "admin": "/admin",
        "login": "/login",
        "absent": "/jobs/kw0dZmh4R42ib2yZH7kGBA",
        "no-id": "/jobs/nothing",
    }


def without_an_address(paths: Sequence[str], known: Sequence[str]) -> set[str]:
    """Return the routes of pages that none of the `known` addresses leads to."""
    places = [one.partition("?")[0] for one in known]
    return {
        path
        for path in paths
        if path.removeprefix("/satellites/{nickname}") not in NO_PAGES
        and not any(compile_path(path)[0].match(place) for place in places)
    }


def _jobs_that_ended(server: HubServer) -> tuple[str, str]:
    specs = [
        {"name": "all_types", "params": {"title": "matrix", "users": users, "ratio": ratio}}
        for users in (1, 2, 10)
        for ratio in (0.1, 0.2, 0.5)
    ]
    wanted = {"job_specs": specs, "note": "users by ratio", "parallel": 2}
    answer = server.client.post("/api/v1/submissions", json=wanted).raise_for_status().json()
    for job in answer["job_ids"]:
        server.ended(job)
    server.ended(server.submit("slow", steps=2))
    failed = server.submit("failing", note="to be looked at")
    server.ended(failed)
    return failed, answer["id"]


def _table(server: HubServer) -> None:
    rows = [
        {"latency": 10 + (at * 7 % 5) / 10 + 3 * (at > 30), "machine": f"lab-{at % 3}"}
        for at in range(40)
    ]
    path = "/api/v1/tables/storage/latency"
    server.client.post(f"{path}/rows", json=[*rows, {"latency": "fast"}]).raise_for_status()
    columns = {"latency": {"better": "lower", "unit": "ms"}}
    server.client.patch(path, json={"columns": columns}).raise_for_status()


def _rules(server: HubServer) -> None:
    """Make a rule, and let its test message fail: nothing on this machine takes it."""
    path = "/api/v1/notifications/rules"
    wanted = {"channel": "webhook", "target": "https://hooks.invalid/ours", "pattern": "storage/*"}
    rule = server.client.post(path, json=wanted).raise_for_status().json()
    server.client.post(f"{path}/{rule['number']}/test").raise_for_status()
    more = {**wanted, "channel": "slack", "name": "Nightly, for the team"}
    server.client.post(path, json=more).raise_for_status()


def _submission_of(server: HubServer, job: str) -> str:
    found: str = server.client.get(f"/api/v1/jobs/{job}").json()["submission_id"]
    return found
