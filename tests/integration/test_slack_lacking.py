"""Workspaces that do not have everything: the answer is the same, and is shown with what there is."""

from pathlib import Path

import pytest

from bridge.playground.slack.surfaces import Feature
from tests.integration.slack_world import ADA, GENERAL, WORDS, World, living, say

LACKING: dict[str, dict[Feature, str]] = {
    "streams": {"streaming": "feature_disabled"},
    "agents": {"agent": "feature_disabled"},
    "agents and assistants": {"agent": "feature_disabled", "assistant": "missing_scope"},
    "step lists": {"tasks": "invalid_chunks"},
    "all of it": {
        "streaming": "unknown_method",
        "tasks": "invalid_chunks",
        "agent": "unknown_method",
        "assistant": "unknown_method",
        "home": "not_enabled",
    },
}


@pytest.mark.parametrize("lacking", LACKING)
@pytest.mark.parametrize("transport", ["socket", "http"])
async def test_an_answer_is_whole_and_there_once_in_a_workspace_that_lacks(
    lacking: str, transport: str, tmp_path: Path
) -> None:
    async with living(World(tmp_path, http=transport == "http")) as world:
        world.slack.lacks.update(LACKING[lacking])
        world.dify.script = lambda _: say(
            *WORDS, per_token=0.02, nodes=("Read the handbook",), suggestions=("What else?",)
        )
        for number in (1, 2):
            root = await world.ask(f"Question {number}")
            await world.until(lambda: bool(world.working()), "something shows that it is being worked on")
            (answer,) = await world.answered(GENERAL, root, "word100")
            await world.settled()
            assert answer.visible_text.split().count("word50") == 1
            assert len(world.answers(GENERAL, root)) == 1
            assert {"like", "dislike", "What else?"} <= {one.value for one in world.buttons(answer)}
            refused = world.failed_calls()
            if number == 1:
                said_no = len(refused)
        assert len(refused) == said_no, f"what a workspace lacks is asked for once: {refused}"
        await world.press(answer, "like")
        await world.until(lambda: bool(world.dify.ratings), "rated")
        assert world.slack.pings == []


@pytest.mark.parametrize("code", ["channel_type_not_supported", "access_denied"])
async def test_a_channel_without_streams_does_not_cost_the_other_channels_theirs(code: str, tmp_path: Path) -> None:
    async with living(World(tmp_path)) as world:
        world.slack.workspace.streamless[GENERAL] = code
        world.dify.script = lambda _: say(*WORDS, per_token=0.02)
        plain = await world.ask("Here")
        (answer,) = await world.answered(GENERAL, plain, "word100")
        assert not world.was_streamed(answer)
        other = await world.ask("And there", channel="C0SUPPORT", person=ADA)
        (answer,) = await world.answered("C0SUPPORT", other, "word100")
        assert world.was_streamed(answer)
        await world.settled()


@pytest.mark.parametrize("lacking", [one for one in LACKING if one != "step lists"])
async def test_a_dead_process_leaves_one_whole_answer_and_no_sign_of_work_in_a_workspace_that_lacks(
    lacking: str, tmp_path: Path
) -> None:
    async with living(World(tmp_path)) as world:
        world.slack.lacks.update(LACKING[lacking])
        world.dify.script = lambda _: say(*WORDS, per_token=0.04)
        root = await world.ask("Talk for a while")
        await world.until(lambda: any("word5" in text for text in world.texts(GENERAL, root)), "it grows")
        await world.restart(kill=True)
        (answer,) = await world.answered(GENERAL, root, "word100")
        await world.settled()
        assert answer.visible_text.split() == "".join(WORDS).split()
        assert len(world.requests) == 1
