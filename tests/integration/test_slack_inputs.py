"""In Slack: what an app wants to know besides the question is asked of who asked it, in a form, once in each thread."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import structlog
from structlog.testing import capture_logs

from bridge.inputs import Source, Sourced
from bridge.playground.dify.inputs import form_field
from bridge.playground.slack.model import Message
from bridge.playground.slack.views import View
from bridge.routing import DEFAULT_APP, AppPolicy
from tests.integration.slack_world import ADA, DIRECT, GENERAL, GRACE, World, living, say

FILL_IN = "Fill in…"
GIVEN = {"field:customer": "ACME", "field:plan": "Gold", "field:agreed": "Yes"}


def made(folder: Path) -> World:
    """An app that wants to know much, some of which has a source."""
    sourced = {"who": Sourced(source=Source.ASKER_NAME), "language": Sourced(source=Source.ASKER_LOCALE)}
    one = World(folder, app=AppPolicy(name=DEFAULT_APP, sourced=sourced))
    one.dify.script = lambda query: say(f"re: {query}")
    one.dify.form[:] = [
        form_field("text-input", "customer", most=10),
        form_field("select", "plan", options=("Gold", "Silver")),
        form_field("checkbox", "agreed"),
        form_field("text-input", "who"),
        form_field("text-input", "language"),
        form_field("text-input", "note", required=False),
    ]
    return one


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with living(made(tmp_path)) as started:
        yield started


async def wanted(world: World, root: str, channel: str = GENERAL) -> Message:
    """Waits until the bot asks for what the app wants to know."""
    await world.until(
        lambda: any(FILL_IN in [one.label for one in world.buttons(m)] for m in world.answers(channel, root)),
        f"something is asked for; there is {world.texts(channel, root)}",
    )
    return world.answers(channel, root)[-1]


async def open_form(world: World, message: Message, person: str = ADA) -> View:
    await world.press(message, FILL_IN, person)
    await world.until(lambda: any("submit" in one.content for one in world.forms(person)), "a form")
    return world.forms(person)[-1]


def key_of(view: View, block_id: str, label: str) -> str:
    """The value of an option of a menu."""
    for block in view.blocks:
        element = block.get("element")
        options = element.get("options") if block["block_id"] == block_id and isinstance(element, dict) else None
        for option in options if isinstance(options, list) else []:
            if option["text"]["text"] == label:
                return str(option["value"])
    raise AssertionError(f"no option {label!r} in {block_id}")


async def send(world: World, view: View, given: dict[str, str], person: str = ADA) -> None:
    menus = {block["block_id"] for block in view.blocks if dict_of(block.get("element")).get("type") == "static_select"}
    values = {name: key_of(view, name, value) if name in menus else value for name, value in given.items()}
    await world.acknowledged(await world.slack.submit_view(person, view.id, values))


def dict_of(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}


def inputs(world: World) -> list[object]:
    return [request.body["inputs"] for request in world.requests]


ALL = {"customer": "ACME", "plan": "Gold", "agreed": True, "who": "Ada", "language": "en-US"}


async def test_at_start_an_app_is_named_whose_required_inputs_nobody_tells(tmp_path: Path) -> None:
    # Whatever an earlier test has made of the log.
    structlog.reset_defaults()
    with capture_logs() as told:
        async with living(made(tmp_path)) as world:

            def named() -> set[str]:
                return {str(one["problem"]).split()[0] for one in told if one["event"] == "inputs_without_source"}

            await world.until(lambda: len(named()) == 3, f"three are named; there are {named()}")
            assert named() == {"customer", "plan", "agreed"}


async def test_a_form_is_filled_in_the_question_is_answered_with_it_and_so_are_those_that_follow(world: World) -> None:
    root = await world.ask("What is my bill?")
    asking = await wanted(world, root)
    assert "**Customer**, **Plan** and **Agreed**" in asking.visible_text
    assert [one.label for one in world.buttons(asking)] == [FILL_IN, "Stop"]
    assert not world.requests
    view = await open_form(world, asking)
    labels = [dict_of(block.get("label")).get("text") for block in view.blocks]
    assert labels == ["Customer", "Plan", "Agreed"], "what has a source, or need not be, is asked of nobody"
    await send(world, view, GIVEN)
    assert not world.forms(ADA)
    (answer,) = await world.answered(GENERAL, root, "re: What is my bill?")
    assert answer.ts == asking.ts, "it takes the place of what was asked"
    assert inputs(world) == [ALL]
    await world.ask("And Grace's?", thread=root, person=GRACE)
    await world.answered(GENERAL, root, "re: And Grace's?", count=2)
    assert inputs(world)[1] == {**ALL, "who": "Grace"}
    await world.settled()
    assert world.failed_calls() == []


async def test_a_question_waits_for_its_form_over_a_restart(world: World) -> None:
    root = await world.ask("What is my bill?")
    asking = await wanted(world, root)
    view = await open_form(world, asking)
    await world.restart(kill=True)
    await send(world, view, GIVEN)
    await world.answered(GENERAL, root, "re: What is my bill?")
    assert inputs(world) == [ALL]
    await world.restart()
    await world.ask("And now?", thread=root)
    await world.answered(GENERAL, root, "re: And now?", count=2)
    assert inputs(world)[1] == ALL


async def test_who_did_not_ask_is_told_so_alone_and_opens_no_form(world: World) -> None:
    root = await world.ask("What is my bill?")
    asking = await wanted(world, root)
    await world.press(asking, FILL_IN, GRACE)
    await world.until(lambda: bool(world.private_lines(GRACE)), "a word for Grace alone")
    assert world.private_lines(GRACE)[0].visible_text == "Only who asked the question can fill this in."
    assert not world.forms(GRACE)


async def test_what_is_wrong_is_said_below_its_field_and_the_form_stays_open(world: World) -> None:
    root = await world.ask("What is my bill?")
    view = await open_form(world, await wanted(world, root))
    await send(world, view, {**GIVEN, "field:customer": "   "})
    assert view.errors == {"field:customer": "Please fill this in."}
    assert world.forms(ADA) == [view]
    await send(world, view, GIVEN)
    await world.answered(GENERAL, root, "re: What is my bill?")


async def test_in_direct_messages_it_is_asked_for_in_each_thread(world: World) -> None:
    root = await world.ask("What is my bill?", DIRECT)
    view = await open_form(world, await wanted(world, root, DIRECT))
    await send(world, view, GIVEN)
    await world.answered(DIRECT, root, "re: What is my bill?")


async def test_stop_ends_the_waiting_and_the_form_is_not_needed_any_more(world: World) -> None:
    root = await world.ask("What is my bill?")
    asking = await wanted(world, root)
    view = await open_form(world, asking)
    await world.press(asking, "Stop", GRACE)
    await world.answered(GENERAL, root, "(Stopped.)")
    await send(world, view, GIVEN)
    assert "not needed any more" in str(world.forms(ADA)[0].content)
    assert not world.requests


async def test_a_form_that_nobody_fills_in_ends_the_question_honestly(tmp_path: Path) -> None:
    one = World(tmp_path, form_patience=60)
    one.dify.script = lambda query: say(f"re: {query}")
    one.dify.form.append(form_field("text-input", "customer"))
    async with living(one) as world:
        root = await world.ask("What is my bill?")
        asking = await wanted(world, root)
        view = await open_form(world, asking)
        await world.stop_bridge(kill=True)
        # As if nobody had looked for that long.
        one.move_back_forms(61)
        await world.start_bridge()
        await world.answered(GENERAL, root, "was not filled in within a minute")
        await send(world, view, {"field:customer": "ACME"})
        assert "not needed any more" in str(world.forms(ADA)[0].content)
        await world.press(world.answers(GENERAL, root)[0], "Try again")
        await send(world, await open_form(world, await wanted(world, root)), {"field:customer": "ACME"})
        await world.answered(GENERAL, root, "re: What is my bill?")
