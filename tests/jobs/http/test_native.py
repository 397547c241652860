from __future__ import annotations

import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from projects.jobs.http import operations, schemas, services
from projects.jobs.http.services import MOST_WRITERS
from projects.jobs.model import moment
from projects.jobs.store.errors import StoreLocked
from tests.jobs.http.puppets import World


def items(client: httpx.Client, address: str, **query: Any) -> list[dict[str, Any]]:
    answer = client.get(address, params=query)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


def test_a_submission_is_stored_when_it_is_answered_and_its_jobs_are_in_order(world: World) -> None:
    world.puppets.hold = True
    client = world.client("ann")
    specs = [{"name": "example", "params": {"a": i, "b": "is a test"}} for i in range(5)]
    answer = client.post(
        "/api/v1/submissions", json={"parallel": 3, "note": "example", "job_specs": specs}
    )
    assert answer.status_code == 201
    said = answer.json()
    schemas.Submitted.model_validate(said)
    assert (said["owner"], said["parallel"], said["note"]) == ("ann", 3, "example")
    jobs = [world.store.job(job) for job in said["job_ids"]]
    assert [job.params["a"] for job in jobs if job] == [0, 1, 2, 3, 4]
    where = answer.headers["location"]
    shown = client.get(where).json()
    schemas.Submission.model_validate(shown)
    assert shown["id"] == said["id"]
    assert shown["phase"] in ("pending", "running")


def test_a_job_is_found_by_id_uuid_and_number(world: World) -> None:
    client = world.client()
    (job,) = world.submit(client)
    world.ended(job)
    said = client.get(f"/api/v1/jobs/{job}").json()
    schemas.JobDetail.model_validate(said)
    assert said["state"] == "DONE"
    assert said["outcome"] == "SUCCESS"
    assert said["usage"] == {"wall": 0.5, "cpu": 0.25, "peak_memory": 1 << 20}
    assert said["created"].endswith("Z")
    for name in (said["uuid"], str(said["number"])):
        assert client.get(f"/api/v1/jobs/{name}").json() == said


def test_a_job_that_waits_says_what_for(world: World) -> None:
    world.puppets.hold = True
    client = world.client()
    first = world.submit(client, 2)
    (waiting,) = world.submit(client)
    world.until(lambda: len(world.puppets.orders) == 2)
    world.until(lambda: client.get(f"/api/v1/jobs/{first[0]}").json()["waits_for"] == "")
    assert client.get(f"/api/v1/jobs/{waiting}").json()["waits_for"]


def test_the_queue_is_counted(world: World) -> None:
    world.puppets.hold = True
    client = world.client()
    begun = world.submit(client, 4)  # two of them at once
    world.until(lambda: len(items(client, "/api/v1/jobs", state="RUNNING")) == 2)
    later = world.submit(client, 2)
    wanted = {"job_specs": [{"name": "example", "params": {"a": 1}}], "priority": 1}
    (urgent,) = client.post("/api/v1/submissions", json=wanted).json()["job_ids"]

    def place(job: str) -> int | None:
        found: int | None = client.get(f"/api/v1/jobs/{job}").json()["queue_position"]
        return found

    assert [place(job) for job in begun] == [None, None, 1, 2]
    assert place(urgent) == 3
    assert [place(job) for job in later] == [4, 5]
    listed = items(client, "/api/v1/submissions")
    assert [one["queue_position"] for one in listed] == [1, 2, None]
    said = [one["waits_for"] for one in listed]
    assert said[0] == "At most 1 submission runs at once, now submission 1; it is next."
    assert said[1:] == ["It waits for the submissions before it.", ""]
    for one in listed:
        assert client.get(f"/api/v1/submissions/{one['id']}").json() == one


def test_jobs_are_filtered(world: World) -> None:
    client = world.client("ann")
    before = moment.iso(moment.now())
    good = world.submit(client, 2)
    for job in good:
        world.ended(job)
    world.puppets.exit_code = 3
    (bad,) = world.submit(client)
    world.ended(bad)
    world.puppets.hold = True
    (running,) = world.submit(client)
    (waiting,) = world.submit(client)
    world.until(lambda: items(client, "/api/v1/jobs", state="RUNNING"))

    def ids(**query: Any) -> list[str]:
        return [one["id"] for one in items(client, "/api/v1/jobs", **query)]

    assert ids() == [waiting, running, bad, *reversed(good)]
    assert ids(oldest_first="true") == [*good, bad, running, waiting]
    assert ids(outcome="FAILED") == [bad]
    assert ids(outcome="success,failed") == [bad, *reversed(good)]
    assert ids(state="ended") == [bad, *reversed(good)]
    assert ids(state="live") == [running]
    assert ids(state="queued") == [waiting]
    assert ids(tool="other") == []
    assert len(ids(tool="example")) == 5
    assert ids(submission=items(client, "/api/v1/jobs", outcome="FAILED")[0]["submission_id"]) == [
        bad
    ]
    assert ids(until=before) == []
    assert len(ids(since=before)) == 5
    assert client.get("/api/v1/counts", params={"outcome": "FAILED"}).json()["total"] == 1


