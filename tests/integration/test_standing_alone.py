"""The whole path to apps that hold no conversation: completion and workflow apps, on each platform."""

from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path

import pytest

from bridge.playground.dify import MadeFile, cut, error_event
from bridge.playground.dify.script import Reply
from tests.integration import discord_world, slack_world
from tests.integration.seats import Play, Seat, playing

TOKENS = [f"word{number} " for number in range(60)]


@pytest.fixture(params=["workflow", "completion"])
async def play(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Play]:
    async with playing(tmp_path, app_mode=request.param) as started:
        yield started


@pytest.fixture
async def workflow(tmp_path: Path) -> AsyncIterator[Play]:
    async with playing(tmp_path, app_mode="workflow") as started:
        yield started


@pytest.fixture
async def completion(tmp_path: Path) -> AsyncIterator[Play]:
    async with playing(tmp_path, app_mode="completion") as started:
        yield started


PLATFORMS = ("slack", "discord")


def say(
    *tokens: str,
    per_token: float = 0.0,
    outputs: Mapping[str, object] | None = None,
    partial: bool = False,
    files: Sequence[MadeFile] = (),
) -> Reply:
    return Reply(
        tokens=list(tokens), per_token=per_token, first_token=0.0, outputs=outputs, partial=partial, files=files
    )


@pytest.mark.parametrize("platform", PLATFORMS)
async def test_each_question_of_a_thread_is_answered_by_itself(play: Play, platform: str) -> None:
    seat = play.seats[platform]
    thread = await seat.ask("first, please")
    await play.answered(seat, thread, "first, please")
    await seat.say(thread, "and this")
    texts = await play.answered(seat, thread, "and this", count=2)
    assert "first" not in texts[1]
    asked = [one for one in play.dify.requests if one.stored is not None]
    assert [one.query for one in asked] == ["first, please", "and this"]
    assert not any("conversation_id" in one.body for one in asked)
    assert (seat.rejected(), seat.pings()) == (0, 0)


@pytest.mark.parametrize("platform", PLATFORMS)
async def test_what_stands_above_in_a_thread_is_not_worked_on(play: Play, platform: str) -> None:
    seat = play.seats[platform]
    thread = await seat.ask("hello")
    await play.answered(seat, thread, "hello")
    await seat.say(thread, "translate this")
    await play.answered(seat, thread, "translate this", count=2)
    assert play.dify.requests[-1].query == "translate this"


@pytest.mark.parametrize("platform", PLATFORMS)
async def test_there_is_nothing_to_forget(play: Play, platform: str) -> None:
    seat = play.seats[platform]
    place = await seat.tell("hello")
    await play.answered(seat, place, "hello")
    await seat.tell("/reset")
    await play.until(
        lambda: any("takes each question by itself" in text for text in _everything(seat, place)), "it is said"
    )
    await seat.tell("/help")
    await play.until(lambda: any("stands alone here" in text for text in _everything(seat, place)), "it is explained")


def _everything(seat: Seat, place: str) -> list[str]:
    if seat.name == "slack":
        return [one.visible_text for one in seat.server.messages("D0ADA")]  # type: ignore[attr-defined]  # of Slack's
    return seat.answers(place)


@pytest.mark.parametrize("platform", PLATFORMS)
async def test_a_running_answer_is_stopped_where_it_runs(play: Play, platform: str) -> None:
    seat = play.seats[platform]
    play.dify.script = lambda _: say(*TOKENS * 10, per_token=0.05)
    place = await seat.tell("tell me everything")
    await play.until(lambda: any("word3" in text for text in seat.answers(place)), "it grows")
    await seat.tell("stop")
    await play.until(lambda: any(call.worked for call in play.dify.stop_log), "Dify is told")
    await play.until(lambda: play.dify.requests[-1].ended == "stopped", "the run ended")


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("fault", [error_event(at=3), cut(at=3)])
async def test_a_failure_keeps_what_came_and_is_told_honestly(play: Play, platform: str, fault: object) -> None:
    seat = play.seats[platform]
    play.dify.script = lambda _: Reply(
        tokens=["Half ", "of ", "the ", "answer ", "is ", "lost"],
        per_token=0.03,
        fault=fault,  # type: ignore[arg-type]  # a union in the stand-in
    )
    thread = await seat.ask("hello?")
    texts = await play.answered(seat, thread, "(Reference ")
    assert texts[0].startswith("Half of the")
    assert "incomplete" in texts[0]
    assert "status code" not in texts[0]


@pytest.mark.parametrize("platform", PLATFORMS)
async def test_several_outputs_are_shown_by_name_once(workflow: Play, platform: str) -> None:
    seat = workflow.seats[platform]
    workflow.dify.script = lambda _: say("A ", "fine ", "summary.", outputs={"summary": "A fine summary.", "moons": 3})
    thread = await seat.ask("summarise")
    (text,) = await workflow.answered(seat, thread, "moons")
    assert text.count("A fine summary.") == 1
    plain = text.replace("*", "")
    assert plain.split() == ["summary:", "A", "fine", "summary.", "moons:", "3"]
    assert (seat.rejected(), seat.pings()) == (0, 0)


