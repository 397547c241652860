"""Which groups see what somebody makes, on behalf of those who don't keep that themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from projects.hub.accounts import groups, users
from projects.jobs.http.refusals import Invalid

if TYPE_CHECKING:
    from collections.abc import Iterable

    from projects.hub.accounts.accounts import Accounts
    from projects.jobs.http.access import Principal

SUBMISSION = "submission"
"""The kind of the objects that are shared on behalf of the jobs' store."""


class Sharing:
    """What the groups of users see."""

    def __init__(self, accounts: Accounts) -> None:
        self._database = accounts.database

    def to_share_with(self, who: Principal, wanted: Iterable[str] | None) -> tuple[str, ...]:
        """Return the groups that get what `who` makes: the wanted ones, or those they always name.

        Raises
        ------
        Invalid
            They aren't in one of them.
        """
        with self._database.read() as connection:
            in_groups = users.groups_of(connection, who.owner)
            if wanted is None:
                found = users.find(connection, who.owner)
                return tuple(set(found.autoshare) & set(in_groups)) if found else ()
        wanted = tuple(wanted)
        check_member_of(in_groups, wanted, "groups")
        return wanted

    def share_submission(self, id_: str, with_groups: Iterable[str]) -> None:
        """Let groups see a submission and its jobs; durable. It may not be there yet."""
        with self._database.write(durable=True) as connection:
            groups.set_shared(connection, SUBMISSION, id_, with_groups)

    def groups_of_submission(self, id_: str) -> tuple[str, ...]:
        """Return the groups that see a submission."""
        with self._database.read() as connection:
            return groups.shared_with(connection, SUBMISSION, id_)


def check_member_of(is_in: Iterable[str], wanted: Iterable[str], field: str = "autoshare") -> None:
    """Refuse groups that a user isn't in.

    Raises
    ------
    Invalid
        They aren't in one of them.
    """
    missing = sorted(set(wanted) - set(is_in))
    if missing:
        said = f"not in the group {missing[0][:70]}: only members share with it"
        raise Invalid(said, fields={field: said})
