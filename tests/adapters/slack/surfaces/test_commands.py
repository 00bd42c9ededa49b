"""Slash commands over real sockets, by both transports."""

from dataclasses import replace

import pytest

from adapters.slack.addresses import read_opening, read_private
from adapters.slack.surfaces import sharing
from adapters.slack.surfaces.desk import ASK_AGAIN
from bridge.errors import NotAllowed
from bridge.events import Command, CommandInvoked, MessageReceived
from bridge.messages import NamedPerson, Origin, PersonId
from bridge.playground.slack import SlackServer
from bridge.playground.slack.model import Fault
from tests.adapters.slack.peer import answers, asked, question
from tests.adapters.slack.surfaces.conftest import Opening
from tests.adapters.slack.surfaces.hall import Hall


async def test_a_question_by_command_is_heard_as_one_that_nobody_sees(hall: Hall) -> None:
    act = await hall.server.command("U0GRACE", "C0GENERAL", "/ask", "what about <@U0ADA> & co?")
    asked_ = await hall.next(MessageReceived)
    assert (act.outcome, act.answer or "") == ("acked", "")
    assert (asked_.text, asked_.origin) == ("what about @Ada & co?", Origin.PERSON)
    assert asked_.named == (NamedPerson(id=PersonId("U0ADA"), name="Ada"),)
    assert (asked_.author.id, asked_.author.display_name, asked_.author.home) == ("U0GRACE", "Grace", "")
    assert (asked_.unseen, asked_.mentions_bot, asked_.is_direct, asked_.in_thread) == (True, True, False, False)
    assert not asked_.is_external
    assert asked_.target.conversation.person == ""


async def test_it_begins_a_thread_that_says_the_question_and_is_answered_there(hall: Hall) -> None:
    await hall.server.command("U0GRACE", "C0GENERAL", "/ask", "why?")
    target = (await hall.next(MessageReceived)).target
    assert target.opens_thread
    assert read_opening(target.address) is not None
    thread = await hall.platform.open_thread(target, "Grace asked: why?")
    assert await hall.platform.open_thread(target, "Grace asked: why?") == thread
    await hall.platform.send(thread, question("because"))
    (root,) = [one for one in hall.server.messages("C0GENERAL") if one.visible_text == "Grace asked: why?"]
    assert thread.conversation.thread == root.ts
    assert [one.visible_text for one in answers(hall.server, root.ts)[-1:]] == ["because"]


async def test_where_the_bot_is_not_the_asker_is_told_how_to_invite_it(hall: Hall) -> None:
    channel = hall.server.add_channel("elsewhere", members=["U0GRACE"])
    await hall.server.command("U0GRACE", channel.id, "/ask", "why?")
    target = (await hall.next(MessageReceived)).target
    with pytest.raises(NotAllowed):
        await hall.platform.open_thread(target, "Grace asked: why?")
    (told,) = hall.server.ephemerals
    assert told.person == "U0GRACE"
    assert "/invite" in told.visible_text


async def test_a_refusal_goes_to_the_asker_alone(hall: Hall) -> None:
    await hall.server.command("U0GRACE", "C0GENERAL", "/ask", "why?")
    private = (await hall.next(MessageReceived)).private
    assert private is not None
    assert private.private
    await hall.platform.send(private, question("not here"))
    assert [(one.person, one.visible_text) for one in hall.server.ephemerals] == [("U0GRACE", "not here")]
    assert asked(hall.server, "chat.postEphemeral") == 0


@pytest.mark.parametrize(("text", "shown"), [("", "/ask"), ("  <@U0BRIDGE> ", "/ask")])
async def test_without_a_question_the_command_explains_itself_at_once(hall: Hall, text: str, shown: str) -> None:
    act = await hall.server.command("U0GRACE", "C0GENERAL", "/ask", text)
    await hall.settle()
    assert act.outcome == "acked"
    (told,) = hall.server.ephemerals
    assert shown in told.visible_text
    assert hall.heard(MessageReceived) == []


async def test_the_name_of_an_app_stands_behind_its_command(hall: Hall) -> None:
    await hall.server.command("U0GRACE", "C0GENERAL", "/app", "  our   handbook ")
    order = await hall.next(CommandInvoked)
    assert (order.command, order.words) == (Command.APP, "our handbook")


@pytest.mark.parametrize(
    ("name", "command"), [("/reset", Command.RESET), ("/app", Command.APP), ("/help", Command.HELP)]
)
async def test_orders_are_carried_out_in_private(hall: Hall, name: str, command: Command) -> None:
    await hall.server.command("U0GRACE", "C0GENERAL", name)
    order = await hall.next(CommandInvoked)
    assert (order.command, order.author.id, order.is_direct, order.in_thread) == (command, "U0GRACE", False, False)
    assert order.private is not None
    await hall.platform.send(order.private, question("done"))
    assert [one.visible_text for one in hall.server.ephemerals] == ["done"]


