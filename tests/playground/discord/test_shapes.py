"""Messages of every shape that people send, and the addresses of their files."""

import aiohttp
import discord
import pytest

from bridge.playground.discord import Attachment, DiscordServer, limits
from tests.playground.discord.clients import INTENTS, Listener, Raw
from tests.playground.discord.conftest import Connect


async def fetch(url: str) -> int:
    async with aiohttp.ClientSession() as http, http.get(url) as answer:
        return answer.status


async def test_a_voice_message_is_a_single_sound_without_words(server: DiscordServer, client: Listener) -> None:
    await server.post_voice_as(server.ada, server.dm_ada, b"OggS...", 2.5)
    await client.until(lambda: bool(client.heard))
    (message,) = client.heard
    (sound,) = message.attachments
    assert (message.content, message.flags.voice, sound.is_voice_message()) == ("", True, True)
    assert (sound.filename, sound.content_type, sound.duration) == ("voice-message.ogg", "audio/ogg", 2.5)
    assert await sound.read() == b"OggS..."


async def test_a_forwarded_message_has_its_words_in_a_snapshot(server: DiscordServer, client: Listener) -> None:
    said = await server.post_as(
        server.grace, server.support, "pass it on", attachments=[Attachment(filename="a.txt", size=3, content=b"abc")]
    )
    await server.forward_as(server.ada, server.support, said, server.general)
    await client.until(lambda: len(client.heard) == 2)
    forwarded = client.heard[1]
    assert (forwarded.content, forwarded.attachments, forwarded.flags.forwarded) == ("", [], True)
    (snapshot,) = forwarded.message_snapshots
    assert snapshot.content == "pass it on"
    assert await snapshot.attachments[0].read() == b"abc"
    assert forwarded.reference is not None
    assert forwarded.reference.type is discord.MessageReferenceType.forward
    assert str(forwarded.reference.message_id) == said
    await server.edit_as(server.grace, server.support, said, "changed since")
    again = await client.place(server.general).fetch_message(forwarded.id)
    assert again.message_snapshots[0].content == "pass it on"


async def test_without_the_content_intent_a_snapshot_and_embeds_are_empty(
    server: DiscordServer, connect: Connect
) -> None:
    intents = discord.Intents(INTENTS.value)
    intents.message_content = False
    client = await connect(intents)
    said = await server.post_as(server.grace, server.support, "secret")
    await server.forward_as(server.ada, server.support, said, server.general)
    await server.post_as(server.linus, server.general, "", is_bot=True, embeds=[{"title": "secret"}])
    await client.until(lambda: len(client.heard) == 3)
    assert client.heard[1].message_snapshots[0].content == ""
    assert client.heard[2].embeds == []


async def test_bots_send_embeds_and_people_get_them_from_links(server: DiscordServer, client: Listener) -> None:
    await server.post_as(server.linus, server.general, "", is_bot=True, embeds=[{"title": "News", "description": "x"}])
    said = await server.post_as(server.ada, server.general, "https://example.com/")
    await server.unfurl(server.general, said, "A page", "about things")
    await client.until(lambda: len(client.heard) == 2 and len(client.edits) == 1)
    assert (client.heard[0].content, client.heard[0].embeds[0].title) == ("", "News")
    assert client.edits[0].message.embeds[0].description == "about things"
    assert client.edits[0].message.edited_at is None
    with pytest.raises(ValueError, match="no embeds"):
        await server.post_as(server.ada, server.general, "", embeds=[{"title": "mine"}])