def test_pages_follow_one_another_to_the_end(world: World) -> None:
    client = world.client()
    jobs = world.submit(client, 7)
    for address, names in (("/api/v1/jobs", jobs), ("/satellite/jobs", jobs)):
        seen: list[str] = []
        next_address = f"{address}?limit=3"
        sizes = []
        while next_address:
            answer = client.get(next_address)
            body = answer.json()
            page = body["items"] if "items" in body else body["data"]["jobs"]
            sizes.append(len(page))
            seen += [one.get("id") or one["job_id"] for one in page]
            cursor = body["next"] if "items" in body else body["data"]["next"]
            link = answer.headers.get("link", "")
            assert bool(link) == bool(cursor)
            if link:
                assert link.endswith('>; rel="next"')
                assert f"cursor={cursor}" in link
            next_address = link[1:].partition(">")[0]
        assert sizes == [3, 3, 1]
        assert seen == list(reversed(names))


def test_a_running_job_is_cancelled_and_retried(world: World) -> None:
    world.puppets.hold = True
    client = world.client("ann")
    (job,) = world.submit(client)
    world.until(lambda: world.puppets.orders)
    assert client.post(f"/api/v1/jobs/{job}/retry").status_code == 409
    assert client.post(f"/api/v1/jobs/{job}/cancel").status_code == 200
    assert world.ended(job).outcome == "CANCELLED"
    assert client.post(f"/api/v1/jobs/{job}/cancel").status_code == 409
    world.puppets.hold = False
    again = client.post(f"/api/v1/jobs/{job}/retry")
    assert again.status_code == 200
    assert again.json()["attempt"] == 2
    world.until(lambda: (found := world.store.job(job)) and found.outcome == "SUCCESS")
    events = client.get(f"/api/v1/jobs/{job}/events").json()
    schemas.EventList.model_validate(events)
    assert {event["attempt"] for event in events["items"]} == {1, 2}


def test_a_submission_is_cancelled_with_all_its_jobs(world: World) -> None:
    world.puppets.hold = True
    client = world.client()
    jobs = world.submit(client, 4)
    world.until(lambda: len(world.puppets.orders) == 2)
    submission = client.get(f"/api/v1/jobs/{jobs[0]}").json()["submission_id"]
    answer = client.post(f"/api/v1/submissions/{submission}/cancel")
    assert answer.status_code == 200
    assert answer.json()["cancelled"]
    assert {world.ended(job).outcome for job in jobs} == {"CANCELLED"}
    assert client.get(f"/api/v1/submissions/{submission}").json()["phase"] == "done"


def test_tools_are_listed_with_those_that_cannot_be_used_and_seen_without_restart(
    world: World,
) -> None:
    client = world.client()
    tools = {one["name"]: one for one in items(client, "/api/v1/tools")}
    assert tools["example"]["valid"] is True
    assert tools["broken"]["valid"] is False
    assert "description" in tools["broken"]["reason"]
    shown = client.get("/api/v1/tools/example").json()
    assert [one["name"] for one in shown["parameters"]] == ["a", "pet"]
    assert shown["params_schema"]["additionalProperties"] is True
    options = client.get("/api/v1/tools/example/options/pet").json()
    assert options == {"options": ["cat", "dog"], "warning": ""}
    new = world.scripts / "new"
    new.mkdir()
    (new / "spec.json").write_text('{"description": "d", "parameters": []}')
    (new / "run").write_text("#!/bin/sh\n")
    (new / "run").chmod(0o755)
    assert client.get("/api/v1/tools/new").json()["valid"] is True


def test_info_says_how_much_runs(world: World) -> None:
    world.puppets.hold = True
    client = world.client()
    world.submit(client, 3)
    world.until(lambda: client.get("/api/v1/info").json()["running"] == 2)
    said = client.get("/api/v1/info").json()
    schemas.Info.model_validate(said)
    assert (said["nickname"], said["waiting"], said["tools"]) == ("nick", 1, 2)
    assert said["limits"]["parallel_jobs"] == 2


def test_figures_are_shown_for_prometheus(world: World) -> None:
    from prometheus_client.parser import text_string_to_metric_families

    client = world.client()
    for job in world.submit(client, 3):
        world.ended(job)
    for _ in range(4):
        client.get("/api/v1/jobs/1")

    def figures() -> dict[tuple[str, str], float]:
        text = client.get("/metrics").text
        return {
            (sample.name, next(iter(sample.labels.values()), "")): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.labels.get("route") in (None, "/api/v1/jobs/{job}")
        }

    world.until(lambda: figures().get(("topgallant_jobs_finished_total", "SUCCESS")) == 3)
    found = figures()
    assert found["topgallant_jobs", "DONE"] == 3
    assert found["topgallant_queue_jobs", ""] == 0
    assert found["topgallant_http_requests_total", "GET"] == 4
    assert ("topgallant_loop_lag_seconds", "") in found
    assert found["topgallant_job_start_seconds_count", ""] == 3


