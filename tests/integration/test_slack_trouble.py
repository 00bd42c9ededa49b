"""What goes wrong at Slack while an answer is written: it is there whole and once all the same, and no sign of work is left."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from bridge.playground.slack.model import Fault
from bridge.playground.slack.surfaces import Feature
from tests.integration.slack_world import GENERAL, PRIVATE, WORDS, World, living, say

WHOLE = "".join(WORDS).split()

FAULTS: tuple[Callable[[], Fault], ...] = (
    Fault.drop,
    Fault.effect_then_drop,
    lambda: Fault.http(502, after_effect=True),
    lambda: Fault.refuse("internal_error"),
    lambda: Fault.rate_limit(1),
)
"""Lost on its way; carried out and not answered, or with an error page; trouble inside Slack; one too many."""

PLAIN: dict[Feature, str] = {
    "streaming": "feature_disabled",
    "agent": "feature_disabled",
    "assistant": "feature_disabled",
}

NATIVE = ("agents.sessions.setStatus", "chat.startStream", "chat.appendStream", "chat.stopStream")
EDITED = ("reactions.add", "reactions.remove", "chat.postMessage", "chat.update")


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with living(World(tmp_path)) as started:
        started.dify.script = lambda _: say(*WORDS, per_token=0.04, suggestions=("What else?",))
        yield started


async def stands_whole(world: World, root: str, channel: str = GENERAL) -> None:
    (answer,) = await world.answered(channel, root, "word100")
    await world.settled()
    assert answer.visible_text.split()[: len(WHOLE)] == WHOLE
    assert len(world.answers(channel, root)) == 1
    assert {"like", "dislike", "What else?"} <= {one.value for one in world.buttons(answer)}


async def stand_whole_in_spite_of(world: World, method: str) -> None:
    """Five answers at once, and each fault meets one of the calls as long as there are calls: after the first ones the bridge may
    do without that method."""
    world.slack.faults.fail_next[method] = [make() for make in FAULTS]
    roots = [await world.ask(f"Talk for a while, {number}") for number in range(len(FAULTS))]
    for root in roots:
        await stands_whole(world, root)
    assert len(world.slack.faults.fail_next[method]) <= 2, "it did go wrong"


@pytest.mark.parametrize("method", NATIVE)
async def test_streamed_answers_are_whole_and_there_once_when_this_goes_wrong(method: str, world: World) -> None:
    await stand_whole_in_spite_of(world, method)


@pytest.mark.parametrize("method", EDITED)
async def test_edited_answers_are_whole_and_there_once_when_this_goes_wrong(method: str, world: World) -> None:
    world.slack.lacks.update(PLAIN)
    await stand_whole_in_spite_of(world, method)


async def test_an_answer_goes_on_in_another_message_when_one_has_grown_for_long_enough(tmp_path: Path) -> None:
    async with living(World(tmp_path, slack_stream_longest=1)) as world:
        world.dify.script = lambda _: say(*WORDS, per_token=0.04)
        root = await world.ask("Talk for a while")
        await world.until(lambda: bool(world.texts(GENERAL, root)), "it grows")
        await world.until(lambda: "word100" in "".join(world.texts(GENERAL, root)), "it is whole")
        await world.settled()
        answers = world.answers(GENERAL, root)
        assert len(answers) > 1
        assert "\n".join(one.visible_text for one in answers).split() == WHOLE
        assert [bool(world.buttons(one)) for one in answers] == [*([False] * (len(answers) - 1)), True]
        assert world.failed_calls() == []


async def test_an_answer_is_whole_when_slack_ends_its_stream_too_early(world: World) -> None:
    world.slack.workspace.stream_seconds = 1.0
    root = await world.ask("Talk for a while")
    await stands_whole(world, root)


async def test_a_private_channel_and_a_group_are_answered_like_any_other(world: World) -> None:
    group = world.slack.add_channel("the-three", "mpim")
    for channel in (PRIVATE, group.id):
        await stands_whole(world, await world.ask("Talk for a while", channel=channel), channel)


async def test_an_answer_that_was_stopped_is_given_when_it_is_tried_again(world: World) -> None:
    world.slack.lacks.update(PLAIN)
    root = await world.ask("Talk for a while")

    def stoppable() -> bool:
        found = world.answers(GENERAL, root)
        return bool(found) and any(one.action_id == "bridge:stop" for one in world.buttons(found[0]))

    await world.until(stoppable, "it can be stopped")
    await world.press(world.answers(GENERAL, root)[0], "stop")
    (stopped,) = await world.answered(GENERAL, root, "topped")
    assert world.requests[0].stopped
    await world.settled()
    await world.restart()
    await world.press(stopped, "retry")
    await world.until(lambda: any("word100" in text for text in world.texts(GENERAL, root)), "it is whole")
    await world.settled()
    assert len(world.requests) == 2
