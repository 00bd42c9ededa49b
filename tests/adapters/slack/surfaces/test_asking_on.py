"""Buttons that ask a question, press Stop or want another try, over both transports."""

import pytest

from adapters.slack.surfaces.desk import ASK_AGAIN
from bridge.events import ButtonPressed, StopRequested
from bridge.messages import Author, Button, ButtonAction, MessageRef, Origin, OutgoingMessage, PersonId, PlatformName
from bridge.playground.slack import SlackServer
from bridge.playground.slack.model import Act, Fault
from tests.adapters.slack.peer import asked, question, target_under, until
from tests.adapters.slack.surfaces.conftest import Opening
from tests.adapters.slack.surfaces.hall import Hall

GENERAL = "C0GENERAL"
QUESTIONS = tuple(
    Button(action=ButtonAction.ASK, label=text[:20], value=text)
    for text in ("What does it cost <per> year & person?", "Who decides?")
)
GRACE = Author(platform=PlatformName("slack"), id=PersonId("U0GRACE"), display_name="Grace")


def ts_of(ref: MessageRef) -> str:
    return ref.address.rpartition("/")[2]


async def ask_on(hall: Hall, ref: MessageRef, number: int = 0, channel: str = GENERAL) -> Act:
    return await hall.server.press("U0GRACE", channel, ts_of(ref), f"bridge:ask:{number}")


async def test_a_suggested_question_is_asked_by_who_pressed_it_in_the_same_thread(hall: Hall, root: str) -> None:
    ref = await hall.answer(root, *QUESTIONS)
    act = await ask_on(hall, ref)
    heard = await hall.next_unseen()
    assert act.outcome == "acked"
    assert (heard.text, heard.origin) == ("What does it cost <per> year & person?", Origin.PERSON)
    assert (heard.author.id, heard.author.display_name, heard.author.home) == ("U0GRACE", "Grace", "")
    assert (heard.unseen, heard.mentions_bot, heard.in_thread, heard.is_direct) == (True, True, True, False)
    assert (heard.target.conversation.thread, heard.target.opens_thread) == (root, False)
    assert not heard.is_external
    await hall.platform.send(heard.target, question("nothing"))
    assert [one.visible_text for one in hall.server.messages(GENERAL, root)][-1] == "nothing"


async def test_it_is_no_message_and_nothing_is_done_to_one(hall: Hall, root: str) -> None:
    ref = await hall.answer(root, *QUESTIONS)
    await ask_on(hall, ref)
    heard = await hall.next_unseen()
    assert heard.ref != ref
    await hall.platform.show_activity(heard.target, heard.ref)
    await hall.platform.end_activity(heard.target, heard.ref)
    assert asked(hall.server, "reactions.add") == 0


async def test_what_goes_wrong_with_it_is_told_to_the_asker_alone(hall: Hall, root: str) -> None:
    await ask_on(hall, await hall.answer(root, *QUESTIONS))
    private = (await hall.next_unseen()).private
    assert private is not None
    await hall.platform.send(private, question("not you"))
    (told,) = hall.server.ephemerals
    assert (told.person, told.thread_ts, told.visible_text) == ("U0GRACE", root, "not you")


async def test_each_press_is_a_question_of_its_own(hall: Hall, root: str) -> None:
    ref = await hall.answer(root, *QUESTIONS)
    for number in (0, 1, 1):
        await ask_on(hall, ref, number)
    await hall.next_unseen(3)
    heard = hall.unseen
    assert len({one.ref for one in heard}) == len({one.event_id for one in heard}) == 3
    assert sorted(one.text for one in heard)[1:] == ["Who decides?", "Who decides?"]


async def test_in_a_shared_channel_others_read_along(hall: Hall, root: str) -> None:
    hall.server.add_stranger(GENERAL, "Eve")
    await ask_on(hall, await hall.answer(root, *QUESTIONS))
    assert (await hall.next_unseen()).is_external


async def test_while_slack_does_not_tell_who_reads_along_the_button_is_to_be_pressed_again(
    opening: Opening, server: SlackServer, root: str
) -> None:
    async with opening() as hall:
        ref = await hall.answer(root, *QUESTIONS)
    async with opening() as hall:  # which no event has told anything yet
        server.faults.fail_next["conversations.info"] = [Fault.http(500)]
        act = await ask_on(hall, ref)
        await until(lambda: bool(server.ephemerals), "a word about it")
        assert act.outcome == "acked"
        assert [(one.person, one.visible_text) for one in server.ephemerals] == [("U0GRACE", ASK_AGAIN)]
        assert hall.unseen == []
        await ask_on(hall, ref)
        assert (await hall.next_unseen()).text == QUESTIONS[0].value


async def test_a_press_by_somebody_from_elsewhere_says_so(hall: Hall, root: str) -> None:
    eve = hall.server.add_stranger(GENERAL, "Eve")
    ref = await hall.answer(root, *QUESTIONS, Button(action=ButtonAction.RETRY, label="Again"))
    await hall.server.press(eve.id, GENERAL, ts_of(ref), "bridge:ask:0")
    heard = await hall.next_unseen()
    assert (heard.author.home, heard.is_external) == (eve.team_id, True)
    await hall.server.press(eve.id, GENERAL, ts_of(ref), "bridge:retry")
    pressed = await hall.next(ButtonPressed)
    assert pressed.author is not None
    assert pressed.author.home == eve.team_id


