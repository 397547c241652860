"""Artifacts as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from projects.jobs.model import moment

if TYPE_CHECKING:
    from projects.hub.artifacts.trees import Entry
    from projects.hub.artifacts.values import Missing, Run, Usage


def render_run(run: Run) -> dict[str, Any]:
    """Return a run; `state` is "sending" until all of it has come."""
    return {
        "id": run.id,
        "place": run.place,
        "run_id": run.run_id,
        "owner": run.owner,
        "groups": list(run.groups),
        "project": run.project,
        "name": run.name,
        "outcome": run.outcome or None,
        "state": "complete" if run.published is not None else "sending",
        "created": moment.iso(run.created),
        "published": None if run.published is None else moment.iso(run.published),
        "files": run.files,
        "bytes": run.bytes if run.published is not None else run.draft_bytes,
        "path": f"/artifacts/{run.id}",
    }


def render_missing(missing: Missing) -> dict[str, Any]:
    """Return a content that has to be sent, from an offset on."""
    return {"sha256": missing.sha256.hex(), "size": missing.size, "offset": missing.offset}


def render_entry(entry: Entry) -> dict[str, Any]:
    """Return a file or folder."""
    if entry.is_folder:
        return {"name": entry.name, "path": entry.path, "type": "folder"}
    return {
        "name": entry.name,
        "path": entry.path,
        "type": "file",
        "size": entry.size,
        "modified": moment.iso(entry.modified),
    }


def render_usage(one: Usage) -> dict[str, Any]:
    """Return what a user keeps and may keep, in bytes; null: any number."""
    return {"user": one.user, "bytes": one.bytes, "quota": one.quota}
