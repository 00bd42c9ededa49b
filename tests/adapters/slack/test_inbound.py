"""Payloads in, events out, as values: who wrote it, where it belongs, and what is none of our business."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.slack.inbound import Identity, Ignored, channel_in, identity_in, people_in, read_event
from bridge.events import MessageReceived, ReactionChanged
from bridge.messages import Attachment, NamedPerson, Origin, PersonId

ME = Identity(team="T1", user="UBOT", bot="BBOT", app="ABOT")
TS = "1718000000.000100"


def payload(**event: object) -> dict[str, object]:
    inner = {
        "type": "message",
        "channel": "C1",
        "channel_type": "channel",
        "user": "U1",
        "text": "hi",
        "ts": TS,
        **event,
    }
    return {
        "type": "event_callback",
        "event_id": "Ev1",
        "team_id": "TELSEWHERE",
        "api_app_id": "ABOT",
        "authorizations": [{"team_id": "T1", "user_id": "UBOT", "is_bot": True}],
        "event": {name: value for name, value in inner.items() if value is not None},
    }


def message(**event: object) -> MessageReceived:
    read = read_event(payload(**event), ME, {"U1": "Ada"})
    assert isinstance(read, MessageReceived), read
    return read


def reaction(**event: object) -> ReactionChanged | Ignored:
    base = {
        "type": "reaction_added",
        "user": "U1",
        "reaction": "+1",
        "item": {"type": "message", "channel": "C1", "ts": TS},
        "item_user": "UBOT",
        "event_ts": "1718000001.000200",
    }
    read = read_event({**payload(), "event": {**base, **event}}, ME, {})
    assert isinstance(read, ReactionChanged | Ignored)
    return read


def test_a_message_in_a_channel() -> None:
    read = message(text="<@UBOT> what &amp; why", files=[{"name": "a.csv", "mimetype": "text/csv"}, {}, "junk"])
    assert read.ref.address == f"T1/C1/{TS}"
    assert read.target.address == f"T1/C1/{TS}"
    key = read.target.conversation
    assert (key.installation, key.channel, key.thread, key.person) == ("T1", "C1", TS, "")
    assert (read.author.id, read.author.display_name, read.author.is_bot) == ("U1", "Ada", False)
    assert (read.text, read.origin) == ("what & why", Origin.PERSON)
    assert (read.mentions_bot, read.is_direct, read.in_thread, read.replies_to_bot) == (True, False, False, False)
    assert read.attachments == (Attachment(name="a.csv", media_type="text/csv"), Attachment(name="file"))
    assert read.sent_at == datetime(2024, 6, 10, 6, 13, 20, 100, tzinfo=UTC)
    assert not read.target.opens_thread


def test_a_reply_belongs_to_its_thread_and_is_answered_there() -> None:
    read = message(thread_ts="1717000000.000001", parent_user_id="U2")
    assert read.ref.address == f"T1/C1/{TS}"
    assert read.target.address == "T1/C1/1717000000.000001"
    assert read.target.conversation.thread == "1717000000.000001"
    assert (read.in_thread, read.replies_to_bot) == (True, False)
    assert message(thread_ts="1717000000.000001", parent_user_id="UBOT").replies_to_bot


def test_the_root_of_a_thread_is_not_in_it() -> None:
    assert not message(thread_ts=TS).in_thread


def test_threads_with_one_timestamp_in_two_channels_are_two_conversations() -> None:
    assert message(channel="C1").target.conversation != message(channel="C2").target.conversation


def test_only_a_direct_message_belongs_to_a_person() -> None:
    direct = message(channel="D1", channel_type="im")
    assert (direct.is_direct, direct.target.conversation.person) == (True, "U1")
    for kind in ("channel", "group", "mpim", None):
        other = message(channel_type=kind)
        assert (other.is_direct, other.target.conversation.person) == (False, "")


@pytest.mark.parametrize("subtype", [None, "file_share", "thread_broadcast", "me_message"])
def test_what_a_person_says_is_from_a_person(subtype: str | None) -> None:
    assert message(subtype=subtype).origin is Origin.PERSON


@pytest.mark.parametrize("subtype", ["channel_join", "channel_topic", "pinned_item", "something_new"])
def test_what_merely_happened_is_from_the_system(subtype: str) -> None:
    assert message(subtype=subtype).origin is Origin.SYSTEM


@pytest.mark.parametrize(
    "event",
    [
        {"user": "UBOT"},
        {"user": "UBOT", "bot_id": "BBOT", "app_id": "ABOT"},
        {"user": None, "bot_id": "BBOT", "subtype": "bot_message"},
        {"user": "U9", "app_id": "ABOT", "bot_id": "B9"},
        {"user": "UBOT", "subtype": "thread_broadcast", "thread_ts": "1.000001"},
    ],
)
def test_our_own_messages_are_ours(event: dict[str, object]) -> None:
    read = message(**event)
    assert (read.origin, read.author.is_bot) == (Origin.SELF, True)


@pytest.mark.parametrize(
    "event",
    [
        {"bot_id": "B9"},
        {"app_id": "A9"},
        {"user": None, "subtype": "bot_message", "username": "webhook"},
        {"user": "USLACKBOT"},
        {"user": "USLACK"},
    ],
)
def test_other_bots_are_bots(event: dict[str, object]) -> None:
    read = message(**event)
    assert (read.origin, read.author.is_bot) == (Origin.BOT, True)


def test_an_unknown_bot_id_of_ours_matches_nothing() -> None:
    nobody = Identity(team="T1", user="UBOT")
    read = read_event(payload(user="U1"), nobody, {})
    assert isinstance(read, MessageReceived)
    assert read.origin is Origin.PERSON


@pytest.mark.parametrize(
    "event",
    [
        {"subtype": "message_changed", "message": {"text": "new"}, "hidden": True},
        {"subtype": "message_deleted", "deleted_ts": "soon"},
        {"subtype": "message_deleted"},
        {"subtype": "message_changed"},
        {"subtype": "message_replied"},
        {"hidden": True},
        {"type": "app_home_opened"},
        {"type": "member_joined_channel"},
        {"type": None},
        {"ts": None},
        {"ts": "soon"},
        {"ts": "٣.٤"},
        {"ts": "9" * 30},
        {"channel": None},
        {"channel": 7},
        {"channel": "C1/C2"},
        {"thread_ts": "a/b"},
    ],
)
def test_what_is_not_used_is_ignored_with_a_reason_that_holds_no_text(event: dict[str, object]) -> None:
    read = read_event(payload(**{"text": "secret", **event}), ME, {})
    assert isinstance(read, Ignored)
    assert read.reason
    assert "secret" not in read.reason


def test_the_pair_of_one_mention_gives_one_message_twice() -> None:
    both = [
        message(text="<@UBOT> hi", client_msg_id="x"),
        message(text="<@UBOT> hi", type="app_mention", channel_type=None),
    ]
    assert both[0] == both[1]
    assert both[0].mentions_bot


def test_a_mention_is_read_from_the_text_not_from_the_event() -> None:
    assert not message(type="app_mention", text="hello").mentions_bot
    assert not message(text="&lt;@UBOT&gt; <@UBOTX> <!here>").mentions_bot
    assert message(text="well, <@UBOT|bot>?").mentions_bot


def named(text: str) -> list[tuple[str, str]]:
    return [(one.id, one.name) for one in message(text=text).named]


def test_people_whom_the_question_names_are_told_each_once_and_spelled_as_in_the_text() -> None:
    read = message(text="<@UBOT> tell <@U1>, <@U2|grace &amp; co> and <@W3> and <@U1> again")
    assert read.named == (
        NamedPerson(id=PersonId("U1"), name="Ada"),
        NamedPerson(id=PersonId("U2"), name="grace & co"),
        NamedPerson(id=PersonId("W3"), name="W3"),
    )
    assert read.text == "tell @Ada, @grace & co and @W3 and @Ada again"


@pytest.mark.parametrize(
    "text",
    [
        "<@UBOT> <@UBOT|bot> hello",
        "<!channel> <!here> <!everyone> <!subteam^S1|@team> <#C1|general>",
        "&lt;@U2&gt; @U2 <@u2> <@U2 <@> <@|x> <@U2!> <@S1>",
        "<@USLACKBOT> <@USLACK>",
    ],
)
def test_neither_the_bot_nor_groups_nor_what_only_looks_like_a_mention_is_a_named_person(text: str) -> None:
    assert named(text) == []


def test_the_author_is_named_only_by_naming_themselves() -> None:
    assert named("<@UBOT> hello") == []
    assert named("<@UBOT> remind <@U1>") == [("U1", "Ada")]


def test_a_reaction_on_our_message() -> None:
    read = reaction()
    assert isinstance(read, ReactionChanged)
    assert (read.message.address, read.person, read.emoji, read.added) == (f"T1/C1/{TS}", "U1", "+1", True)
    assert (read.origin, read.revision) == (Origin.PERSON, 1_718_000_001_000_200)


@pytest.mark.parametrize("emoji", ["+1::skin-tone-3", "+1::skin-tone-6", "+1"])
def test_skin_tones_do_not_matter(emoji: str) -> None:
    read = reaction(reaction=emoji)
    assert isinstance(read, ReactionChanged)
    assert read.emoji == "+1"


def test_a_reaction_taken_away_is_later_than_the_one_given() -> None:
    given_, taken = reaction(), reaction(type="reaction_removed", event_ts="1718000001.000201")
    assert isinstance(given_, ReactionChanged)
    assert isinstance(taken, ReactionChanged)
    assert not taken.added
    assert taken.revision == given_.revision + 1


def test_our_own_reaction_is_ours_and_slackbots_a_bots() -> None:
    ours, slackbots = reaction(user="UBOT"), reaction(user="USLACKBOT")
    assert isinstance(ours, ReactionChanged)
    assert isinstance(slackbots, ReactionChanged)
    assert (ours.origin, slackbots.origin) == (Origin.SELF, Origin.BOT)


@pytest.mark.parametrize(
    "event",
    [
        {"item_user": "U2"},
        {"item_user": None},
        {"item": {"type": "file", "file": "F1"}},
        {"item": {"type": "message", "channel": "C1"}},
        {"item": "junk"},
        {"item": {"type": "message", "channel": "C/1", "ts": TS}},
        {"item": {"type": "message", "channel": "C1", "ts": "1/2"}},
        {"event_ts": ""},
        {"user": ""},
        {"reaction": ""},
    ],
)
def test_a_reaction_on_anything_else_is_ignored(event: dict[str, object]) -> None:
    assert isinstance(reaction(**event), Ignored)


def test_the_installation_is_the_authorized_workspace_not_the_senders() -> None:
    assert identity_in(payload(), None) == Identity(team="T1", user="UBOT", app="ABOT")
    assert identity_in(payload(), ME) == ME


def test_without_an_authorization_what_is_known_is_used() -> None:
    bare = {**payload(), "authorizations": [], "team_id": "T1"}
    assert identity_in(bare, ME) == ME
    assert identity_in(bare, None) is None
    assert identity_in({}, None) is None


def test_an_authorization_of_a_user_does_not_make_that_user_us() -> None:
    by_user = {**payload(), "authorizations": [{"team_id": "T1", "user_id": "UINSTALLER", "is_bot": False}]}
    assert identity_in(by_user, ME) == ME
    assert identity_in(by_user, None) is None


def test_another_workspace_has_another_bot() -> None:
    other = {**payload(), "authorizations": [{"team_id": "T2", "user_id": "UBOT2", "is_bot": True}]}
    assert identity_in(other, ME) == Identity(team="T2", user="UBOT2", app="ABOT")


def test_where_and_about_whom() -> None:
    assert channel_in(payload()) == "C1"
    assert channel_in({"event": {"item": {"channel": "C2"}}}) == "C2"
    assert channel_in({}) == ""
    assert people_in(payload(text="<@U2> and <@U3>")) == ("U2", "U3")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from(["message", TS, "C1", "UBOT"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
FIELDS = [
    "type",
    "channel",
    "channel_type",
    "user",
    "text",
    "ts",
    "thread_ts",
    "files",
    "item",
    "item_user",
    "reaction",
]


@given(st.dictionaries(st.sampled_from([*FIELDS, "event_ts", "subtype", "bot_id"]), json_values), json_values)
def test_no_payload_whatever_breaks_the_reader(event: dict[str, object], odd: object) -> None:
    for body in (payload(**event), {"event": odd, "authorizations": odd}, {**payload(), "authorizations": [odd]}):
        me = identity_in(body, None) or ME
        read_event(body, me, {})
        channel_in(body)
        people_in(body)
