from projects.jobs.model import states
from projects.jobs.model.states import Outcome, State


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
