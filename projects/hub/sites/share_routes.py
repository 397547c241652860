"""With which groups a submission is shared: asked and changed once it is there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from projects.hub.sites.lending import key_of
from projects.jobs.http import access, schemas
from projects.jobs.http.answers import answer
from projects.jobs.http.body import read_json
from projects.jobs.http.operations import MOST_GROUPS
from projects.jobs.http.refusals import Absent, Forbidden, Invalid
from projects.jobs.http.services import services_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from projects.hub.sites.site import Json, Site
    from projects.jobs.http.access import Principal
    from projects.jobs.http.services import Sharing

router = APIRouter(prefix="/api/v1", responses=schemas.COMMON_ERRORS, tags=["submissions"])

_MOST_BODY = 64 << 10
_HERE = "/submissions/{submission}/groups"
_THERE = "/satellites/{satellite}/submissions/{submission}/groups"


class SharedWith(BaseModel):
    """The groups that see a submission."""

    model_config = ConfigDict(extra="forbid")

    groups: list[Annotated[str, Field(max_length=63)]] = Field(max_length=MOST_GROUPS)


@router.get(_HERE, response_model=SharedWith)
async def groups(request: Request, who: access.Reader, submission: str) -> Response:
    """Show which groups see a submission of the hub's own machine."""
    return await _shown(request, who, "", submission)


@router.put(_HERE, response_model=SharedWith, openapi_extra=schemas.body_schema(SharedWith))
async def share_submission(request: Request, who: access.Submitter, submission: str) -> Response:
    """Let these groups see it, and no others; for its owner."""
    return await _changed(request, who, "", submission)


@router.get(_THERE, response_model=SharedWith)
async def groups_there(
    request: Request, who: access.Reader, satellite: str, submission: str
) -> Response:
    """Show which groups see a submission of a satellite on this hub."""
    return await _shown(request, who, satellite, submission)


@router.put(_THERE, response_model=SharedWith, openapi_extra=schemas.body_schema(SharedWith))
async def share_submission_there(
    request: Request, who: access.Submitter, satellite: str, submission: str
) -> Response:
    """Let these groups see it on this hub, and no others; for its owner."""
    return await _changed(request, who, satellite, submission)


async def seen_by(request: Request, site: Site, submission: str) -> tuple[str, ...]:
    """Return the groups that see a submission; who asks is allowed to."""
    key = key_of(site.nickname, submission, is_local=site.is_local)
    return tuple(await run_in_threadpool(_sharing(request).groups_of_submission, key))


async def own_submission(who: Principal, site: Site, submission: str) -> Json:
    """Return a submission that `who` may share.

    Raises
    ------
    Absent, Forbidden
        There is none that they see; it is another's.
    """
    found = await site.submission(who, submission)
    if not who.may_change(found["owner"]):
        raise Forbidden(f"it belongs to {found['owner']}, who shares it with you for reading")
    return found


async def share(
    request: Request, who: Principal, site: Site, found: Json, wanted: Iterable[str]
) -> tuple[str, ...]:
    """Let groups see a submission and its jobs, and no others; return them.

    Raises
    ------
    Invalid
        Its owner isn't in one of the groups.
    """
    before = set(await seen_by(request, site, found["id"]))
    chosen = tuple(sorted(set(wanted)))
    owner = access.Principal(found["owner"], who.scopes)

    def keep() -> None:
        # Whoever has left a group may leave what they shared with it as it is.
        _sharing(request).to_share_with(owner, [one for one in chosen if one not in before])
        key = key_of(site.nickname, found["id"], is_local=site.is_local)
        _sharing(request).share_submission(key, chosen)

    await run_in_threadpool(keep)
    return chosen


async def _shown(request: Request, who: Principal, satellite: str, submission: str) -> Response:
    site = await request.app.state.sites.get(satellite)
    found = await site.submission(who, submission)
    return answer({"groups": list(await seen_by(request, site, found["id"]))})


async def _changed(request: Request, who: Principal, satellite: str, submission: str) -> Response:
    site = await request.app.state.sites.get(satellite)
    found = await own_submission(who, site, submission)
    wanted = _wanted(await read_json(request, _MOST_BODY))
    return answer({"groups": list(await share(request, who, site, found, wanted))})


def _wanted(value: Any) -> Sequence[str]:
    try:
        return SharedWith.model_validate(value, strict=True).groups
    except ValidationError:
        said = f'is {{"groups": [ID, ...]}}, at most {MOST_GROUPS}'
        raise Invalid(f"what is wanted {said}", fields={"groups": said}) from None


def _sharing(request: Request) -> Sharing:
    sharing = services_of(request).sharing
    if sharing is None:
        raise Absent("this server has no groups")
    return sharing