@pytest.mark.parametrize(("sessions", "thread"), [("thread", "!"), ("single", "")])
async def test_in_direct_messages_a_command_asks_in_the_persons_own_conversation(
    opening: Opening, sessions: str, thread: str
) -> None:
    async with opening(slack_dm_sessions=sessions) as hall:
        channel = await hall.server.open_dm("U0GRACE")
        await hall.server.command("U0GRACE", channel, "/ask", "why?")
        heard = await hall.next(MessageReceived)
        key = heard.target.conversation
        assert (heard.is_direct, key.person, key.thread[:1]) == (True, "U0GRACE", thread)
        opened = await hall.platform.open_thread(heard.target, "Grace asked: why?")
        (root,) = [one.ts for one in hall.server.messages(channel) if one.is_bot]
        assert opened.address.endswith(root)
        assert opened.conversation.thread == (root if thread else "")
        await hall.server.command("U0GRACE", channel, "/reset")
        order = await hall.next(CommandInvoked)
        # What is forgotten is the one conversation that there may be.
        assert order.target.conversation == replace(key, thread="")  # type: ignore[arg-type]


async def test_names_of_commands_may_carry_a_prefix(opening: Opening) -> None:
    async with opening(slack_command_prefix="dify-") as hall:
        hall.server.commands = {"/dify-ask": True, "/dify-help": True, "/ask": True}
        await hall.server.command("U0GRACE", "C0GENERAL", "/dify-ask", "why?")
        await hall.server.command("U0GRACE", "C0GENERAL", "/dify-help")
        assert (await hall.next(MessageReceived)).text == "why?"
        assert (await hall.next(CommandInvoked)).command is Command.HELP
        await hall.server.command("U0GRACE", "C0GENERAL", "/ask", "why?")
        await hall.settle()
        (told,) = hall.server.ephemerals
        assert "/dify-ask" in told.visible_text
        assert len(hall.heard(MessageReceived)) == 1


async def test_one_command_is_one_event_and_two_are_two(hall: Hall) -> None:
    for _ in range(2):
        await hall.server.command("U0GRACE", "C0GENERAL", "/ask", "why?")
    await hall.next(MessageReceived, 2)
    heard = hall.heard(MessageReceived)
    assert len({one.event_id for one in heard}) == len({one.ref for one in heard}) == 2
    assert len({one.target.conversation for one in heard}) == 2


async def test_who_types_while_the_store_is_away_sees_slacks_own_warning(hall: Hall) -> None:
    hall.inbox.fail = 1
    act = await hall.server.command("U0GRACE", "C0GENERAL", "/ask", "why?")
    await hall.settle()
    assert act.outcome == "failed"


async def test_in_a_shared_channel_a_command_is_known_to_be_read_by_others(hall: Hall) -> None:
    hall.server.add_stranger("C0GENERAL", "Eve")
    await hall.server.command("U0GRACE", "C0GENERAL", "/ask", "why?")
    assert (await hall.next(MessageReceived)).is_external
    await hall.server.command("U0GRACE", "C0GENERAL", "/help")
    assert (await hall.next(CommandInvoked)).is_external
    assert asked(hall.server, "conversations.info") == 1


async def test_what_a_message_told_of_its_channel_is_not_asked_again(hall: Hall) -> None:
    hall.server.add_stranger("C0GENERAL", "Eve")
    await hall.server.post_as("U0GRACE", "C0GENERAL", "hello")
    await hall.next(MessageReceived)
    await hall.server.command("U0GRACE", "C0GENERAL", "/ask", "why?")
    assert (await hall.next(MessageReceived, 2)).is_external
    assert asked(hall.server, "conversations.info") == 0


@pytest.mark.parametrize("fault", [Fault.slow(0.3), Fault.rate_limit(9), Fault.http(500)], ids=["slow", "429", "500"])
async def test_while_slack_does_not_tell_who_reads_along_a_command_is_to_be_typed_again(
    hall: Hall, server: SlackServer, fault: Fault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sharing, "WITHIN", 0.1)
    server.faults.fail_next["conversations.info"] = [fault]
    act = await server.command("U0GRACE", "C0GENERAL", "/ask", "why?")
    await hall.settle()
    assert act.outcome == "acked"
    assert [one.visible_text for one in server.ephemerals] == [ASK_AGAIN]
    assert hall.unseen == []


async def test_where_slack_never_tells_who_reads_along_commands_work_all_the_same(
    hall: Hall, server: SlackServer
) -> None:
    server.faults.fail_next["conversations.info"] = [Fault.refuse("missing_scope")]
    act = await server.command("U0GRACE", "C0GENERAL", "/ask", "why?")
    assert not (await hall.next(MessageReceived)).is_external
    assert act.outcome == "acked"


async def test_a_way_to_answer_that_is_used_up_is_replaced_by_an_ephemeral_message(hall: Hall) -> None:
    await hall.server.command("U0GRACE", "C0GENERAL", "/help")
    private = (await hall.next(CommandInvoked)).private
    assert private is not None
    place = read_private(private.address)
    assert place is not None
    for number in range(6):
        await hall.platform.send(private, question(f"line {number}"))
    assert [one.visible_text for one in hall.server.ephemerals] == [f"line {number}" for number in range(6)]
    assert asked(hall.server, "chat.postEphemeral") == 1
