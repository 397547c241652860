"""The routes of artifacts: sent by exports, read by people, for their owner and groups."""

from __future__ import annotations

import asyncio
import time
from typing import Annotated, Any
from urllib.parse import parse_qsl, unquote_to_bytes

from fastapi import APIRouter, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.convertors import Convertor, register_url_convertor
from starlette.requests import ClientDisconnect
from starlette.responses import Response, StreamingResponse

from projects.hub.artifacts import batch, bodies, rules, runs, showing
from projects.hub.artifacts.archives import MEDIA, Kind, archive
from projects.hub.artifacts.artifacts import Artifacts
from projects.hub.artifacts.blobs import BLOCK, Upload
from projects.hub.artifacts.render import render_entry, render_missing, render_run, render_usage
from projects.hub.artifacts.trees import ManifestTree
from projects.hub.artifacts.values import Filter, Run
from projects.jobs.http.access import Admin, Principal, Reader, Uploader
from projects.jobs.http.answers import answer, page_answer
from projects.jobs.http.refusals import Absent, Invalid, Refusal, TooLarge
from projects.jobs.http.streams import LOOKS
from projects.jobs.model import moment
from projects.matrix_benchmarking.reports.comparison_page import comparison_data
from projects.matrix_benchmarking.reports.page import json_text


class _Anything(Convertor[str]):
    """A path as it is: also one with line breaks, which `path` doesn't take."""

    regex = r"[\s\S]*"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("anything", _Anything())
router = APIRouter(prefix="/api/v1", tags=["artifacts"])

SILENCE = 60.0
"""Seconds without a byte after which whoever sends a content is taken to be gone: a connection may
break without a word, and meanwhile nobody else may go on with that content."""

Limit = Annotated[int, Query(ge=1, le=1000)]
_LARGEST_NUMBER = (1 << 63) - 1


class Silent(Refusal):
    """Nothing came for so long that the connection is taken to be broken."""

    http_status = 408


def artifacts_of(request: Request) -> Artifacts:
    """Return the artifacts of the application that got `request`."""
    artifacts: Artifacts = request.app.state.artifacts
    return artifacts


def visible_run(artifacts: Artifacts, who: Principal, id_: str) -> Run:
    """Return a run that exists for whoever asks; Absent, alike for all others."""
    run = artifacts.run(id_) if "\0" not in id_ else None
    seen = run is not None and (
        who.may_change(run.owner)
        or (run.published is not None and who.may_see(run.owner, run.groups))
    )
    if run is None or not seen:
        raise Absent(f"there is no artifact {id_[:60]!r}")
    return run


def own_run(artifacts: Artifacts, who: Principal, id_: str) -> Run:
    """Return a run that whoever asks may change; Absent, alike for all others."""
    run = visible_run(artifacts, who, id_)
    if not who.may_change(run.owner):
        raise Absent(f"there is no artifact {id_[:60]!r}")
    return run


def _tree(request: Request, who: Principal, id_: str) -> ManifestTree:
    artifacts = artifacts_of(request)
    return ManifestTree(artifacts, visible_run(artifacts, who, id_))


@router.post("/artifacts", status_code=201)
async def begin_artifact(request: Request, who: Uploader) -> Response:
    """Begin or go on with an export: announce its files, be told which contents are missing."""
    body = await bodies.read_body(request, "application/json", bodies.MOST_BYTES)

    def begin() -> dict[str, Any]:
        artifacts = artifacts_of(request)
        wanted, files = bodies.wanted_of(body)
        if not who.is_admin and (foreign := set(wanted.groups).difference(who.groups)):
            raise Invalid(f"groups: {min(foreign)[:60]!r} is none of yours")
        run = artifacts.begin(who.owner, wanted, files)
        return render_run(run) | {
            "missing": [render_missing(one) for one in artifacts.missing(run)]
        }

    return answer(await run_in_threadpool(begin), 201)