def test_every_page_is_as_its_schema_says(world: World) -> None:
    client = world.client()
    world.ended(world.submit(client)[0])
    jobs = client.get("/api/v1/jobs").json()
    assert schemas.JobPage.model_validate(jobs).model_dump(mode="json") == jobs
    submissions = client.get("/api/v1/submissions").json()
    model = schemas.SubmissionPage.model_validate(submissions)
    assert model.model_dump(mode="json") == submissions


def test_reading_goes_on_while_many_wait_to_write(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    locked = threading.Event()

    def submit(*_: Any) -> None:
        assert locked.wait(60)
        raise StoreLocked("another process is writing")

    monkeypatch.setattr(operations, "submit", submit)
    client = world.client()
    body = {"job_specs": [{"name": "example"}]}
    with ThreadPoolExecutor(60) as writers:
        sent = [writers.submit(client.post, "/api/v1/submissions", json=body) for _ in range(60)]
        try:
            waiting = world.services.writers.statistics
            world.until(lambda: waiting().tasks_waiting == 60 - MOST_WRITERS)
            assert client.get("/api/v1/jobs").status_code == 200
            assert client.get("/readyz").status_code == 200
        finally:
            locked.set()
        assert {one.result().status_code for one in sent} == {503}


def test_whoever_can_not_write_now_is_told_when_to_come_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, body = world.client(), {"job_specs": [{"name": "example"}]}
    (job,) = world.submit(client)
    world.ended(job)
    database = world.store._database
    assert database.wait > database.call_wait
    monkeypatch.setattr(database, "call_wait", 0.05)
    other = sqlite3.connect(world.data / "satellite.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        for path in ("/api/v1/submissions", f"/api/v1/jobs/{job}/retry", "/satellite/submissions"):
            answer = client.post(path, json=body)
            assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2"), path
            assert "locked" in answer.text
        assert client.get(f"/api/v1/jobs/{job}").status_code == 200
    finally:
        other.close()
    assert client.post("/api/v1/submissions", json=body).status_code == 201


def test_a_call_that_does_not_come_in_to_write_is_told_so(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "QUEUE", 0.05)
    held = threading.Event()
    monkeypatch.setattr(operations, "submit", lambda *_: held.wait(60) and pytest.fail("late"))
    client = world.client()
    body = {"job_specs": [{"name": "example"}]}
    with ThreadPoolExecutor(MOST_WRITERS) as writers:
        for _ in range(MOST_WRITERS):
            writers.submit(client.post, "/api/v1/submissions", json=body)
        try:
            world.until(lambda: world.services.writers.borrowed_tokens == MOST_WRITERS)
            answer = client.post("/api/v1/submissions", json=body)
            assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
            assert f"{MOST_WRITERS} calls write already" in answer.text
        finally:
            held.set()


def test_a_database_that_is_locked_keeps_nobody_from_reading(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def touch(*_: Any, **__: Any) -> None:
        raise StoreLocked("another process is writing")

    monkeypatch.setattr(world.store, "touch_token", touch)
    assert world.client().get("/api/v1/jobs").status_code == 200


def test_a_submission_from_inside_a_job_runs_below_it(world: World) -> None:
    world.puppets.hold = True
    ann, bob = world.client("ann"), world.client("bob")
    (parent,) = world.submit(ann)
    world.until(lambda: (1, 1) in world.puppets.orders)
    body = {"job_specs": [{"name": "example"}]}

    def send(client: Any, said: str) -> Any:
        return client.post("/api/v1/submissions", json=body, headers={"Topgallant-Parent": said})

    sent = send(ann, parent)
    assert (sent.status_code, sent.json()["parent"]) == (201, parent)
    world.until(lambda: (2, 1) in world.puppets.orders)
    shown = ann.get(f"/api/v1/submissions/{sent.json()['id']}").json()
    assert shown["parent"] == parent
    there = ann.get(f"/satellite/submissions/{sent.json()['id']}").json()["data"]
    assert there["parent"] == parent
    # Nobody takes a place below a job that isn't theirs, or learns that it is there.
    nowhere = "DKDaB5I6SVmMk65hvZ-aaA"
    for client, said in ((bob, parent), (ann, nowhere), (ann, "4711"), (ann, "~" * 22)):
        answer = send(client, said)
        assert (answer.status_code, answer.json()["parent"]) == (201, None)
    world.puppets.finish(2)
    world.puppets.finish(1)
    world.ended(parent)
    refused = send(ann, parent)
    assert refused.status_code == 409
    assert "detached" in refused.json()["error"]["message"]
