"""Files that people attach: fetched from Discord's own hosts alone, by an address that may have to be renewed once."""

from dataclasses import replace
from pathlib import Path

import pytest
from yarl import URL

from adapters.discord.adapter import DiscordPlatform
from adapters.discord.addresses import file_address, link_address
from adapters.discord.rest.downloads import Downloads, is_discords
from bridge.errors import FileTooLarge, NotAllowed, PlatformUnavailable
from bridge.messages import Attachment
from bridge.platform_api import FetchesFiles
from bridge.playground.discord import Attachment as Attached
from bridge.playground.discord import DiscordServer
from bridge.playground.discord.permissions import DEFAULT_PERMISSIONS, READ_MESSAGE_HISTORY
from tests.adapters.discord.test_threads import post_of

CONTENT = b"%PDF-1.7 some of it"
MESSAGE = "GET /channels/{channel_id}/messages/{message_id}"


def downloads(platform: DiscordPlatform) -> Downloads:
    return platform._outbound.downloads


async def attach(server: DiscordServer, attached: Attached | None = None) -> Attachment:
    """Ada attaches a file in #general; the file as an event tells it."""
    attached = attached or Attached(filename="plan.pdf", content_type="application/pdf", content=CONTENT)
    attached = replace(attached, size=len(attached.content or b""))
    message = await server.post_as(server.ada, server.general, "look", attachments=[attached])
    ((number, _),) = server.message(server.general, message).attachments
    return Attachment(
        name=attached.filename,
        size=attached.size,
        address=file_address(int(server.general), int(message), int(number)),
    )


async def fetch(server: DiscordServer, platform: DiscordPlatform, file: Attachment, into: Path, most: int = 100) -> str:
    return await platform.fetch_file(post_of(server, server.general, server.general), file, into, most)


async def address_of(server: DiscordServer, platform: DiscordPlatform, file: Attachment) -> str:
    """As Discord gives it now."""
    _, message, _ = file.address.split("/")
    told = await platform._outbound.lookups.message(int(server.general), int(message))
    attached = told["attachments"]
    assert isinstance(attached, list)
    return str(attached[0]["url"])


def asked(server: DiscordServer) -> int:
    return sum(f"{call.method} {call.route}" == MESSAGE for call in server.calls)


async def test_a_file_is_fetched_by_asking_for_its_message(
    server: DiscordServer, platform: DiscordPlatform, tmp_path: Path
) -> None:
    assert isinstance(platform, FetchesFiles)
    into = tmp_path / "content"
    assert await fetch(server, platform, await attach(server), into) == "application/pdf"
    assert into.read_bytes() == CONTENT


async def test_an_address_that_came_with_the_event_spares_the_call(
    server: DiscordServer, platform: DiscordPlatform, tmp_path: Path
) -> None:
    file = await attach(server)
    downloads(platform).remember(file.address, await address_of(server, platform, file))
    before = asked(server)
    await fetch(server, platform, file, tmp_path / "content")
    assert (tmp_path / "content").read_bytes() == CONTENT
    assert asked(server) == before


@pytest.mark.parametrize("spoilt", ["expired", "altered"])
async def test_an_address_that_is_not_taken_any_more_is_renewed_once(
    server: DiscordServer, platform: DiscordPlatform, tmp_path: Path, spoilt: str
) -> None:
    file = await attach(server)
    if spoilt == "expired":
        server.link_seconds = -10
    address = await address_of(server, platform, file)
    server.link_seconds = 86_400
    downloads(platform).remember(file.address, address if spoilt == "expired" else address + "0")
    before = asked(server)
    await fetch(server, platform, file, tmp_path / "content")
    assert (tmp_path / "content").read_bytes() == CONTENT
    assert asked(server) == before + 1


async def test_an_address_that_is_never_taken_is_given_up(
    server: DiscordServer, platform: DiscordPlatform, tmp_path: Path
) -> None:
    file = await attach(server)
    server.link_seconds = -10
    with pytest.raises(NotAllowed, match="did not hand the file out"):
        await fetch(server, platform, file, tmp_path / "content")
    assert asked(server) == 1


