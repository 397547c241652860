"""The query parameters of lists, and the filters of the store that they mean."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Annotated, TypeVar

from pydantic import BaseModel, Field

from projects.core.errors import unknown
from projects.jobs.http.refusals import Invalid
from projects.jobs.model import identity, moment
from projects.jobs.model.states import LIVE, QUEUED, Outcome, State
from projects.jobs.store.values import JobFilter, Phase, SubmissionFilter

if TYPE_CHECKING:
    from projects.jobs.http.access import Principal

MOST_ITEMS = 1000
NOBODY = "\x7f"
"""An owner that nobody can be: what is asked for isn't the caller's to see."""

T = TypeVar("T")
_Text = Annotated[str | None, Field(max_length=1000)]


class PageQuery(BaseModel):
    """Which part of a list."""

    limit: int = Field(100, ge=1, le=MOST_ITEMS, description="items of a page")
    cursor: _Text = Field(default=None, description="what `next` of the page before was")
    oldest_first: bool = Field(False, description="the oldest first instead of the newest")


class _Common(BaseModel):
    owner: _Text = Field(default=None, description="whose; only for admins")
    since: _Text = Field(default=None, description="created at this moment or later; ISO 8601")
    until: _Text = Field(default=None, description="created before this moment; ISO 8601")


class JobQuery(_Common):
    """Which jobs: all that fit every parameter; several values with commas between."""

    state: _Text = Field(default=None, description="NEW … ARCHIVED, or `queued`, `live`, `ended`")
    outcome: _Text = Field(default=None, description="SUCCESS, FAILED, TIMEOUT, CANCELLED, LOST")
    tool: _Text = Field(default=None, description="names of tools")
    submission: _Text = Field(default=None, description="its id")

    def filter(self, who: Principal) -> JobFilter:
        """Return what the store understands, of what `who` may see."""
        return JobFilter(
            states=states_of(self.state),
            outcomes=_several("outcome", self.outcome, {o.value: [o] for o in Outcome}),
            tools=words(self.tool),
            owners=_owners(self.owner, who),
            submission=None if self.submission is None else key_of(self.submission),
            since=_moment("since", self.since),
            until=_moment("until", self.until),
        )


class SubmissionQuery(_Common):
    """Which submissions."""

    phase: _Text = Field(default=None, description="pending, running, done")

    def filter(self, who: Principal) -> SubmissionFilter:
        """Return what the store understands, of what `who` may see."""
        return SubmissionFilter(
            phases=_several("phase", self.phase, {phase.value.upper(): [phase] for phase in Phase}),
            owners=_owners(self.owner, who),
            since=_moment("since", self.since),
            until=_moment("until", self.until),
        )


class JobPageQuery(JobQuery, PageQuery):
    """Which jobs, and which part of them."""


class SubmissionPageQuery(SubmissionQuery, PageQuery):
    """Which submissions, and which part of them."""


def states_of(text: str | None) -> list[State]:
    """Return the states that names of states, and of groups of them, mean; case doesn't matter."""
    names: dict[str, Iterable[State]] = {state.name: (state,) for state in State}
    groups = {"QUEUED": QUEUED, "LIVE": LIVE, "ENDED": (State.DONE, State.ARCHIVED)}
    return _several("state", text, names | groups)


def key_of(text: str) -> int | str:
    """Return the number, or the id of 22 characters, that names a job or submission.

    Raises
    ------
    UsageError
        It is neither.
    """
    if len(text) <= 18 and text.isascii() and text.isdecimal():  # noqa: PLR2004  (within 64 bits)
        return int(text)
    return identity.parse(text)


def words(text: str | None) -> list[str]:
    """Return the values of a parameter, which have commas between."""
    return [] if text is None else [word.strip() for word in text.split(",") if word.strip()]


def _several(name: str, text: str | None, values: Mapping[str, Iterable[T]]) -> list[T]:
    found: list[T] = []
    for word in words(text):
        if word.upper() not in values:
            raise Invalid(unknown(name, word, values), fields={name: f"there is no {word!r}"})
        found.extend(values[word.upper()])
    return found


def _owners(owner: str | None, who: Principal) -> list[str]:
    if who.sees is None:
        return [] if owner is None else [owner]
    return [who.sees if owner in (None, who.sees) else NOBODY]


def _moment(name: str, text: str | None) -> int | None:
    if text is None:
        return None
    try:
        return moment.parse_iso(text.replace(" ", "+"))  # a + in an address is read as a space
    except (ValueError, OverflowError):
        said = f"{text[:60]!r} is no moment; write it as 2026-01-02T03:04:05Z"
        raise Invalid(f"{name}: {said}", fields={name: said}) from None
