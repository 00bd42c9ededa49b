"""Buttons, presses and what the bot may answer: the stand-in is as strict as Discord."""

import pytest

from bridge.clock import SystemClock
from bridge.playground.discord import Button, DiscordServer
from tests.playground.discord.clients import Raw
from tests.playground.discord.conftest import Connect


def row(*buttons: object) -> dict[str, object]:
    return {"type": 1, "components": list(buttons)}


def button(custom_id: object = "bridge:stop", label: object = "Stop", **fields: object) -> dict[str, object]:
    return {"type": 2, "style": 2, "custom_id": custom_id, "label": label, **fields}


async def test_buttons_are_kept_shown_replaced_and_taken_away(server: DiscordServer, raw: Raw) -> None:
    sent = await raw.send(server.general, {"content": "x", "components": [row(button(), button("b", "B", style=4))]})
    assert sent.status == 200
    number = str(sent.body["id"])
    message = server.message(server.general, number)
    assert message.buttons == (
        Button(custom_id="bridge:stop", label="Stop", style=2),
        Button(custom_id="b", label="B", style=4),
    )
    assert sent.body["components"] == [
        {
            "type": 1,
            "id": 1,
            "components": [
                {"type": 2, "id": 2, "style": 2, "label": "Stop", "custom_id": "bridge:stop", "disabled": False},
                {"type": 2, "id": 3, "style": 4, "label": "B", "custom_id": "b", "disabled": False},
            ],
        }
    ]
    await raw.edit(server.general, number, {"content": "without a word about them"})
    assert len(message.buttons) == 2
    await raw.edit(server.general, number, {"components": [row(button("c", "C"))]})
    assert [one.custom_id for one in message.buttons] == ["c"]
    assert message.content == "without a word about them"
    await raw.edit(server.general, number, {"components": []})
    assert not message.buttons


def menu(**fields: object) -> dict[str, object]:
    options = [{"label": name.upper(), "value": name} for name in ("a", "b")]
    return {"type": 3, "custom_id": "menu", "placeholder": "Choose…", "options": options, **fields}


async def test_a_menu_is_kept_and_shown_and_one_of_its_options_chosen(server: DiscordServer, raw: Raw) -> None:
    sent = await raw.send(server.general, {"content": "x", "components": [row(menu(min_values=1, max_values=1))]})
    assert sent.status == 200
    (shown,) = sent.body["components"][0]["components"]  # type: ignore[index]  # JSON as it came
    assert (shown["type"], shown["placeholder"]) == (3, "Choose…")
    assert shown["options"] == [{"value": "a", "label": "A"}, {"value": "b", "label": "B"}]
    number = str(sent.body["id"])
    await server.press(server.ada, server.general, number, "menu", "b")
    for value in ("c", None):
        with pytest.raises(ValueError, match="chosen"):
            await server.press(server.ada, server.general, number, "menu", value)


@pytest.mark.parametrize(
    "components",
    [
        "text",
        [row(menu(), button())],
        [row(menu(options=[]))],
        [row(menu(options=[{"label": str(n), "value": str(n)} for n in range(26)]))],
        [row(menu(options=[{"label": "A", "value": "a"}] * 2))],
        [row(menu(options=[{"label": "A" * 101, "value": "a"}]))],
        [row(menu(options=[{"label": "A", "value": "a" * 101}]))],
        [row(menu(options=[{"label": "A", "value": 1}]))],
        [row(menu(placeholder="x" * 151))],
        [row(menu(max_values=2))],
        [row(menu(custom_id=""))],
        [button()],
        [row()],
        [row(*(button(str(n)) for n in range(6)))],
        [row(button())] * 2,
        [row(button(str(n))) for n in range(6)],
        [row({"type": 3, "custom_id": "select"})],
        [row(button(label=""))],
        [row(button(label="x" * 81))],
        [row(button(custom_id=""))],
        [row(button(custom_id="x" * 101))],
        [row(button(custom_id=None))],
        [row(button(style=5, url="https://example.com"))],
        [row(button(style=True))],
        [row(button(disabled="no"))],
    ],
)
async def test_malformed_components_are_refused(server: DiscordServer, raw: Raw, components: object) -> None:
    refused = await raw.send(server.general, {"content": "x", "components": components})
    assert (refused.status, refused.code) == (400, 50035)
    assert server.messages(server.general) == []


async def pressed(server: DiscordServer, raw: Raw) -> str:
    sent = await raw.send(server.general, {"content": "x", "components": [row(button())]})
    return await server.press(server.ada, server.general, str(sent.body["id"]), "bridge:stop")


async def test_a_press_reaches_a_real_client_and_can_be_deferred_once(
    server: DiscordServer, raw: Raw, connect: Connect
) -> None:
    client = await connect()
    number = await pressed(server, raw)
    await client.until(lambda: bool(client.presses))
    (interaction,) = client.presses
    assert interaction.message is not None
    assert interaction.message.content == "x"
    assert interaction.user.display_name == "Ada"
    assert interaction.channel_id == int(server.general)
    await interaction.response.defer()
    assert server.interactions[number].acknowledged
    again = await raw.call("POST", f"/interactions/{number}/{interaction.token}/callback", {"type": 6})
    assert (again.status, again.code) == (400, 40060)