async def test_after_a_restart_an_old_question_can_still_be_asked(opening: Opening, root: str) -> None:
    async with opening() as hall:
        ref = await hall.answer(root, *QUESTIONS)
    async with opening() as hall:
        await ask_on(hall, ref, 1)
        heard = await hall.next_unseen()
        assert (heard.text, heard.target.conversation.thread) == ("Who decides?", root)


async def test_buttons_of_others_below_a_message_are_acknowledged_and_left(hall: Hall, root: str) -> None:
    ref = await hall.answer(root, *QUESTIONS)
    (message,) = [one for one in hall.server.messages(GENERAL, root) if one.ts == ts_of(ref)]
    message.blocks.append(
        {
            "type": "actions",
            "elements": [
                {"type": "button", "action_id": name, "value": "x", "text": {"type": "plain_text", "text": name}}
                for name in ("bridge:ask:100", "bridge:ask:", "bridge:unknown", "link")
            ],
        }
    )
    for name in ("bridge:ask:100", "bridge:ask:", "bridge:unknown", "link"):
        act = await hall.server.press("U0GRACE", GENERAL, ts_of(ref), name)
        await hall.settle()
        assert act.outcome == "acked"
    assert (hall.unseen, hall.heard(ButtonPressed)) == ([], [])


@pytest.mark.parametrize("action", [ButtonAction.STOP, ButtonAction.RETRY])
async def test_stop_and_retry_are_heard_with_who_where_and_when(hall: Hall, root: str, action: ButtonAction) -> None:
    ref = await hall.answer(root, Button(action=action, label="Do"))
    await hall.server.press("U0GRACE", GENERAL, ts_of(ref), f"bridge:{action.value}")
    pressed = await hall.next(ButtonPressed)
    assert (pressed.action, pressed.message, pressed.person) == (action, ref, "U0GRACE")
    assert pressed.author is not None
    assert pressed.author.home == ""
    assert pressed.target is not None
    assert pressed.target.conversation.thread == root
    assert pressed.private is not None
    assert pressed.revision > 0


def growing(text: str) -> OutgoingMessage:
    return OutgoingMessage(text=text, nonce="n1", live=True, asker=GRACE)


async def begin(hall: Hall, server: SlackServer, root: str) -> MessageRef:
    """An answer that grows, in a thread where Slack shows its own Stop button."""
    target = target_under(server, GENERAL, root)
    await hall.platform.show_activity(target, MessageRef(platform=target.platform, address=target.address))
    ref = await hall.platform.send(target, growing("The first words. "))
    await hall.settle()
    return ref


async def test_slacks_own_stop_button_is_heard_with_what_it_ended(hall: Hall, server: SlackServer, root: str) -> None:
    ref = await begin(hall, server, root)
    stopped = await server.stop_session("U0ADA", GENERAL, root)
    heard = await hall.next(StopRequested)
    assert stopped == [ts_of(ref)]
    assert (heard.message, heard.author.id, heard.is_direct) == (ref, "U0ADA", False)
    assert heard.target.conversation.thread == root
    assert heard.target.address == f"{server.team_id}/{GENERAL}/{root}"


async def test_a_write_that_finds_its_stream_stopped_asks_to_stop_as_well(
    hall: Hall, server: SlackServer, root: str
) -> None:
    """Slack's own event may be late or lost."""
    ref = await begin(hall, server, root)
    server.workspace.stop_streams(GENERAL, root)
    await hall.platform.edit(target_under(server, GENERAL, root), ref, growing("The first words. And more words. "))
    heard = await hall.next(StopRequested)
    assert (heard.message, heard.author.id) == (ref, "U0GRACE")


async def test_where_the_stop_cannot_be_stored_the_writing_goes_on(hall: Hall, server: SlackServer, root: str) -> None:
    ref = await begin(hall, server, root)
    server.workspace.stop_streams(GENERAL, root)
    hall.inbox.fail = 1
    await hall.platform.edit(target_under(server, GENERAL, root), ref, growing("The first words. And more words. "))
    assert hall.heard(StopRequested) == []


async def test_a_stop_while_nothing_grows_is_one_of_the_whole_thread(
    hall: Hall, server: SlackServer, root: str
) -> None:
    target = target_under(server, GENERAL, root)
    await hall.platform.show_activity(target, MessageRef(platform=target.platform, address=target.address))
    assert await server.stop_session("U0ADA", GENERAL, root) == []
    heard = await hall.next(StopRequested)
    assert (heard.message, heard.target.conversation.thread) == (None, root)


async def test_a_suggested_question_without_words_is_none(hall: Hall, root: str) -> None:
    ref = await hall.answer(root, *QUESTIONS)
    (message,) = [one for one in hall.server.messages(GENERAL, root) if one.ts == ts_of(ref)]
    message.blocks[-1]["elements"][0]["value"] = "  "  # type: ignore[index]
    await ask_on(hall, ref)
    await hall.settle()
    assert hall.unseen == []
    await until(lambda: hall.server.presses[-1].outcome == "acked")
