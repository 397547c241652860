"""junit.xml as CI systems read it."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from projects.core.artifacts.junit import junit
from tests.core.artifacts.recorded import Recording, failing_run


def parsed(text: str) -> ET.Element:
    return ET.fromstring(text.encode())  # noqa: S314 - our own text


@pytest.fixture
def suite() -> ET.Element:
    tree = parsed(junit(failing_run().run()))
    assert tree.tag == "testsuites"
    (found,) = tree
    return found


def case(suite: ET.Element, name: str) -> ET.Element:
    (found,) = [c for c in suite.iter("testcase") if c.get("name") == name]
    return found


def test_the_totals_are_those_of_the_cases(suite: ET.Element) -> None:
    cases = list(suite.iter("testcase"))
    assert suite.attrib == {
        "name": "demo test_ci",
        "tests": str(len(cases)),
        "failures": "3",
        "errors": "0",
        "skipped": "2",
        "time": "25.000",
        "timestamp": "2026-11-20T13:00:00",
        "hostname": "lab-1",
    }
    assert len(cases) == 7


def test_a_case_is_named_after_what_it_ran_within(suite: ET.Element) -> None:
    assert case(suite, "measure").get("classname") == 'test_ci.point <wal> & "off"'
    assert case(suite, "test_ci").get("classname") == "demo"


def test_failed_is_failure_broken_is_error_left_out_is_skipped(suite: ET.Element) -> None:
    failure = case(suite, "measure").find("failure")
    assert failure is not None
    assert failure.get("type") == "TestFailed"
    assert failure.get("message") == "TestFailed: p99 is <12 ms>"
    assert case(suite, "point delete").find("skipped") is not None
    assert case(suite, "plots").find("skipped") is not None
    assert len(case(suite, "to a folder")) == 1
    for outcome in ("error", "timeout", "interrupted", "lost"):
        told = Recording()
        told.started(0, "r", "run", "demo")
        told.ended(1, "r", 1, outcome=outcome)
        assert parsed(junit(told.run())).find(".//error") is not None


def test_a_case_points_at_its_artifacts(suite: ET.Element) -> None:
    output = case(suite, 'point <wal> & "off"').findtext("system-out")
    assert output == "artifacts: 000__test_ci/001__p/\nfailure: 000__test_ci/001__p/FAILURE"


def test_presets_and_host_are_properties(suite: ET.Element) -> None:
    told = {p.get("name"): p.get("value") for p in suite.iter("property")}
    assert told == {
        "project": "demo",
        "verb": "test_ci",
        "presets": "quick",
        "host": "lab-1",
        "version": "0.1.0",
    }


def test_characters_that_xml_cannot_hold_are_removed() -> None:
    told = Recording()
    told.started(0, "r", "run", "\x00\x1b[31m\ufffe\ud800 kept \u00e9\U0001f600\t")
    text = junit(told.run())
    name = parsed(text)[0].get("name")
    assert name == "[31m kept \u00e9\U0001f600\t"


def test_a_run_without_steps_is_a_case_itself() -> None:
    told = Recording()
    told.started(0, "r", "run", "demo show")
    told.ended(1, "r", 1)
    assert parsed(junit(told.run())).find(".//testcase[@name='demo show']") is not None
