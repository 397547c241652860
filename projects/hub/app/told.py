"""What notifications are about, asked of the other rooms: who is in which group, what got worse."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from projects.core.errors import TopgallantError
from projects.hub.notifications.watcher import Judged, Sources
from projects.hub.tables.columns import NUMERIC
from projects.hub.tables.names import address
from projects.hub.tables.plots import Wanted

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from typing import Any

    from projects.hub.accounts.accounts import Accounts
    from projects.hub.accounts.sharing import Sharing
    from projects.hub.tables.plots import Plots
    from projects.hub.tables.store import Tables
    from projects.hub.tables.values import ResultTable

_WORSE = "regression"
_PAGE = 1000


def sources(
    store: Any, accounts: Accounts, sharing: Sharing, tables: Tables, plots: Plots
) -> Sources:
    """Return what the watcher asks."""

    def groups_of_user(name: str) -> Collection[str] | None:
        standing = accounts.standing_of(name)
        if standing is None:  # one who has tokens only
            return ()
        return None if standing.disabled else standing.groups

    def judge(names: tuple[str, str]) -> Judged | None:
        table = tables.find(*names)
        if table is None:
            return None
        return Judged(
            table.number,
            table.version,
            "/".join(names),
            f"/tables/{address(*names)}",
            table.owner,
            table.groups,
            list(_worse(plots, table)),
        )

    def all_tables() -> Iterator[tuple[tuple[str, str], int, int]]:
        after = 0
        while page := tables.seen_by(None, (), after=after, limit=_PAGE):
            for table in page:
                yield (table.test_system, table.test_name), table.number, table.version
            after = page[-1].number

    return Sources(store, groups_of_user, sharing.groups_of_submission, judge, all_tables)


def _worse(plots: Plots, table: ResultTable) -> Iterator[tuple[str, str]]:
    """Yield the columns that got worse, of those of which somebody said which way is good."""
    for column in table.columns:
        if column.type not in NUMERIC or not column.better:
            continue
        with contextlib.suppress(TopgallantError):  # nothing to be judged by
            verdict = plots.verdict(table, Wanted(column.name))
            for one in verdict["series"]:
                if one["status"] == _WORSE:
                    yield column.name, one["sentence"]
