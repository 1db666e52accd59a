"""The table of states, as a whole."""

from __future__ import annotations

import pytest

from transport._state import LIVE, TRANSITIONS, Input, PortStateError, State, step

PRODUCT = [(state, event) for state in State for event in Input]


@pytest.mark.parametrize(("state", "event"), PRODUCT)
def test_a_pair_is_in_the_table_or_is_refused(state: State, event: Input) -> None:
    if (state, event) in TRANSITIONS:
        assert step(state, event) is TRANSITIONS[state, event]
    else:
        with pytest.raises(PortStateError, match=f"cannot {event.value} a port that is {state.value}"):
            step(state, event)


@pytest.mark.parametrize("event", list(Input))
def test_nothing_leaves_closed(event: Input) -> None:
    assert TRANSITIONS.get((State.CLOSED, event), State.CLOSED) is State.CLOSED


@pytest.mark.parametrize("event", list(Input))
def test_only_a_restored_port_leaves_detached(event: Input) -> None:
    expected = State.PAUSED if event is Input.RESTORE else State.DETACHED
    assert TRANSITIONS.get((State.DETACHED, event), State.DETACHED) is expected


@pytest.mark.parametrize("state", list(State))
def test_only_a_live_port_is_transferred(state: State) -> None:
    assert ((state, Input.TRANSFER) in TRANSITIONS) is (state in LIVE)


@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("event", [Input.START, Input.STOP, Input.CLOSE, Input.END])
def test_what_a_user_or_a_peer_may_do_is_legal_in_every_state(state: State, event: Input) -> None:
    assert (state, event) in TRANSITIONS


def test_every_state_can_be_reached() -> None:
    reached, todo = {State.PAUSED}, [State.PAUSED]
    while todo:
        state = todo.pop()
        for event in Input:
            after = TRANSITIONS.get((state, event))
            if after is not None and after not in reached:
                reached.add(after)
                todo.append(after)

    assert reached == set(State)
