"""What was said while nobody listened is read afterwards: once each, in order, within bounds, and never passed over."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from adapters.discord.adapter import DiscordPlatform
from adapters.discord.gateway.marks import number_at
from bridge.errors import StoreUnavailable
from bridge.events import InboundEvent
from bridge.messages import ReplyTarget
from bridge.playground.discord import DiscordServer, Fault
from tests.adapters.discord.conftest import Inbox, Make, ask, hearing, until

HISTORY = "GET /channels/{channel_id}/messages"


class Kept:
    """What a store would keep."""

    def __init__(self) -> None:
        self.values: dict[str, str] = {}
        self.places: list[ReplyTarget] = []
        self.away = False

    async def recall(self, name: str) -> str | None:
        self._look()
        return self.values.get(name)

    async def remember(self, name: str, value: str) -> None:
        self._look()
        self.values[name] = value

    async def recent_places(self, since: datetime, limit: int) -> Sequence[ReplyTarget]:
        self._look()
        return self.places[:limit]

    def _look(self) -> None:
        if self.away:
            raise StoreUnavailable("down")

    @property
    def mark(self) -> int:
        return int(self.values["heard/0/1"])


@pytest.fixture
def kept() -> Kept:
    return Kept()


Start = Make


@pytest.fixture
def start(make: Make, kept: Kept) -> Start:
    """Makes a platform that remembers, as a new process would be."""

    def one(**settings: object) -> DiscordPlatform:
        platform = make(**({"discord_catch_up_retry": 0.2} | settings))
        platform.catch_up_from(kept)
        return platform

    return one


async def hear_once(start: Start, server: DiscordServer, text: str = "before") -> list[ReplyTarget]:
    """An earlier process heard somebody and stopped; where it answered."""
    inbox = Inbox()
    async with hearing(start(), inbox):
        await server.post_as(server.ada, server.general, text)
        await server.post_as(server.ada, server.dm_ada, f"{text} in private")
        return [(await inbox.message(f"{text} in private")).target, (await inbox.message(text)).target]


def history_calls(server: DiscordServer) -> int:
    return sum(call.method == "GET" and call.route == HISTORY.split()[1] for call in server.calls)


async def test_what_was_missed_is_handed_in_like_anything_that_is_heard(
    server: DiscordServer, start: Start, kept: Kept, inbox: Inbox
) -> None:
    role = await server.add_role("Staff", server.grace)
    kept.places = await hear_once(start, server)
    thread = await server.open_thread_as(server.grace, server.general, "talk")
    await server.post_as(server.grace, server.general, f"<@{server.bot_id}> missed")
    await server.post_as(server.grace, thread, "in a thread")
    await server.post_as(server.ada, server.dm_ada, "in private")
    await server.post_as(server.linus, server.general, "by a bot", is_bot=True)
    await server.post_as(server.linus, server.general, "by a webhook", webhook=True)
    with capture_logs() as logged:
        async with hearing(start(), inbox):
            missed = await inbox.message("missed")
            threaded = await inbox.message("in a thread")
            private = await inbox.message("in private")
            await server.post_as(server.grace, server.general, f"<@{server.bot_id}> live")
            live = await inbox.message("live")
    assert missed.mentions_bot
    assert missed.author == live.author
    assert missed.author.roles == (role,)
    assert missed.target.conversation.installation == live.target.conversation.installation
    assert missed.target.opens_thread
    assert missed.event_id.startswith("message/")
    assert threaded.in_thread
    assert threaded.target.conversation.channel == server.general
    assert private.is_direct
    assert private.target.conversation.person == server.ada
    assert {each.text for each in inbox.events if hasattr(each, "text")} == {
        *("before", "before in private"),  # said just before the end, and read again to be sure
        *("missed", "in a thread", "in private", "live"),
    }
    (told,) = [each for each in logged if each["event"] == "caught_up"]
    assert told["left_out"] == ""
    assert told["channels"] == 3
    assert told["handed_in"] == 5


async def test_five_hundred_missed_messages_are_handed_in_once_each_and_in_order(
    server: DiscordServer, start: Start, inbox: Inbox
) -> None:
    await hear_once(start, server)
    texts = [f"number {count}" for count in range(500)]
    for text in texts:
        await server.post_as(server.ada, server.support, text)
    with capture_logs() as logged:
        async with hearing(start(), inbox):
            await server.post_as(server.ada, server.support, "live")
            await inbox.message("live")
    assert [text for text in inbox.texts if not text.startswith("before")] == [*texts, "live"]
    (told,) = [each for each in logged if each["event"] == "caught_up"]
    assert told["left_out"] == ""


async def test_the_first_start_ever_reads_nothing_and_the_second_one_what_came_after(
    server: DiscordServer, start: Start, kept: Kept, inbox: Inbox
) -> None:
    await server.post_as(server.ada, server.general, "long before")
    async with hearing(start(), inbox):
        await ask(server, inbox, "live")
    assert inbox.texts == ["live"]
    assert kept.mark > 0


async def test_a_first_start_in_which_nothing_was_said_is_remembered(
    server: DiscordServer, start: Start, inbox: Inbox
) -> None:
    async with hearing(start(), Inbox()):
        pass
    await server.post_as(server.ada, server.general, "missed")
    async with hearing(start(), inbox):
        await inbox.message("missed")


async def test_a_process_that_is_killed_right_after_the_very_first_login_leaves_a_mark(
    server: DiscordServer, start: Start, kept: Kept, inbox: Inbox
) -> None:
    async with hearing(start(discord_catch_up_retry=60.0), Inbox()):
        left = dict(kept.values)
    kept.values = left
    await server.post_as(server.ada, server.general, "missed")
    async with hearing(start(), inbox):
        await inbox.message("missed")


async def test_a_resumed_session_reads_nothing_and_a_new_one_does(
    server: DiscordServer, start: Start, inbox: Inbox
) -> None:
    platform = start()
    async with hearing(platform, inbox):
        await ask(server, inbox, "first")
        before = history_calls(server)
        await server.drop_gateways()
        await server.post_as(server.ada, server.general, "while cut off")
        await inbox.message("while cut off")
        assert server.resumes == 1
        assert history_calls(server) == before
        await server.drop_gateways(forget=True)
        await server.post_as(server.ada, server.general, "while nobody listened")
        await inbox.message("while nobody listened")
        assert server.identifies == 2
        assert history_calls(server) > before


async def test_without_a_memory_or_with_zero_hours_nothing_is_read(
    server: DiscordServer, make: Make, start: Start, inbox: Inbox
) -> None:
    await hear_once(start, server)
    await server.post_as(server.ada, server.general, "missed")
    for platform in (make(), start(discord_catch_up_hours=0)):
        async with hearing(platform, inbox):
            await ask(server, inbox, "live")
    assert "missed" not in inbox.texts
    assert history_calls(server) == 0


async def test_an_archived_thread_with_the_bot_is_looked_into(
    server: DiscordServer, start: Start, kept: Kept, inbox: Inbox
) -> None:
    first = Inbox()
    thread = await server.open_thread_as(server.grace, server.support, "talk")
    async with hearing(start(), first):
        await server.post_as(server.ada, thread, f"<@{server.bot_id}> help")
        kept.places = [(await first.message("help")).target]
    await server.post_as(server.ada, thread, "and then?")
    await server.archive_as(server.grace, thread)
    async with hearing(start(), inbox):
        missed = await inbox.message("and then?")
    assert missed.in_thread
    assert missed.target == kept.places[0]


async def test_no_more_than_allowed_is_read_in_a_channel_and_the_newest_is_kept(
    server: DiscordServer, start: Start, inbox: Inbox
) -> None:
    await hear_once(start, server)
    for count in range(7):
        await server.post_as(server.ada, server.support, f"number {count}")
    platform = start(discord_catch_up_messages=3)
    async with hearing(platform, inbox):
        await inbox.message("number 6")
        await until(lambda: "left out: too many messages (1)" in platform.health().detail, "for the report")
        assert platform.health().hearing
    assert [text for text in inbox.texts if text.startswith("number")] == ["number 4", "number 5", "number 6"]


async def test_no_more_than_allowed_is_read_in_all_and_conversations_come_first(
    server: DiscordServer, start: Start, kept: Kept, inbox: Inbox
) -> None:
    kept.places = await hear_once(start, server)
    other = await server.add_channel("other")
    for count in range(4):
        await server.post_as(server.ada, server.general, f"ours {count}")
    for count in range(4):
        await server.post_as(server.ada, other, f"other {count}")
    platform = start(discord_catch_up_total=6)
    async with hearing(platform, inbox):
        await until(lambda: "too many messages" in platform.health().detail, "for the report")
    ours = [text for text in inbox.texts if text.startswith("ours")]
    others = [text for text in inbox.texts if text.startswith("other")]
    assert ours == ["ours 0", "ours 1", "ours 2", "ours 3"]
    assert len(others) < 4


async def test_what_is_too_old_is_left_out_and_told(
    server: DiscordServer, start: Start, kept: Kept, inbox: Inbox
) -> None:
    kept.values["heard/0/1"] = str(number_at(datetime.now(UTC) - timedelta(days=3)))
    server.channels[server.general].created = datetime.now(UTC) - timedelta(days=5)  # when the bot came
    old = await server.post_as(server.ada, server.general, "old")
    message = server.message(server.general, old)
    server.forget(message)
    message.id = str(number_at(datetime.now(UTC) - timedelta(days=2)))
    server.keep(message)
    await server.post_as(server.ada, server.general, "new")
    platform = start()
    async with hearing(platform, inbox):
        await inbox.message("new")
        await until(lambda: "too old (1)" in platform.health().detail, "for the report")
    assert inbox.texts == ["new"]


async def test_a_mark_of_old_with_nothing_missed_is_no_matter(
    server: DiscordServer, start: Start, kept: Kept, inbox: Inbox
) -> None:
    kept.values["heard/0/1"] = str(number_at(datetime.now(UTC) - timedelta(days=3)))
    server.channels[server.general].created = datetime.now(UTC) - timedelta(days=5)  # when the bot came
    await server.post_as(server.ada, server.general, "new")
    platform = start()
    async with hearing(platform, inbox):
        await inbox.message("new")
        assert platform.health().detail == ""


async def test_a_channel_without_the_history_permission_is_named_and_others_are_read(
    server: DiscordServer, start: Start, inbox: Inbox
) -> None:
    await hear_once(start, server)
    server.permissions[server.support] = 1 << 10
    await server.post_as(server.ada, server.support, "hidden")
    await server.post_as(server.ada, server.general, "seen")
    platform = start()
    async with hearing(platform, inbox):
        await inbox.message("seen")
        await until(lambda: "not readable (1)" in platform.health().detail, "for the report")
    assert "hidden" not in inbox.texts


async def test_what_is_said_meanwhile_comes_after_what_was_missed(
    server: DiscordServer, start: Start, inbox: Inbox
) -> None:
    await hear_once(start, server)
    for count in range(3):
        await server.post_as(server.ada, server.general, f"missed {count}")
    server.faults.fail_next[HISTORY] = [Fault(kind="slow", seconds=0.5)]
    async with hearing(start(), inbox):
        await server.post_as(server.ada, server.general, "live")
        await server.post_as(server.ada, server.support, "elsewhere")
        await inbox.message("elsewhere")
        assert "missed 0" not in inbox.texts
        await inbox.message("live")
    assert [text for text in inbox.texts if not text.startswith("before")] == [
        "elsewhere",
        "missed 0",
        "missed 1",
        "missed 2",
        "live",
    ]


async def test_a_channel_that_could_not_be_read_is_tried_again_and_the_mark_waits_for_it(
    server: DiscordServer, start: Start, kept: Kept, inbox: Inbox
) -> None:
    await hear_once(start, server)
    before = kept.mark
    missed = await server.post_as(server.ada, server.general, "missed")
    server.faults.fail_next[HISTORY] = [Fault(kind="rate_limit", retry_after=60.0)] * 3
    platform = start()
    async with hearing(platform, inbox):
        await server.post_as(server.ada, server.support, "live")
        await inbox.message("live")
        await until(lambda: len(server.faults.fail_next[HISTORY]) < 2, "for a second attempt")
        assert "missed" not in inbox.texts
        assert kept.mark <= before
        await inbox.message("missed")
        await until(lambda: kept.mark > int(missed), "for the mark to move on")


async def test_a_message_that_the_store_never_took_is_read_again_later(
    server: DiscordServer, start: Start, kept: Kept
) -> None:
    class Refusing(Inbox):
        refusals = 1

        async def __call__(self, event: InboundEvent) -> None:
            if getattr(event, "text", "") == "lost" and self.refusals:
                self.refusals -= 1
                raise StoreUnavailable("down")
            await super().__call__(event)

    inbox = Refusing()
    async with hearing(start(discord_store_patience=0.01), inbox):
        await server.post_as(server.ada, server.general, "lost")
        await server.post_as(server.ada, server.general, "next")
        await inbox.message("next")
        lost = await inbox.message("lost")
        assert inbox.texts[0] == "next"
        await until(lambda: "heard/0/1" in kept.values and kept.mark >= number(inbox, "next"), "for the mark")
    assert lost.ref in [each.ref for each in inbox.asked]


async def test_the_mark_never_passes_what_was_not_handed_in(
    server: DiscordServer, start: Start, kept: Kept, inbox: Inbox
) -> None:
    gate = asyncio.Event()

    class Blocked(Inbox):
        async def __call__(self, event: InboundEvent) -> None:
            if getattr(event, "text", "") == "stuck":
                await gate.wait()
            await super().__call__(event)

    blocked = Blocked()
    async with hearing(start(discord_close_timeout=0.2), blocked):
        stuck = await server.post_as(server.ada, server.general, "stuck")
        await server.post_as(server.ada, server.support, "later")
        await blocked.message("later")
    assert kept.mark < int(stuck)
    async with hearing(start(), inbox):
        await inbox.message("stuck")
    assert kept.mark >= int(stuck)


async def test_a_store_that_is_away_is_waited_for_before_the_login(
    server: DiscordServer, start: Start, kept: Kept, inbox: Inbox
) -> None:
    await hear_once(start, server)
    await server.post_as(server.ada, server.general, "missed")
    logins = server.identifies
    kept.away = True
    platform = start()
    run = asyncio.create_task(platform.run(inbox))
    await until(lambda: "the store is away" in platform.health().detail, "for the trouble to be told")
    assert server.identifies == logins
    kept.away = False
    await inbox.message("missed")
    assert platform.health().detail == ""
    run.cancel()
    await asyncio.gather(run, return_exceptions=True)


async def test_a_server_that_the_bot_was_just_added_to_is_not_read_up(
    server: DiscordServer, start: Start, kept: Kept, inbox: Inbox
) -> None:
    """Its channels are older than the bot's membership there."""
    kept.values["heard/0/1"] = str(number_at(datetime.now(UTC) - timedelta(hours=2)))
    await server.post_as(server.ada, server.general, "before the bot came")
    server.channels[server.general].created = datetime.now(UTC) + timedelta(minutes=5)
    async with hearing(start(), inbox):
        await server.post_as(server.ada, server.general, "live")
        await inbox.message("live")
    assert inbox.texts == ["live"]


