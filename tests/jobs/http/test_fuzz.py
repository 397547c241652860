"""Whatever is sent, nothing is a mistake of ours, and answers are as the description says."""

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
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.jobs.http.puppets import World, bearer

ENDLESS = ("/api/v1/events",)
EXAMPLES = 12
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


@pytest.mark.parametrize("mode", list(GenerationMode))
def test_no_call_that_the_description_allows_or_forbids_is_a_mistake_of_ours(
    world: World, mode: GenerationMode
) -> None:
    client = world.client("ann", ["admin"])
    (job,) = world.submit(client)
    known = {
        "job": [job, "1"],
        "submission": [world.ended(job).submission_id],
        "tool": ["example", "broken"],
        "test": ["example", "broken"],
        "parameter": ["pet", "a"],
        "log": ["stdout"],
        "path": ["stdout.log", "../x", "none"],
    }
    schema = schemathesis.openapi.from_dict(client.get("/openapi.json").json())
    schema.config.update(base_url=world.address)
    headers = bearer(world.token("ann", ["admin"]))
    tried = []
    with requests.Session() as session:
        for result in schema.get_all_operations():
            operation = result.ok()  # type: ignore[union-attr]
            if operation.path in ENDLESS:
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
    assert len(tried) > 35
    assert client.get("/readyz").json()["problems"] == []


_texts = st.text(max_size=8) | st.sampled_from(["example", "broken", "pet", "cat", "a", "..", "/"])
_anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | _texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_texts, inner, max_size=4),
    max_leaves=10,
)
_spec = st.fixed_dictionaries(
    {},
    optional={
        "name": _texts | _anything,
        "params": st.dictionaries(_texts, _anything, max_size=3) | _anything,
        "timeout": _anything,
        "limits": st.dictionaries(
            st.sampled_from(["memory", "cpus", "files", "processes", "x"]), _anything, max_size=3
        ),
    },
)
_submission = st.fixed_dictionaries(
    {"job_specs": st.lists(_spec, max_size=3) | _anything},
    optional={"parallel": _anything, "note": _anything, "priority": _anything, "x": _anything},
)


def test_no_submission_is_a_mistake_of_ours_and_refused_ones_leave_nothing(world: World) -> None:
    import json

    client = world.client("ann")
    media = {"Content-Type": "application/json"}

    @settings(max_examples=300, database=None, suppress_health_check=list(HealthCheck))
    @given(_submission | _anything)
    def submit(value: Any) -> None:
        before = world.store.counts().total
        body = json.dumps(value).encode()
        answer = client.post("/satellite/submissions", content=body, headers=media)
        assert answer.status_code in (201, 400, 413, 422), answer.text
        data = answer.json()["data"]
        added = world.store.counts().total - before
        assert added == (len(data["job_ids"]) if answer.status_code == 201 else 0)

    submit()
