"""Small forms of pages: what came back with mistakes is shown again, each beside its field."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from projects.jobs.http.body import Form
    from projects.jobs.http.refusals import Refusal

SECRET = frozenset({"csrf_token", "old", "new", "again", "password"})
"""Fields that are never sent back."""


@dataclass(frozen=True, slots=True)
class Filled:
    """A form as it is shown: `errors` by the names of fields, `said` about it as a whole."""

    values: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)
    fields: Sequence[tuple[str, str]] = ()
    """All of them, where a name may come several times."""
    said: str = ""
    status: int = 200


EMPTY = Filled()


def refused(form: Form, refusal: Refusal, fields: Collection[str]) -> Filled:
    """Return a form that was refused; `fields` are those that have a place beside them."""
    errors = {name: said for name, said in refusal.fields.items() if name in fields}
    return wrong(form, errors, "" if errors else refusal.message, refusal.http_status)


def wrong(form: Form, errors: Mapping[str, str], said: str = "", status: int = 422) -> Filled:
    """Return a form with mistakes, with what was written but for secrets."""
    values = {name: value for name, value in form.fields if name not in SECRET}
    return Filled(values, errors, tuple(form.fields), said, status)
