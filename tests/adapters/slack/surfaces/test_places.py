"""Where messages come from and who wrote them, over both transports: groups, private channels, other organisations, direct
messages as one conversation or as many, what people paste and attach."""

import pytest

from bridge.events import ButtonPressed, CommandInvoked, MessageEdited, MessageReceived
from bridge.messages import Button, ButtonAction
from bridge.playground.slack.model import ChannelKind, File
from tests.adapters.slack.peer import answers, question, until
from tests.adapters.slack.surfaces.conftest import Opening
from tests.adapters.slack.surfaces.hall import RATINGS, Hall

GENERAL = "C0GENERAL"
MENTION = "<@U0BRIDGE>"


async def post(hall: Hall, channel: str, text: str, person: str = "U0GRACE", **more: object) -> MessageReceived:
    """Of the events that tell of one message, the first."""
    ts = await hall.server.post_as(person, channel, text, **more)  # type: ignore[arg-type]
    return await heard(hall, ts)


async def heard(hall: Hall, ts: str) -> MessageReceived:
    def found() -> list[MessageReceived]:
        return [one for one in hall.heard(MessageReceived) if one.ref.address.endswith(f"/{ts}")]

    await until(lambda: bool(found()), "the message")
    await hall.settle()
    assert len({(one.target, one.is_external, one.author, one.text) for one in found()}) == 1, "pairs are told alike"
    return found()[0]


@pytest.mark.parametrize("kind", ["group", "mpim"])
async def test_in_private_channels_and_groups_of_people_it_is_a_channel_like_any_other(
    hall: Hall, kind: ChannelKind
) -> None:
    channel = hall.server.add_channel("between-us", kind)
    message = await post(hall, channel.id, f"{MENTION} hello")
    assert (message.is_direct, message.mentions_bot, message.text) == (False, True, "hello")
    assert message.target.conversation.person == ""
    await hall.platform.send(message.target, question("hi"))
    reply = await post(hall, channel.id, "and?", thread_ts=message.target.conversation.thread)
    assert (reply.in_thread, reply.mentions_bot) == (True, False)
    assert reply.target == message.target


@pytest.mark.parametrize("begun", [False, True])
async def test_who_asks_in_a_channel_can_be_told_something_alone(hall: Hall, *, begun: bool) -> None:
    message = await post(hall, GENERAL, f"{MENTION} hello")
    if begun:
        await post(hall, GENERAL, "first", "U0ADA", thread_ts=message.target.conversation.thread)
        message = await post(hall, GENERAL, "hello?", thread_ts=message.target.conversation.thread)
    assert message.private is not None
    await hall.platform.send(message.private, question("not here"))
    assert [(one.person, one.thread_ts, one.visible_text) for one in hall.server.ephemerals] == [
        ("U0GRACE", message.target.conversation.thread if begun else None, "not here")
    ]


async def test_where_nobody_else_reads_there_is_no_need_to_whisper(hall: Hall) -> None:
    channel = await hall.server.open_dm("U0GRACE")
    assert (await post(hall, channel, "hello")).private is None


@pytest.mark.parametrize(("sessions", "same"), [("thread", False), ("single", True)])
async def test_direct_messages_are_one_conversation_or_one_for_each_thread(
    opening: Opening, sessions: str, *, same: bool
) -> None:
    async with opening(slack_dm_sessions=sessions) as hall:
        channel = await hall.server.open_dm("U0GRACE")
        first = await post(hall, channel, "my name is Grace")
        second = await post(hall, channel, "what is my name?")
        below = await post(hall, channel, "and?", thread_ts=first.target.address.rpartition("/")[2])
        keys = [one.target.conversation for one in (first, second, below)]
        assert (keys[0] == keys[1]) is same
        assert keys[0] == keys[2]
        assert keys[0].thread == ("" if same else first.ref.address.rpartition("/")[2])
        assert {key.person for key in keys} == {"U0GRACE"}


async def test_in_one_conversation_each_message_is_answered_in_its_own_thread_all_the_same(opening: Opening) -> None:
    async with opening(slack_dm_sessions="single") as hall:
        channel = await hall.server.open_dm("U0GRACE")
        for text in ("one", "two"):
            message = await post(hall, channel, text)
            root = message.ref.address.rpartition("/")[2]
            await hall.platform.send(message.target, question(f"re: {text}", nonce=text))
            assert [one.visible_text for one in hall.server.messages(channel, root)] == [text, f"re: {text}"]


