"""Answers that grow by Slack's own means: every letter once, ended whole, repaired when something is in doubt."""

import asyncio
from dataclasses import replace

import pytest

from adapters.slack.adapter import SlackPlatform
from adapters.slack.web.history import EVENT_TYPE
from bridge.errors import MessageGone, PlatformUnavailable, RateLimited, StoreUnavailable
from bridge.messages import Author, InstallationId, MessageRef, PersonId, ReplyTarget
from bridge.platform_api import EndsActivity, FetchesFiles, OpensThreads, ReadsThreads, StreamsNatively
from bridge.playground.slack import SlackServer
from bridge.playground.slack.model import Fault, Person
from bridge.splitting import Splitter
from tests.adapters.slack.peer import make_timed_platform, target_under, until
from tests.adapters.slack.writing.said import (
    ADA,
    APPEND,
    POST,
    START,
    STOP,
    STOP_BUTTON,
    UPDATE,
    answer,
    calls,
    final,
    live,
    methods,
    texts,
)
from tests.fakes.clock import FakeClock

BUSY = """# Findings

The **quick *brown* fox** jumps over `the lazy` dog, see [the long handbook](https://example.com/a_b).

```python
def area(r):
    return 3 * r ** 2

```

1. one
2. two
   - a nested **item** here

| city | people |
| --- | --- |
| Oslo | 700,000 |
| Bergen | 290,000 |

これは空白のない長い文章です。これは空白のない長い文章です。これは空白のない長い文章です。終わり。

全角　スペース、 そして　 もう一つ。

> Somebody said ~5 %, and <!channel> and @everyone heard it.

The end."""


def test_the_platform_offers_all_of_it(platform: SlackPlatform) -> None:
    for offer in (StreamsNatively, EndsActivity, OpensThreads, ReadsThreads, FetchesFiles):
        assert isinstance(platform, offer)


async def test_a_live_message_is_a_stream_for_whoever_asked(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget, root: str
) -> None:
    ref = await platform.send(target, live("Hello there, w"))
    (call,) = calls(server, START)
    assert (call.args["channel"], call.args["thread_ts"]) == ("C0GENERAL", root)
    assert (call.args["recipient_user_id"], call.args["recipient_team_id"]) == ("U0ADA", server.team_id)
    assert platform.is_growing(ref)
    assert texts(server, root) == ["Hello there, "]
    await platform.edit(target, ref, live("Hello there, world and a"))
    await platform.edit(target, ref, final("Hello there, world and all"))
    assert texts(server, root) == ["Hello there, world and all"]
    assert methods(server) == [START, APPEND, STOP]
    assert answer(server, root).metadata == {"event_type": EVENT_TYPE, "event_payload": {"nonce": "n1"}}
    assert not platform.is_growing(ref)
    await platform.edit(target, ref, final("Hello there, world and all of us"))
    assert texts(server, root) == ["Hello there, world and all of us"]


async def test_somebody_of_another_company_is_named_with_their_own_workspace(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget
) -> None:
    server.people["U0EVE"] = Person(id="U0EVE", name="Eve", team_id="T0OTHER")
    server.channels["C0GENERAL"].members.add("U0EVE")
    eve = Author(platform=ADA.platform, id=PersonId("U0EVE"), display_name="Eve", home=InstallationId("T0OTHER"))
    ref = await platform.send(target, live("Hello there", asker=eve))
    assert platform.is_growing(ref)
    assert calls(server, START)[0].args["recipient_team_id"] == "T0OTHER"


async def test_without_an_asker_or_without_anything_to_come_a_message_is_posted(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget
) -> None:
    assert not platform.is_growing(await platform.send(target, live("one two", asker=None)))
    assert not platform.is_growing(await platform.send(target, final("short")))
    assert methods(server) == [POST, POST]