@pytest.mark.parametrize("platform", PLATFORMS)
async def test_a_file_among_the_outputs_is_posted_and_its_address_is_not(workflow: Play, platform: str) -> None:
    seat = workflow.seats[platform]
    file = MadeFile(name="table.csv", kind="document", media_type="text/csv", content=b"a,b\r\n1,2\r\n")
    workflow.dify.script = lambda _: say("Here it is.", files=(file,))
    thread = await seat.ask("make a table")
    await workflow.until(lambda: bool(seat.files(thread)), "the file is there")
    assert seat.files(thread) == [("table.csv", b"a,b\r\n1,2\r\n")]
    assert "sign=" not in "".join(seat.answers(thread))


@pytest.mark.parametrize("platform", PLATFORMS)
async def test_a_run_that_went_on_without_a_step_says_so(workflow: Play, platform: str) -> None:
    seat = workflow.seats[platform]
    workflow.dify.script = lambda _: say("What there is.", partial=True)
    thread = await seat.ask("hello")
    (text,) = await workflow.answered(seat, thread, "something may be missing")
    assert text.startswith("What there is.")


@pytest.mark.parametrize("platform", PLATFORMS)
async def test_a_run_without_outputs_is_an_empty_answer(workflow: Play, platform: str) -> None:
    seat = workflow.seats[platform]
    workflow.dify.script = lambda _: say("", outputs={"result": None})
    thread = await seat.ask("hello")
    await workflow.answered(seat, thread, "The app gave an empty answer.")


@pytest.mark.parametrize("platform", PLATFORMS)
async def test_a_question_that_is_too_long_for_its_input_is_refused_with_the_length(
    workflow: Play, platform: str
) -> None:
    seat = workflow.seats[platform]
    workflow.dify.features.longest_question = 20
    thread = await seat.ask("x" * 21)
    (text,) = await workflow.answered(seat, thread, "Reference")
    assert "at most 20 characters" in text
    assert not any(one.stored for one in workflow.dify.requests)


@pytest.mark.parametrize("platform", PLATFORMS)
async def test_a_run_that_outlives_the_bridge_is_fetched_and_not_asked_for_again(workflow: Play, platform: str) -> None:
    seat = workflow.seats[platform]
    workflow.dify.script = lambda _: say(*TOKENS, per_token=0.05)
    thread = await seat.ask("a slow one")
    await workflow.until(lambda: bool(seat.answers(thread)) and len(seat.growth(thread)) >= 2, "it grows")
    await workflow.stage.restart_bridge(kill=True)
    texts = await workflow.answered(seat, thread, "word59")
    assert texts == ["".join(TOKENS).strip()]
    assert len([one for one in workflow.dify.requests if one.stored is not None]) == 1


@pytest.mark.parametrize("platform", PLATFORMS)
async def test_a_completion_that_was_lost_is_asked_for_once_more_in_the_same_message(
    completion: Play, platform: str
) -> None:
    seat = completion.seats[platform]
    completion.dify.script = lambda _: say(*TOKENS, per_token=0.05)
    thread = await seat.ask("a slow one")
    await completion.until(lambda: bool(seat.answers(thread)) and len(seat.growth(thread)) >= 2, "it grows")
    completion.dify.script = lambda _: say("All of it.")
    await completion.stage.restart_bridge(kill=True)
    assert await completion.answered(seat, thread, "All of it.") == ["All of it."]
    assert len([one for one in completion.dify.requests if one.stored is not None]) == 2


@pytest.mark.parametrize("platform", PLATFORMS)
async def test_a_completion_is_rated_and_a_workflow_is_not(play: Play, platform: str) -> None:
    seat = play.seats[platform]
    thread = await seat.ask("rate me")
    await play.answered(seat, thread, "rate me")
    await seat.react(thread, up=True)
    if play.dify.mode == "completion":
        await play.until(lambda: bool(play.dify.ratings), "rated")
        (rating,) = play.dify.ratings.values()
        assert rating.rating == "like"
    await seat.say(thread, "still there?")
    await play.answered(seat, thread, "still there?", count=2)
    assert len(play.dify.rating_log) == len(play.dify.ratings)


@pytest.mark.parametrize(("mode", "rated"), [("workflow", False), ("completion", True)])
async def test_only_what_can_be_rated_has_buttons_for_it_on_slack(tmp_path: Path, mode: str, *, rated: bool) -> None:
    async with slack_world.living(slack_world.World(tmp_path, mode=mode)) as world:
        root = await world.ask("hello")
        (answer,) = await world.answered(slack_world.GENERAL, root, "hello")
        await world.settled()
        shown = {one.value for one in world.buttons(answer)}
        assert ("like" in shown) is rated
        assert ("dislike" in shown) is rated


@pytest.mark.parametrize(("mode", "rated"), [("workflow", False), ("completion", True)])
async def test_only_what_can_be_rated_has_buttons_for_it_on_discord(tmp_path: Path, mode: str, *, rated: bool) -> None:
    world = discord_world.World(tmp_path, mode=mode)
    try:
        await world.start()
        thread = await world.mention("hello")
        answer = await world.answered(thread, "hello")
        labels = {one.rpartition(":")[0] or one for one in world.labels(answer)} | world.labels(answer)
        assert ("bridge:like" in labels) is rated
        assert ("bridge:dislike" in labels) is rated
        assert any("again" in one for one in labels)
    finally:
        await world.stop()
