"""Edits, deletions and presses as values: which of Slack's many changes is one, and what it is about."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.slack.inbound import Identity, Ignored, identity_in, people_in, read_event
from bridge.events import ButtonPressed, InboundEvent, MessageDeleted, MessageEdited, MessageReceived
from bridge.messages import Address, Attachment, ButtonAction, Origin
from tests.adapters.slack.test_inbound import ME, TS, json_values, payload

EDITED = {"user": "U1", "ts": "1718000009.000000"}
EVENT_TS = "1718000009.000300"


def said(**changes: object) -> dict[str, object]:
    """One of the two messages inside of a change."""
    inner = {"type": "message", "user": "U1", "text": "hi", "ts": TS, "team": "T1", **changes}
    return {name: value for name, value in inner.items() if value is not None}


def changed(now: object, before: object, **outer: object) -> InboundEvent | Ignored:
    event = {"subtype": "message_changed", "message": now, "previous_message": before, "hidden": True, "text": None}
    times = {"user": None, "ts": EVENT_TS, "event_ts": EVENT_TS}
    return read_event(payload(**{**event, **times, **outer}), ME, {"U1": "Ada", "U2": "Grace"})


def edit(now: object, before: object, **outer: object) -> MessageEdited:
    read = changed(now, before, **outer)
    assert isinstance(read, MessageEdited), read
    return read


def deleted(**changes: object) -> InboundEvent | Ignored:
    event = {"subtype": "message_deleted", "deleted_ts": TS, "previous_message": said(), "hidden": True, "text": None}
    return read_event(payload(**{**event, "user": None, "ts": EVENT_TS, "event_ts": EVENT_TS, **changes}), ME, {})


def press(**changes: object) -> InboundEvent | Ignored:
    body: dict[str, object] = {
        "type": "block_actions",
        "user": {"id": "U1", "team_id": "TGUEST"},
        "team": {"id": "T1"},
        "container": {"type": "message", "message_ts": TS, "channel_id": "C1", "thread_ts": "1.000001"},
        "actions": [{"type": "button", "action_id": "bridge:stop", "value": "stop", "action_ts": "1718000010.000400"}],
    }
    return read_event({**body, **changes}, ME, {})


def test_an_edit_is_the_whole_message_as_it_reads_now_under_its_old_identity() -> None:
    original = read_event(payload(text="<@UBOT> hi <@U2>"), ME, {"U1": "Ada", "U2": "Grace"})
    read = edit(said(text="<@UBOT> hello <@U2>", edited=EDITED), said(text="<@UBOT> hi <@U2>"))
    assert isinstance(original, MessageReceived)
    assert read.event_id == read.now.event_id == "Ev1"
    assert (read.now.ref, read.now.target, read.now.author) == (original.ref, original.target, original.author)
    assert (read.now.text, read.now.mentions_bot, read.now.named) == ("hello @Grace", True, original.named)
    assert (read.now.sent_at, read.now.origin) == (original.sent_at, Origin.PERSON)
    assert read.revision == 1_718_000_009_000_300


def test_an_edit_in_a_thread_and_in_a_direct_message_stays_where_it_was() -> None:
    read = edit(
        said(text="b", thread_ts="1717000000.000001", parent_user_id="UBOT", edited=EDITED),
        said(text="a", thread_ts="1717000000.000001"),
        channel="D1",
        channel_type="im",
    )
    assert read.now.target.address == "T1/D1/1717000000.000001"
    assert (read.now.in_thread, read.now.replies_to_bot, read.now.is_direct) == (True, True, True)
    assert read.now.target.conversation.person == "U1"


def test_two_edits_within_one_second_are_told_apart() -> None:
    first = edit(said(text="b", edited=EDITED), said(text="a"))
    second = edit(said(text="c", edited=EDITED), said(text="b", edited=EDITED), event_ts="1718000009.000301")
    assert second.revision == first.revision + 1


def test_without_a_time_of_its_own_an_edit_has_that_of_the_message() -> None:
    assert edit(said(text="b", edited=EDITED), said(), ts=None, event_ts=None).revision == 1_718_000_009_000_000
    assert isinstance(changed(said(text="b", edited={"user": "U1"}), said(), ts=None, event_ts=None), Ignored)


def test_a_file_that_came_or_went_is_an_edit() -> None:
    file = {"id": "F1", "name": "a.csv", "mimetype": "text/csv"}
    came = Attachment(name="a.csv", media_type="text/csv", address=Address("T1/F1"))
    assert edit(said(files=[file]), said()).now.attachments == (came,)
    gone = edit(said(files=[{"id": "F1", "mode": "tombstone"}]), said(files=[file]))
    assert gone.now.attachments == ()
    assert isinstance(changed(said(files=[{**file, "title": "new"}]), said(files=[file])), Ignored)


@pytest.mark.parametrize(
    ("now", "before"),
    [
        (said(attachments=[{"id": 1, "from_url": "https://x.example"}]), said()),
        (said(edited=EDITED, attachments=[{"id": 1}]), said(edited=EDITED)),
        (said(edited=EDITED), said()),
        (said(thread_ts=TS, reply_count=1, latest_reply="1.000001"), said()),
        (said(text="hi, rewritten by Slack"), said()),
        (said(text="x", user="UBOT", bot_id="BBOT", edited=EDITED), said(user="UBOT")),
        (said(text="x", bot_id="BBOT", app_id="ABOT"), said()),
        (said(text="x", bot_id="B9", edited=EDITED), said()),
        (said(text="x", subtype="channel_topic", edited=EDITED), said()),
        (said(), None),
        (None, None),
    ],
    ids=[
        "link preview",
        "link preview of an edited message",
        "edited into the same",
        "a thread grew",
        "not by a person",
        "our own edit",
        "our own edit without user",
        "another bot's edit",
        "what the system says",
        "nothing to compare with",
        "nothing at all",
    ],
)
def test_other_changes_are_ignored_with_a_reason(now: object, before: object) -> None:
    read = changed(now, before)
    assert isinstance(read, Ignored)
    assert read.reason
    assert "rewritten" not in read.reason


def test_an_edit_without_the_former_message_is_believed_when_it_says_that_it_is_one() -> None:
    assert edit(said(text="b", edited=EDITED), None).now.text == "b"


@pytest.mark.parametrize("odd", [{"channel": None}, {"channel": "C/1"}, {"event_id": ""}])
def test_an_edit_with_a_part_missing_is_ignored(odd: dict[str, object]) -> None:
    body = payload(
        **{"subtype": "message_changed", "message": said(text="b", edited=EDITED), "previous_message": said(), **odd}
    )
    assert isinstance(read_event({**body, "event_id": odd.get("event_id", "Ev1")}, ME, {}), Ignored)


def test_whom_an_edit_mentions_is_known_too() -> None:
    assert people_in(payload(subtype="message_changed", text=None, message=said(text="<@U2> <@U3>"))) == ("U2", "U3")


def test_a_deletion_says_which_message_and_where() -> None:
    read = deleted()
    assert isinstance(read, MessageDeleted)
    assert (read.event_id, read.ref.address, read.installation) == ("Ev1", f"T1/C1/{TS}", "T1")
    assert deleted(previous_message=None) == read


def test_what_is_left_of_a_deleted_root_is_its_deletion() -> None:
    left = said(subtype="tombstone", user="USLACKBOT", text="This message was deleted.", hidden=True)
    read = changed(left, said())
    assert isinstance(read, MessageDeleted)
    assert read.ref.address == f"T1/C1/{TS}"
    assert isinstance(changed(left, said(user="UBOT", bot_id="BBOT")), Ignored)


@pytest.mark.parametrize(
    "changes",
    [
        {"previous_message": said(user="UBOT")},
        {"previous_message": said(user=None, bot_id="BBOT")},
        {"previous_message": said(bot_id="B9")},
        {"deleted_ts": None},
        {"deleted_ts": "1/2"},
        {"channel": None},
    ],
)
def test_a_deletion_of_a_bots_message_or_with_a_part_missing_is_ignored(changes: dict[str, object]) -> None:
    assert isinstance(deleted(**changes), Ignored)


def test_a_press_says_who_pressed_what_under_which_message() -> None:
    read = press()
    assert isinstance(read, ButtonPressed)
    assert (read.message.address, read.installation) == (f"T1/C1/{TS}", "T1")
    assert (read.person, read.action) == ("U1", ButtonAction.STOP)


def test_each_press_has_an_id_of_its_own_and_a_redelivered_one_the_same() -> None:
    def at(stamp: str, action: str = "retry", user: str = "U1") -> str:
        read = press(actions=[{"action_id": f"bridge:{action}", "action_ts": stamp}], user={"id": user})
        assert isinstance(read, ButtonPressed)
        return read.event_id

    first = at("1.000001")
    assert first == at("1.000001")
    assert len({first, at("1.000002"), at("1.000001", action="stop"), at("1.000001", user="U2")}) == 4


@pytest.mark.parametrize(
    "changes",
    [
        {"actions": []},
        {"actions": "junk"},
        {"actions": [{"action_id": "bridge:dance", "action_ts": "1.000001"}]},
        {"actions": [{"action_id": "stop", "action_ts": "1.000001"}]},
        {"actions": [{"action_id": "bridge:stop"}]},
        {"container": {"type": "view", "view_id": "V1"}},
        {"container": None},
        {"container": {"channel_id": "C/1", "message_ts": TS}},
        {"user": {}},
    ],
)
def test_an_interaction_that_is_no_press_of_ours_is_ignored(changes: dict[str, object]) -> None:
    assert isinstance(press(**changes), Ignored)


def test_a_press_belongs_to_the_installation_that_we_are() -> None:
    body = {"type": "block_actions", "team": {"id": "T2"}}
    assert identity_in(body, ME) == ME
    assert identity_in(body, None) == Identity(team="T2", user="")
    assert identity_in({**body, "team": None}, None) is None


@given(
    st.dictionaries(
        st.sampled_from(["message", "previous_message", "subtype", "deleted_ts", "channel", "event_ts"]),
        json_values
        | st.just("message_changed")
        | st.dictionaries(st.sampled_from([*said(), "edited", "files"]), json_values),
    ),
    st.dictionaries(st.sampled_from(["user", "team", "container", "actions", "message"]), json_values),
)
def test_no_change_whatever_breaks_the_reader(event: dict[str, object], pressed: dict[str, object]) -> None:
    for kind in ("message_changed", "message_deleted", None):
        read_event(payload(**{"subtype": kind, **event}), ME, {})
    body = {**pressed, "type": "block_actions"}
    read_event(body, identity_in(body, None) or ME, {})
