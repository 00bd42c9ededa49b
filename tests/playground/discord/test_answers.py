"""What the bot may answer to an interaction, until when, and who sees it."""

import io

import aiohttp
import discord
import pytest

from bridge.clock import SystemClock
from bridge.playground.discord import DiscordServer, Interaction
from tests.playground.discord.apps import App
from tests.playground.discord.clients import Raw


class Later(SystemClock):
    ahead = 0.0

    def monotonic(self) -> float:
        return super().monotonic() + self.ahead


async def asked(server: DiscordServer, app: App, place: str | None = None) -> discord.Interaction:
    before = len(app.asked)
    await server.command(server.ada, place or server.general, "ask", {"question": "why?"})
    await app.until(lambda: len(app.asked) > before)
    return app.asked[-1][0]


def kept(server: DiscordServer, interaction: discord.Interaction) -> Interaction:
    return server.interactions[str(interaction.id)]


async def test_a_deferred_answer_thinks_until_it_is_edited(server: DiscordServer, app: App) -> None:
    interaction = await asked(server, app)
    told = await interaction.response.defer(thinking=True)
    assert told is not None
    assert told.is_thinking()
    (thinking,) = server.messages(server.general)
    assert (thinking.content, thinking.flags, str(told.message_id)) == ("", 128, thinking.id)
    assert not server.failed(str(interaction.id))
    edited = await interaction.edit_original_response(content="because")
    assert (str(edited.id), edited.content, edited.flags.loading) == (thinking.id, "because", False)
    assert (await interaction.original_response()).content == "because"
    await app.until(lambda: len(app.edits) == 1 and len(app.heard) == 1)
    assert app.heard[0].type is discord.MessageType.chat_input_command
    assert app.heard[0].interaction_metadata is not None
    assert app.heard[0].interaction_metadata.user.display_name == "Ada"
    # A member bot may go on through the channel.
    await app.place(server.general).get_partial_message(edited.id).edit(content="because of that")
    assert [one.content for one in server.messages(server.general)] == ["because of that"]


async def test_the_first_follow_up_takes_the_place_of_thinking(server: DiscordServer, app: App) -> None:
    interaction = await asked(server, app)
    await interaction.response.defer(ephemeral=True, thinking=True)
    first = await interaction.followup.send("private", ephemeral=False, wait=True)
    second = await interaction.followup.send("public", wait=True)
    assert (first.flags.ephemeral, second.flags.ephemeral) == (True, False)
    assert [one.content for one in server.ephemerals(server.ada)] == ["private"]
    assert [one.content for one in server.messages(server.general)] == ["public"]
    assert kept(server, interaction).original is server.ephemerals()[0]
    assert kept(server, interaction).ephemeral == "private"


async def test_a_private_answer_is_edited_deleted_and_found_by_nobody_else(
    server: DiscordServer, app: App, raw: Raw
) -> None:
    interaction = await asked(server, app)
    told = await interaction.response.send_message("for you", ephemeral=True)
    await interaction.edit_original_response(content="for you alone")
    assert [one.content for one in server.ephemerals(server.ada)] == ["for you alone"]
    assert server.ephemerals(server.grace) == []
    assert server.messages(server.general) == []
    path = f"/channels/{server.general}/messages/{told.message_id}"
    assert (await raw.call("GET", path)).code == 10008
    assert (await raw.call("PATCH", path, {"content": "x"})).code == 10008
    await interaction.delete_original_response()
    assert server.ephemerals() == []
    with pytest.raises(discord.NotFound) as gone:
        await interaction.edit_original_response(content="late")
    assert gone.value.code == 10008
    assert app.heard == []


async def test_follow_ups_are_edited_and_deleted_by_their_own_ids(server: DiscordServer, app: App) -> None:
    interaction = await asked(server, app)
    await interaction.response.send_message("one")
    more = await interaction.followup.send("two", wait=True, ephemeral=True)
    await more.edit(content="two, private")
    assert [one.content for one in server.ephemerals(server.ada)] == ["two, private"]
    await more.delete()
    assert server.ephemerals() == []
    assert [one.content for one in server.messages(server.general)] == ["one"]


