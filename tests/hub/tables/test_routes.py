"""`/api/v1/tables` of a real hub."""

from __future__ import annotations

import contextlib
import csv
import io
import json
from typing import Any
from xml.etree import ElementTree as ET

import httpx
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

from tests.hub.hub_world import Hub
from tests.jobs.http.puppets import bearer

TABLE = "/api/v1/tables/sqlite/speed"
ROWS = TABLE + "/rows"
CSV = {"Content-Type": "text/csv"}


def history(count: int = 60, step: float = 2.0) -> list[dict[str, Any]]:
    """Rows whose latency rises by `step` after two thirds; a fixed pattern for noise."""
    return [
        {
            "when": f"2026-{1 + n // 28:02d}-{1 + n % 28:02d}",
            "mode": "wal" if n % 2 else "delete",
            "latency": 10 + (step if n >= count * 2 // 3 else 0) + 0.01 * ((n * 7919) % 13 - 6),
        }
        for n in range(count)
    ]


@pytest.fixture
def ann(hub: Hub) -> httpx.Client:
    return hub.client("ann")


def test_json_and_csv_go_into_the_same_columns(ann: httpx.Client) -> None:
    first = ann.post(ROWS, json=[{"ms": 1, "mode": "wal"}])
    assert first.status_code == 201
    assert first.json()["added"] == ["ms", "mode"]
    second = ann.post(ROWS, content=b"ms;mode\n2.5;wal\nfast;delete\n", headers=CSV)
    assert (second.json()["widened"], second.json()["errors"]) == (["ms"], 1)
    page = ann.get(ROWS, params={"sort": "@row", "count": True}).json()
    assert [row["values"]["ms"] for row in page["items"]] == [1.0, 2.5, None]
    assert page["items"][2]["errors"] == {"ms": {"value": "fast", "error": '"fast" is no real'}}
    assert (page["total"], page["matching"]) == (3, 3)
    assert ann.get(f"{ROWS}/3").json() == page["items"][2]


def test_nan_is_kept_beside_its_row(ann: httpx.Client) -> None:
    body = b'[{"ms": 1.5}, {"ms": NaN}, {"ms": -Infinity}]'
    done = ann.post(ROWS, content=body, headers={"Content-Type": "application/json"})
    assert done.json()["errors"] == 2
    items = ann.get(ROWS, params={"where": "@errors = true", "sort": "@row"}).json()["items"]
    assert [row["errors"]["ms"]["value"] for row in items] == ["NaN", "-Infinity"]


def test_json_may_begin_with_a_byte_order_mark(ann: httpx.Client) -> None:
    headers = {"Content-Type": "application/json"}
    done = ann.post(ROWS, content=b'\xef\xbb\xbf[{"ms": 1.5}]', headers=headers)
    assert (done.status_code, done.json()["rows"]) == (201, 1)


@pytest.mark.parametrize("begins", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"])  # noqa: RUF001
def test_what_a_spreadsheet_takes_for_a_formula_is_text(ann: httpx.Client, begins: str) -> None:
    ann.post(ROWS, json={"a": f"{begins}1+1"}).raise_for_status()
    text = ann.get(f"{ROWS}.csv").content.decode()
    assert next(csv.DictReader(io.StringIO(text, newline="")))["a"] == f"'{begins}1+1"


def test_an_upload_is_idempotent(ann: httpx.Client) -> None:
    key = {"Idempotency-Key": "one"}
    first, again = (ann.post(ROWS, json={"a": 1}, headers=key) for _ in range(2))
    assert again.content == first.content
    assert again.headers["Idempotent-Replayed"] == "true"
    other = ann.post(ROWS, json={"a": 2}, headers=key)
    assert (other.status_code, other.json()["error"]["code"]) == (409, "conflict")
    elsewhere = ann.post("/api/v1/tables/sqlite/size/rows", json={"a": 1}, headers=key)
    assert elsewhere.status_code == 409
    assert ann.get(TABLE).json()["rows"] == 1


REFUSED: list[tuple[str, dict[str, Any], int, str]] = [
    ("no media type", {"content": b"{}"}, 415, "send application/json or text/csv"),
    ("a form", {"data": {"a": "1"}}, 415, "not application/x-www-form-urlencoded"),
    (
        "no JSON",
        {"content": b"{", "headers": {"Content-Type": "application/json"}},
        400,
        "not JSON",
    ),
    ("a number", {"json": 5}, 422, "send an object"),
    ("no rows", {"json": []}, 422, "no rows"),
    ("deep", {"json": {"a": json.loads("[" * 40 + "]" * 40)}}, 422, "nested too deeply"),
    (
        "wide",
        {"content": ",".join(f"c{n}" for n in range(10_000)).encode() + b"\n1", "headers": CSV},
        422,
        "10,000 columns: a table has at most 500",
    ),
    ("a large cell", {"json": {"a": "x" * 70_000}}, 422, "70,000 bytes; the most is 65,536"),
    ("names twice", {"content": b"a,a\n1,2", "headers": CSV}, 422, "twice"),
    ("a long key", {"json": {"a": 1}, "headers": {"Idempotency-Key": "x" * 256}}, 422, "1 to 255"),
    (
        "an unknown parameter",
        {"json": {"a": 1}, "params": {"jobb": "1"}},
        422,
        'did you mean "job"',
    ),
    (
        "a foreign group",
        {"json": {"a": 1}, "params": {"groups": "others"}},
        422,
        "not in the group",
    ),
]


@pytest.mark.parametrize(("what", "sent", "status", "said"), REFUSED, ids=[r[0] for r in REFUSED])
def test_uploads_that_are_refused_say_why(
    ann: httpx.Client, what: str, sent: dict[str, Any], status: int, said: str
) -> None:
    answer = ann.post(ROWS, **sent)
    assert answer.status_code == status, what
    assert said in answer.json()["error"]["message"]
    assert ann.get(TABLE).status_code == 404


ASKED: list[tuple[str, str]] = [
    ("rows?where=latencey > 5", 'did you mean "latency"'),
    ("rows?where=latency > x", "is no real"),
    ("rows?sort=nothing", "unknown column"),
    ("rows?cursor=abc", "begin again"),
    ("rows?limit=0", "limit"),
    ("rows?limit=1001", "limit"),
    ("rows?page=1", "unknown parameter"),
    ("groups?by=modes", 'did you mean "mode"'),
    ("groups", "by: is missing"),
    ("groups?by=mode&column=mode", "'mode' is text"),
    ("plot.svg?column=latencies", 'did you mean "latency"'),
    ("plot.svg?column=mode", "needs an integer or real column"),
    ("plot.svg?column=latency&time=mode", "time needs a date-time column"),
    ("plot.svg?column=latency&theme=pink", "theme"),
    ("verdict?column=latency&group=modus", "unknown column"),
]


@pytest.mark.parametrize(("path", "said"), ASKED, ids=[path for path, _ in ASKED])
def test_questions_that_are_refused_say_why(ann: httpx.Client, path: str, said: str) -> None:
    ann.post(ROWS, json=history(3))
    answer = ann.get(f"{TABLE}/{path}")
    assert answer.status_code == 422
    assert said in answer.json()["error"]["message"]


def test_somebody_elses_table_is_not_there(hub: Hub, ann: httpx.Client) -> None:
    ann.post(ROWS, json={"a": 1})
    for scopes in (["submit"], ["satellite"]):
        bob = hub.client("bob", *scopes)
        assert bob.post(ROWS, json={"a": 2}).status_code == 404
    assert hub.client("bob").get(TABLE).status_code == 404
    assert hub.client("bob").get("/api/v1/tables").json()["items"] == []
    assert ann.get(TABLE).json()["rows"] == 1


def test_a_satellite_appends_and_nothing_else(hub: Hub) -> None:
    satellite = hub.client("ann", "satellite")
    assert satellite.post(ROWS, json={"a": 1}).status_code == 201
    assert satellite.get(ROWS).status_code == 403
    assert satellite.patch(TABLE, json={}).status_code == 403
    (row,) = hub.client("ann").get(ROWS).json()["items"]
    assert (row["by"], row["satellite"]) == ("ann", "ann")


def test_groups_look_and_add_and_change_nothing(hub: Hub) -> None:
    hub.user("ann")
    hub.user("bob")
    hub.group("team", ["ann", "bob"])
    ann, bob = hub.client("ann"), hub.client("bob")
    ann.post(ROWS, json={"a": 1}, params={"groups": "team"})
    assert bob.post(ROWS, json={"a": 2}).status_code == 201
    assert bob.get(TABLE).json()["rows"] == 2
    assert bob.patch(TABLE, json={"groups": []}).status_code == 403
    assert ann.patch(TABLE, json={"owner": "bob"}).status_code == 403
    assert ann.patch(TABLE, json={"groups": []}).status_code == 200
    assert bob.get(TABLE).status_code == 404


def test_pages_lead_to_each_other(ann: httpx.Client) -> None:
    ann.post(ROWS, json=[{"a": n % 3} for n in range(7)])
    found, path = [], f"{ROWS}?sort=-a&limit=2&where=a != 1"
    while path:
        page = ann.get(path)
        found += [row["values"]["a"] for row in page.json()["items"]]
        path = page.links.get("next", {}).get("url", "")
    assert found == [2, 2, 0, 0, 0]


def test_csv_is_safe_to_open(ann: httpx.Client) -> None:
    ann.post(ROWS, json=[{"=cmd": "=1+1", "n": -5, "j": ["x"]}])
    ann.post(ROWS, json={"n": "-x"})
    answer = ann.get(f"{TABLE}/rows.csv")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert "sqlite-speed.csv" in answer.headers["Content-Disposition"]
    header, first, second = csv.reader(io.StringIO(answer.text))
    assert header[:3] == ["'=cmd", "n", "j"]
    assert first[:3] == ["'=1+1", "-5", '["x"]']
    assert json.loads(second[-1]) == {"n": {"value": "-x", "error": '"-x" is no integer'}}


def test_lines_of_json_are_the_rows(ann: httpx.Client) -> None:
    ann.post(ROWS, json=[{"a": 1}, {"a": 2}])
    lines = ann.get(f"{TABLE}/rows.jsonl", params={"where": "a = 2"}).text.splitlines()
    assert [json.loads(line) for line in lines] == [ann.get(f"{ROWS}/2").json()]


def test_figures_of_groups(ann: httpx.Client) -> None:
    ann.post(ROWS, json=[{"m": "a", "v": 1}, {"m": "a", "v": 3}, {"m": None, "v": None}])
    answer = ann.get(f"{TABLE}/groups", params={"by": "m", "column": "v"}).json()
    assert answer["complete"]
    figures = [tuple(one.values()) for one in answer["items"]]
    assert figures == [
        ({"m": "a"}, 2, 2, 1.0, 2.0, 2.0, 3.0),
        ({"m": None}, 1, 0, None, None, None, None),
    ]


def test_a_plot_has_the_verdict_drawn_in(ann: httpx.Client) -> None:
    ann.post(ROWS, json=history())
    ann.patch(TABLE, json={"columns": {"latency": {"unit": "ms", "better": "lower"}}})
    answer = ann.get(f"{TABLE}/plot.svg", params={"column": "latency"})
    assert answer.headers["Content-Type"] == "image/svg+xml"
    assert answer.headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
    assert "latency rose by 20 %" in answer.text
    assert "prefers-color-scheme: dark" in answer.text
    ET.fromstring(answer.text)  # noqa: S314  (ours)
    again = ann.get(
        f"{TABLE}/plot.svg",
        params={"column": "latency"},
        headers={"If-None-Match": answer.headers["ETag"]},
    )
    assert again.status_code == 304


def test_a_verdict_knows_which_way_is_good_and_what_is_accepted(ann: httpx.Client) -> None:
    ann.post(ROWS, json=history())

    def status(**more: str) -> list[str]:
        answer = ann.get(f"{TABLE}/verdict", params={"column": "latency", **more})
        return [one["status"] for one in answer.json()["series"]]

    assert status() == ["changed"]
    ann.patch(TABLE, json={"columns": {"latency": {"better": "lower"}}})
    assert status() == ["regression"]
    assert status(group="mode") == ["regression", "regression"]
    ann.patch(TABLE, json={"columns": {"latency": {"better": "higher"}}})
    assert status() != ["regression"]
    ann.patch(TABLE, json={"columns": {"latency": {"better": "lower"}}})
    known = {
        "column": "latency",
        "since": "2026-02-13",
        "reason": "a slower disk",
        "expires": "2999-01-01",
    }
    made = ann.post(f"{TABLE}/acknowledgements", json=known)
    assert made.status_code == 201
    assert status() == ["acknowledged"]
    assert ann.get(f"{TABLE}/acknowledgements").json()["items"] == [made.json()]
    number = made.json()["number"]
    assert ann.delete(f"{TABLE}/acknowledgements/{number}").status_code == 204
    assert ann.delete(f"{TABLE}/acknowledgements/{number}").status_code == 404
    assert status() == ["regression"]


def test_rows_of_one_moment_are_drawn_one_after_the_other(ann: httpx.Client) -> None:
    ann.post(ROWS, json=[{"v": n} for n in range(5)])
    answer = ann.get(f"{TABLE}/plot.svg", params={"column": "v", "theme": "dark"})
    assert ">row<" in answer.text
    assert "v is as before" in answer.text


def test_hostile_names_are_only_words(ann: httpx.Client) -> None:
    name = "<script>alert(1)</script>"
    ann.post(ROWS, json=[{name: n, "g": "</svg><script>"} for n in range(3)])
    answer = ann.get(f"{TABLE}/plot.svg", params={"column": name, "group": "g"})
    assert answer.status_code == 200
    assert "<script" not in answer.text
    ET.fromstring(answer.text)  # noqa: S314  (ours)


CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


@pytest.mark.parametrize("mode", list(GenerationMode))
def test_no_call_is_a_mistake_of_ours(hub: Hub, mode: GenerationMode) -> None:
    ann = hub.client("ann")
    ann.post(ROWS, json=history(12)).raise_for_status()
    known = {
        "test_system": ["sqlite"],
        "test_name": ["speed"],
        "column": ["latency", "mode"],
        "group": ["mode", "when", "@by"],
        "by": ["mode", "when"],
        "sort": ["latency", "-when", "mode"],
        "where": ["latency > 5", "mode = wal and @row < 5"],
    }
    schema = schemathesis.openapi.from_dict(hub.client("boss", "admin").get("/openapi.json").json())
    schema.config.update(base_url=hub.address)
    headers = bearer(hub.world.token("ann", ["submit"]))
    tried = []
    with requests.Session() as session:
        for result in schema.get_all_operations():
            operation = result.ok()  # type: ignore[union-attr]
            if not operation.path.startswith("/api/v1/tables"):
                continue
            tried.append(operation.path)

            @settings(
                max_examples=20,
                database=None,
                suppress_health_check=list(HealthCheck),
            )
            @given(case=operation.as_strategy(generation_mode=mode), data=st.data())
            def call(case: Any, data: st.DataObject) -> None:
                for name, values in known.items():
                    for place in (case.path_parameters, case.query):
                        if place and name in place and data.draw(st.integers(0, 3)):
                            place[name] = data.draw(st.sampled_from(values))
                case.call_and_validate(session=session, headers=headers, checks=CHECKS, timeout=20)

            with contextlib.suppress(Unsatisfiable):
                call()
    assert len(tried) == 15
