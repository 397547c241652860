"""How much of artifacts the hub keeps, and how long, as the command line says it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from projects.core.errors import UsageError
from projects.jobs.tools import units
from projects.jobs.tools.texts import Invalid

if TYPE_CHECKING:
    from collections.abc import Sequence


LONGEST = 36_600
"""Days: a hundred years."""


def read(
    apps: Sequence[str],
    hub_quota: str,
    user_quota: str,
    keep_artifacts_days: float | None,
    keep_artifacts_last: int,
) -> dict[str, Any]:
    """Return the fields of `Options`, sizes in bytes.

    Raises
    ------
    UsageError
        One is no size or no number of days; the hub, which keeps artifacts, isn't served.
    """
    days = keep_artifacts_days
    given = {
        "--hub_quota": hub_quota,
        "--user_quota": user_quota,
        "--keep_artifacts_days": "" if days is None else str(days),
    }
    for name, text in given.items():
        if text and "hub" not in apps:
            raise UsageError(f"{name} is for the hub, which --apps={','.join(apps)} leaves out")
    if days is not None and not 0 < days <= LONGEST:
        raise UsageError(f"--keep_artifacts_days={days}: above 0 and up to {LONGEST} is possible")
    if keep_artifacts_last < 0:
        raise UsageError(f"--keep_artifacts_last={keep_artifacts_last}: 0 or more is wanted")
    return {
        "hub_quota": _size("--hub_quota", hub_quota),
        "user_quota": _size("--user_quota", user_quota),
        "keep_artifacts_days": days,
        "keep_artifacts_last": keep_artifacts_last,
    }


def _size(name: str, text: str) -> int | None:
    if not text:
        return None
    try:
        return units.size(text)
    except Invalid as error:
        raise UsageError(f"{name}={text}: {error}") from None
