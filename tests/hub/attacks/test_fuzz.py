"""Whatever is sent to whichever route of the hub, nothing is a mistake of ours."""

from __future__ import annotations

import contextlib
from collections import Counter
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode

from tests.hub import test_authorisation as authorisation
from tests.hub.hub_world import Hub
from tests.jobs.http.puppets import bearer

ENDLESS = ("/api/v1/events",)
EXAMPLES = 5
TRIED: Counter[str] = Counter()
"""How many calls there were of each route."""


@pytest.mark.parametrize("mode", list(GenerationMode))
def test_no_call_is_a_mistake_of_ours(hub: Hub, mode: GenerationMode) -> None:
    stage = authorisation.Stage(hub)
    # All of them first: their owner may be disabled soon.
    known = {name: stage.thing(name, fresh=False) for name in authorisation.THINGS}
    admin = hub.client("boss", "admin")
    schema = schemathesis.openapi.from_dict(admin.get("/openapi.json").json())
    schema.config.update(base_url=hub.address)
    headers = bearer(hub.world.token("boss", ["admin"]))
    rooms: set[str] = set()
    with requests.Session() as session:
        for result in schema.get_all_operations():
            operation = result.ok()  # type: ignore[union-attr]
            if operation.path in ENDLESS:
                continue
            rooms.update(operation.definition.raw.get("tags") or ())

            @settings(
                max_examples=EXAMPLES,
                deadline=None,
                database=None,
                suppress_health_check=list(HealthCheck),
            )
            @given(case=operation.as_strategy(generation_mode=mode), data=st.data())
            def call(case: Any, data: st.DataObject) -> None:
                for name in case.path_parameters or {}:
                    if name in known and data.draw(st.booleans()):
                        case.path_parameters[name] = known[name]
                if "artifact" in (case.query or {}) and data.draw(st.booleans()):
                    case.query["artifact"] = known["open_run"]
                TRIED[f"{case.method} {case.path}"] += 1
                case.call_and_validate(
                    session=session, headers=headers, checks=[not_a_server_error], timeout=30
                )

            with contextlib.suppress(Unsatisfiable):  # a route that takes nothing can't be misused
                call()
    wanted = {"accounts", "artifacts", "notifications", "satellites", "tables", "tokens"}
    assert wanted <= rooms
    assert admin.get("/readyz").json()["problems"] == []
