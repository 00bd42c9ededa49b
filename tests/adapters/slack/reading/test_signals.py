"""Stops, opened pages and opened chats, as values: what is understood, and what is not believed."""

import pytest
from hypothesis import given

from adapters.slack.inbound import Ignored, read_event
from bridge.events import ChatOpened, HomeOpened, InboundEvent, StopRequested
from tests.adapters.slack.test_inbound import ME, TS, json_values, payload

STOP: dict[str, object] = {
    "type": "agent_session_stopped",
    "channel": "C1",
    "thread_ts": TS,
    "user": "U1",
    "streaming_message_ts": ["1718000001.000100", "1718000002.000100"],
}
HOME: dict[str, object] = {"type": "app_home_opened", "channel": "D1", "user": "U1", "tab": "home"}
STARTED: dict[str, object] = {
    "type": "assistant_thread_started",
    "assistant_thread": {"user_id": "U1", "channel_id": "D1", "thread_ts": TS, "context": {}},
}


def read(event: dict[str, object], *, rolling: bool = False) -> InboundEvent | Ignored:
    return read_event({**payload(), "event": event}, ME, {"U1": "Ada"}, rolling=rolling)


def test_of_several_streams_that_a_stop_ended_the_first_is_told() -> None:
    stop = read(STOP)
    assert isinstance(stop, StopRequested)
    assert stop.message is not None
    assert stop.message.address == "T1/C1/1718000001.000100"
    assert (stop.author.display_name, stop.is_direct) == ("Ada", False)


@pytest.mark.parametrize("odd", [None, "x", [], ["soon"], [17], {}])
def test_a_stop_without_a_stream_is_one_of_its_thread(odd: object) -> None:
    stop = read({**STOP, "streaming_message_ts": odd})
    assert isinstance(stop, StopRequested)
    assert stop.message is None


@pytest.mark.parametrize(("rolling", "thread"), [(False, TS), (True, "")])
def test_a_stop_in_direct_messages_is_of_the_conversation_that_it_is_in(*, rolling: bool, thread: str) -> None:
    stop = read({**STOP, "channel": "D1"}, rolling=rolling)
    assert isinstance(stop, StopRequested)
    assert stop.is_direct
    assert (stop.target.conversation.thread, stop.target.conversation.person) == (thread, "U1")
    assert stop.target.address == f"T1/D1/{TS}"


@pytest.mark.parametrize(("tab", "kind"), [("home", HomeOpened), ("messages", ChatOpened)])
def test_a_tab_is_told_for_what_it_is(tab: str, kind: type[InboundEvent]) -> None:
    opened = read({**HOME, "tab": tab})
    assert isinstance(opened, kind)
    assert isinstance(opened, HomeOpened | ChatOpened)
    assert opened.target.private
    assert (opened.target.conversation.channel, opened.target.conversation.person) == ("D1", "U1")


@pytest.mark.parametrize(
    "event",
    [
        {**STOP, "thread_ts": "soon"},
        {**STOP, "user": ""},
        {**STOP, "channel": "C1/x"},
        {**HOME, "channel": "C1"},
        {**HOME, "tab": "about"},
        {**HOME, "user": None},
        {**STARTED, "assistant_thread": None},
        {**STARTED, "assistant_thread": {"user_id": "U1", "channel_id": "D1"}},
    ],
)
def test_what_has_a_part_missing_is_ignored(event: dict[str, object]) -> None:
    assert isinstance(read(event), Ignored)


@given(json_values, json_values)
def test_nothing_whatever_breaks_the_reader(odd: object, other: object) -> None:
    for event in (STOP, HOME, STARTED):
        for name in event.keys() - {"type"}:
            read({**event, name: odd})
    for name in ("user_id", "channel_id", "thread_ts"):
        read({**STARTED, "assistant_thread": {**STARTED["assistant_thread"], name: odd}})  # type: ignore[dict-item]
    read({**STOP, "streaming_message_ts": [odd, other]})