async def test_files_go_with_answers_edits_and_follow_ups(server: DiscordServer, app: App) -> None:
    def file(name: str) -> discord.File:
        return discord.File(io.BytesIO(name.encode()), filename=name)

    interaction = await asked(server, app)
    await interaction.response.send_message("one", file=file("a.txt"))
    original = await interaction.original_response()
    edited = await interaction.edit_original_response(attachments=[*original.attachments, file("b.txt")])
    assert [one.filename for one in edited.attachments] == ["a.txt", "b.txt"]
    assert edited.attachments[0].id == original.attachments[0].id
    assert [await one.read() for one in edited.attachments] == [b"a.txt", b"b.txt"]
    edited = await interaction.edit_original_response(attachments=[edited.attachments[1]])
    assert [one.filename for one in edited.attachments] == ["b.txt"]
    more = await interaction.followup.send(file=file("c.txt"), wait=True)
    assert [one.filename for one in more.attachments] == ["c.txt"]


async def test_nothing_is_written_before_the_first_answer(server: DiscordServer, app: App) -> None:
    interaction = await asked(server, app)
    for attempt in (
        interaction.edit_original_response(content="too early"),
        interaction.followup.send("too early"),
        interaction.original_response(),
    ):
        with pytest.raises(discord.NotFound) as refused:
            await attempt
        assert refused.value.code == 10015


async def test_after_three_seconds_there_is_no_first_answer_and_after_fifteen_minutes_no_other(
    server: DiscordServer, app: App
) -> None:
    clock = server.clock = Later()
    interaction, late = await asked(server, app), await asked(server, app)
    await interaction.response.defer()
    clock.ahead = 3.1
    with pytest.raises(discord.NotFound) as refused:
        await late.response.defer()
    assert refused.value.code == 10062
    assert server.failed(str(late.id))
    clock.ahead = server.token_seconds - 1
    await interaction.edit_original_response(content="just in time")
    clock.ahead = server.token_seconds + 1
    with pytest.raises(discord.HTTPException) as ended:
        await interaction.edit_original_response(content="too late")
    assert (ended.value.status, ended.value.code) == (401, 50027)
    with pytest.raises(discord.HTTPException) as ended:
        await interaction.followup.send("too late")
    assert ended.value.code == 50027


async def test_the_second_of_two_answers_is_refused(server: DiscordServer, app: App, raw: Raw) -> None:
    interaction = await asked(server, app)
    await interaction.response.defer()
    path = f"/interactions/{interaction.id}/{interaction.token}/callback"
    again = await raw.call("POST", path, {"type": 4, "data": {"content": "me too"}})
    assert (again.status, again.code) == (400, 40060)


async def test_a_command_has_no_message_to_update(server: DiscordServer, app: App, raw: Raw) -> None:
    interaction = await asked(server, app)
    path = f"/interactions/{interaction.id}/{interaction.token}/callback"
    for kind in (6, 7):
        assert (await raw.call("POST", path, {"type": kind, "data": {"content": "x"}})).code == 50035
    assert (await raw.call("POST", path, {"type": 5})).status == 204