@pytest.mark.parametrize("step", [1, 3, 7, 40, 300])
async def test_a_text_of_every_kind_arrives_to_the_letter_however_it_was_cut(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget, root: str, step: int
) -> None:
    server.rate_limits[APPEND] = 10_000
    splitter = Splitter(platform.dialect)
    ref: MessageRef | None = None
    for end in range(step, len(BUSY) + step, step):
        for text in splitter.feed(BUSY[:end]):
            if ref is None:
                ref = await platform.send(target, live(text))
            else:
                await platform.edit(target, ref, live(text))
    assert ref is not None
    grown = texts(server, root)[0]
    whole = platform.dialect.render(BUSY).text
    assert whole.startswith(grown)
    assert len(whole) - len(grown) < 80
    await platform.edit(target, ref, final(BUSY))
    assert texts(server, root) == [whole]
    assert {UPDATE, POST}.isdisjoint(methods(server))
    assert server.pings == []


async def test_what_is_half_written_is_not_shown_until_it_is_complete(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget, root: str
) -> None:
    splitter = Splitter(platform.dialect)
    ref = await platform.send(target, live("It is a text "))
    for more in ("with **bold wo", "with **bold words**, [a li", "with **bold words**, [a link](http://x.io) and"):
        await platform.edit(target, ref, live(splitter.feed("It is a text " + more)[0]))
        assert "**bold words**" in texts(server, root)[0] or "**" not in texts(server, root)[0]
    assert texts(server, root) == ["It is a text with **bold words**, [a link](http://x.io) "]


async def test_a_text_that_turned_out_otherwise_grows_on_and_is_put_right_at_the_end(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget, root: str
) -> None:
    ref = await platform.send(target, live("about ~5 or so and"))
    await platform.edit(target, ref, live("about ~5 or so and ~10 it is"))
    assert texts(server, root)[0].startswith("about ~5 or so and \\~10")
    await platform.edit(target, ref, final("about ~5 or so and ~10 it is."))
    assert texts(server, root) == ["about \\~5 or so and \\~10 it is."]
    assert methods(server) == [START, APPEND, STOP, UPDATE]


async def test_a_text_that_is_another_one_is_edited_before_anybody_wonders(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget, root: str, clock: FakeClock
) -> None:
    ref = await platform.send(target, live("I think the answer is"))
    await platform.edit(target, ref, live("No: something else entirely"))
    assert methods(server) == [START]
    await clock.advance(7)
    await platform.edit(target, ref, live("No: something else entirely it is"))
    assert texts(server, root) == ["No: something else entirely it is"]
    assert methods(server) == [START, STOP, UPDATE]
    assert not platform.is_growing(ref)


@pytest.mark.parametrize("method", [APPEND, STOP])
@pytest.mark.parametrize("fault", [Fault.effect_then_drop(), Fault.drop(), Fault.http(503, after_effect=True)])
async def test_a_call_of_which_nobody_heard_is_never_made_again_but_repaired(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget, root: str, method: str, fault: Fault
) -> None:
    ref = await platform.send(target, live("one two "))
    server.faults.fail_next[method] = [fault]
    with pytest.raises(PlatformUnavailable):
        await platform.edit(target, ref, live("one two three four") if method == APPEND else final("one two three"))
    assert not platform.is_growing(ref)
    await platform.edit(target, ref, live("one two three four five"))
    assert texts(server, root) == ["one two three four five"]
    await platform.edit(target, ref, final("one two three four five six"))
    assert texts(server, root) == ["one two three four five six"]
    assert len(calls(server, APPEND)) == (1 if method == APPEND else 0)
    assert not {"markdown_text", "chunks"} & calls(server, STOP)[-1].args.keys()


async def test_a_cancelled_call_leaves_no_doubt_behind(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget, root: str, clock: FakeClock
) -> None:
    ref = await platform.send(target, live("one two "))
    server.faults.fail_next[APPEND] = [Fault.slow(5)]
    task = asyncio.create_task(platform.edit(target, ref, live("one two three four")))
    await until(lambda: bool(calls(server, APPEND)))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await clock.advance(5)
    await platform.edit(target, ref, final("one two three four five"))
    assert texts(server, root) == ["one two three four five"]


