import pytest

from projects.jobs.model import states
from projects.jobs.model.states import Outcome, State


@pytest.mark.parametrize("before", list(State))
@pytest.mark.parametrize("after", list(State))
def test_only_forward(before: State, after: State) -> None:
    if after > before:
        states.check(before, after)
    else:
        with pytest.raises(states.TransitionError, match=f"{before.name} to {after.name}"):
            states.check(before, after)


def test_a_restart_is_the_only_way_back_and_leads_to_new() -> None:
    for before in State:
        if before != State.NEW:
            states.check(before, State.NEW, restart=True)
        with pytest.raises(states.TransitionError):
            states.check(before, State.RUNNING, restart=True)
    with pytest.raises(states.TransitionError):
        states.check(State.NEW, State.NEW, restart=True)


def test_what_an_end_means() -> None:
    assert states.outcome_of(0, None) is Outcome.SUCCESS
    assert states.outcome_of(3, None) is Outcome.FAILED
    assert states.outcome_of(None, 9) is Outcome.FAILED
    assert states.outcome_of(None, None) is Outcome.LOST


def test_a_state_is_queued_live_or_final() -> None:
    for state in State:
        assert [state in states.QUEUED, state in states.LIVE, states.is_final(state)].count(
            True
        ) == 1
