"""What owners change of their tables: who sees them, units of columns, which way is good."""

from __future__ import annotations

from typing import TYPE_CHECKING

from projects.core.errors import unknown
from projects.hub.tables.uploading import check_groups
from projects.jobs.http.refusals import Forbidden, Invalid

if TYPE_CHECKING:
    from projects.hub.tables.schemas import ColumnChange, TableChange
    from projects.hub.tables.store import Tables
    from projects.hub.tables.values import ResultTable
    from projects.jobs.http.access import Principal


def check_may_change(who: Principal, table: ResultTable) -> None:
    """Refuse a change by others than the owner and admins; raises Forbidden."""
    if not who.may_change(table.owner):
        raise Forbidden(f"the table is {table.owner}'s: groups look at it, and add rows")


def change(tables: Tables, who: Principal, table: ResultTable, wanted: TableChange) -> ResultTable:
    """Change a table; return it as it is then.

    Raises
    ------
    Forbidden, Invalid
        It is somebody else's, or would be given away or to groups that `who` isn't in; it has no
        such column.
    """
    check_may_change(who, table)
    if wanted.owner not in (None, table.owner) and not who.is_admin:
        raise Forbidden("only an admin gives a table to somebody else")
    check_groups(who, [group for group in wanted.groups or () if group not in table.groups])
    known = [column.name for column in table.columns]
    columns = {}
    for name, said in (wanted.columns or {}).items():
        if name not in known:
            raise Invalid(unknown("column", name[:200], known))
        columns[name] = _changed(said)
    return tables.change(table, owner=wanted.owner, groups=wanted.groups, columns=columns)


def _changed(change: ColumnChange) -> dict[str, str]:
    """Return what is said of a column, and nothing else: others may say the rest meanwhile."""
    return {name: getattr(change, name) or "" for name in sorted(change.model_fields_set)}
