"""Files over real sockets: one message with its file, posted once, and honest about why there is none."""

from dataclasses import replace

import pytest

from adapters.discord.adapter import DiscordPlatform
from adapters.discord.capabilities import MAX_FILE_BYTES, MAX_REQUEST_BYTES
from bridge.errors import MessageRefused, NotAllowed, PlatformUnavailable, RateLimited
from bridge.messages import OutgoingMessage, ReplyTarget
from bridge.outgoing_files import OutgoingFile
from bridge.platform_api import SendsFiles
from bridge.playground.discord import DiscordServer, Fault, Message
from bridge.playground.discord.permissions import ATTACH_FILES, DEFAULT_PERMISSIONS
from tests.adapters.discord.conftest import Inbox, ask, hearing, out

FILE = OutgoingFile(name="../@everyone answer.md", content="# Grüße\n".encode(), media_type="text/markdown")
CREATE = "POST /channels/{channel_id}/messages"


@pytest.fixture
async def question(server: DiscordServer, platform: DiscordPlatform, inbox: Inbox) -> ReplyTarget:
    async with hearing(platform, inbox):
        return await ask(server, inbox)


def answers(server: DiscordServer) -> list[Message]:
    return [message for message in server.messages(server.general) if message.is_bot]


async def test_a_file_and_its_comment_are_one_quiet_message(
    server: DiscordServer, platform: DiscordPlatform, question: ReplyTarget
) -> None:
    assert isinstance(platform, SendsFiles)
    people = {server.grace: "Grace"}
    comment = OutgoingMessage(text="The rest is **attached**. @everyone https://example.org", nonce="n7", people=people)
    ref = await platform.send_file(question, comment, FILE)
    (message,) = answers(server)
    assert ref.address == f"{server.general}/{message.id}"
    assert message.content.startswith("The rest is **attached**.")
    ((_, file),) = message.attachments
    assert (file.filename, file.content, file.content_type) == ("_everyone_answer.md", FILE.content, "text/markdown")
    (created,) = [call.body for call in server.calls if f"{call.method} {call.route}" == CREATE]
    assert created is not None
    assert (created["nonce"], created["enforce_nonce"], created["flags"]) == ("n7", True, 4)
    assert created["allowed_mentions"] == {"parse": [], "users": [int(server.grace)], "replied_user": False}
    assert created["message_reference"]
    assert server.pings == []


async def test_the_file_stays_when_its_comment_is_edited(
    server: DiscordServer, platform: DiscordPlatform, question: ReplyTarget
) -> None:
    ref = await platform.send_file(question, out("one"), FILE)
    await platform.edit(question, ref, out("two"))
    (message,) = answers(server)
    assert message.content == "two"
    assert len(message.attachments) == 1


async def test_sending_again_with_the_same_nonce_posts_once(
    server: DiscordServer, platform: DiscordPlatform, question: ReplyTarget
) -> None:
    server.faults.fail_next[CREATE] = [Fault(kind="effect_then_drop")]
    with pytest.raises(PlatformUnavailable):
        await platform.send_file(question, out("once", "n7"), FILE)
    ref = await platform.send_file(question, out("once", "n7"), FILE)
    (message,) = answers(server)
    assert ref.address.endswith(message.id)


async def test_without_the_permission_nothing_is_posted_and_text_still_can_be(
    server: DiscordServer, platform: DiscordPlatform, question: ReplyTarget
) -> None:
    server.permissions[server.general] = DEFAULT_PERMISSIONS & ~ATTACH_FILES
    with pytest.raises(NotAllowed) as caught:
        await platform.send_file(question, out("no"), FILE)
    assert caught.value.code == "50013"
    assert answers(server) == []
    await platform.send(question, out("but text", "n2"))
    assert [message.content for message in answers(server)] == ["but text"]


async def test_a_file_that_is_too_large_says_nothing_against_the_text(
    server: DiscordServer, platform: DiscordPlatform, question: ReplyTarget
) -> None:
    largest = replace(FILE, content=b"x" * MAX_FILE_BYTES)
    await platform.send_file(question, out("just fits"), largest)
    calls = len(server.calls)
    with pytest.raises(NotAllowed) as caught:
        await platform.send_file(question, out("no", "n2"), replace(FILE, content=largest.content + b"x"))
    assert caught.value.code == "40005"
    assert [call.route for call in server.calls[calls:]] == ["/guilds/{guild_id}"], (
        "Discord is asked for its limit alone"
    )
    server.faults.fail_next[CREATE] = [Fault(status=413, code=40005), Fault(status=413)]
    for code in ("40005", "413"):
        with pytest.raises(NotAllowed) as caught:
            await platform.send_file(question, out("no", "n3"), FILE)
        assert caught.value.code == code


async def test_a_boosted_server_takes_larger_files_and_is_asked_once(
    server: DiscordServer, platform: DiscordPlatform, question: ReplyTarget
) -> None:
    server.set_boosts(2)
    large = replace(FILE, content=b"x" * (MAX_FILE_BYTES + 1))
    for nonce in ("n1", "n2"):
        await platform.send_file(question, out("large", nonce), large)
    assert [len(message.attachments) for message in answers(server)] == [1, 1]
    assert sum(call.route == "/guilds/{guild_id}" for call in server.calls) == 1
    with pytest.raises(NotAllowed):
        await platform.send_file(question, out("too large", "n3"), replace(FILE, content=b"x" * MAX_REQUEST_BYTES))


async def test_a_comment_that_is_refused_is_told_as_such(
    server: DiscordServer, platform: DiscordPlatform, question: ReplyTarget
) -> None:
    with pytest.raises(MessageRefused):
        await platform.send_file(question, out("x" * 2001), FILE)
    assert answers(server) == []


async def test_limits_and_trouble_are_told_as_for_any_message(
    server: DiscordServer, platform: DiscordPlatform, question: ReplyTarget
) -> None:
    server.faults.fail_next[CREATE] = [Fault(kind="rate_limit", retry_after=77.0), Fault(status=503)]
    with pytest.raises(RateLimited):
        await platform.send_file(question, out("one"), FILE)
    with pytest.raises(PlatformUnavailable):
        await platform.send_file(question, out("one"), FILE)
