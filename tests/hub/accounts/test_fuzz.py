"""Whatever is sent to the routes of accounts, nothing is a mistake of ours."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import content_type_conformance, status_code_conformance

from tests.hub.hub_world import Hub
from tests.jobs.http.puppets import bearer

EXAMPLES = 10
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance]


@pytest.mark.parametrize("mode", list(GenerationMode))
def test_no_call_is_a_mistake_of_ours(hub: Hub, mode: GenerationMode) -> None:
    hub.user("boss", admin=True)
    hub.user("root", admin=True)
    hub.user("ann")
    hub.group("team", ["ann"])
    known = {"user": ["ann", "boss"], "group": ["team"]}
    admin = hub.client("root", "admin")
    schema = schemathesis.openapi.from_dict(admin.get("/openapi.json").json())
    schema.config.update(base_url=hub.address)
    headers = bearer(hub.world.token("root", ["admin"]))
    tried = []
    with requests.Session() as session:
        for result in schema.get_all_operations():
            operation = result.ok()  # type: ignore[union-attr]
            if "accounts" not in (operation.definition.raw.get("tags") or ()):
                continue
            tried.append(operation.path)

            @settings(
                max_examples=EXAMPLES,
                database=None,
                suppress_health_check=list(HealthCheck),
            )
            @given(case=operation.as_strategy(generation_mode=mode), data=st.data())
            def call(case: Any, data: st.DataObject) -> None:
                for name, values in known.items():
                    if name in (case.path_parameters or {}) and data.draw(st.booleans()):
                        case.path_parameters[name] = data.draw(st.sampled_from(values))
                case.call_and_validate(session=session, headers=headers, checks=CHECKS, timeout=20)

            with contextlib.suppress(Unsatisfiable):  # a route that takes nothing can't be misused
                call()
    assert len(tried) > 20
