from __future__ import annotations

import re
from datetime import datetime
from typing import Any

import httpx

from projects.jobs.model import identity
from tests.jobs.http.puppets import World

MOMENT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}")

SUBMISSION = {
    "parallel": 3,
    "note": "example submission",
    "job_specs": [{"name": "example", "params": {"a": a, "b": "is a test"}} for a in range(1, 6)],
}


def data(answer: httpx.Response, status: int = 200) -> Any:
    """Return what is in the envelope; SAT-25: every answer has one."""
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert list(body) == ["timestamp", "version", "data"]
    assert MOMENT.fullmatch(body["timestamp"])
    assert body["version"] == "0.0.0"
    return body["data"]


def test_the_example_submission_gives_the_example_answers(world: World) -> None:
    """SAT-24."""
    client = world.client()
    sent = client.post("/satellite/submissions", json=SUBMISSION)
    made = data(sent, 201)
    assert list(made) == ["submission_id", "job_ids"]
    assert sent.headers["location"] == f"/satellite/submissions/{made['submission_id']}"
    assert len(made["job_ids"]) == 5
    for name in (made["submission_id"], *made["job_ids"]):
        assert len(name) == 22
        assert identity.parse(name) == name
    world.ended(made["job_ids"][0])
    job = data(client.get(f"/satellite/jobs/{made['job_ids'][0]}"))
    assert list(job) == [
        "name",
        "params",
        "submitted",
        "job_id",
        "submission_id",
        "status",
        "started",
        "return_code",
        "finished",
    ]
    assert job["name"] == "example"
    assert job["params"] == {"a": 1, "b": "is a test"}
    assert (job["status"], job["return_code"]) == ("DONE", 0)
    assert job["job_id"] == made["job_ids"][0]
    assert job["submission_id"] == made["submission_id"]
    assert job["submitted"] <= job["started"] <= job["finished"]
    for key in ("submitted", "started", "finished"):
        assert MOMENT.fullmatch(job[key])
    params = [
        data(client.get(f"/satellite/jobs/{name}"))["params"]["a"] for name in made["job_ids"]
    ]
    assert params == [1, 2, 3, 4, 5], "in the order of job_specs"


def test_the_lists_of_what_waits_and_runs_are_right(world: World) -> None:
    """SAT-23."""
    world.puppets.hold = True
    client = world.client()
    first = data(client.post("/satellite/submissions", json=SUBMISSION), 201)
    second = data(client.post("/satellite/submissions", json=SUBMISSION | {"parallel": 1}), 201)
    world.until(lambda: len(world.puppets.orders) == 3)

    def jobs(status: str) -> set[str]:
        found = data(client.get("/satellite/jobs", params={"status": status}))["jobs"]
        assert {job["status"] for job in found} <= set(status.split(","))
        return {job["job_id"] for job in found}

    def submissions(status: str) -> list[str]:
        found = data(client.get("/satellite/submissions", params={"status": status}))
        return [one["submission_id"] for one in found["submissions"]]

    world.until(lambda: jobs("RUNNING") == set(first["job_ids"][:3]))
    assert jobs("PENDING") == {*first["job_ids"][3:], *second["job_ids"]}
    assert jobs("PENDING,RUNNING") == {*first["job_ids"], *second["job_ids"]}
    assert jobs("DONE") == set()
    assert submissions("RUNNING") == [first["submission_id"]]
    assert submissions("PENDING") == [second["submission_id"]]
    shown = data(client.get(f"/satellite/submissions/{first['submission_id']}"))
    assert shown["job_ids"] == first["job_ids"]
    assert (shown["status"], shown["pending"], shown["running"]) == ("RUNNING", 2, 3)
    world.puppets.hold = False
    for number, attempt in list(world.puppets.orders):
        world.puppets.finish(number, attempt)
    for job in (*first["job_ids"], *second["job_ids"]):
        world.ended(job)
    assert len(jobs("DONE")) == 10
    assert set(submissions("DONE")) == {first["submission_id"], second["submission_id"]}


def test_a_job_is_cancelled_and_run_again(world: World) -> None:
    """SAT-35."""
    world.puppets.hold = True
    client = world.client()
    (job,) = world.submit(client)
    world.until(lambda: world.puppets.orders)
    data(client.post(f"/satellite/jobs/{job}/cancel"))
    world.ended(job)
    assert data(client.get(f"/satellite/jobs/{job}"))["status"] == "CANCELLED"
    world.puppets.hold = False
    assert data(client.post(f"/satellite/jobs/{job}/retry"))["job_id"] == job
    world.until(lambda: data(client.get(f"/satellite/jobs/{job}"))["status"] == "DONE")


