from __future__ import annotations

import pytest

from projects.hub.pages import words
from projects.jobs.model.moment import SECOND, parse_iso

NOW = parse_iso("2026-05-04T12:00:00Z")


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (-3, "0 s"),
        (0.0004, "0 s"),
        (0.0042, "4 ms"),
        (0.123, "0.12 s"),
        (3.44, "3.4 s"),
        (42.4, "42 s"),
        (252, "4 min 12 s"),
        (11_100, "3 h 5 min"),
        (187_200, "2 d 4 h"),
    ],
)
def test_spans(seconds: float, said: str) -> None:
    assert words.duration(seconds) == said


@pytest.mark.parametrize(
    ("at", "said"),
    [
        (None, ""),
        ("2026-05-04T11:59:58Z", "just now"),
        ("2026-05-04T11:59:20Z", "40 s ago"),
        ("2026-05-04T11:57:00Z", "3 min ago"),
        ("2026-05-04T14:00:01Z", "in 2 h"),
        ("2026-05-01T11:00:00Z", "3 d ago"),
    ],
)
def test_moments(at: str | None, said: str) -> None:
    assert words.relative(at, NOW) == said


def test_sizes() -> None:
    assert [words.size(count) for count in (0, 1023, 1536, 3 << 20, 5 << 40)] == [
        "0 B",
        "1023 B",
        "1.5 KiB",
        "3.0 MiB",
        "5.0 TiB",
    ]


def test_a_job_that_runs_took_what_it_has_by_now() -> None:
    job = {"started": "2026-05-04T11:59:00Z", "finished": None}
    assert words.took(job, NOW) == "1 min 0 s"
    assert words.took({"started": None, "finished": None}, NOW) == ""
    ended = {**job, "finished": "2026-05-04T11:59:02Z"}
    assert words.took(ended, NOW + 99 * SECOND) == "2.0 s"


def test_parameters_are_one_short_line() -> None:
    said = words.parameters({"a": 1, "b": "x\ny", "c": [1, 2], "d": "z" * 100})
    assert said == f"a=1 b=x y c=[1, 2] d={'z' * 39}…"
    assert len(words.parameters({f"name{at}": "value" for at in range(200)})) == 120


@pytest.mark.parametrize(
    ("phase", "outcomes", "kind"),
    [
        ("pending", {}, "waiting"),
        ("running", {"FAILED": 1}, "running"),
        ("done", {"SUCCESS": 3}, "success"),
        ("done", {"SUCCESS": 3, "CANCELLED": 1}, "cancelled"),
        ("done", {"CANCELLED": 3, "FAILED": 1}, "failed"),
    ],
)
def test_a_submission_shows_its_worst_outcome(
    phase: str, outcomes: dict[str, int], kind: str
) -> None:
    assert words.phase_kind({"phase": phase, "outcomes": outcomes}) == kind


@pytest.mark.parametrize(
    ("place", "said"),
    [(1, "1st"), (2, "2nd"), (3, "3rd"), (4, "4th"), (11, "11th"), (112, "112th")],
)
def test_places(place: int, said: str) -> None:
    assert words.ordinal(place) == said


def test_the_place_in_a_queue() -> None:
    assert (
        words.queued({"waits_for": "It waits.", "queue_position": 1021}) == "1,021st in the queue"
    )
    assert words.queued({"waits_for": "It waits.", "queue_position": None}).startswith("more than")
    assert words.queued({"waits_for": "", "queue_position": None}) == ""
    assert words.queued({"phase": "pending"}) == ""  # an older satellite doesn't say


def test_a_submission_that_is_done_says_how() -> None:
    done = {"phase": "done", "outcomes": {"SUCCESS": 3, "TIMEOUT": 1}}
    assert words.phase_label(done) == "timed out"
    assert words.phase_label({"phase": "pending"}) == "waiting"


def test_long_names_may_break_and_are_text() -> None:
    said = words.breakable("a/b__c_<d>")
    assert str(said) == "a/<wbr>b__<wbr>c_<wbr>&lt;d&gt;"
    assert hasattr(said, "__html__")


def test_a_number_of_a_table_has_as_many_digits_as_one_reads() -> None:
    assert words.brief(12.964676325451226) == "12.96468"
    assert words.brief(-0.00001234567890123) == "-1.234568e-05"
    assert words.brief(0.30000000000000004) == "0.3"
    assert [words.brief(one) for one in (1.5, 12345678901234, "1.234567890123", None)] == [
        "1.5",
        "12345678901234",
        "1.234567890123",
        "null",
    ]


def test_what_was_measured_has_its_unit() -> None:
    assert words.measured(221787.4, "rows/s") == "221,787 rows/s"
    assert words.measured(0.00123, "") == "0.00123"
    assert words.measured(None, "ms") == "\N{EN DASH}"


def test_of_two_runs_the_kpis_that_got_worse_come_first() -> None:
    def kpi(name: str, a: float | None, better: bool | None, apart: bool) -> dict[str, object]:
        change = (1.0 - a) / a if a else None
        return {"name": name, "a": a, "b": 1.0, "change": change, "better": better, "apart": apart}

    kpis = [
        kpi("only in b", None, None, apart=False),
        kpi("noise", 1.0, better=False, apart=False),
        kpi("better", 2.0, better=True, apart=True),
        kpi("worse", 0.7, better=False, apart=True),
        kpi("worst", 3.0, better=False, apart=True),
    ]
    assert [one["name"] for one in words.kpis_in_order(kpis)] == [
        "worst", "worse", "better", "noise", "only in b",
    ]  # fmt: skip