async def test_a_rate_limit_costs_nothing_but_time(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget, root: str, clock: FakeClock
) -> None:
    ref = await platform.send(target, live("one two "))
    server.faults.fail_next[APPEND] = [Fault.rate_limit(9)]
    for _ in range(2):
        with pytest.raises(RateLimited):
            await platform.edit(target, ref, live("one two three four"))
    assert len(calls(server, APPEND)) == 1
    await clock.advance(9)
    server.faults.fail_next[STOP] = [Fault.rate_limit(3)]
    with pytest.raises(RateLimited):
        await platform.edit(target, ref, final("one two three four"))
    assert platform.is_growing(ref)
    await clock.advance(3)
    await platform.edit(target, ref, final("one two three four"))
    assert texts(server, root) == ["one two three four"]


async def test_a_stream_is_spent_before_slack_ends_it(
    platform: SlackPlatform, target: ReplyTarget, clock: FakeClock
) -> None:
    ref = await platform.send(target, live("one two "))
    await clock.advance(239)
    assert not platform.is_spent(ref)
    await clock.advance(1)
    assert platform.is_spent(ref)


@pytest.mark.parametrize("ended", [False, True])
async def test_an_expired_stream_is_edited_and_loses_nothing(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget, root: str, clock: FakeClock, *, ended: bool
) -> None:
    ref = await platform.send(target, live("one two "))
    await clock.advance(301)
    await platform.edit(target, ref, final("one two three") if ended else live("one two three"))
    assert texts(server, root) == ["one two three"]
    assert methods(server) == [START, STOP if ended else APPEND, UPDATE]
    assert not platform.is_growing(ref)


async def test_a_stream_that_somebody_stopped_is_told_and_left_alone_until_the_end(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget, root: str
) -> None:
    told: list[tuple[ReplyTarget, MessageRef, Author | None]] = []

    async def stopped(*what: object) -> None:
        told.append(what)  # type: ignore[arg-type]  # exactly these
        raise StoreUnavailable("the disk is full")

    platform._outbound._streams._on_stopped = stopped  # the adapter makes an event of it
    ref = await platform.send(target, live("one two "))
    server.workspace.stop_streams("C0GENERAL", root)
    await platform.edit(target, ref, live("one two three four"))
    await platform.edit(target, ref, live("one two three four five"))
    await platform.edit(target, ref, final("one two three four five six", STOP_BUTTON))
    assert not platform.is_growing(ref)
    assert methods(server) == [START, APPEND]
    assert told == [(target, ref, ADA)]
    await platform.edit(target, ref, final("one two\n\n(Stopped.)"))
    assert texts(server, root) == ["one two\n\n(Stopped.)"]


async def test_a_stream_that_somebody_stopped_before_its_last_words_shows_them(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget, root: str
) -> None:
    ref = await platform.send(target, live("one two "))
    server.workspace.stop_streams("C0GENERAL", root)
    await platform.edit(target, ref, final("one two three"))
    assert texts(server, root) == ["one two three"]


async def test_a_message_that_is_gone_is_told(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget, root: str
) -> None:
    ref = await platform.send(target, live("one two "))
    server.workspace.delete(answer(server, root))
    with pytest.raises(MessageGone):
        await platform.edit(target, ref, live("one two three four"))
    assert not platform.is_growing(ref)


@pytest.mark.parametrize("faults", [[Fault.rate_limit(5)], [Fault.drop()] * 2])
async def test_a_stream_that_cannot_be_ended_just_now_is_given_nothing_more_and_ended_next_time(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget, root: str, clock: FakeClock, faults: list[Fault]
) -> None:
    ref = await platform.send(target, live("one two "))
    server.faults.fail_next[STOP] = list(faults)
    with pytest.raises((RateLimited, PlatformUnavailable)):
        await platform.edit(target, ref, final("No: three"))
    assert not platform.is_growing(ref)
    await clock.advance(5)
    await platform.edit(target, ref, live("one two three four"))
    assert texts(server, root) == ["one two three four"]
    assert APPEND not in methods(server)
    assert methods(server)[-2:] == [STOP, UPDATE]


async def test_what_an_earlier_process_left_growing_is_ended_and_edited(
    server: SlackServer, platform: SlackPlatform, heir: SlackPlatform, target: ReplyTarget, root: str
) -> None:
    ref = await platform.send(target, live("one two "))
    await heir.edit(target, ref, live("one two three"))
    assert texts(server, root) == ["one two three"]
    await heir.edit(target, ref, final("one two three four"))
    assert texts(server, root) == ["one two three four"]
    assert methods(server) == [START, UPDATE, STOP, UPDATE, UPDATE]


