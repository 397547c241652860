"""What callers may do, whichever façade they come through: found, allowed, done.

All of these read or write the store: they are called in a thread, except for a single row.
"""

from __future__ import annotations

import os
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from projects.core.errors import UsageError, unknown
from projects.jobs.http.access import changeable, visible
from projects.jobs.http.filters import key_of
from projects.jobs.http.refusals import Absent, Invalid
from projects.jobs.model import identity
from projects.jobs.model.moment import iso, now
from projects.jobs.model.states import LIVE, QUEUED
from projects.jobs.tools.tool import NAME

if TYPE_CHECKING:
    from collections.abc import Sequence

    from projects.jobs.engine.engine import Submitted
    from projects.jobs.http.access import Principal
    from projects.jobs.http.filters import JobQuery
    from projects.jobs.http.services import Services
    from projects.jobs.model.entities import Job
    from projects.jobs.store.values import JobFilter, SubmissionView


MOST_GROUPS = 100
"""So many groups see one submission."""


def submit(
    services: Services, who: Principal, request: Any, parent: str | None = None
) -> Submitted:
    """Take a submission; what this returns for is on disk.

    `parent` is the id of the job from inside which it is said to come. One that isn't here (it
    runs on another satellite) or that `who` may not change means nothing.
    """
    if not isinstance(request, dict):
        raise Invalid('a submission is an object: {"job_specs": [{"name": TOOL, "params": {…}}]}')
    above = _parent(services, who, parent)
    sharing, wanted = services.sharing, request.get("groups")
    if sharing is None:
        return services.engine.submit(request, who.owner, above)
    if wanted is not None and not _are_names(wanted):
        said = "is a list of groups' ids, at most 100"
        raise Invalid(f"groups {said}", fields={"groups": said})
    groups = sharing.to_share_with(who, wanted)
    rest = {name: value for name, value in request.items() if name != "groups"}
    if not groups:
        return services.engine.submit(rest, who.owner, above)
    # Kept in two databases: whoever stops the server in between leaves a note about a submission
    # that never was, rather than a submission that those who wait for its results can't see.
    return services.engine.submit(
        rest, who.owner, above, before=lambda id_: sharing.share_submission(id_, groups)
    )


def _parent(services: Services, who: Principal, name: str | None) -> Job | None:
    if name is None:
        return None
    try:
        found: Job | None = services.store.job(identity.parse(name))
    except UsageError:
        return None  # others have a variable JOB_ID, too
    return found if found is not None and who.may_change(found.owner) else None


def _are_names(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) <= MOST_GROUPS
        and all(isinstance(each, str) for each in value)
    )


def job_of(services: Services, who: Principal, name: str) -> Job:
    """Return the job with an id or number, if `who` may see it."""
    found = services.store.job(key_of(name))
    job: Job = visible(who, found, "job", name, lambda: _groups_of(services, found.submission_id))
    return job


def submission_of(services: Services, who: Principal, name: str) -> SubmissionView:
    """Return the submission with an id or number, if `who` may see it."""
    found = services.store.submission(key_of(name))
    submission: SubmissionView = visible(
        who, found, "submission", name, lambda: _groups_of(services, found.id)
    )
    return submission


def jobs_asked(services: Services, who: Principal, query: JobQuery) -> JobFilter:
    """Return which jobs are meant: one's own, and those of a submission that groups share.

    Lists show what is one's own; who names a submission that they may see sees its jobs.
    """
    wanted = query.filter(who)
    if wanted.submission is None or who.sees is None:
        return wanted
    try:
        found = submission_of(services, who, str(wanted.submission))
    except Absent:
        return wanted
    if query.owner not in (None, found.owner):
        return wanted
    return replace(wanted, owners=[found.owner])


def cancel_job(services: Services, who: Principal, name: str) -> Job:
    """End a job that waits or runs; of one that runs the end comes a little later."""
    job = job_of(services, who, name)
    changeable(who, job)
    services.engine.cancel(job.number, f"cancelled by {who.owner}")
    return job_of(services, who, name)


def cancel_submission(services: Services, who: Principal, name: str) -> SubmissionView:
    """End all jobs of a submission that haven't ended."""
    submission = submission_of(services, who, name)
    changeable(who, submission)
    services.engine.cancel_submission(submission.number, f"cancelled by {who.owner}")
    return submission_of(services, who, name)


def retry_job(services: Services, who: Principal, name: str) -> Job:
    """Run a job that has ended once more."""
    job = job_of(services, who, name)
    changeable(who, job)
    services.engine.retry(job.number)
    return job_of(services, who, name)


def _groups_of(services: Services, submission_id: str) -> Sequence[str]:
    sharing = services.sharing
    return () if sharing is None else sharing.groups_of_submission(submission_id)


def directory_of(services: Services, job: Job) -> str:
    """Return the directory of a job's logs and files."""
    return os.path.join(services.engine.settings.logs, job.id)


def tools_of(services: Services) -> list[Any]:
    """Return all tools, also those that can't be used."""
    return list(services.catalog.all())


def tool_of(services: Services, name: str) -> Any:
    """Return a tool by its name, valid or not."""
    found = services.catalog.look(name) if NAME.match(name) else None
    if found is None:
        raise Absent(unknown("tool", name[:100], [tool.name for tool in services.catalog.all()]))
    return found


def options_of(services: Services, name: str, parameter: str) -> dict[str, Any]:
    """Return what a parameter of a tool may be, with what its command adds."""
    tool = tool_of(services, name)
    if not hasattr(tool, "parameters"):
        raise Absent(f"the tool {name} can't be used: {tool.reason}")
    if tool.parameter(parameter) is None:
        names = [each.name for each in tool.parameters]
        raise Absent(unknown("parameter", parameter[:100], names))
    found = services.options.options(tool, parameter)
    return {"options": list(found.options), "warning": found.warning or ""}


def info(services: Services) -> dict[str, Any]:
    """Return the server in short."""
    settings = services.engine.settings
    states = services.store.counts().states
    return {
        "version": services.settings.version,
        "nickname": services.settings.nickname,
        "uptime": round(time.monotonic() - services.started, 3),
        "now": iso(now()),
        "running": sum(states.get(state, 0) for state in LIVE),
        "waiting": sum(states.get(state, 0) for state in QUEUED),
        "tools": len(services.catalog.all()),
        "limits": {
            "parallel_submissions": settings.parallel_submissions,
            "parallel_jobs": settings.parallel_jobs,
            "capacity": settings.capacity,
            "expire_days": settings.expire_days,
        },
    }
