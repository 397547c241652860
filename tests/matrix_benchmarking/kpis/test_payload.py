"""The document: strict, the same bytes every time, with a schema."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from projects.core.errors import InfrastructureError, UsageError
from projects.core.secrets import masking
from projects.matrix_benchmarking.kpis import payload as payloads
from projects.matrix_benchmarking.kpis.payload import Payload, build, dumps, loads, schema
from projects.matrix_benchmarking.results.result import Result
from tests.conftest import CHECKOUT
from tests.matrix_benchmarking.payloads import payload

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


def test_what_was_written_reads_the_same() -> None:
    text = dumps([payload(1, 1 / 3), payload(2, [1.0, 2.0])])
    assert dumps(loads(text, "x")) == text


@given(st.dictionaries(st.text(), JSON), st.floats(allow_nan=False, allow_infinity=False))
def test_any_content_is_written_the_same_twice(results: dict[str, Any], value: float) -> None:
    given_one = payload(1, value).model_copy(update={"results": results})
    turned = dict(reversed(results.items()))
    text = dumps([given_one])
    assert dumps([given_one.model_copy(update={"results": turned})]) == text
    (again,) = loads(text.encode(), "x")
    stored = again.kpis["speed"].value
    assert isinstance(stored, float)
    assert math.copysign(1, stored) == math.copysign(1, value)
    assert stored == value


def test_nan_in_results_is_a_text() -> None:
    one = payload(1).model_copy(update={"results": {"a": [math.nan, math.inf, -math.inf]}})
    assert json.loads(dumps([one]))[0]["results"] == {"a": ["NaN", "Infinity", "-Infinity"]}


def test_another_process_writes_the_same_bytes() -> None:
    code = (
        "import sys; from tests.matrix_benchmarking.payloads import payload;"
        "from projects.matrix_benchmarking.kpis.payload import dumps;"
        "sys.stdout.write(dumps([payload(1, 0.1 + 0.2)]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONHASHSEED": "7"},
    )
    assert done.stdout == dumps([payload(1, 0.1 + 0.2)])


def test_a_model_refuses_what_it_does_not_know() -> None:
    document = json.loads(dumps([payload(1)]))[0]
    for where in (document, document["metadata"], document["kpis"]["speed"]):
        where["surprise"] = 1
        with pytest.raises(UsageError, match=r"x: is no payload \(1 problems\): .*surprise"):
            payloads.parse_document(document, "x")
        del where["surprise"]
    with pytest.raises(ValidationError):
        payload(1).metadata.run_id = "other"


@pytest.mark.parametrize("text", ["", "[{", "{}", "[1]", '[{"metadata": {}}]'])
def test_what_is_no_payload_is_named(text: str) -> None:
    with pytest.raises(UsageError, match=r"made_up.json: is no payload"):
        loads(text, "made_up.json")


def test_times_are_kept_in_utc() -> None:
    assert payload(1).metadata.end.tzinfo is UTC
    document = json.loads(dumps([payload(1)]))[0]
    document["metadata"]["end"] = "2026-01-02T03:04:05+02:00"
    end = payloads.parse_document(document, "x").metadata.end
    assert end == datetime(2026, 1, 2, 1, 4, 5, tzinfo=UTC)
    document["metadata"]["end"] = "2026-01-02T03:04:05"
    with pytest.raises(UsageError, match="no time zone"):
        payloads.parse_document(document, "x")


def test_secrets_are_masked() -> None:
    masking.register("swordfish-1234", "token")
    assert "swordfish" not in dumps([payload(1, run_id="swordfish-1234")])


def test_files_are_written_with_their_schema(tmp_path: Path) -> None:
    path = payloads.write([payload(1)], tmp_path)
    assert path == tmp_path / "lts_payload.json"
    assert payloads.read(path) == [payload(1)]
    written = json.loads((tmp_path / "lts_payload.schema.json").read_text())
    assert written == schema()
    assert written["items"] == {"$ref": "#/$defs/Payload"}
    assert written["$defs"]["KpiValue"]["additionalProperties"] is False
    with pytest.raises(InfrastructureError, match="gone"):
        payloads.read(tmp_path / "gone")


def test_a_result_with_a_problem_has_no_payload() -> None:
    broken = Result(Path("x"), {}, None, problem="no exit_code")
    with pytest.raises(UsageError, match="x has no payload: no exit_code"):
        build(broken)
    assert payloads.build_all([broken]) == []


def test_what_a_failed_test_left_says_so() -> None:
    made = build(Result(Path("x"), {}, 2, {"n": 1}), run_id="r", urls={"run": "https://x"})
    assert (made.metadata.status, made.metadata.exit_code) == ("failed", 2)
    assert (made.metadata.run_id, made.metadata.urls) == ("r", {"run": "https://x"})


def test_what_is_no_mapping_has_a_name() -> None:
    assert build(Result(Path("x"), {}, 0, [1, 2])).results == {"parsed": [1, 2]}
    assert isinstance(build(Result(Path("x"), {}, 0)), Payload)