async def test_in_one_conversation_buttons_and_edits_belong_to_it_too(opening: Opening) -> None:
    async with opening(slack_dm_sessions="single") as hall:
        channel = await hall.server.open_dm("U0GRACE")
        message = await post(hall, channel, "why?")
        root = message.ref.address.rpartition("/")[2]
        ask = Button(action=ButtonAction.ASK, label="More?", value="More?")
        ref = await hall.answer(root, *RATINGS, ask, channel=channel)
        ts = ref.address.rpartition("/")[2]
        await hall.server.press("U0GRACE", channel, ts, "bridge:feedback", "like")
        await hall.server.press("U0GRACE", channel, ts, "bridge:ask:0")
        await hall.server.edit_as("U0GRACE", channel, root, "why not?")
        pressed, asked, edited = (
            await hall.next(ButtonPressed),
            await hall.next_unseen(),
            await hall.next(MessageEdited),
        )
        assert pressed.target is not None
        for target in (pressed.target, asked.target, edited.now.target):
            assert target.conversation == message.target.conversation
            assert target.address == message.target.address
        await hall.server.command("U0GRACE", channel, "/reset")
        assert (await hall.next(CommandInvoked)).target.conversation == message.target.conversation


async def test_the_setting_is_about_direct_messages_only(opening: Opening) -> None:
    async with opening(slack_dm_sessions="single") as hall:
        message = await post(hall, GENERAL, f"{MENTION} hello")
        assert message.target.conversation.thread == message.ref.address.rpartition("/")[2]


async def test_of_our_own_people_nobody_is_from_elsewhere(hall: Hall) -> None:
    message = await post(hall, GENERAL, f"{MENTION} hello")
    assert (message.is_external, message.author.home) == (False, "")


async def test_in_a_shared_channel_everybody_is_known_to_be_read_along_and_strangers_by_their_home(hall: Hall) -> None:
    eve = hall.server.add_stranger(GENERAL, "Eve")
    ours = await post(hall, GENERAL, f"{MENTION} hello")
    theirs = await post(hall, GENERAL, f"{MENTION} hello", eve.id)
    assert (ours.is_external, ours.author.home) == (True, "")
    assert (theirs.is_external, theirs.author.home) == (True, eve.team_id)
    assert theirs.target.conversation.installation == hall.server.team_id
    await hall.platform.send(theirs.target, question("hi"))
    (answer,) = answers(hall.server, theirs.ref.address.rpartition("/")[2])
    assert answer.visible_text == "hi"


async def test_an_edit_by_a_stranger_is_known_as_such(hall: Hall) -> None:
    eve = hall.server.add_stranger(GENERAL, "Eve")
    ts = await hall.server.post_as(eve.id, GENERAL, "hello")
    await hall.settle()
    await hall.server.edit_as(eve.id, GENERAL, ts, f"{MENTION} hello")
    edited = await hall.next(MessageEdited)
    assert (edited.now.is_external, edited.now.author.home) == (True, eve.team_id)


async def test_files_are_told_with_what_slack_tells_of_them(hall: Hall) -> None:
    files = [
        File(id="F1", name="plan.pdf", mimetype="application/pdf", size=30_000_000),
        File(id="F2", name="secret.txt", file_access="check_file_info"),
        File(id="F3", name="old.txt", mode="tombstone"),
    ]
    message = await post(hall, GENERAL, f"{MENTION} read these", files=files)
    first, second = message.attachments
    assert (first.name, first.media_type, first.size) == ("plan.pdf", "application/pdf", 30_000_000)
    assert (second.media_type, second.size) == ("", None)
    assert [one.address for one in message.attachments] == [f"{hall.server.team_id}/F1", f"{hall.server.team_id}/F2"]


async def test_a_table_that_somebody_pastes_is_read_with_the_words(hall: Hall) -> None:
    def cell(text: str) -> dict[str, object]:
        return {"type": "raw_text", "text": text}

    person = {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": []}]}
    person["elements"][0]["elements"] = [{"type": "user", "user_id": "U0LINUS"}]  # type: ignore[index]
    rows = [[cell("who"), cell("a|b")], [person, cell("2")]]
    ts = await hall.server.post_as("U0GRACE", GENERAL, "nothing")
    await hall.settle()
    event: dict[str, object] = {
        "type": "message",
        "channel": GENERAL,
        "channel_type": "channel",
        "user": "U0GRACE",
        "text": f"{MENTION} add these up",
        "ts": "1700000000.000100",
        "event_ts": ts,
        "attachments": [
            {"id": 1, "blocks": [{"type": "table", "rows": rows}]},
            {"id": 2, "from_url": "https://x.example"},
        ],
    }
    hall.server.workspace.emit(event, hall.server.workspace.channels[GENERAL])
    message = await heard(hall, "1700000000.000100")
    assert message.text == "add these up\n\n| who | a\\|b |\n| --- | --- |\n| @Linus | 2 |"
