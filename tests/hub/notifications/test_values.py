"""Which rules fit what happens."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from projects.hub.notifications.courier import LONGEST_PAUSE, pause
from projects.hub.notifications.values import WANTED, Happening, Kind, Rule, matches

_names = st.sampled_from(["ann", "bob", "cy"])
_groups = st.lists(st.sampled_from(["red", "blue"]), unique=True)


@st.composite
def rules(draw: st.DrawFn) -> Rule:
    kinds = draw(st.lists(st.sampled_from(WANTED), unique=True))
    pattern = draw(st.sampled_from(["*", "disk*", "net", "sys/disk*"]))
    shared, active = draw(st.booleans()), draw(st.booleans())
    return Rule(1, draw(_names), "", kinds, pattern, shared, "mail", "", "", active, 0)


@st.composite
def happenings(draw: st.DrawFn) -> Happening:
    kind = draw(st.sampled_from(WANTED))
    subject = draw(st.sampled_from(["disk", "disk2", "net", "sys/disk"]))
    return Happening(kind, "id", subject, draw(_names), draw(_groups), "", "", "", 0)


@given(rules(), happenings(), _groups)
def test_nobody_is_told_of_what_they_may_not_see(
    rule: Rule, what: Happening, groups: list[str]
) -> None:
    if matches(rule, what, groups):
        assert what.owner == rule.owner or (rule.shared and set(groups) & set(what.groups))
        assert rule.active
        assert what.kind in rule.kinds


@given(happenings())
def test_a_rule_for_everything_fits_what_is_ones_own(what: Happening) -> None:
    rule = Rule(1, what.owner, "", WANTED, "*", False, "mail", "", "", True, 0)
    assert matches(rule, what, ())


def test_a_pattern_is_of_the_whole_name() -> None:
    rule = Rule(1, "ann", "", WANTED, "disk*", False, "mail", "", "", True, 0)
    fits = {
        name: matches(rule, Happening(Kind.FAILED, "", name, "ann", (), "", "", "", 0), ())
        for name in ("disk", "disk_io", "my_disk", "DISK")
    }
    assert fits == {"disk": True, "disk_io": True, "my_disk": False, "DISK": False}


@given(st.integers(0, 10_000), st.floats(0, 1, exclude_max=True), st.floats(0, 1e5))
def test_pauses_are_bounded_and_at_least_what_is_asked_for(
    attempts: int, jitter: float, after: float
) -> None:
    assert after <= pause(attempts, jitter, after) <= max(LONGEST_PAUSE, after)
    assert pause(attempts, jitter) >= 1.0
