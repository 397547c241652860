"""Entities as JSON values: what `/api/v1` shows. `schemas` says the same for the documentation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from projects.jobs.model import identity
from projects.jobs.model.moment import iso

if TYPE_CHECKING:
    from projects.jobs.engine.engine import Submitted
    from projects.jobs.model.entities import Artifact, Event, Job, Submission, Token, Upload
    from projects.jobs.store.values import Counts, SubmissionView


def moment_or_none(at: int | None) -> str | None:
    """Return a moment as the API shows it."""
    return None if at is None else iso(at)


def job(one: Job) -> dict[str, Any]:
    """Return all that is known of a job, for those who may see it."""
    usage = one.usage
    return {
        "id": one.id,
        "uuid": identity.uuid_form(one.id),
        "number": one.number,
        "submission_id": one.submission_id,
        "position": one.position,
        "owner": one.owner,
        "tool": one.tool,
        "params": one.params,
        "state": one.state.name,
        "outcome": one.outcome,
        "reason": one.reason,
        "attempt": one.attempt,
        "return_code": one.return_code,
        "signal": one.signal,
        "created": iso(one.created),
        "started": moment_or_none(one.started),
        "finished": moment_or_none(one.finished),
        "timeout": one.timeout,
        "on_restart": one.on_restart,
        "resources": list(one.resources),
        "limits": dict(one.limits),
        "usage": usage and {"wall": usage.wall, "cpu": usage.cpu, "peak_memory": usage.peak_memory},
    }


def submission(one: SubmissionView) -> dict[str, Any]:
    """Return a submission with what its jobs are doing."""
    return _submission(one) | {
        "phase": one.phase,
        "finished": moment_or_none(one.finished),
        "states": {state.name: count for state, count in one.counts.items()},
        "outcomes": dict(one.outcomes),
    }


def submitted(one: Submitted) -> dict[str, Any]:
    """Return what was accepted: the ids of the jobs in the order of `job_specs`."""
    return _submission(one.submission) | {"job_ids": list(one.job_ids)}


def _submission(one: Submission) -> dict[str, Any]:
    return {
        "id": one.id,
        "uuid": identity.uuid_form(one.id),
        "number": one.number,
        "owner": one.owner,
        "note": one.note,
        "parallel": one.parallel,
        "priority": one.priority,
        "created": iso(one.created),
        "jobs": one.jobs,
        "cancelled": moment_or_none(one.cancelled),
        "parent": one.parent,
    }


def event(one: Event) -> dict[str, Any]:
    """Return what happened; `before` and `after` are states if it was a transition."""
    return {
        "seq": one.seq,
        "at": iso(one.at),
        "job": one.job,
        "attempt": one.attempt,
        "type": one.type,
        "before": None if one.before is None else one.before.name,
        "after": None if one.after is None else one.after.name,
        "message": one.message,
        "data": dict(one.data),
    }


def artifact(one: Artifact) -> dict[str, Any]:
    """Return a file that a job left."""
    return {"path": one.path, "size": one.size, "modified": iso(one.modified)}


def upload(one: Upload) -> dict[str, Any]:
    """Return a result file on its way to the hub."""
    return {
        "id": one.id,
        "test_system": one.test_system,
        "test_name": one.test_name,
        "attempts": one.attempts,
        "last_error": one.last_error,
        "done": moment_or_none(one.done),
        "abandoned": one.abandoned,
    }


def counts(one: Counts) -> dict[str, Any]:
    """Return how many jobs there are, taken apart."""
    return {
        "total": one.total,
        "states": {state.name: count for state, count in one.states.items()},
        "outcomes": {str(outcome): count for outcome, count in one.outcomes.items()},
        "tools": dict(one.tools),
        "owners": dict(one.owners),
    }


def token(one: Token) -> dict[str, Any]:
    """Return what may be shown of a token: neither its text, which nobody has, nor its hash."""
    return {
        "id": one.id,
        "owner": one.owner,
        "label": one.label,
        "scopes": list(one.scopes),
        "created": iso(one.created),
        "expires": moment_or_none(one.expires),
        "last_used": moment_or_none(one.last_used),
        "revoked": moment_or_none(one.revoked),
    }


def tool(one: Any) -> dict[str, Any]:
    """Return a tool as it describes itself, or why it can't be used."""
    if hasattr(one, "describe"):
        return {"valid": True, **one.describe()}
    return {"valid": False, "name": one.name, "kind": one.kind, "reason": one.reason}