@router.put("/artifacts/{id_}/lease")
async def renew_lease(id_: str, request: Request, who: Uploader) -> Response:
    """Say that an export goes on (`{"holder"}`), or that it has ended (`"release": true`)."""
    body = await bodies.read_body(request, "application/json", 1 << 16)

    def renew() -> None:
        artifacts = artifacts_of(request)
        values = bodies.parse_object(body, ("holder", "release"))
        run = own_run(artifacts, who, id_)
        holder = bodies.text_of(values, "holder")
        artifacts.keep_alive(run, holder, release=values.get("release") is True)

    await run_in_threadpool(renew)
    return Response(status_code=204)


@router.get("/blobs/{sha256}")
def blob_status(sha256: str, request: Request, who: Uploader, artifact: str) -> Response:
    """Return how much of a content is here for a run, and whether that is all."""
    artifacts = artifacts_of(request)
    run = own_run(artifacts, who, artifact)
    missing, complete = artifacts.expected(run, rules.hash_of(sha256))
    return answer(render_missing(missing) | {"complete": complete})


@router.put("/blobs/{sha256}")
async def put_blob(
    *,
    sha256: str,
    request: Request,
    who: Uploader,
    artifact: str,
    offset: Annotated[int, Query(ge=0, le=_LARGEST_NUMBER)] = 0,
) -> Response:
    """Take a content from `offset` on; what has come stays when the connection breaks."""
    artifacts = artifacts_of(request)
    digest = rules.hash_of(sha256)
    run = await run_in_threadpool(own_run, artifacts, who, artifact)
    upload = await run_in_threadpool(artifacts.receive, run, digest, offset)
    try:
        await _take(request, upload)
        if upload.is_complete:
            await run_in_threadpool(artifacts.received, run, upload, digest)
        return answer({"offset": upload.at, "complete": upload.is_complete})
    finally:
        upload.close()


async def _take(request: Request, upload: Upload) -> None:
    """Write what comes; who sends it is looked up now and then: a token may end meanwhile."""
    buffer, looked = bytearray(), time.monotonic()
    try:
        pieces = request.stream()
        while (chunk := await asyncio.wait_for(anext(pieces, None), SILENCE)) is not None:
            buffer += chunk
            if len(buffer) >= BLOCK:
                piece = bytes(buffer)
                buffer.clear()  # of what fails half-way a part is there: not once more
                await run_in_threadpool(upload.write, piece)
                if time.monotonic() - looked >= LOOKS:
                    await request.app.state.authenticator.principal(request)
                    looked = time.monotonic()
    except TimeoutError:
        raise Silent(
            f"nothing came for {SILENCE:.0f} s; go on from the offset that is here"
        ) from None
    except ClientDisconnect:
        raise Invalid("the connection broke; go on from the offset that is here") from None
    finally:
        if buffer:
            await run_in_threadpool(upload.write, bytes(buffer))


@router.post("/blobs")
async def put_batch(request: Request, who: Uploader, artifact: str) -> Response:
    """Take many small contents: lines `SHA256 SIZE`, each followed by the content."""
    body = await bodies.read_body(request, bodies.BATCH, batch.MOST_BYTES)

    def take() -> int:
        artifacts = artifacts_of(request)
        return artifacts.receive_batch(own_run(artifacts, who, artifact), body)

    return answer({"stored": await run_in_threadpool(take)})


@router.post("/artifacts/{id_}/finish")
async def finish_artifact(id_: str, request: Request, who: Uploader) -> Response:
    """Compare what has come with what was announced, and let others see it, all at once."""
    body = await bodies.read_body(request, "application/json", 1 << 16)

    def finish() -> Run:
        artifacts = artifacts_of(request)
        values = bodies.parse_object(body, ("run_id", "created", "holder"))
        run = own_run(artifacts, who, id_)
        created = bodies.text_of(values, "created")
        try:
            made = moment.parse_iso(created) if created else artifacts.clock()
        except (ValueError, OverflowError):
            raise Invalid(f"created: {created[:40]!r} is no moment in ISO 8601") from None
        holder, run_id = bodies.text_of(values, "holder"), bodies.text_of(values, "run_id")
        return artifacts.finish(run, run_id[:1000] or run.place, made, holder)

    return answer(render_run(await run_in_threadpool(finish)))


