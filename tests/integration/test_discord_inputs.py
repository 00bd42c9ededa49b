"""In Discord: what an app wants to know besides the question is asked of who asked it, in a form, once in each thread."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from bridge.inputs import Source, Sourced
from bridge.playground.dify.inputs import form_field
from bridge.playground.discord.model import Field, Message
from bridge.routing import DEFAULT_APP, AppPolicy, Everywhere
from tests.integration.discord_world import World, living

FORM = "bridge:form:"
SOURCED = {
    "who": Sourced(source=Source.ASKER_NAME),
    "language": Sourced(source=Source.ASKER_LOCALE, fallback="not told"),
}
GIVEN = {"customer": "ACME", "plan": "Gold", "agreed": "Yes"}
KNOWN = {"customer": "ACME", "plan": "Gold", "agreed": True}


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    one = World(tmp_path, routes=Everywhere(app=AppPolicy(name=DEFAULT_APP, sourced=SOURCED)))
    one.dify.form[:] = [
        form_field("text-input", "customer", most=10),
        form_field("select", "plan", options=("Gold", "Silver")),
        form_field("checkbox", "agreed"),
        form_field("text-input", "who"),
        form_field("text-input", "language"),
        form_field("text-input", "note", required=False),
    ]
    async with living(one) as started:
        yield started


async def wanted(world: World, place: str) -> Message:
    """Waits until the bot asks for what the app wants to know."""

    def asks() -> bool:
        found = world.own(place)
        return bool(found) and any(one.custom_id.startswith(FORM) for one in found[-1].buttons)

    await world.until(asks, f"something is asked for; there is {world.texts(place)}")
    return world.own(place)[-1]


def fields(world: World, interaction: str) -> Sequence[Field]:
    return [one for one in world.discord.modals[interaction].fields if isinstance(one, Field)]


async def send(world: World, interaction: str, given: dict[str, str], person: str | None = None) -> str:
    """Fills in the fields of these names as far as they are shown, and sends the form."""
    values: dict[str, str | list[str]] = {}
    for field in fields(world, interaction):
        value = given.get(field.custom_id.removeprefix("field:"), "")
        chosen = [key for key, label in field.choices if label == value]
        values[field.custom_id] = chosen if field.choices else value
    number = await world.discord.submit_modal(person or world.discord.ada, interaction, values)
    return await world.acknowledged(number)


def inputs(world: World) -> list[object]:
    return [request.body["inputs"] for request in world.requests]


async def test_a_form_is_filled_in_the_question_is_answered_with_it_and_so_are_those_that_follow(world: World) -> None:
    server = world.discord
    thread = await world.mention("What is my bill?")
    asking = await wanted(world, thread)
    assert "Ada" in asking.content
    assert [one.custom_id.partition(":")[2].partition(":")[0] for one in asking.buttons] == ["form", "stop"]
    assert not world.requests
    opened = await world.press(asking, FORM)
    assert [one.label for one in fields(world, opened)] == ["Customer", "Plan", "Agreed"]
    await send(world, opened, GIVEN)
    answer = await world.answered(thread, "re: What is my bill?")
    assert answer.id == asking.id, "it takes the place of what was asked"
    assert inputs(world) == [{**KNOWN, "who": "Ada", "language": "not told"}]
    await server.post_as(server.grace, thread, "And mine?")
    await world.answered(thread, "re: And mine?")
    assert inputs(world)[1] == {**KNOWN, "who": "Grace", "language": "not told"}
    await world.settled()
    assert world.failed_calls() == []


async def test_of_who_asks_by_a_command_the_language_is_known_too(world: World) -> None:
    server = world.discord
    await world.ask("What is my bill?", server.dm_ada)
    opened = await world.press(await wanted(world, server.dm_ada), FORM)
    await send(world, opened, GIVEN)
    await world.answered(server.dm_ada, "re: What is my bill?")
    assert inputs(world) == [{**KNOWN, "who": "Ada", "language": "en-US"}]


async def test_a_question_waits_for_its_form_over_a_restart(world: World) -> None:
    server = world.discord
    thread = await world.mention("What is my bill?")
    opened = await world.press(await wanted(world, thread), FORM)
    await world.restart(kill=True)
    await send(world, opened, GIVEN)
    await world.answered(thread, "re: What is my bill?")
    await world.restart()
    await server.post_as(server.ada, thread, "And now?")
    await world.answered(thread, "re: And now?")
    assert inputs(world) == [{**KNOWN, "who": "Ada", "language": "not told"}] * 2


async def test_who_did_not_ask_is_told_so_alone_and_opens_no_form(world: World) -> None:
    server = world.discord
    thread = await world.mention("What is my bill?")
    opened = await world.press(await wanted(world, thread), FORM, server.grace)
    assert opened not in server.modals
    assert world.private_lines(server.grace) == ["Only who asked the question can fill this in."]


async def test_what_is_wrong_is_told_to_who_sent_it_and_the_form_can_be_opened_again(world: World) -> None:
    server = world.discord
    world.dify.form.insert(0, form_field("number", "seats"))
    await world.restart()
    thread = await world.mention("What is my bill?")
    asking = await wanted(world, thread)
    await send(world, await world.press(asking, FORM), {**GIVEN, "seats": "three"})
    assert world.private_lines(server.ada) == [
        "Seats: Please write a number, such as 3 or 2.5. Please press the button again."
    ]
    assert not world.requests
    await send(world, await world.press(asking, FORM), {**GIVEN, "seats": "3"})
    await world.answered(thread, "re: What is my bill?")
    assert inputs(world) == [{**KNOWN, "seats": 3, "who": "Ada", "language": "not told"}]


async def test_more_than_a_form_holds_is_asked_in_steps(world: World) -> None:
    world.dify.form[:] = [form_field("text-input", f"n{number}") for number in range(7)]
    await world.restart()
    given = {f"n{number}": str(number) for number in range(7)}
    thread = await world.mention("What is my bill?")
    asking = await wanted(world, thread)
    first = await world.press(asking, FORM)
    assert len(fields(world, first)) == 5
    await send(world, first, given)
    await world.until(lambda: "also wants to know: **N5** and **N6**" in world.texts(thread)[-1], "the rest")
    await send(world, await world.press(asking, FORM), given)
    await world.answered(thread, "re: What is my bill?")
    assert inputs(world) == [given]


async def test_stop_ends_the_waiting_and_the_form_is_not_needed_any_more(world: World) -> None:
    server = world.discord
    thread = await world.mention("What is my bill?")
    asking = await wanted(world, thread)
    opened = await world.press(asking, FORM)
    await world.press(asking, "bridge:stop", server.grace)
    await world.answered(thread, "(Stopped.)")
    await send(world, opened, GIVEN)
    assert world.private_lines(server.ada) == ["This is filled in already, or it is not needed any more."]
    assert not world.requests


async def test_a_form_that_nobody_fills_in_ends_the_question_honestly(world: World) -> None:
    server = world.discord
    thread = await world.mention("What is my bill?")
    opened = await world.press(await wanted(world, thread), FORM)
    await world.stop_bridge(kill=True)
    # As if nobody had looked for that long.
    world.move_back_forms(601)
    await world.start_bridge()
    answer = await world.answered(thread, "was not filled in within 10 minutes")
    await send(world, opened, GIVEN)
    assert world.private_lines(server.ada) == ["This is filled in already, or it is not needed any more."]
    await world.press(answer, "bridge:retry")
    await send(world, await world.press(await wanted(world, thread), FORM), GIVEN)
    await world.answered(thread, "re: What is my bill?")


async def test_where_the_bot_is_not_the_answer_takes_the_place_of_what_was_asked(world: World) -> None:
    server = world.discord
    server.install_for(server.ada)
    place = (await server.add_guild("Elsewhere", bot=False)).channel_ids[0]
    await world.ask("What is my bill?", place)
    await send(world, await world.press(await wanted(world, place), FORM), GIVEN)
    await world.answered(place, "re: What is my bill?")
    assert inputs(world) == [{**KNOWN, "who": "Ada", "language": "en-US"}]
