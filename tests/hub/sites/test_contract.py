"""What every site does alike, asked in this process or over HTTP."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from projects.core.errors import TopgallantError
from projects.hub.sites.site import Download, Site
from projects.jobs.http.access import Principal
from tests.hub.sites.conftest import Place, collected

ANN, BOB = Principal("ann", ("submit",)), Principal("bob", ("submit",))
BOSS, READER = Principal("boss", ("admin",)), Principal("ann", ("read",))


def test_a_job_is_submitted_and_seen_by_its_owner_and_admins_alone(place: Place) -> None:
    (job,) = place.submit(ANN)
    place.world.ended(job)
    mine = place.do(lambda site: site.job(ANN, job))
    assert (mine["owner"], mine["tool"], mine["outcome"]) == ("ann", "example", "SUCCESS")
    assert mine["waits_for"] == ""
    assert place.do(lambda site: site.job(BOSS, job))["id"] == job
    with pytest.raises(TopgallantError, match="there is no job") as raised:
        place.do(lambda site: site.job(BOB, job))
    assert raised.value.http_status == 404


def test_lists_are_paged_and_filtered_and_counted(place: Place) -> None:
    ids = place.submit(ANN, 5)
    for job in ids:
        place.world.ended(job)
    first = place.do(lambda site: site.jobs(ANN, {"limit": "3"}))
    assert [job["id"] for job in first["items"]] == ids[:1:-1]
    rest = place.do(lambda site: site.jobs(ANN, {"limit": "3", "cursor": first["next"]}))
    assert [job["id"] for job in rest["items"]] == ids[1::-1]
    assert rest["next"] is None
    assert place.do(lambda site: site.jobs(ANN, {"outcome": "FAILED"}))["items"] == []
    assert place.do(lambda site: site.counts(ANN, {}))["outcomes"] == {"SUCCESS": 5}
    assert place.do(lambda site: site.counts(BOB, {}))["total"] == 0


def test_mistakes_of_a_request_are_told_by_field(place: Place) -> None:
    wanted = {"job_specs": [{"name": "example", "params": {"a": "many"}}]}
    with pytest.raises(TopgallantError) as raised:
        place.do(lambda site: site.submit(ANN, wanted))
    assert raised.value.http_status == 422
    assert "job_specs[0].params.a" in getattr(raised.value, "fields")  # noqa: B009


def test_a_wrong_filter_is_told(place: Place) -> None:
    with pytest.raises(TopgallantError, match="SLEEPING") as raised:
        place.do(lambda site: site.jobs(ANN, {"state": "SLEEPING"}))
    assert raised.value.http_status == 422


def test_readers_may_not_submit_remotely_nor_see_others(place: Place) -> None:
    place.submit(BOB)
    assert place.do(lambda site: site.jobs(READER, {}))["items"] == []


def test_a_submission_is_cancelled_and_a_job_retried(place: Place) -> None:
    place.world.puppets.hold = True
    ids = place.submit(ANN, 4)
    place.world.until(lambda: len(place.world.puppets.orders) == 2)
    submission = place.do(lambda site: site.job(ANN, ids[0]))["submission_id"]
    waiting = place.do(lambda site: site.job(ANN, ids[3]))
    assert (bool(waiting["waits_for"]), waiting["queue_position"]) == (True, 2)
    (behind,) = place.submit(ANN)
    found = place.do(lambda site: site.job(ANN, behind))["submission_id"]
    listed = place.do(lambda site: site.submissions(ANN, {}))["items"]
    assert [one["queue_position"] for one in listed] == [1, None]
    assert place.do(lambda site: site.submission(ANN, found)) == listed[0]
    place.do(lambda site: site.cancel(ANN, behind))
    place.do(lambda site: site.cancel_submission(ANN, submission))
    for job in ids:
        assert place.world.ended(job).outcome == "CANCELLED"
    place.world.puppets.hold = False
    place.do(lambda site: site.retry(ANN, ids[0]))
    place.world.until(lambda: (found := place.world.store.job(ids[0])) and found.attempt == 2)
    with pytest.raises(TopgallantError) as raised:
        place.do(lambda site: site.retry(BOB, ids[1]))
    assert raised.value.http_status == 404


def test_logs_come_in_pieces(place: Place) -> None:
    place.world.puppets.output = b"0123456789\n" * 10
    (job,) = place.submit(ANN)
    place.world.ended(job)
    last = place.do(lambda site: site.log(ANN, job, "stdout", None, 11))
    assert (last.data, last.at, last.size) == (b"0123456789\n", 99, 110)
    part = place.do(lambda site: site.log(ANN, job, "stdout", 5, 3))
    assert (part.data, part.at, part.end) == (b"567", 5, 8)
    beyond = place.do(lambda site: site.log(ANN, job, "stdout", 500, 3))
    assert (beyond.data, beyond.size) == (b"", 110)
    empty = place.do(lambda site: site.log(ANN, job, "stderr", None, 3))
    assert (empty.data, empty.size) == (b"", 0)
    with pytest.raises(TopgallantError):
        place.do(lambda site: site.log(BOB, job, "stdout", None, 3))


def test_a_log_is_followed_to_its_end(place: Place) -> None:
    (job,) = place.submit(ANN)
    place.world.ended(job)
    said = place.do(
        lambda site: collected(
            site.follow_log(ANN, job, "stdout", 2), lambda one: one.kind == "end"
        )
    )
    assert [one.value["text"] for one in said if one.kind == "log"] == ["llo\n"]
    assert said[-1].value["outcome"] == "SUCCESS"


def test_what_happens_is_told_to_those_whom_it_concerns(place: Place) -> None:
    (job,) = place.submit(ANN)
    place.world.ended(job)
    said = place.do(
        lambda site: collected(site.follow(ANN, 0), lambda one: one.value["after"] == "DONE")
    )
    assert {one.value["job_id"] for one in said} == {job}


def test_files_are_listed_and_sent_in_ranges(place: Place) -> None:
    (job,) = place.submit(ANN)
    place.world.ended(job)
    Path(place.world.directory(job), "result.bin").write_bytes(bytes(range(256)))
    listed = place.do(lambda site: site.artifacts(ANN, job))
    assert {file["path"] for file in listed["items"]} == {"result.bin", "stderr.log", "stdout.log"}

    async def read(site: Site) -> tuple[Download, bytes]:
        download = await site.artifact(ANN, job, "result.bin", "bytes=10-19")
        return download, b"".join([piece async for piece in download.body])

    download, data = place.do(read)
    assert (download.status, data) == (206, bytes(range(10, 20)))
    assert download.headers["content-disposition"].startswith("attachment")
    for path in ("../../../etc/passwd", "absent"):
        with pytest.raises(TopgallantError) as raised:
            place.do(_reading(job, path))
        assert raised.value.http_status == 404


def test_tools_and_options_are_shown(place: Place) -> None:
    names = {tool["name"]: tool["valid"] for tool in place.do(lambda site: site.tools())}
    assert names == {"example": True, "broken": False}
    assert place.do(lambda site: site.tool("example"))["parameters"][0]["name"] == "a"
    options = place.do(lambda site: site.options("example", "pet"))
    assert options == {"options": ["cat", "dog"], "warning": ""}
    assert place.do(lambda site: site.info())["limits"]["parallel_jobs"] == 2


def test_events_and_uploads_of_a_job(place: Place) -> None:
    (job,) = place.submit(ANN)
    place.world.ended(job)
    events = place.do(lambda site: site.events_of(ANN, job))
    assert events[-1]["after"] == "DONE"
    assert place.do(lambda site: site.uploads(ANN, job)) == []
    found = place.do(lambda site: site.job(ANN, job))
    assert place.do(lambda site: site.submission(ANN, found["submission_id"]))["phase"] == "done"
    assert len(place.do(lambda site: site.submissions(ANN, {}))["items"]) == 1


def _reading(job: str, path: str) -> Callable[[Site], Coroutine[Any, Any, Download]]:
    return lambda site: site.artifact(ANN, job, path, None)
