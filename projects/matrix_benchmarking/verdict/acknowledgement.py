"""Changes that somebody knows of and accepts for a while: the file they are written in."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from projects.core.configuration.document import Document, describe, dump
from projects.core.errors import ConfigurationError, unknown
from projects.matrix_benchmarking.verdict.series import moment

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Mapping

KEYS = ("kpi", "labels", "since", "reason", "expires")
_OPTIONAL = ("labels",)


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """What changed in `kpi` (a name or a pattern like `latency_*`) at `since` is accepted.

    It counts for series that have these labels, maybe among others, until `expires`, that day
    included.
    """

    kpi: str
    since: datetime
    reason: str
    expires: date
    labels: Mapping[str, str] = field(default_factory=dict)

    def covers(self, kpi: str, labels: Mapping[str, str]) -> bool:
        """Return whether it is about this series."""
        return fnmatchcase(kpi, self.kpi) and all(
            str(labels.get(name)) == value for name, value in self.labels.items()
        )

    def expired(self, today: date) -> bool:
        """Return whether its last day is over."""
        return today > self.expires


def read_acknowledgements(path: str | os.PathLike[str]) -> list[Acknowledgement]:
    """Read a YAML list of mappings with the keys kpi, since, reason, expires and maybe labels.

    `since` is a day or a moment (UTC unless it has a zone), `expires` a day.

    Raises
    ------
    InfrastructureError
        The file cannot be read.
    ConfigurationError
        It does not say what an acknowledgement needs, with file, line and column.

    """
    return acknowledgements_of(Document.load(path))


def acknowledgements_of(document: Document) -> list[Acknowledgement]:
    """Return the acknowledgements of a document; an empty one has none."""
    values = [] if document.values is None else document.values
    if not isinstance(values, list):
        raise ConfigurationError(
            f"acknowledgements have to be a list, not a {describe(values)}",
            where=document.origin(()).value,
        )
    return [_read(document, index, entry) for index, entry in enumerate(values)]


def as_yaml(acknowledgements: Iterable[Acknowledgement]) -> str:
    """Return the text of a file that has these acknowledgements; it can be appended to another."""
    return dump(
        [
            {
                "kpi": each.kpi,
                **({"labels": dict(each.labels)} if each.labels else {}),
                "since": each.since.isoformat(),
                "reason": each.reason,
                "expires": each.expires.isoformat(),
            }
            for each in acknowledgements
        ]
    )


def _read(document: Document, index: int, entry: Any) -> Acknowledgement:
    if not isinstance(entry, dict):
        raise ConfigurationError(
            f"an acknowledgement has to be a mapping with {', '.join(KEYS)}, "
            f"not a {describe(entry)}",
            where=document.origin((index,)).value,
        )
    for key in entry:
        if key not in KEYS:
            where = document.origin((index, key)).key
            raise ConfigurationError(unknown("key", str(key), KEYS), where=where)
    missing = [key for key in KEYS if entry.get(key) is None and key not in _OPTIONAL]
    if missing:
        where = document.origin((index,)).value
        raise ConfigurationError(
            f"the acknowledgement lacks {', '.join(missing)}; a reason and the day it expires "
            "are for those who come later",
            where=where,
        )
    return Acknowledgement(
        kpi=_text(document, index, "kpi", entry),
        since=_moment(document, index, "since", entry),
        reason=_text(document, index, "reason", entry),
        expires=_moment(document, index, "expires", entry).date(),
        labels=_labels(document, index, entry.get("labels")),
    )


def _text(document: Document, index: int, key: str, entry: Mapping[str, Any]) -> str:
    value = entry[key]
    if isinstance(value, str) and value.strip():
        return value.strip()
    where = document.origin((index, key)).value
    raise ConfigurationError(f"{key} has to be a text, not {value!r}", where=where)


def _labels(document: Document, index: int, value: Any) -> dict[str, str]:
    if value is None:
        return {}
    if isinstance(value, dict) and not any(isinstance(v, dict | list) for v in value.values()):
        return {str(name): str(label) for name, label in value.items()}
    where = document.origin((index, "labels")).value
    raise ConfigurationError("labels have to be a mapping of names to single values", where=where)


def _moment(document: Document, index: int, key: str, entry: Mapping[str, Any]) -> datetime:
    value = entry[key]
    if isinstance(value, str):
        with suppress(ValueError):
            value = datetime.fromisoformat(value.strip())
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, date):
        return datetime.combine(value, time(), UTC)
    where = document.origin((index, key)).value
    raise ConfigurationError(f"{key} has to be a day like 2026-11-18, not {value!r}", where=where)