@router.post("/artifacts/{id_}/withdraw")
def withdraw_artifact(id_: str, request: Request, who: Uploader) -> Response:
    """Hide a run that is about to be replaced."""
    artifacts = artifacts_of(request)
    artifacts.withdraw(own_run(artifacts, who, id_))
    return Response(status_code=204)


@router.delete("/artifacts/{id_}")
def remove_artifact(id_: str, request: Request, who: Uploader) -> Response:
    """Remove a run."""
    artifacts = artifacts_of(request)
    run = own_run(artifacts, who, id_)
    if "satellite" in who.scopes and not who.is_admin:
        raise Absent(f"there is no artifact {id_[:60]!r}")
    artifacts.remove(run)
    return Response(status_code=204)


@router.get("/artifacts")
def list_artifacts(
    *,
    request: Request,
    who: Reader,
    project: str = "",
    owner: str = "",
    group: str = "",
    outcome: str = "",
    place: str = "",
    since: str = "",
    cursor: Annotated[int | None, Query(ge=1, le=_LARGEST_NUMBER)] = None,
    limit: Limit = 50,
) -> Response:
    """Return a page of runs, the newest first."""
    try:
        begin = moment.parse_iso(since) if since else None
    except (ValueError, OverflowError):
        raise Invalid(f"since: {since[:40]!r} is no moment in ISO 8601") from None
    sees = None if who.is_admin else (who.owner, who.groups)
    asked = Filter(project, owner, group, outcome, place, begin)
    found = artifacts_of(request).page(asked, sees, cursor, limit + 1)
    following = str(found[limit - 1].number) if len(found) > limit else None
    return page_answer(request, [render_run(run) for run in found[:limit]], following)


@router.get("/artifacts/compare")
def compare_artifacts(request: Request, who: Reader, a: str, b: str) -> Response:
    """Return what differs between two runs: KPIs, configuration, environment, durations."""
    comparison = runs.compare_runs(_tree(request, who, a), _tree(request, who, b))
    # Values of YAML, which has more than JSON: dates, bytes, infinities.
    return Response(json_text(comparison_data(comparison)), media_type="application/json")


@router.get("/artifacts/{id_}")
def get_artifact(id_: str, request: Request, who: Reader) -> Response:
    """Return a run."""
    return answer(render_run(visible_run(artifacts_of(request), who, id_)))


@router.get("/artifacts/{id_}/manifest")
def get_manifest(id_: str, request: Request, who: Reader) -> Response:
    """Return the manifest of a run, as an export writes it."""
    artifacts = artifacts_of(request)
    text = artifacts.manifest(visible_run(artifacts, who, id_))
    return Response(text, media_type="application/json")


@router.get("/artifacts/{id_}/files")
def list_files(
    *,
    id_: str,
    request: Request,
    who: Reader,
    below: str = "",  # noqa: ARG001  (as below: its bytes are what counts)
    after: str = "",  # noqa: ARG001
    limit: Limit = 1000,
) -> Response:
    """Return what is in a folder of a run, a page at a time: `next` is the name to go on after."""
    folder, last = (word_in(request, name) for name in ("below", "after"))
    entries = _tree(request, who, id_).page(folder, last, limit)
    following = entries[-1].name if len(entries) == limit else None
    return answer({"items": [render_entry(entry) for entry in entries], "next": following})


@router.get("/artifacts/{id_}/files/{path:anything}")
def get_file(
    *,
    id_: str,
    path: str,  # noqa: ARG001  (as text; its bytes are what counts)
    request: Request,
    who: Reader,
    inline: bool = False,
) -> Response:
    """Return a file or the part in `Range`: to be saved, or `inline` to be shown in a sandbox."""
    name = name_in(request, b"/files/")
    file = _tree(request, who, id_).open(name)
    return showing.send(file, name, request.headers.get("range"), inline=inline)


@router.get("/artifacts/{id_}/draft/{path:anything}")
def get_draft_file(
    *,
    id_: str,
    path: str,  # noqa: ARG001  (as above)
    request: Request,
    who: Uploader,
) -> Response:
    """Return a file that was sent, to those who send it, before the run is complete."""
    artifacts = artifacts_of(request)
    name = name_in(request, b"/draft/")
    file = ManifestTree(artifacts, own_run(artifacts, who, id_), draft=True).open(name)
    return showing.send(file, name, request.headers.get("range"), inline=False)