def test_a_submission_is_cancelled(world: World) -> None:
    """SAT-35."""
    world.puppets.hold = True
    client = world.client()
    jobs = world.submit(client, 3)
    submission = data(client.get(f"/satellite/jobs/{jobs[0]}"))["submission_id"]
    data(client.post(f"/satellite/submissions/{submission}/cancel"))
    assert {world.ended(job).outcome for job in jobs} == {"CANCELLED"}


def test_a_failed_job_has_its_return_code(world: World) -> None:
    """SAT-20."""
    world.puppets.exit_code = 7
    client = world.client()
    (job,) = world.submit(client)
    world.ended(job)
    shown = data(client.get(f"/satellite/jobs/{job}?verbose=true"))
    assert (shown["status"], shown["return_code"], shown["outcome"]) == ("FAILED", 7, "FAILED")
    assert shown["attempt"] == 1


def test_sat_25_every_answer_is_in_the_envelope_in_local_time_and_the_native_has_a_zone(
    world: World,
) -> None:
    client = world.client()
    sent = data(client.post("/satellite/submissions", json=SUBMISSION), 201)
    (job, *_), submission = sent["job_ids"], sent["submission_id"]
    for name in sent["job_ids"]:
        world.ended(name)
    here = {
        "{job}": job,
        "{submission}": submission,
        "{test}": "example",
        "{parameter}": "pet",
    }
    seen = []
    for path, verbs in client.get("/openapi.json").json()["paths"].items():
        if not path.startswith("/satellite/") or "get" not in verbs:
            continue
        if path.endswith(("/logs/{log}", "/artifacts/{path}")):
            continue  # files; their errors are in the test below
        data(client.get(re.sub(r"\{\w+\}", lambda name: here[name[0]], path)))
        seen.append(path)
    assert len(seen) >= 8
    data(client.post(f"/satellite/jobs/{job}/retry"))
    world.ended(job)
    said = data(client.get(f"/satellite/jobs/{job}"))
    native = client.get(f"/api/v1/jobs/{job}").json()
    for key, theirs in (("submitted", "created"), ("started", "started"), ("finished",) * 2):
        assert native[theirs].endswith("Z")
        moment = datetime.fromisoformat(native[theirs]).astimezone()
        assert said[key] == moment.strftime("%Y-%m-%d %H:%M:%S.%f")


def test_sat_25_errors_are_in_the_envelope_too(world: World) -> None:
    client = world.client()
    for answer, status in (
        (client.get("/satellite/jobs/kw0dZmh4R42lb2yZH7kGBA"), 404),
        (client.get("/satellite/nothing"), 404),
        (client.get("/satellite/jobs/kw0dZmh4R42lb2yZH7kGBA/logs/stdout"), 404),
        (client.get("/satellite/jobs/kw0dZmh4R42lb2yZH7kGBA/artifacts/x"), 404),
        (client.get("/satellite/jobs?status=x"), 422),
        (client.post("/satellite/submissions", json={}), 422),
        (client.post("/satellite/submissions", json=[]), 422),
        (client.delete("/satellite/jobs"), 405),
        (world.client_with(None).get("/satellite/jobs"), 401),
        (client.get("/satellite/info", headers={"Host": "evil.example"}), 421),
    ):
        error = data(answer, status)["error"]
        assert error["code"]
        assert error["message"]


def test_a_job_made_here_is_seen_through_the_other_api_and_back(world: World) -> None:
    """X-1."""
    client = world.client()
    (native,) = world.submit(client)
    ours = data(client.post("/satellite/submissions", json=SUBMISSION), 201)
    assert data(client.get(f"/satellite/jobs/{native}"))["job_id"] == native
    for job in ours["job_ids"]:
        assert client.get(f"/api/v1/jobs/{job}").json()["id"] == job


def test_tests_are_listed_also_those_that_cannot_be_used(world: World) -> None:
    """SAT-2, SAT-4."""
    client = world.client()
    listed = {one["name"]: one for one in data(client.get("/satellite/tests"))["tests"]}
    assert listed["example"]["valid"] is True
    assert "run" in listed["broken"]["reason"]
    assert data(client.get("/satellite/tests/example"))["description"] == "An example."
    assert data(client.get("/satellite/tests/example/options/pet"))["options"] == ["cat", "dog"]
    assert data(client.get("/satellite/info"))["nickname"] == "nick"


def test_logs_and_files_are_what_they_are(world: World) -> None:
    client = world.client()
    (job,) = world.submit(client)
    world.ended(job)
    assert client.get(f"/satellite/jobs/{job}/logs/stdout").text == "hello\n"
    listed = data(client.get(f"/satellite/jobs/{job}/artifacts"))
    assert [one["path"] for one in listed["artifacts"]] == ["stderr.log", "stdout.log"]
    assert client.get(f"/satellite/jobs/{job}/artifacts/stdout.log").text == "hello\n"
