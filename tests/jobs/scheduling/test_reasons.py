"""Why a job waits, said so that it agrees with what `plan` decides."""

from __future__ import annotations

import re
from collections import deque
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from projects.jobs.scheduling.admission import LOOK_AHEAD, plan, why_waiting
from projects.jobs.scheduling.view import Limits, Turn, View
from tests.jobs.scheduling.test_admission import RESOURCES, Job, resource_sets, turn, view


def why(of: View, number: int) -> str:
    return why_waiting(of, number)


def test_a_full_submission() -> None:
    busy = turn(7, Job(1), Job(2), Job(3), begun=True, running=2)
    assert why(view(busy), 1) == "2 of at most 2 jobs of its submission run; it is next."
    assert why(view(busy), 2).endswith("run; 1 waits before it in its submission.")
    assert why(view(busy), 3).endswith("run; 2 wait before it in its submission.")
    one = turn(7, Job(1), begun=True, running=1)
    assert why(view(one, n=1), 1) == "1 of at most 1 job of its submission runs; it is next."


def test_submissions_that_wait_for_their_turn() -> None:
    waits = turn(8, Job(5)), turn(9, Job(6)), turn(10, Job(7))
    begun = turn(7, begun=True, running=2)
    said = "At most 1 submission runs at once, now submission 7; "
    assert why(view(begun, *waits), 5) == said + "it is next."
    assert why(view(begun, *waits), 6) == said + "1 waits before it in the queue."
    assert why(view(begun, *waits), 7) == said + "2 wait before it in the queue."
    two = turn(6, begun=True, running=1), begun
    said = "At most 2 submissions run at once, now submissions 6 and 7; it is next."
    assert why(view(*two, *waits, m=2), 5) == said
    said = "At most 1 submission runs at once; 1 waits before it in the queue."
    assert why(view(*waits), 6) == said
    many = [turn(n, begun=True, running=1, rank=0) for n in range(20)]
    said = why(view(*many, turn(99, Job(5)), m=20), 5)
    assert "now submissions 0, 1, 2, 3, 4 and 15 more; it is next." in said


def test_places_of_the_site() -> None:
    full = turn(1, Job(1), running=3, begun=True, parallel=9)
    assert why(view(full, capacity=3), 1) == "All 3 places of this site are taken."
    full.running = 1
    assert why(view(full, capacity=1), 1) == "This site's one place is taken."


def test_what_is_needed() -> None:
    gpu = turn(1, Job(1, ("gpu",)), Job(2, ("gpu",)), begun=True)
    assert why(view(gpu, taken={"gpu": 40}), 1) == 'It needs "gpu", which job 40 has.'
    assert why(view(gpu), 1) == "It is about to start."
    assert why(view(gpu), 2) == 'It needs "gpu", for which job 1 has waited longer.'
    assert "devices" in why(view(turn(1, Job(1, (), "8 gpus"))), 1)
    blocked = [Job(n, ("gpu",)) for n in range(LOOK_AHEAD)]
    said = why(view(turn(1, *blocked, Job(999)), taken={"gpu": 7}), 999)
    assert said == "The first 64 waiting jobs of its submission need what isn't free."


def test_others_that_are_about_to_start() -> None:
    assert why(view(turn(1, Job(1), Job(2), Job(3))), 3) == (
        "Others are about to start; 2 wait before it in its submission."
    )
    assert (
        why(view(turn(1, Job(1))), 1000) == "It waits for the jobs that were submitted before it."
    )


# ---- whatever is looked at ----------------------------------------------------------------------

turns = st.lists(
    st.tuples(
        st.lists(resource_sets, max_size=4),
        st.one_of(st.none(), st.integers(1, 3)),
        st.booleans(),
        st.integers(0, 3),
        st.booleans(),
    ),
    min_size=1,
    max_size=6,
)
bounds = st.builds(
    Limits, st.integers(1, 3), st.integers(1, 3), st.one_of(st.none(), st.integers(1, 5))
)
taken = st.dictionaries(st.sampled_from(RESOURCES), st.integers(900, 999))


def view_of(found: Any, limits: Limits, held: dict[str, int], lends: bool) -> View:
    made = []
    for number, (jobs, parallel, begun, running, below) in enumerate(found):
        waiting = deque[Any](Job(100 * number + i, needs) for i, needs in enumerate(jobs))
        parent = 700 if below else None
        has_place = begun or below
        at_work = running if has_place else 0
        made.append(Turn(number, number, parallel, at_work, has_place, parent, waiting))
    below = [t for t in made if t.parent is not None]
    lent = {700: any(t.running for t in below)} if below and lends else {}
    return View(made, limits, sum(t.running for t in made), held, lent)


@given(turns, bounds, taken, st.booleans())
@settings(max_examples=600, deadline=None)
def test_what_is_said_is_what_is_decided(
    found: Any, limits: Limits, held: dict[str, int], lends: bool
) -> None:
    seen = view_of(found, limits, held, lends)
    starts = {start.job.number for start in plan(seen)}
    for each in seen.turns:
        for place, job in enumerate(each.waiting):
            said = why_waiting(seen, job.number)
            assert said.startswith("It is about to start.") == (job.number in starts)
            check(said, seen, each, place, starts)


def check(said: str, seen: View, of: Turn, place: int, starts: set[int]) -> None:
    """Hold what a sentence says against what is the case."""
    needs = set(list(of.waiting)[place].resources)
    begun = [t for t in seen.turns if t.begun and t.parent is None]
    parallel = of.parallel or seen.limits.parallel_jobs
    ahead = {j.number: set(j.resources) for t in seen.turns for j in t.waiting}
    match said.partition(" ")[0]:
        case "At":
            assert not of.begun
            most, named = re.findall(r"^At most (\d+) \w+ runs? at once(?:, now (.*?))?;", said)[0]
            assert int(most) == seen.limits.parallel_submissions
            assert [int(n) for n in re.findall(r"\d+", named)] == [t.number for t in begun]
            further = [t for t in seen.turns if not t.begun]
            assert counted(said) == further.index(of)
            assert further.index(of) >= int(most) - len(begun)
        case "All" | "This":
            assert seen.limits.capacity is not None
            assert seen.running - sum(seen.lent.values()) >= seen.limits.capacity
        case "Others":
            assert starts
            assert counted(said) == place
        case "It" if "which job" in said:
            name, job = re.findall(r'"(.*)", (?:for )?which job (\d+)', said)[0]
            assert name in needs
            if "waited longer" in said:
                assert name not in seen.taken
                assert name in ahead[int(job)]
                assert list(ahead).index(int(job)) < list(ahead).index(
                    list(of.waiting)[place].number
                )
            else:
                assert seen.taken[name] == int(job)
        case "It":
            assert "about to start" in said
        case _:
            running, most = re.findall(r"^(\d+) of at most (\d+) jobs? of its", said)[0]
            assert (int(running), int(most)) == (of.running, parallel)
            assert of.running >= parallel
            assert counted(said) == place
    if of.parent is not None:
        assert said.endswith(" Job 700, which has sent it, keeps its own place.")
    for count, word in re.findall(r"(\d+) (submissions?|jobs?|waits?)\b", said):
        singular = word in {"submission", "job", "waits"}
        assert singular == (count == "1"), said


def counted(said: str) -> int:
    """Return how many wait before a job, as the sentence says it."""
    found = re.search(r"; (\d+) waits? before it", said)
    assert found or "; it is next." in said
    return int(found[1]) if found else 0
