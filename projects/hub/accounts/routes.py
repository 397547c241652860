"""`/api/v1/me`, `/users`, `/groups`, `/links`, `/settings`, `/audit`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from projects.hub.accounts import audit, schemas, users
from projects.hub.accounts.accounts import INVITATION_LIFETIME, LINK_LIFETIME, accounts_of
from projects.hub.accounts.cookies import own_address
from projects.hub.accounts.directory import Directory
from projects.hub.accounts.values import Actor, Member, User
from projects.jobs.http.access import Admin, Principal, Reader, Submitter, address_of
from projects.jobs.http.answers import answer, page_answer
from projects.jobs.http.body import Model, read_json, read_model
from projects.jobs.http.refusals import Absent
from projects.jobs.http.schemas import COMMON_ERRORS, body_schema

if TYPE_CHECKING:
    from projects.hub.accounts.accounts import Accounts

router = APIRouter(prefix="/api/v1", responses=COMMON_ERRORS, tags=["accounts"])

_MOST_BODY = 64 << 10
_Limit = Annotated[int, Query(ge=1, le=1000, description="items of a page")]
_Cursor = Annotated[str, Query(max_length=100, description="what `next` of the page before was")]
_Text = Annotated[str | None, Query(max_length=500)]


def actor(request: Request, who: Principal) -> Actor:
    """Return who does something, for the audit log."""
    return Actor(who.owner, address_of(request))


def _directory(request: Request) -> Directory:
    return Directory(accounts_of(request))


async def _wanted(request: Request, kind: type[Model]) -> Model:
    return read_model(kind, await read_json(request, _MOST_BODY))


# ── oneself ──


@router.get("/me", response_model=schemas.Anything)
async def me(request: Request, who: Reader) -> Response:
    """Show who calls, and what they may do."""
    found = await run_in_threadpool(accounts_of(request).user, who.owner)
    return answer(schemas.me(who, found))


@router.get("/sessions", response_model=schemas.Anything)
async def own_sessions(request: Request, who: Reader) -> Response:
    """List the browsers that one is logged in with."""
    found = await run_in_threadpool(accounts_of(request).sessions_of, who.owner)
    return answer({"items": [schemas.session(one, who.session_id) for one in found]})


@router.delete("/sessions/{session}", status_code=204, response_class=Response)
async def end_session(request: Request, who: Submitter, session: str) -> Response:
    """Log a browser out: one of one's own, for admins anybody's."""
    accounts = accounts_of(request)
    done = await run_in_threadpool(accounts.end_session, who.sees, session, actor(request, who))
    if not done:
        raise Absent(f"there is no session {session[:70]}")
    return Response(status_code=204)


# ── users ──


@router.get("/users", response_model=schemas.Anything)
async def list_users(
    request: Request, who: Admin, limit: _Limit = 100, cursor: _Cursor = ""
) -> Response:
    """List users, by name."""
    del who
    found = await run_in_threadpool(_directory(request).page, limit, cursor)
    following = found[-1].name if len(found) == limit else None
    return page_answer(request, [schemas.user(one) for one in found], following)


@router.post(
    "/users",
    status_code=201,
    response_model=schemas.Anything,
    openapi_extra=body_schema(schemas.NewUser),
)
async def create_user(request: Request, who: Admin) -> Response:
    """Make a user; without a password they log in by a link the first time."""
    wanted = await _wanted(request, schemas.NewUser)
    new = User(wanted.name, wanted.full_name, wanted.email, admin=wanted.admin)
    by = actor(request, who)
    made = await run_in_threadpool(_directory(request).create, new, wanted.password, by)
    return answer(schemas.user(made), 201, {"Location": f"/api/v1/users/{made.name}"})


@router.get("/users/{user}", response_model=schemas.Anything)
async def show_user(request: Request, who: Reader, user: str) -> Response:
    """Show a user: oneself, or for admins anybody."""
    found = await run_in_threadpool(_find, accounts_of(request), who, user)
    return answer(schemas.user(found[0], found[1]))


def _find(accounts: Accounts, who: Principal, name: str) -> tuple[User, tuple[str, ...]]:
    found = accounts.user(name) if who.may_change(name) else None
    standing = None if found is None else accounts.standing_of(name)
    if found is None or standing is None:
        with accounts.database.read() as connection:
            raise users.absent(connection, name, tell=who.is_admin)
    return found, standing.groups


@router.patch(
    "/users/{user}",
    response_model=schemas.Anything,
    openapi_extra=body_schema(schemas.UserChange),
)
async def change_user(request: Request, who: Submitter, user: str) -> Response:
    """Change a user. Admins make others admins, and disable them: that ends all they have open."""
    await run_in_threadpool(_find, accounts_of(request), who, user)
    kind = schemas.UserChange if who.is_admin else schemas.OwnChange
    wanted = await _wanted(request, kind)
    changes: dict[str, Any] = wanted.model_dump(exclude_none=True)
    by = actor(request, who)
    return answer(
        schemas.user(await run_in_threadpool(_directory(request).change, user, changes, by))
    )


@router.put(
    "/users/{user}/password",
    status_code=204,
    response_class=Response,
    openapi_extra=body_schema(schemas.PasswordChange),
)
async def change_password(request: Request, who: Submitter, user: str) -> Response:
    """Set a password. Other sessions end; tokens stay: revoke those that others may know."""
    await run_in_threadpool(_find, accounts_of(request), who, user)
    wanted = await _wanted(request, schemas.PasswordChange)
    directory, by = _directory(request), actor(request, who)
    if who.owner == user:
        await run_in_threadpool(directory.change_own_password, who, wanted.old, wanted.new, by)
    else:
        await run_in_threadpool(directory.set_password, user, None, wanted.new, by, who.session_id)
    return Response(status_code=204)


@router.post(
    "/links",
    status_code=201,
    response_model=schemas.Anything,
    openapi_extra=body_schema(schemas.LinkRequest),
)
async def create_link(request: Request, who: Admin) -> Response:
    """Make a link that logs a user in, once: for oneself within an hour, for others in 3 days."""
    wanted = await _wanted(request, schemas.LinkRequest)
    name = wanted.user or who.owner
    secret = await run_in_threadpool(_make_link, accounts_of(request), name, actor(request, who))
    url = f"{own_address(request)}/login?link={secret}"
    return answer({"user": name, "url": url}, 201)


def _make_link(accounts: Accounts, name: str, by: Actor) -> str:
    oneself = name == by.who
    found = accounts.user(name)
    if not oneself and (found is None or found.disabled is not None):
        raise Absent(f"there is no user {name[:70]} who may log in")
    lifetime = LINK_LIFETIME if oneself else INVITATION_LIFETIME
    return accounts.make_link(name, by, lifetime=lifetime, admin=oneself)


# ── groups ──


@router.get("/groups", response_model=schemas.Anything)
async def list_groups(
    request: Request, who: Reader, limit: _Limit = 100, cursor: _Cursor = ""
) -> Response:
    """List the groups that one is in; for admins all."""
    found = await run_in_threadpool(_directory(request).groups_page, who, limit, cursor)
    following = found[-1].id if len(found) == limit else None
    return page_answer(request, [schemas.group(one) for one in found], following)


@router.post(
    "/groups",
    status_code=201,
    response_model=schemas.Anything,
    openapi_extra=body_schema(schemas.NewGroup),
)
async def create_group(request: Request, who: Admin) -> Response:
    """Make a group."""
    wanted = await _wanted(request, schemas.NewGroup)
    made = await run_in_threadpool(
        _directory(request).create_group, wanted.id, wanted.title, actor(request, who)
    )
    return answer(schemas.group(made, []), 201, {"Location": f"/api/v1/groups/{made.id}"})


@router.get("/groups/{group}", response_model=schemas.Anything)
async def show_group(request: Request, who: Reader, group: str) -> Response:
    """Show a group and who is in it."""
    found, members = await run_in_threadpool(_directory(request).group, who, group)
    return answer(schemas.group(found, members))


@router.patch(
    "/groups/{group}",
    response_model=schemas.Anything,
    openapi_extra=body_schema(schemas.GroupChange),
)
async def change_group(request: Request, who: Submitter, group: str) -> Response:
    """Give a group another title; for its managers."""
    wanted = await _wanted(request, schemas.GroupChange)
    changed = await run_in_threadpool(
        _directory(request).rename_group, who, group, wanted.title, actor(request, who)
    )
    return answer(schemas.group(changed))


@router.delete("/groups/{group}", status_code=204, response_class=Response)
async def delete_group(request: Request, who: Admin, group: str) -> Response:
    """Remove a group; what was shared with it belongs to its owners alone again."""
    await run_in_threadpool(_directory(request).remove_group, group, actor(request, who))
    return Response(status_code=204)


@router.get("/groups/{group}/members", response_model=schemas.Anything)
async def list_members(request: Request, who: Reader, group: str) -> Response:
    """List who is in a group."""
    found, members = await run_in_threadpool(_directory(request).group, who, group)
    return answer({"items": schemas.group(found, members)["members"]})


@router.put(
    "/groups/{group}/members/{user}",
    status_code=204,
    response_class=Response,
    openapi_extra=body_schema(schemas.MemberChange),
)
async def put_member(request: Request, who: Submitter, group: str, user: str) -> Response:
    """Make a user a member, or a manager; for managers of the group."""
    wanted = await _wanted(request, schemas.MemberChange)
    new = Member(group, user, wanted.manager)
    await run_in_threadpool(_directory(request).put_member, who, new, actor(request, who))
    return Response(status_code=204)


@router.delete("/groups/{group}/members/{user}", status_code=204, response_class=Response)
async def delete_member(request: Request, who: Submitter, group: str, user: str) -> Response:
    """Take a user out of a group; for its managers, and for the user."""
    by = actor(request, who)
    await run_in_threadpool(_directory(request).remove_member, who, group, user, by)
    return Response(status_code=204)


# ── the hub ──


@router.get("/settings", response_model=schemas.Anything)
async def settings(request: Request, who: Admin) -> Response:
    """Show the settings of the hub."""
    del who
    return answer({"registration": await run_in_threadpool(_directory(request).registration)})


@router.patch(
    "/settings",
    response_model=schemas.Anything,
    openapi_extra=body_schema(schemas.SettingsChange),
)
async def change_settings(request: Request, who: Admin) -> Response:
    """Let everybody make themselves a user (`open`), or only admins make users (`closed`)."""
    wanted = await _wanted(request, schemas.SettingsChange)
    await run_in_threadpool(
        _directory(request).set_registration, wanted.registration, actor(request, who)
    )
    return answer({"registration": wanted.registration})


@router.get("/audit", response_model=schemas.Anything)
async def audit_log(  # noqa: PLR0917  (a route)
    request: Request,
    who: Admin,
    user: _Text = None,
    action: _Text = None,
    object: _Text = None,  # noqa: A002  (the name in the address)
    limit: _Limit = 100,
    cursor: Annotated[int | None, Query(ge=0, lt=1 << 62)] = None,
) -> Response:
    """List who did what, when and from where; the newest first."""
    del who

    def read() -> list[Any]:
        with accounts_of(request).database.read() as connection:
            return audit.page(
                connection, limit=limit, before=cursor, who=user, action=action, what=object
            )

    found = await run_in_threadpool(read)
    following = str(found[-1].seq) if len(found) == limit else None
    return page_answer(request, [schemas.audit_entry(one) for one in found], following)