async def test_an_interaction_has_a_budget_of_its_own(
    server: DiscordServer, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    interaction = await asked(server, app)
    await interaction.response.defer()
    path = f"{server.api_url}/webhooks/{server.application_id}/{interaction.token}/messages/@original"
    monkeypatch.setattr(server.clock, "monotonic", lambda: kept(server, interaction).at)
    async with aiohttp.ClientSession() as http:
        statuses = []
        for n in range(6):
            async with http.patch(path, json={"content": f"{n}"}) as answer:
                statuses.append(answer.status)
                assert answer.headers["Via"]
    assert statuses == [200] * 5 + [429]
    assert await app.place(server.general).send("the channel has its own")


async def test_the_limit_over_everything_does_not_hold_up_answers(
    server: DiscordServer, app: App, raw: Raw, monkeypatch: pytest.MonkeyPatch
) -> None:
    interaction = await asked(server, app)
    monkeypatch.setattr(server.clock, "monotonic", lambda: kept(server, interaction).at)
    used_up = [await raw.call("GET", f"/channels/{int(server.general) + 100 + n}") for n in range(51)]
    assert used_up[-1].status == 429
    await interaction.response.defer()
    path = f"/webhooks/{server.application_id}/{interaction.token}/messages/@original"
    assert (await raw.call("PATCH", path, {"content": "in time"})).status == 200


async def test_a_press_updates_its_message_through_the_callback(server: DiscordServer, app: App) -> None:
    stop = discord.ui.View(timeout=None)
    stop.add_item(discord.ui.Button(label="Stop", custom_id="stop", emoji="🛑"))
    stop.add_item(discord.ui.Button(label="Source", url="https://example.com/"))
    sent = await app.text_channel(server.general).send("growing", view=stop)
    (message,) = server.messages(server.general)
    assert [(one.custom_id, one.label, one.emoji, one.url) for one in message.buttons] == [
        ("stop", "Stop", "🛑", ""),
        ("", "Source", "", "https://example.com/"),
    ]
    number = await server.press(server.ada, server.general, str(sent.id), "stop")
    await app.until(lambda: bool(app.presses))
    before = sum(one.method == "PATCH" for one in server.calls)
    await app.presses[0].response.edit_message(content="growing\n-# Stopped", view=None)
    assert (message.content, message.rows) == ("growing\n-# Stopped", ())
    assert server.interactions[number].original is message
    assert sum(one.method == "PATCH" for one in server.calls) == before
    await app.until(lambda: len(app.edits) == 1)


async def test_a_button_on_a_private_message_is_pressed_by_who_sees_it(server: DiscordServer, app: App) -> None:
    interaction = await asked(server, app)
    view = discord.ui.View(timeout=None)
    view.add_item(discord.ui.Button(label="Retry", custom_id="retry"))
    told = await interaction.response.send_message("failed", ephemeral=True, view=view)
    with pytest.raises(ValueError, match="does not see"):
        await server.press(server.grace, server.general, str(told.message_id), "retry")
    await server.press(server.ada, server.general, str(told.message_id), "retry")
    await app.until(lambda: len(app.presses) == 2)
    press = app.presses[1]
    assert press.message is not None
    assert press.message.flags.ephemeral
    await press.response.edit_message(content="again", view=None)
    assert [one.content for one in server.ephemerals(server.ada)] == ["again"]
    await server.dismiss(server.ada, str(told.message_id))
    assert server.ephemerals() == []
    view.stop()  # the library gives private ones a time of their own


async def test_an_answer_in_a_locked_thread_is_private_or_none(server: DiscordServer, app: App) -> None:
    thread = await server.open_thread_as(server.ada, server.general, "Plans")
    interaction = await asked(server, app, thread)
    await server.archive_as(server.grace, thread, locked=True)
    with pytest.raises(discord.Forbidden) as refused:
        await interaction.response.send_message("public")
    assert refused.value.code == 160005
    await interaction.response.send_message("private", ephemeral=True)


@pytest.mark.parametrize(
    "change",
    [
        {"emoji": {"id": None, "name": "nonsense"}},
        {"emoji": {"id": "1", "name": "own"}},
        {"emoji": "🛑"},
        {"style": 5},
        {"style": 5, "custom_id": None, "url": "ftp://example.com"},
        {"style": 6},
        {"custom_id": "x" * 101},
        {"label": "x" * 81},
        {"label": "", "emoji": None},
    ],
)
async def test_malformed_buttons_are_refused_in_answers_too(
    server: DiscordServer, app: App, raw: Raw, change: dict[str, object]
) -> None:
    interaction = await asked(server, app)
    button = {"type": 2, "style": 2, "custom_id": "a", "label": "A"} | change
    data = {"content": "x", "components": [{"type": 1, "components": [button]}]}
    path = f"/interactions/{interaction.id}/{interaction.token}/callback"
    assert (await raw.call("POST", path, {"type": 4, "data": data})).code == 50035
    assert server.messages(server.general) == []


async def test_the_page_is_told_of_commands_forms_private_messages_and_states(server: DiscordServer, app: App) -> None:
    thinking, private, form = [await asked(server, app) for _ in range(3)]
    await thinking.response.defer()
    await private.response.send_message("for you", ephemeral=True)
    modal = discord.ui.Modal(title="A form", custom_id="form")
    modal.add_item(discord.ui.Label(text="Words", component=discord.ui.TextInput[discord.ui.Modal](custom_id="words")))
    await form.response.send_modal(modal)
    shown = server.snapshot()
    (told,) = list_of(shown["ephemerals"])
    assert (told["content"], told["seen_by"], told["interaction_id"]) == ("for you", server.ada, str(private.id))
    (opened,) = list_of(shown["modals"])
    assert (opened["title"], opened["user_id"], opened["interaction_id"]) == ("A form", server.ada, str(form.id))
    assert [one["label"] for one in list_of(opened["fields"])] == ["Words"]
    assert [one["state"] for one in list_of(shown["interactions"])] == ["thinking", "answered", "answered"]
    assert [one["name"] for one in list_of(shown["commands"])] == ["ask", "reset", "Ask about this message"]
    general = list_of(shown["channels"])[0]
    assert isinstance(general["offered"], dict)
    assert len(general["offered"][server.ada]) == 3


def list_of(value: object) -> list[dict[str, object]]:
    assert isinstance(value, list)
    return value
