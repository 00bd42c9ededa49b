"""Files from the bot: multipart bodies as Discord reads them, permissions, sizes, and getting them back."""

import io
import json

import aiohttp
import discord
import pytest

from bridge.playground.discord import Attachment, DiscordServer, limits
from bridge.playground.discord.permissions import ATTACH_FILES, DEFAULT_PERMISSIONS
from tests.playground.discord.clients import Listener, Raw, Reply

FILE = {"files[0]": ("a.txt", b"hello")}


async def send_form(
    server: DiscordServer, payload: object, files: dict[str, tuple[str, bytes]], *, raw: str | None = None
) -> Reply:
    form = aiohttp.FormData(default_to_multipart=True)
    form.add_field("payload_json", json.dumps(payload) if raw is None else raw)
    for name, (filename, content) in files.items():
        form.add_field(name, io.BytesIO(content), filename=filename, content_type="application/octet-stream")
    url = f"{server.api_url}/channels/{server.general}/messages"
    headers = {"Authorization": f"Bot {server.token}"}
    async with aiohttp.ClientSession() as http, http.post(url, data=form, headers=headers) as response:
        text = await response.text()
        return Reply(response.status, dict(response.headers), json.loads(text), text)


async def test_the_client_sends_a_file_and_can_get_it_back(server: DiscordServer, client: Listener) -> None:
    content = bytes(range(256)) * 10
    sent = await client.text_channel(server.general).send(
        "look", file=discord.File(io.BytesIO(content), filename="my notes.md"), nonce="n1"
    )
    (attachment,) = sent.attachments
    assert (attachment.filename, attachment.size, attachment.content_type) == (
        "my_notes.md",
        len(content),
        "text/markdown",
    )
    assert await attachment.read() == content
    await client.until(lambda: "look" in client.texts())
    assert [one.filename for one in client.heard[-1].attachments] == ["my_notes.md"]
    await sent.edit(content="still there")
    (kept,) = server.messages(server.general)[-1].attachments
    assert kept[1].content == content
    assert '"size": 2560' in json.dumps(server.snapshot())


async def test_several_files_come_in_the_order_of_their_list(server: DiscordServer) -> None:
    files = {"files[3]": ("c.txt", b"c"), "files[0]": ("a.txt", b"a")}
    listed = {"content": "", "attachments": [{"id": 3}, {"id": "0", "filename": "a.txt"}]}
    sent = await send_form(server, listed, files)
    assert sent.status == 200
    attachments = sent.body["attachments"]
    assert isinstance(attachments, list)
    assert [one["filename"] for one in attachments] == ["c.txt", "a.txt"]
    unlisted = await send_form(server, {"content": "x"}, files)
    attachments = unlisted.body["attachments"]
    assert isinstance(attachments, list)
    assert [one["filename"] for one in attachments] == ["a.txt", "c.txt"]


async def test_the_same_nonce_returns_the_first_message_and_its_file(server: DiscordServer) -> None:
    payload = {"content": "x", "nonce": "n", "enforce_nonce": True}
    first, second = [await send_form(server, payload, FILE) for _ in range(2)]
    assert first.body["id"] == second.body["id"]
    assert len(server.messages(server.general)) == 1


@pytest.mark.parametrize(
    ("payload", "files"),
    [
        ({"content": "x", "attachments": [{"id": 1}]}, FILE),
        ({"content": "x", "attachments": [{}]}, FILE),
        ({"content": "x", "attachments": ["0"]}, FILE),
        ({"content": "x", "attachments": 0}, FILE),
        ({"content": "x"}, {"file": ("a.txt", b"hello")}),
        ({"content": "x"}, {}),
        ({"content": "x"}, {f"files[{n}]": ("a.txt", b"a") for n in range(limits.MAX_FILES + 1)}),
        ({"content": "x" * 2001}, FILE),
    ],
)
async def test_a_malformed_form_is_refused(
    server: DiscordServer, payload: object, files: dict[str, tuple[str, bytes]]
) -> None:
    assert (await send_form(server, payload, files)).code == 50035
    assert server.messages(server.general) == []


async def test_a_form_whose_json_is_none_is_refused(server: DiscordServer) -> None:
    assert (await send_form(server, None, FILE, raw="{")).code == 50109
    assert (await send_form(server, None, FILE, raw="[]")).code == 50109


async def test_a_list_of_files_that_did_not_come_is_refused(server: DiscordServer, raw: Raw) -> None:
    assert (await raw.send(server.general, {"content": "x", "attachments": [{"id": 0}]})).code == 50035
    sent = await raw.say(server.general, "x")
    assert (await raw.edit(server.general, sent, {"content": "y", "attachments": [{"id": 0}]})).code == 50035
    assert (await raw.edit(server.general, sent, {"attachments": "none"})).code == 50035


async def test_files_have_a_size(server: DiscordServer) -> None:
    fits = await send_form(server, {"content": "x"}, {"files[0]": ("a.bin", b"x" * limits.MAX_FILE_BYTES)})
    assert fits.status == 200
    one = await send_form(server, {"content": "x"}, {"files[0]": ("a.bin", b"x" * (limits.MAX_FILE_BYTES + 1))})
    assert (one.status, one.code) == (413, 40005)
    huge = {f"files[{n}]": ("a.bin", b"x" * (limits.MAX_FILE_BYTES - 1)) for n in range(3)}
    together = await send_form(server, {"content": "x"}, huge)
    assert (together.status, together.code) == (413, 40005)


async def test_files_need_their_own_permission(server: DiscordServer, raw: Raw) -> None:
    server.permissions[server.guild_id] = DEFAULT_PERMISSIONS & ~ATTACH_FILES
    assert (await send_form(server, {"content": "x"}, FILE)).code == 50013
    await raw.say(server.general, "text alone")
    guilds = await raw.call("GET", "/users/@me/guilds")
    assert json.loads(guilds.text)[0]["permissions"] == str(DEFAULT_PERMISSIONS & ~ATTACH_FILES)


async def test_a_file_goes_with_its_message_and_a_persons_leads_nowhere(server: DiscordServer, raw: Raw) -> None:
    async def status(message_id: str) -> int:
        message = await raw.call("GET", f"/channels/{server.general}/messages/{message_id}")
        attachments = message.body["attachments"]
        assert isinstance(attachments, list)
        async with aiohttp.ClientSession() as http, http.get(attachments[0]["url"]) as response:
            found = response.status
        await server.delete_as(server.ada, server.general, message_id)
        async with aiohttp.ClientSession() as http, http.get(attachments[0]["url"]) as response:
            assert response.status == 404
        return found

    sent = await send_form(server, {"content": "x"}, FILE)
    assert await status(str(sent.body["id"])) == 200
    assert (
        await status(await server.post_as(server.ada, server.general, "", attachments=[Attachment(filename="a")]))
        == 404
    )