def name_in(request: Request, behind: bytes) -> str:
    """Return the path in an address; bytes that are no UTF-8 as lone surrogates."""
    # Decoded before it is divided, as routes do: a slash may be written as %2F.
    whole = unquote_to_bytes(request.scope["raw_path"].partition(b"?")[0])
    return whole.split(behind, 1)[1].decode("utf-8", "surrogateescape")


def word_in(request: Request, name: str) -> str:
    """Return a name in the query; bytes that are no UTF-8 as lone surrogates."""
    query: str = request.scope["query_string"].decode("latin-1")
    return dict(parse_qsl(query, errors="surrogateescape")).get(name, "")


@router.get("/artifacts/{id_}/archive")
def get_archive(id_: str, request: Request, who: Reader, format: Kind = "tar.gz") -> Response:  # noqa: A002
    """Return all files in one, compressed while they are sent."""
    artifacts = artifacts_of(request)
    run = visible_run(artifacts, who, id_)
    top = run.place.rpartition("/")[2]
    headers = showing.headers_for(f"{top}.{format}", inline=False)
    parts = archive(ManifestTree(artifacts, run), top, format)
    return StreamingResponse(parts, headers=headers, media_type=MEDIA[format])


@router.get("/artifacts/{id_}/timeline")
def get_timeline(id_: str, request: Request, who: Reader) -> Response:
    """Return the timeline of a run, a page for a sandbox."""
    page = runs.timeline_of(_tree(request, who, id_))
    headers = showing.headers_for("timeline.html", inline=True)
    return Response(page, headers=headers, media_type="text/html; charset=utf-8")


@router.get("/artifacts/{id_}/log")
def get_log(
    *,
    id_: str,
    request: Request,
    who: Reader,
    path: str = "_run.log",
    line: Annotated[int, Query(ge=-_LARGEST_NUMBER, le=_LARGEST_NUMBER)] = 1,
    count: Annotated[int, Query(ge=1, le=10_000)] = 1000,
) -> Response:
    """Return lines of a text from `line` on as HTML; 0 and below count from its end."""
    file = _tree(request, who, id_).open(path)
    try:
        window = artifacts_of(request).lines.window(file, line, count)
    finally:
        file.close()
    return answer({"first": window.first, "total": window.total, "lines": window.lines})


@router.get("/artifact-quotas")
def list_quotas(request: Request, _who: Admin, limit: Limit = 100) -> Response:
    """Return what the hub keeps and may keep, and the users who keep most."""
    quotas = artifacts_of(request).quotas
    whole = quotas.usage_of_hub()
    found = [render_usage(one) for one in quotas.largest(limit)]
    return answer({"bytes": whole.bytes, "quota": whole.quota, "items": found})


@router.get("/artifact-quotas/{user}")
def get_quota(user: str, request: Request, who: Reader) -> Response:
    """Return the bytes that a user keeps and may keep; null: as many as they like."""
    if not who.may_see(user):
        raise Absent(f"there is no user {user[:60]!r}")
    usage = artifacts_of(request).quotas.usage(user)
    return answer(render_usage(usage))


@router.put("/artifact-quotas/{user}")
async def set_quota(user: str, request: Request, _who: Admin) -> Response:
    """Give a user a quota of their own: `{"quota": BYTES}`, null for as much as they like."""
    body = await bodies.read_body(request, "application/json", 1 << 16)
    values = bodies.parse_object(body, ("quota",))
    size = values.get("quota")
    if "quota" not in values or not (
        size is None or (type(size) is int and 0 <= size <= _LARGEST_NUMBER)
    ):
        raise Invalid("quota: a number of bytes or null is wanted", fields={"quota": "bytes"})
    if "\0" in user or len(user) > 200:  # noqa: PLR2004
        raise TooLarge("the name of the user is too long")
    await run_in_threadpool(artifacts_of(request).quotas.set_own, user, size)
    return Response(status_code=204)
