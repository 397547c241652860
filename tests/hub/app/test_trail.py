"""The audit log has names as people write them."""

from __future__ import annotations

from tests.hub.hub_world import Hub

TABLE = "/api/v1/tables/db%2Fbig/read"


def test_the_name_of_a_table_with_a_slash_is_noted_as_it_is(hub: Hub) -> None:
    hub.user("ann")
    ann = hub.browser("ann")
    ann.post(f"{TABLE}/rows", json={"a": 1}).raise_for_status()
    ann.patch(TABLE, json={"columns": {"a": {"unit": "ms"}}}).raise_for_status()
    assert ("ann", "table.change", "db/big/read") in hub.audited()