async def test_a_file_of_a_command_is_had_by_its_address_alone(
    server: DiscordServer, platform: DiscordPlatform, tmp_path: Path
) -> None:
    file = await attach(server)
    link = replace(file, address=link_address(await address_of(server, platform, file)))
    before = asked(server)
    assert await fetch(server, platform, link, tmp_path / "content") == "", "the event has told"
    assert (tmp_path / "content").read_bytes() == CONTENT
    with pytest.raises(NotAllowed, match="attach it again"):
        await fetch(server, platform, replace(link, address=link_address(link.address[5:] + "0")), tmp_path / "content")
    assert asked(server) == before


async def test_a_file_in_a_forwarded_message_is_found(
    server: DiscordServer, platform: DiscordPlatform, tmp_path: Path
) -> None:
    file = await attach(server)
    _, message, number = file.address.split("/")
    forwarded = await server.forward_as(server.grace, server.general, message, server.general)
    there = replace(file, address=file_address(int(server.general), int(forwarded), int(number)))
    await fetch(server, platform, there, tmp_path / "content")
    assert (tmp_path / "content").read_bytes() == CONTENT


async def test_a_media_type_that_nobody_knows_is_not_made_up(
    server: DiscordServer, platform: DiscordPlatform, tmp_path: Path
) -> None:
    file = await attach(server, Attached(filename="notes.txt", content=CONTENT, typed=False))
    assert await fetch(server, platform, file, tmp_path / "content") == ""


async def test_a_file_that_is_too_large_is_not_kept(
    server: DiscordServer, platform: DiscordPlatform, tmp_path: Path
) -> None:
    file = await attach(server)
    into = tmp_path / "content"
    for told in (len(CONTENT), None):
        with pytest.raises(FileTooLarge):
            await fetch(server, platform, replace(file, size=told), into, most=len(CONTENT) - 1)
        assert not into.exists()
    await fetch(server, platform, file, into, most=len(CONTENT))


async def test_why_a_file_cannot_be_had_is_said(
    server: DiscordServer, platform: DiscordPlatform, tmp_path: Path
) -> None:
    file = await attach(server)
    for wrong in ("", "12/34", "link/https://example.org/x", "link/not an address"):
        with pytest.raises(NotAllowed, match="did not hand the file out"):
            await fetch(server, platform, replace(file, address=type(file.address)(wrong)), tmp_path / "content")
    server.permissions[server.general] = DEFAULT_PERMISSIONS & ~READ_MESSAGE_HISTORY
    with pytest.raises(NotAllowed, match="Read Message History"):
        await fetch(server, platform, file, tmp_path / "content")
    del server.permissions[server.general]
    await server.delete_as(server.ada, server.general, file.address.split("/")[1])
    with pytest.raises(NotAllowed, match="deleted"):
        await fetch(server, platform, file, tmp_path / "content")


async def test_a_host_that_is_out_of_reach_may_be_tried_again(
    server: DiscordServer, platform: DiscordPlatform, tmp_path: Path
) -> None:
    file = await attach(server)
    link = replace(file, address=link_address(await address_of(server, platform, file)))
    await server.stop()
    with pytest.raises(PlatformUnavailable):
        await fetch(server, platform, link, tmp_path / "content")


@pytest.mark.parametrize(
    ("address", "own"),
    [
        ("https://cdn.discordapp.com/attachments/1/2/a.png?ex=1", True),
        ("https://media.discordapp.net/attachments/1/2/a.png", True),
        ("http://cdn.discordapp.com/attachments/1/2/a.png", False),
        ("https://cdn.discordapp.com:8443/attachments/1/2/a.png", False),
        ("https://someone@cdn.discordapp.com/a.png", False),
        ("https://cdn.discordapp.com.example.org/a.png", False),
        ("https://example.org/a.png", False),
        ("http://127.0.0.1:9000/attachments/1/2/a.png", True),
        ("http://127.0.0.1:9001/attachments/1/2/a.png", False),
        ("/attachments/1/2/a.png", False),
    ],
)
def test_only_discords_own_hosts_and_the_configured_one_are_asked(address: str, own: bool) -> None:
    assert is_discords(URL(address), [URL("http://127.0.0.1:9000/api/v10")]) is own
