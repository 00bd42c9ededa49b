"""Commands: what they become, and that whoever uses one is answered in time."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from adapters.discord.adapter import DiscordPlatform
from adapters.discord.interactions.desk import NOT_TAKEN, UNKNOWN
from adapters.discord.interactions.invocations import NO_QUESTION, STOP_WHERE
from bridge.errors import StoreUnavailable
from bridge.events import ButtonPressed, Command, CommandInvoked, InboundEvent, MessageReceived, StopRequested
from bridge.messages import Button, ButtonAction, MessageRef, Origin, OutgoingMessage
from bridge.playground.discord import Attachment, DiscordServer
from tests.adapters.discord.conftest import Inbox, Make, hearing, offered, out, until

PUBLIC, PRIVATE = 5, 4
CALLBACK = "/interactions/{interaction_id}/{token}/callback"


async def used(server: DiscordServer, number: str) -> None:
    """Waits until who used it has an answer."""
    await until(lambda: server.interactions[number].acknowledged, "for the answer to a command")


async def test_a_question_in_a_channel_begins_a_thread_and_shows_the_bot_thinking(
    server: DiscordServer, platform: DiscordPlatform, inbox: Inbox
) -> None:
    role = await server.add_role("Staff", server.ada)
    async with hearing(platform, inbox):
        await offered(server)
        number = await server.command(server.ada, server.general, "ask", {"question": " What is <t:0:F>? "})
        event = await inbox.message("What is 1970-01-01T00:00:00Z?")
        await used(server, number)
    assert event.event_id == f"interaction/{number}"
    assert event.ref.address == f"{server.general}/{number}"
    assert (event.origin, event.mentions_bot, event.unseen) == (Origin.PERSON, True, True)
    assert (event.is_direct, event.in_thread, event.about, event.reply_to) == (False, False, None, None)
    assert (event.author.id, event.author.display_name, event.author.roles) == (server.ada, "Ada", (role,))
    assert event.target.address == f"ask/{server.general}/{number}"
    assert (event.target.opens_thread, event.target.may_reply) == (True, True)
    key = event.target.conversation
    assert (key.installation, key.channel, key.thread, key.person) == (server.guild_id, server.general, number, "")
    assert event.private is not None
    assert event.private.private
    assert event.private.address == f"hush/{number}"
    assert server.interactions[number].answer == PUBLIC
    thinking = server.messages(server.general)[-1]
    assert (thinking.interaction_id, thinking.seen_by) == (number, "")


async def test_where_the_place_is_the_conversation_nothing_stays_behind(
    server: DiscordServer, platform: DiscordPlatform, inbox: Inbox
) -> None:
    thread = await server.open_thread_as(server.ada, server.general, "Plans")
    async with hearing(platform, inbox):
        await offered(server)
        numbers = [
            await server.command(server.ada, place, "ask", {"question": f"in {place}"})
            for place in (thread, server.dm_ada)
        ]
        threaded = await inbox.message(f"in {thread}")
        direct = await inbox.message(f"in {server.dm_ada}")
        await until(lambda: all(not server.ephemerals(server.ada) for _ in numbers), "for the waiting to go")
        for number in numbers:
            await used(server, number)
        await until(lambda: not server.ephemerals(), "for the waiting to go")
    assert threaded.target.address == f"in/{thread}"
    assert (threaded.in_thread, threaded.is_direct, threaded.unseen) == (True, False, True)
    key = threaded.target.conversation
    assert (key.channel, key.thread, key.person) == (server.general, thread, "")
    assert direct.target.address == f"in/{server.dm_ada}"
    key = direct.target.conversation
    assert (direct.is_direct, key.installation, key.thread, key.person) == (True, "@me", "", server.ada)
    assert all(not each.interaction_id for each in server.messages(thread))


async def test_the_category_of_the_channel_is_told(
    server: DiscordServer, platform: DiscordPlatform, inbox: Inbox
) -> None:
    category = await server.add_category("Help")
    channel = await server.add_channel("desk", category=category)
    stop = Button(action=ButtonAction.STOP, label="Stop")
    async with hearing(platform, inbox):
        await offered(server)
        await server.post_as(server.ada, channel, f"<@{server.bot_id}> Hello")
        target = (await inbox.message("Hello")).target
        await platform.send(target, OutgoingMessage(text="growing", nonce="n1", buttons=(stop,)))
        thread = await server.open_thread_as(server.ada, channel, "Plans")
        (growing,) = [each for each in server.messages(channel) if each.buttons]
        await server.press(server.ada, channel, growing.id, "bridge:stop")
        await server.command(server.ada, channel, "reset")
        await server.command(server.ada, thread, "stop")

        def told() -> list[tuple[str, str]]:
            kinds = ButtonPressed | CommandInvoked | StopRequested
            return sorted((type(each).__name__, each.category) for each in inbox.events if isinstance(each, kinds))

        await until(lambda: len(told()) == 3, "for all three")
        assert told() == [(name, category) for name in ("ButtonPressed", "CommandInvoked", "StopRequested")]


async def test_a_file_comes_along_and_can_be_had(
    server: DiscordServer, platform: DiscordPlatform, inbox: Inbox, tmp_path: Path
) -> None:
    report = Attachment(filename="report.txt", content_type="text/plain", size=5, content=b"hello")
    async with hearing(platform, inbox):
        await offered(server)
        await server.command(server.ada, server.general, "ask", {"question": "Read it"}, {"file": report})
        event = await inbox.message("Read it")
        (file,) = event.attachments
        assert (file.name, file.media_type, file.size) == ("report.txt", "text/plain", 5)
        await platform.fetch_file(event.target, file, tmp_path / "report", 1_000)
    assert (tmp_path / "report").read_bytes() == b"hello"


async def test_a_refusal_is_read_by_who_asked_alone(
    server: DiscordServer, platform: DiscordPlatform, inbox: Inbox
) -> None:
    async with hearing(platform, inbox):
        await offered(server)
        await server.command(server.ada, server.general, "ask", {"question": "May I?"})
        event = await inbox.message("May I?")
        assert event.private is not None
        await platform.send(event.private, out("You may not."))
    assert [each.content for each in server.ephemerals(server.ada)] == ["You may not."]
    assert server.messages(server.general) == []


async def test_a_refusal_in_a_thread_stays_though_nothing_else_does(
    server: DiscordServer, platform: DiscordPlatform
) -> None:
    told: list[asyncio.Task[MessageRef]] = []

    class Refusing(Inbox):
        """As the core does it: while the question is taken, beside it."""

        async def __call__(self, event: InboundEvent) -> None:
            await super().__call__(event)
            if isinstance(event, MessageReceived) and event.private is not None:
                told.append(asyncio.create_task(platform.send(event.private, out("You may not."))))

    thread = await server.open_thread_as(server.ada, server.general, "Plans")
    async with hearing(platform, Refusing()):
        await offered(server)
        number = await server.command(server.ada, thread, "ask", {"question": "May I?"})
        await used(server, number)
        await until(lambda: bool(told) and told[0].done(), "for the refusal")
        await told[0]
    assert [each.content for each in server.ephemerals(server.ada)] == ["You may not."]


@pytest.mark.parametrize(("name", "command"), [("reset", Command.RESET), ("app", Command.APP), ("help", Command.HELP)])
async def test_an_order_is_handed_in_and_answered_privately(
    server: DiscordServer, platform: DiscordPlatform, inbox: Inbox, name: str, command: Command
) -> None:
    thread = await server.open_thread_as(server.ada, server.general, "Plans")
    async with hearing(platform, inbox):
        await offered(server)
        for place in (thread, server.general, server.dm_ada):
            number = await server.command(server.ada, place, name)
            await until(lambda: len(orders(inbox)) == 1, "for the order")
            event = orders(inbox).pop()
            assert (event.command, event.author.id) == (command, server.ada)
            assert event.target.address == f"in/{place}"
            assert event.target.conversation.thread == (thread if place == thread else "")
            assert (event.in_thread, event.is_direct) == (place == thread, place == server.dm_ada)
            assert event.private is not None
            await platform.send(event.private, out("Done."))
            assert server.interactions[number].ephemeral == "Done."
            inbox.events.clear()


async def test_the_name_of_an_app_comes_with_its_command(
    server: DiscordServer, platform: DiscordPlatform, inbox: Inbox
) -> None:
    async with hearing(platform, inbox):
        await offered(server)
        await server.command(server.ada, server.general, "app", {"name": " our  handbook "})
        await until(lambda: len(orders(inbox)) == 1, "for the order")
        assert (orders(inbox)[0].command, orders(inbox)[0].words) == (Command.APP, "our handbook")


def orders(inbox: Inbox) -> list[CommandInvoked]:
    return [each for each in inbox.events if isinstance(each, CommandInvoked)]


async def test_stop_is_about_its_thread_and_what_came_of_it_is_said_privately(
    server: DiscordServer, platform: DiscordPlatform, inbox: Inbox
) -> None:
    thread = await server.open_thread_as(server.ada, server.general, "Plans")
    async with hearing(platform, inbox):
        await offered(server)
        number = await server.command(server.ada, thread, "stop")
        await used(server, number)
        (event,) = [each for each in inbox.events if isinstance(each, StopRequested)]
        assert event.target.conversation.thread == thread
        assert (event.author.id, event.is_direct, event.message) == (server.ada, False, None)
        assert event.private is not None
        await platform.send(event.private, out("Stopped."))
        assert server.interactions[number].ephemeral == "Stopped."


async def test_stop_in_a_channel_explains_where_it_works(
    server: DiscordServer, platform: DiscordPlatform, inbox: Inbox
) -> None:
    async with hearing(platform, inbox):
        await offered(server)
        number = await server.command(server.ada, server.general, "stop")
        await used(server, number)
    assert server.interactions[number].ephemeral == STOP_WHERE
    assert inbox.events == []


async def test_a_question_without_words_is_not_asked(
    server: DiscordServer, platform: DiscordPlatform, inbox: Inbox
) -> None:
    async with hearing(platform, inbox):
        await offered(server)
        number = await server.command(server.ada, server.general, "ask", {"question": "  "})
        await used(server, number)
    assert server.interactions[number].ephemeral == NO_QUESTION
    assert inbox.events == []


async def test_a_command_that_comes_too_late_is_not_taken_for_who_gave_it_was_told_so(
    server: DiscordServer, platform: DiscordPlatform, inbox: Inbox
) -> None:
    async with hearing(platform, inbox):
        await offered(server)
        ahead = platform._rest.ahead
        platform._rest.ahead = timedelta(seconds=10)
        late = await server.command(server.ada, server.general, "ask", {"question": "late"})
        await server.post_as(server.ada, server.general, "heard after it")
        await inbox.message("heard after it")
        platform._rest.ahead = ahead
        await server.command(server.ada, server.general, "ask", {"question": "in time"})
        await inbox.message("in time")
    assert inbox.texts == ["heard after it", "in time"]
    assert not server.interactions[late].acknowledged


class Away(Inbox):
    """A store that takes nothing until told to."""

    def __init__(self) -> None:
        super().__init__()
        self.away = True
        self.refused = 0

    async def __call__(self, event: InboundEvent) -> None:
        if self.away:
            self.refused += 1
            raise StoreUnavailable("down")
        await super().__call__(event)


@pytest.mark.parametrize("name", ["ask", "reset", "stop"])
async def test_while_the_store_is_away_who_used_a_command_is_told(server: DiscordServer, make: Make, name: str) -> None:
    platform, inbox = make(discord_press_patience=0.3), Away()
    thread = await server.open_thread_as(server.ada, server.general, "Plans")
    async with hearing(platform, inbox):
        await offered(server)
        number = await server.command(server.ada, thread, name, {"question": "x"} if name == "ask" else None)
        await used(server, number)
    assert server.interactions[number].ephemeral == NOT_TAKEN
    assert inbox.refused > 1


class Slow(Inbox):
    """A store that takes questions of commands late, and ends what it began also for whoever does not wait for it."""

    def __init__(self) -> None:
        super().__init__()
        self.go_on = asyncio.Event()
        self.begun = 0
        self.fails = False

    async def __call__(self, event: InboundEvent) -> None:
        if isinstance(event, MessageReceived) and event.unseen:
            self.begun += 1
            work = asyncio.ensure_future(self.go_on.wait())
            try:
                await asyncio.shield(work)
            except asyncio.CancelledError:
                await work
                raise
            if self.fails:
                raise StoreUnavailable("down")
        await super().__call__(event)


async def test_a_question_that_takes_long_to_be_stored_is_acknowledged_in_time_and_taken_once(
    server: DiscordServer, make: Make
) -> None:
    platform, inbox = make(discord_press_patience=0.3), Slow()
    async with hearing(platform, inbox):
        await offered(server)
        number = await server.command(server.ada, server.general, "ask", {"question": "x"})
        await used(server, number)
        assert server.interactions[number].answer == PUBLIC
        assert inbox.texts == []
        inbox.go_on.set()
        await inbox.message("x")
    assert (inbox.texts, inbox.begun) == (["x"], 1)
    assert server.ephemerals(server.ada) == []


async def test_who_asked_is_told_when_a_question_that_took_long_could_not_be_stored(
    server: DiscordServer, make: Make
) -> None:
    platform, inbox = make(discord_press_patience=0.3), Slow()
    inbox.fails = True
    async with hearing(platform, inbox):
        await offered(server)
        number = await server.command(server.ada, server.general, "ask", {"question": "x"})
        await used(server, number)
        inbox.go_on.set()
        await until(lambda: bool(server.ephemerals(server.ada)), "for the bad news")
    assert [each.content for each in server.ephemerals(server.ada)] == [NOT_TAKEN]
    assert server.messages(server.general) == [], "and nothing thinks any more"


async def test_a_question_is_durable_before_it_is_acknowledged(
    server: DiscordServer, platform: DiscordPlatform
) -> None:
    inbox = Away()
    async with hearing(platform, inbox):
        await offered(server)
        number = await server.command(server.ada, server.general, "ask", {"question": "x"})
        await until(lambda: inbox.refused > 2, "for refusals")
        assert not server.interactions[number].acknowledged
        inbox.away = False
        await used(server, number)
    assert server.interactions[number].answer == PUBLIC
    assert inbox.texts == ["x"]


async def test_two_processes_hear_one_question_and_one_of_them_answers(
    server: DiscordServer, make: Make, inbox: Inbox
) -> None:
    one, two, other = make(), make(), Inbox()
    async with hearing(one, inbox), hearing(two, other):
        await offered(server)
        await server.command(server.ada, server.general, "ask", {"question": "x"})
        await until(
            lambda: sorted(call.code for call in server.calls if call.route == CALLBACK and call.status) == [0, 40060],
            "for both answers",
        )
    assert [each.event_id for each in inbox.asked] == [each.event_id for each in other.asked]


async def test_a_command_waits_behind_no_message(server: DiscordServer, platform: DiscordPlatform) -> None:
    gate = asyncio.Event()

    class Gate(Inbox):
        async def __call__(self, event: InboundEvent) -> None:
            if isinstance(event, MessageReceived) and event.text == "slow":
                await gate.wait()
            await super().__call__(event)

    inbox = Gate()
    async with hearing(platform, inbox):
        await offered(server)
        await server.post_as(server.ada, server.general, "slow")
        number = await server.command(server.ada, server.general, "ask", {"question": "quick"})
        await used(server, number)
        gate.set()


async def test_a_command_of_another_version_is_answered(
    server: DiscordServer, platform: DiscordPlatform, inbox: Inbox
) -> None:
    async with hearing(platform, inbox):
        await offered(server)
        client = platform._rest._client
        assert client is not None
        old = {"type": 1, "name": "draw", "description": "x", "contexts": [0], "integration_types": [0]}
        await client.http.bulk_upsert_global_commands(int(server.application_id), [old])
        number = await server.command(server.ada, server.general, "draw")
        await used(server, number)
    assert server.interactions[number].ephemeral == UNKNOWN
    assert inbox.events == []