async def test_what_a_reply_answers_is_there_or_gone_or_not_looked_up(server: DiscordServer, client: Listener) -> None:
    first = await server.post_as(server.ada, server.general, "first")
    await server.post_as(server.grace, server.general, "there", reply_to=first)
    await server.post_as(server.grace, server.general, "not looked up", reply_to=first, resolved=False)
    await client.until(lambda: len(client.heard) == 3)
    there, unresolved = (one.reference for one in client.heard[1:])
    assert there is not None
    assert isinstance(there.resolved, discord.Message)
    assert unresolved is not None
    assert unresolved.resolved is None
    assert str(unresolved.message_id) == first
    await server.delete_as(server.ada, server.general, first)
    again = await client.place(server.general).fetch_message(client.heard[1].id)
    assert again.reference is not None
    assert isinstance(again.reference.resolved, discord.DeletedReferencedMessage)


async def test_a_files_address_is_signed_and_expires_and_is_renewed(server: DiscordServer, client: Listener) -> None:
    file = Attachment(filename="my report.txt", content_type="text/plain", size=5, content=b"hello")
    said = await server.post_as(server.ada, server.general, "read this", attachments=[file])
    await client.until(lambda: bool(client.heard))
    (attachment,) = client.heard[0].attachments
    assert await attachment.read() == b"hello"
    bare, _, query = attachment.url.partition("?")
    assert query.startswith("ex=")
    assert await fetch(bare) == 403
    assert await fetch(attachment.url[:-1] + ("0" if attachment.url[-1] != "0" else "1")) == 403
    server.link_seconds = -2
    stale = (await client.place(server.general).fetch_message(int(said))).attachments[0]
    with pytest.raises(discord.NotFound):
        await stale.read()
    server.link_seconds = limits.LINK_SECONDS
    fresh = (await client.place(server.general).fetch_message(int(said))).attachments[0]
    assert (fresh.id, await fresh.read()) == (attachment.id, b"hello")
    await server.delete_as(server.ada, server.general, said)
    assert await fetch(fresh.url) == 404


async def test_discord_may_not_say_what_kind_of_file_it_is(server: DiscordServer, client: Listener) -> None:
    await server.post_as(server.ada, server.general, "", attachments=[Attachment(filename="a", typed=False)])
    await client.until(lambda: bool(client.heard))
    assert client.heard[0].attachments[0].content_type is None


async def test_peoples_files_have_a_size_and_a_number_too(server: DiscordServer) -> None:
    large = Attachment(filename="a.bin", size=limits.MAX_FILE_BYTES + 1)
    with pytest.raises(ValueError, match="too large"):
        await server.post_as(server.ada, server.general, "", attachments=[large])
    with pytest.raises(ValueError, match="10 files"):
        await server.post_as(server.ada, server.general, "", attachments=[Attachment(filename="a")] * 11)
    server.set_boosts(2)
    assert await server.post_as(server.ada, server.general, "", attachments=[large])


async def test_boosts_raise_the_limit_of_the_bots_files_too(server: DiscordServer, client: Listener) -> None:
    assert client.guilds[0].filesize_limit == limits.MAX_FILE_BYTES
    server.set_boosts(2)
    await server.begin_outage()
    await server.end_outage()
    await client.until(lambda: client.guilds[0].filesize_limit > limits.MAX_FILE_BYTES)


async def test_an_edit_keeps_adds_and_takes_away_files(server: DiscordServer, raw: Raw) -> None:
    kept = await raw.say(server.general, "x")
    assert (await raw.edit(server.general, kept, {"attachments": []})).status == 200
    assert (await raw.edit(server.general, kept, {"attachments": [{"id": "1"}]})).code == 50035
    assert (await raw.edit(server.general, kept, {"content": "", "attachments": []})).code == 50006


async def test_previews_are_suppressed_by_an_edit_and_nothing_else_is(server: DiscordServer, raw: Raw) -> None:
    kept = await raw.say(server.general, "https://example.com/")
    assert (await raw.edit(server.general, kept, {"flags": 4})).body["flags"] == 4
    assert (await raw.edit(server.general, kept, {"flags": 1 << 15})).code == 50035
    assert (await raw.edit(server.general, kept, {"content": "still"})).body["flags"] == 4