async def test_a_stream_whose_start_nobody_heard_of_is_found_and_not_begun_again(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget, root: str
) -> None:
    server.faults.fail_next[START] = [Fault.effect_then_drop()]
    with pytest.raises(PlatformUnavailable):
        await platform.send(target, live("one two three "))
    ref = await platform.send(target, live("one two three four"))
    assert texts(server, root) == ["one two three four"]
    await platform.edit(target, ref, final("one two three four five"))
    assert texts(server, root) == ["one two three four five"]
    assert (len(calls(server, START)), len(calls(server, POST))) == (1, 0)


async def test_a_start_that_never_arrived_is_made_once_more(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget, root: str
) -> None:
    server.faults.fail_next[START] = [Fault.drop()]
    with pytest.raises(PlatformUnavailable):
        await platform.send(target, live("one two three "))
    ref = await platform.send(target, live("one two three four"))
    assert platform.is_growing(ref)
    assert len(texts(server, root)) == 1


async def test_a_stream_that_a_dead_process_began_is_found_by_what_it_says(
    server: SlackServer, platform: SlackPlatform, heir: SlackPlatform, target: ReplyTarget, clock: FakeClock
) -> None:
    since = clock.now()
    await platform.send(target, final("An earlier answer.", nonce="n0"))
    ref = await platform.send(target, live("The **answer** is being written"))
    assert await heir.find_sent(target, final("The **answer** is"), since) == ref
    assert await heir.find_sent(target, final("Another answer", nonce="n2"), since) is None


async def test_a_stop_button_is_not_shown_under_a_stream(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget, root: str
) -> None:
    ref = await platform.send(target, live("one two "))
    await platform.edit(target, ref, live("one two three four"))
    assert [block["type"] for block in answer(server, root).blocks] == ["markdown"]


async def test_a_stream_that_never_said_anything_can_still_be_ended(
    server: SlackServer, platform: SlackPlatform, heir: SlackPlatform, target: ReplyTarget, root: str
) -> None:
    ref = await platform.send(target, live("x"))
    assert texts(server, root) == [""]
    await heir.edit(target, ref, final("(The app did not answer.)"))
    assert texts(server, root) == ["(The app did not answer.)"]


async def test_a_direct_message_streams_too(server: SlackServer, platform: SlackPlatform) -> None:
    root = await server.post_as("U0ADA", "D0ADA", "hi")
    ref = await platform.send(target_under(server, "D0ADA", root), live("one two "))
    assert platform.is_growing(ref)


async def test_twenty_answers_a_minute_are_written_without_a_refused_call(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget, clock: FakeClock
) -> None:
    for number in range(3):
        for one in range(20):
            nonce = f"n{number}x{one}"
            ref = await platform.send(target, live("one two ", nonce=nonce))
            await platform.edit(target, ref, replace(final("one two three"), nonce=nonce))
            await clock.advance(3)
    assert server.rejected == 0
    assert len(calls(server, START)) > 3 * 15


async def test_streams_that_are_all_ended_at_once_never_meet_a_limit(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget, clock: FakeClock
) -> None:
    refs = []
    for number in range(40):
        refs.append((number, await platform.send(target, live("one two ", nonce=f"n{number}"))))
        await clock.advance(4)
    assert sum(platform.is_growing(ref) for _, ref in refs) == 18
    for number, ref in refs:
        await platform.edit(target, ref, replace(final("one two three"), nonce=f"n{number}"))
    assert server.rejected == 0
    await clock.advance(61)
    assert platform.is_growing(await platform.send(target, live("one two ", nonce="late")))


async def test_streams_that_nobody_ended_do_not_keep_others_from_beginning(
    server: SlackServer, target: ReplyTarget, clock: FakeClock
) -> None:
    platform = make_timed_platform(server, clock)
    for number in range(18):
        await platform.send(target, live("one two ", nonce=f"n{number}"))
        await clock.advance(2)
    await clock.advance(600)
    assert platform.is_growing(await platform.send(target, live("one two ", nonce="late")))
    await platform.close()
