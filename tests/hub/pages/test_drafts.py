"""Forms become submissions: values of all types, several at once, mistakes beside their fields."""

from __future__ import annotations

import json
import shlex
from typing import Any

import pytest

from projects.hub.pages import drafts
from projects.jobs.http.body import Form
from projects.jobs.tools.spec import read_spec
from tests.conftest import CHECKOUT

TOOL: dict[str, Any] = {
    "valid": True,
    **read_spec(CHECKOUT / "projects/satellite/test_scripts/all_types", "all_types").describe(),
}
GOOD = [("p.title", "hello"), ("p.animal", "dog"), ("p.users", "3"), ("p.ratio", "0.5")]


def read(*fields: tuple[str, str]) -> drafts.Draft:
    return drafts.read(TOOL, Form(list(fields)))


def test_texts_become_values_of_the_types() -> None:
    fields = [("p.verbose", "false"), ("p.verbose", "true"), ("p.offset", "-7")]
    more = [("p.fruits", "apple"), ("p.fruits", "cherry"), ("p.day", "2026-02-28")]
    draft = read(*GOOD, *fields, *more, ("p.notes", "two\r\nlines"))
    assert draft.errors == {}
    assert draft.request() == {
        "job_specs": [
            {
                "name": "all_types",
                "params": {
                    "verbose": True,
                    "title": "hello",
                    "notes": "two\nlines",
                    "animal": "dog",
                    "offset": -7,
                    "users": 3,
                    "ratio": 0.5,
                    "fruits": ["apple", "cherry"],
                    "day": "2026-02-28",
                },
            }
        ]
    }


def test_what_is_left_empty_is_not_sent() -> None:
    draft = read(("p.title", "x"), ("p.day", ""), ("p.notes", ""), ("note", "  "))
    assert draft.request() == {"job_specs": [{"name": "all_types", "params": {"title": "x"}}]}


def test_mistakes_are_beside_their_fields_and_what_was_written_stays() -> None:
    draft = read(("p.ratio", "2"), ("p.users", "-1"), ("p.day", "2026-02-30"), ("parallel", "0"))
    assert set(draft.errors) == {"title", "ratio", "users", "day", "parallel"}
    assert draft.errors["title"] == "it is required"
    (ratio,) = (one for one in draft.fields if one.said["name"] == "ratio")
    assert (ratio.text, ratio.error) == ("2", "2 is more than 1, the most")


def test_several_values_are_combined() -> None:
    draft = read(*GOOD, ("m.users", "1\n2\n\n2\n3"), ("m.animal", "cat"), ("m.animal", "dog"))
    specs = draft.request()["job_specs"]
    assert draft.count == len(specs) == 6
    pairs = [(spec["params"]["animal"], spec["params"]["users"]) for spec in specs]
    assert pairs == [(animal, users) for animal in ("cat", "dog") for users in (1, 2, 3)]
    assert draft.satctl() == "satctl submit_file submission.json"


def test_one_of_several_that_does_not_fit_is_told() -> None:
    assert "many" in read(*GOOD, ("m.users", "1\nmany")).errors["users"]


def test_a_form_makes_a_bounded_number_of_jobs() -> None:
    numbers = "\n".join(map(str, range(200)))
    draft = read(*GOOD, ("m.users", numbers), ("m.title", numbers))
    assert draft.errors["jobs"] == "40,000 jobs; a form makes at most 10,000"
    assert len(json.loads(draft.json())["job_specs"]) == 50
    assert draft.is_cut


def test_the_command_does_the_same() -> None:
    draft = read(*GOOD[:2], ("p.title", "it's a test"), ("note", "a b"), ("timeout", "7"))
    words = shlex.split(draft.satctl())
    assert words[:5] == ["satctl", "run", "--note=a b", "--job-timeout=7.0", "all_types"]
    assert "--title=it's a test" in words


@pytest.mark.parametrize("text", ["nan", "inf", "-1", "soon"])
def test_a_time_limit_is_a_number_of_seconds(text: str) -> None:
    draft = read(*GOOD, ("timeout", text))
    assert "timeout" in draft.errors
    draft.json()  # the preview of a form with mistakes


def test_what_a_satellite_says_is_put_beside_the_fields() -> None:
    draft = read(*GOOD)
    drafts.place_errors(draft, "no", {"job_specs[0].params.animal": "there is no dog"})
    assert draft.errors == {"animal": "there is no dog"}
    assert [one.error for one in draft.fields if one.said["name"] == "animal"] == [
        "there is no dog"
    ]
    other = read(*GOOD)
    drafts.place_errors(other, "the store is full", {})
    assert other.errors == {"form": "the store is full"}


def test_groups_are_said_where_they_are_not_the_usual_ones() -> None:
    draft = read(*GOOD, ("groups", "team"))
    assert draft.request()["groups"] == ["team"]
    assert draft.satctl() == "satctl submit_file submission.json"
    draft.usual = ["team"]
    assert "groups" not in draft.request()
    nobody = read(*GOOD)
    nobody.usual = ["team"]
    assert nobody.request()["groups"] == []


def test_values_of_a_job_fill_the_form_again() -> None:
    draft = drafts.empty(TOOL, {"title": "x", "verbose": True, "fruits": ["apple"], "users": 4})
    texts = {one.said["name"]: list(one.raw) for one in draft.fields if one.raw}
    assert texts == {"title": ["x"], "verbose": ["true"], "fruits": ["apple"], "users": ["4"]}


@pytest.mark.parametrize("text", ["--5", "-", "- 5", "5-", "\u0665", "\u00b2", "1" * 10, "1e3"])
@pytest.mark.parametrize("name", ["parallel", "priority"])
def test_what_only_looks_like_a_number_is_told(name: str, text: str) -> None:
    draft = read(*GOOD, (name, text))
    assert "is not a whole number" in draft.errors[name]
    assert name not in draft.request()


def test_very_many_values_are_refused_before_they_are_looked_at() -> None:
    draft = read(*GOOD, ("m.offset", "\n".join(map(str, range(drafts.MOST_JOBS + 1)))))
    assert draft.errors["offset"] == "10,001 values; a form makes at most 10,000 jobs"
    assert draft.count == 1


def test_as_many_values_as_jobs_are_made_once_each() -> None:
    class Once(int):
        """A value that says when it is compared with another one."""

        def __eq__(self, other: object) -> bool:
            raise AssertionError("each value would be compared with each other one")

        __hash__ = int.__hash__

    class Reading:
        def read(self, text: str, more: Any) -> Once:
            return Once(text)

    values = drafts._values(Reading(), [], [*map(str, range(1000)), "7"])  # type: ignore[arg-type]
    assert len(values) == 1000


def test_only_line_breaks_part_values() -> None:
    draft = read(*GOOD, ("m.title", "one\u2028two\r\nthree\x0bfour\rfive"))
    assert draft.axes["title"] == ["one\u2028two", "three\x0bfour", "five"]


def test_a_preview_of_very_many_jobs_makes_few_of_them() -> None:
    draft = read(*GOOD, ("m.title", "\n".join(map(str, range(5000)))))
    assert (len(json.loads(draft.json())["job_specs"]), draft.is_cut) == (50, True)
    assert len(draft.request()["job_specs"]) == 5000
