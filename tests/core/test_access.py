"""Who may use the bot, by workspace, channel and person: one list holds for everything that somebody can do."""

from dataclasses import replace

import pytest

from bridge.admitting import NO_APP, NOT_ADMITTED, SHARED_CHANNEL
from bridge.events import Command, InboundEvent
from bridge.messages import AppName, ButtonAction, ChannelId, InstallationId, PersonId, StopReason
from bridge.routing import Access, AppPolicy, External, Guests, Resolver, Route, Routes
from tests.core import doings
from tests.core.hall import Hall, hall
from tests.fakes import values
from tests.fakes.platform import FAKE

TEAM = values.key().installation
HOME = Route(app=values.APP, platform=FAKE, installation=TEAM)
ONLY_GRACE = Access(users=frozenset({PersonId("grace")}))


def routed(at: Hall, *routes: Route) -> None:
    resolver: Resolver = Routes(apps={name: AppPolicy(name=name) for name in (values.APP, AppName("b"))}, routes=routes)
    at.inbox._resolve = resolver.resolve


async def test_a_workspace_without_a_route_is_not_answered() -> None:
    async with hall() as at:
        routed(at, HOME)
        foreign = values.target("9")
        key = replace(foreign.conversation, installation=InstallationId("another"))
        await at.tell(
            values.message("ours"), values.message("theirs", number=2, where=replace(foreign, conversation=key))
        )
        assert sorted(at.texts) == sorted(["ours", NO_APP])


async def test_one_channel_may_be_for_few_and_the_others_for_everybody() -> None:
    async with hall() as at:
        routed(at, HOME, replace(HOME, channel=ChannelId("board"), access=ONLY_GRACE))
        board = values.target("9", channel="board")
        await at.tell(values.message("in public"), values.message("in secret", number=2, where=board))
        await at.tell(doings.by(values.message("as one of them", number=3, where=board), values.person("grace")))
        assert sorted(at.texts) == sorted(["in public", NOT_ADMITTED, "as one of them"])


@pytest.mark.parametrize("who", ["ada", "grace"])
async def test_one_list_holds_for_questions_presses_commands_and_stops(who: str) -> None:
    author = values.person(who)
    async with hall() as at:
        at.turns.seconds = 60
        await at.tell(doings.by(values.message("What is up?"), values.person("grace")))
        routed(at, replace(HOME, access=ONLY_GRACE))
        address = at.answers[0]
        events: list[InboundEvent] = [
            doings.press(ButtonAction.LIKE, address, author=author),
            doings.command(Command.RESET, author=author, in_thread=True),
            doings.by(doings.mention_in_thread("another"), author),
            doings.stop(author=author),
        ]
        await at.tell(*events)
        may = who == "grace"
        conversation = at.store.conversations[0]
        assert len(at.store._votes) == int(may)
        assert conversation.fresh_after == int(may)
        assert len(conversation.questions) == 1 + int(may)
        assert at.store.answers[0].stop is (StopReason.MEMBER if may else None)
        assert (NOT_ADMITTED in at.notes) is not may


async def test_a_press_on_stop_by_who_is_not_admitted_stops_nothing() -> None:
    async with hall() as at:
        at.turns.seconds = 60
        await at.tell(values.message("What is up?"))
        routed(at, replace(HOME, access=ONLY_GRACE))
        await at.tell(doings.press(ButtonAction.STOP, at.answers[0]))
        assert [answer.stop for answer in at.store.answers] == [None]
        assert at.notes == [NOT_ADMITTED]
        await at.tell(doings.press(ButtonAction.STOP, at.answers[0], author=values.person("grace"), revision=2))
        assert at.texts[0] == "stopped: What is up?"


async def test_in_a_shared_channel_one_private_line_is_said_to_who_asks_and_none_where_there_is_no_such_place() -> None:
    async with hall() as at:
        routed(at, HOME)
        shared = replace(values.message("What is up?"), is_external=True)
        await at.tell(shared, replace(doings.follow_up(), is_external=True))
        assert at.texts == []
        for number in (3, 4):
            await at.tell(doings.privately(replace(values.message(number=number), is_external=True)))
        assert at.texts == [SHARED_CHANNEL]
        assert [message.target for message in at.platform.messages.values()] == [doings.aside()]
        assert at.store.conversations == []


async def test_one_shared_channel_may_be_open_and_the_others_closed() -> None:
    async with hall() as at:
        opened = replace(HOME, channel=ChannelId("partners"), guests=Guests(external=External.MENTION))
        routed(at, HOME, opened)
        partners = values.target("9", channel="partners")
        for number, where in ((1, values.target()), (2, partners)):
            await at.tell(replace(values.message(f"question {number}", number=number, where=where), is_external=True))
        await at.tell(
            replace(
                values.message("chatter", number=3, where=partners, in_thread=True, mentions_bot=False),
                is_external=True,
            )
        )
        assert at.texts == ["question 2"]


async def test_a_bot_may_be_answered_in_one_channel_alone() -> None:
    async with hall() as at:
        alerts = replace(HOME, channel=ChannelId("alerts"), guests=Guests(bots=frozenset({PersonId("B1")})))
        routed(at, HOME, alerts)
        where = values.target("9", channel="alerts")
        await at.tell(
            doings.by_bot(values.message("out here")),
            doings.by_bot(values.message("in alerts", number=2, where=where)),
            doings.by_bot(values.message("another", number=3, where=where), "B2"),
        )
        assert at.texts == ["in alerts"]


async def test_who_asks_by_something_that_waits_for_an_answer_is_refused_in_private_each_time() -> None:
    async with hall() as at:
        routed(at, replace(HOME, access=ONLY_GRACE))
        for number in (1, 2):
            hidden = replace(values.message(f"Question {number}", number=number), unseen=True)
            await at.tell(doings.privately(hidden))
            await at.tell(doings.command(Command.HELP, event=f"help {number}"))
        assert at.notes == [NOT_ADMITTED] * 4