async def test_what_was_said_in_a_server_during_its_outage_is_read_when_it_is_back(
    server: DiscordServer, start: Start, kept: Kept, inbox: Inbox
) -> None:
    async with hearing(start(), inbox):
        await ask(server, inbox, "first")
        await server.begin_outage()
        missed = await server.post_as(server.ada, server.general, "during the outage")
        await server.post_as(server.ada, server.dm_ada, "in private meanwhile")
        await inbox.message("in private meanwhile")
        await until(lambda: "heard/0/1" in kept.values, "for the mark")
        assert kept.mark < int(missed)
        await server.end_outage()
        await inbox.message("during the outage")
        assert server.identifies == 1
        await until(lambda: kept.mark > int(missed), "for the mark to move on")


async def test_a_server_that_is_not_there_after_the_login_holds_the_mark_until_it_was_read(
    server: DiscordServer, start: Start, kept: Kept, inbox: Inbox
) -> None:
    await hear_once(start, server)
    missed = await server.post_as(server.ada, server.general, "missed")
    await server.begin_outage()
    for _ in range(2):  # the second time as if it had been killed
        async with hearing(start(), inbox):
            await server.post_as(server.ada, server.dm_ada, "live")
            await inbox.message("live")
        assert kept.mark < int(missed)
        inbox = Inbox()
    async with hearing(start(), inbox):
        await server.end_outage()
        await inbox.message("missed")


async def test_what_is_lost_while_its_channel_is_being_read_is_read_again(
    server: DiscordServer, start: Start, kept: Kept, inbox: Inbox
) -> None:
    await hear_once(start, server)
    await server.post_as(server.ada, server.general, "missed")
    server.faults.fail_next[HISTORY] = [Fault(kind="slow", seconds=0.5)]
    with capture_logs() as logged:
        async with hearing(start(discord_inbox_limit=1), inbox):
            await server.post_as(server.ada, server.general, "waits")
            last = await server.post_as(server.ada, server.general, "too much")
            await until(lambda: any(each["event"] == "event_lost" for each in logged), "for the loss")
            await inbox.message("too much")
            await until(lambda: kept.mark >= int(last), "for the mark to move on")


def number(inbox: Inbox, text: str) -> int:
    found = next(each for each in inbox.asked if each.text == text)
    return int(found.ref.address.split("/")[1])
