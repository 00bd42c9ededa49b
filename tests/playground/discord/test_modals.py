"""Forms: as the library sends them, as people fill them in, and what is refused."""

import discord
import pytest

from bridge.playground.discord import DiscordServer
from tests.playground.discord.apps import App
from tests.playground.discord.clients import Raw


class Why(discord.ui.Modal):
    """What a bot asks after a thumb down."""

    def __init__(self, app: App) -> None:
        super().__init__(title="What was wrong?", custom_id="why:7", timeout=None)
        self.app = app
        self.add_item(discord.ui.TextDisplay("Your words go to the app's owners."))
        self.reason = discord.ui.TextInput[Why](
            custom_id="reason", style=discord.TextStyle.paragraph, max_length=20, min_length=3
        )
        self.add_item(discord.ui.Label(text="In your words", description="Optional", component=self.reason))
        self.kind = discord.ui.Select[Why](
            custom_id="kind",
            options=[
                discord.SelectOption(label="Wrong", value="wrong"),
                discord.SelectOption(label="Rude", value="rude"),
            ],
        )
        self.add_item(discord.ui.Label(text="Kind", component=self.kind))
        self.submitted: list[discord.Interaction] = []

    async def on_submit(self, interaction: discord.Interaction) -> None:
        self.submitted.append(interaction)
        self.app._tell()


async def opened(server: DiscordServer, app: App) -> tuple[Why, str, discord.Message]:
    view = discord.ui.View(timeout=None)
    view.add_item(discord.ui.Button(label="No", custom_id="down", emoji="👎"))
    sent = await app.text_channel(server.general).send("an answer", view=view)
    number = await server.press(server.ada, server.general, str(sent.id), "down")
    await app.until(lambda: bool(app.presses))
    form = Why(app)
    await app.presses[-1].response.send_modal(form)
    return form, number, sent


async def test_a_form_is_opened_filled_in_and_read_by_the_library(server: DiscordServer, app: App) -> None:
    form, number, sent = await opened(server, app)
    modal = server.modals[number]
    assert (modal.title, modal.custom_id, modal.user_id) == ("What was wrong?", "why:7", server.ada)
    submitted = await server.submit_modal(server.ada, number, {"reason": "too long", "kind": ["wrong"]})
    await app.until(lambda: bool(form.submitted))
    (interaction,) = form.submitted
    assert (form.reason.value, form.kind.values) == ("too long", ["wrong"])
    assert str(interaction.id) == submitted
    assert interaction.message is not None
    assert interaction.message.id == sent.id
    assert server.modals == {}
    await interaction.response.edit_message(content="an answer, judged")
    assert [one.content for one in server.messages(server.general)] == ["an answer, judged"]


async def test_a_form_that_a_command_opened_has_no_message(server: DiscordServer, app: App, raw: Raw) -> None:
    number = await server.command(server.ada, server.general, "ask", {"question": "x"})
    await app.until(lambda: bool(app.asked))
    form = Why(app)
    await app.asked[0][0].response.send_modal(form)
    with pytest.raises(discord.NotFound) as refused:
        await app.asked[0][0].edit_original_response(content="there is none")
    assert refused.value.code == 10008
    await server.submit_modal(server.ada, number, {"reason": "because", "kind": "rude"})
    await app.until(lambda: bool(form.submitted))
    (interaction,) = form.submitted
    assert interaction.message is None
    path = f"/interactions/{interaction.id}/{interaction.token}/callback"
    assert (await raw.call("POST", path, {"type": 7, "data": {"content": "x"}})).code == 50035
    assert (await raw.call("POST", path, {"type": 9, "data": form.to_dict()})).code == 50035
    await interaction.response.send_message("thank you", ephemeral=True)
    assert [one.content for one in server.ephemerals(server.ada)] == ["thank you"]


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"kind": "wrong"}, "`reason` is required"),
        ({"kind": "wrong", "reason": "no"}, "3 to 20"),
        ({"kind": "wrong", "reason": "x" * 21}, "3 to 20"),
        ({"reason": "because"}, "takes 1 to 1"),
        ({"reason": "because", "kind": ["wrong", "rude"]}, "takes 1 to 1"),
        ({"reason": "because", "kind": "other"}, "does not offer"),
        ({"reason": ["because"], "kind": "wrong"}, "takes a text"),
        ({"colour": "red"}, "no fields"),
    ],
)
async def test_the_client_sends_no_form_that_is_not_filled_in(
    server: DiscordServer, app: App, values: dict[str, str | list[str]], why: str
) -> None:
    _, number, _ = await opened(server, app)
    with pytest.raises(ValueError, match=why):
        await server.submit_modal(server.ada, number, values)
    assert number in server.modals
    with pytest.raises(ValueError, match="somebody else"):
        await server.submit_modal(server.grace, number, values)


async def test_a_form_that_was_put_away_cannot_be_sent(server: DiscordServer, app: App) -> None:
    _, number, _ = await opened(server, app)
    await server.close_modal(server.ada, number)
    with pytest.raises(KeyError):
        await server.submit_modal(server.ada, number, {"reason": "because", "kind": "wrong"})


TEXT = {"type": 4, "custom_id": "a", "style": 1}


def label(component: object, **fields: object) -> dict[str, object]:
    return {"type": 18, "label": "A", "component": component, **fields}


@pytest.mark.parametrize(
    "change",
    [
        {"title": "x" * 46},
        {"title": ""},
        {"custom_id": "x" * 101},
        {"components": []},
        {"components": [label(TEXT | {"custom_id": str(n)}) for n in range(6)]},
        {"components": [label(TEXT), label(TEXT)]},
        {"components": [TEXT]},
        {"components": [label(TEXT, label="x" * 46)]},
        {"components": [label(TEXT, description="x" * 101)]},
        {"components": [label(TEXT | {"label": "twice"})]},
        {"components": [label(TEXT | {"style": 3})]},
        {"components": [label(TEXT | {"max_length": 4001})]},
        {"components": [label(TEXT | {"min_length": 3, "max_length": 2})]},
        {"components": [label(TEXT | {"value": "xxx", "max_length": 2})]},
        {"components": [label(TEXT | {"placeholder": "x" * 101})]},
        {"components": [label({"type": 3, "custom_id": "a", "options": []})]},
        {"components": [{"type": 1, "components": [TEXT]}]},
    ],
)
async def test_a_malformed_form_is_refused(
    server: DiscordServer, app: App, raw: Raw, change: dict[str, object]
) -> None:
    number = await server.command(server.ada, server.general, "ask", {"question": "x"})
    path = f"/interactions/{number}/{server.interactions[number].token}/callback"
    good = {"title": "A form", "custom_id": "form", "components": [label(TEXT)]}
    refused = await raw.call("POST", path, {"type": 9, "data": good | change})
    assert (refused.status, refused.code) == (400, 50035)
    assert server.modals == {}
    old = {"components": [{"type": 1, "components": [TEXT | {"label": "As before 2025"}]}]}
    assert (await raw.call("POST", path, {"type": 9, "data": good | old})).status == 204