async def test_a_private_answer_is_seen_by_a_real_client_as_sent(
    server: DiscordServer, raw: Raw, connect: Connect
) -> None:
    client = await connect()
    number = await pressed(server, raw)
    await client.until(lambda: bool(client.presses))
    told = await client.presses[0].response.send_message("only for you", ephemeral=True)
    assert told.message_id is not None
    assert server.interactions[number].ephemeral == "only for you"
    assert len(server.messages(server.general)) == 1


async def test_an_answer_after_three_seconds_or_without_the_token_finds_nothing(
    raw: Raw, server: DiscordServer
) -> None:
    class Later(SystemClock):
        ahead = 0.0

        def monotonic(self) -> float:
            return super().monotonic() + self.ahead

    clock = server.clock = Later()
    number = await pressed(server, raw)
    wrong = await raw.call("POST", f"/interactions/{number}/nonsense/callback", {"type": 6})
    assert (wrong.status, wrong.code) == (404, 10062)
    assert not server.failed(number)
    clock.ahead = 3.1
    assert server.failed(number)
    token = server.interactions[number].token
    late = await raw.call("POST", f"/interactions/{number}/{token}/callback", {"type": 6})
    assert (late.status, late.code) == (404, 10062)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"type": 8, "data": {"choices": []}}, 50035),
        ({"type": 7, "data": {"content": "x" * 2001}}, 50035),
        ({"type": 4, "data": {"content": "x", "flags": 1 << 15}}, 50035),
        ({"type": 5, "data": {"flags": 1 << 15}}, 50035),
        ({"type": 4, "data": {"content": " "}}, 50006),
        ({"type": 4, "data": {}}, 50006),
        ({"type": 4, "data": "text"}, 50035),
        ({"type": 4}, 50035),
        ({"type": 9}, 50035),
        ({}, 50035),
        ({"type": "6"}, 50035),
    ],
)
async def test_other_answers_are_refused_and_another_one_may_follow(
    server: DiscordServer, raw: Raw, body: object, code: int
) -> None:
    number = await pressed(server, raw)
    token = server.interactions[number].token
    refused = await raw.call("POST", f"/interactions/{number}/{token}/callback", body)
    assert (refused.status, refused.code) == (400, code)
    taken = await raw.call("POST", f"/interactions/{number}/{token}/callback", {"type": 6}, token="not needed")
    assert taken.status == 204


async def test_only_a_button_that_stands_can_be_pressed(server: DiscordServer, raw: Raw) -> None:
    sent = await raw.send(server.general, {"content": "x", "components": [row(button(disabled=True))]})
    with pytest.raises(ValueError, match="no such button"):
        await server.press(server.ada, server.general, str(sent.body["id"]), "bridge:stop")
    with pytest.raises(ValueError, match="no such button"):
        await server.press(server.ada, server.general, str(sent.body["id"]), "other")


async def test_both_of_two_sessions_hear_a_press_and_a_message(
    server: DiscordServer, raw: Raw, connect: Connect
) -> None:
    clients = [await connect(), await connect()]
    await pressed(server, raw)
    await server.post_as(server.ada, server.general, "hello")
    for client in clients:
        await client.until(lambda one=client: bool(one.presses) and "hello" in one.texts())  # type: ignore[misc]


async def test_a_previews_update_has_no_time_of_editing_and_a_partial_one_lacks_the_rest(
    server: DiscordServer, connect: Connect
) -> None:
    client = await connect()
    number = await server.post_as(server.ada, server.general, "see https://example.com/")
    await server.unfurl(server.general, number)
    await client.until(lambda: len(client.edits) == 1)
    assert client.edits[0].data["edited_timestamp"] is None
    await server.edit_as(server.ada, server.general, number, "edited")
    await client.until(lambda: len(client.edits) == 2)
    assert client.edits[1].data["edited_timestamp"] is not None


async def test_many_messages_are_deleted_at_once(server: DiscordServer, connect: Connect) -> None:
    client = await connect()
    numbers = [await server.post_as(server.ada, server.general, text) for text in "abc"]
    await server.delete_many_as(server.linus, server.general, numbers[:2])
    await client.until(lambda: len(client.deleted) == 2)
    assert sorted(client.deleted) == [int(one) for one in numbers[:2]]
    assert [one.content for one in server.messages(server.general)] == ["c"]


async def test_a_nonce_is_given_back_to_who_posts_and_never_in_the_history(server: DiscordServer, raw: Raw) -> None:
    sent = await raw.send(server.general, {"content": "x", "nonce": "n1", "enforce_nonce": True})
    assert sent.body["nonce"] == "n1"
    read = await raw.call("GET", f"/channels/{server.general}/messages/{sent.body['id']}")
    assert read.status == 200
    assert "nonce" not in read.body


async def test_a_member_is_told_with_its_roles(server: DiscordServer, raw: Raw) -> None:
    role = await server.add_role("Staff", server.ada)
    found = await raw.call("GET", f"/guilds/{server.guild_id}/members/{server.ada}")
    assert found.body["roles"] == [role]
    assert (await raw.call("GET", f"/guilds/{server.guild_id}/members/1")).code == 10007


async def test_forgotten_sessions_have_to_identify_again(server: DiscordServer, connect: Connect) -> None:
    client = await connect()
    await server.drop_gateways(forget=True)
    await client.until(lambda: client.ready_count == 2)
    assert (server.identifies, server.resumes) == (2, 0)
