"""Finding what a process posted that is not there any more: by nonce in the thread, files by what they are."""

from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from adapters.slack.adapter import SlackPlatform
from adapters.slack.web.history import LOOK_PAGE
from bridge.errors import MessageGone, PlatformError, PlatformUnavailable, RateLimited
from bridge.messages import ReplyTarget
from bridge.outgoing_files import OutgoingFile
from bridge.platform_api import FindsSent
from bridge.playground.slack import File, SlackServer
from bridge.playground.slack.model import Fault
from tests.adapters.slack.peer import answers, asked, make_platform, question

FILE = OutgoingFile(name="answer.md", content=b"the rest", media_type="text/markdown")
COMMENT = question("The rest is attached.", nonce="n7")


def just_now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
async def platform(server: SlackServer) -> AsyncIterator[SlackPlatform]:
    """The process that died."""
    server.uploads.share_delay = 0.02
    made = make_platform(server, slack_file_wait=1)
    yield made
    await made.close()


@pytest.fixture
async def heir(server: SlackServer) -> AsyncIterator[SlackPlatform]:
    """The process that comes after it and remembers nothing."""
    made = make_platform(server, slack_file_wait=1)
    assert isinstance(made, FindsSent)
    yield made
    await made.close()


async def test_what_was_posted_is_found_by_another_process(
    platform: SlackPlatform, heir: SlackPlatform, target: ReplyTarget
) -> None:
    since = just_now()
    await platform.send(target, question("part one", nonce="p0"))
    ref = await platform.send(target, question("part two", nonce="p1"))
    await platform.edit(target, ref, question("part two, longer", nonce="p1"))
    assert await heir.find_sent(target, question("newer text", nonce="p1"), since) == ref
    assert await heir.find_sent(target, question("part one", nonce="p2"), since) is None


async def test_a_clock_that_is_ahead_of_slacks_still_finds_it(
    platform: SlackPlatform, heir: SlackPlatform, target: ReplyTarget
) -> None:
    ref = await platform.send(target, question("one", nonce="p1"))
    assert await heir.find_sent(target, question("one", nonce="p1"), just_now() + timedelta(seconds=60)) == ref
    assert await heir.find_sent(target, question("one", nonce="p1"), just_now() + timedelta(hours=1)) is None


async def test_a_persons_message_with_the_same_text_is_not_ours(
    server: SlackServer, heir: SlackPlatform, target: ReplyTarget, root: str
) -> None:
    await server.post_as("U0GRACE", "C0GENERAL", "part one", thread_ts=root)
    assert await heir.find_sent(target, question("part one", nonce="p1"), just_now()) is None


async def test_a_long_thread_is_looked_through_page_by_page_but_not_without_end(
    server: SlackServer, platform: SlackPlatform, heir: SlackPlatform, target: ReplyTarget, root: str
) -> None:
    since = just_now()
    for number in range(LOOK_PAGE + 5):
        await server.post_as("U0GRACE", "C0GENERAL", str(number), thread_ts=root)
    ref = await platform.send(target, question("late", nonce="p1"))
    assert await heir.find_sent(target, question("late", nonce="p1"), since) == ref
    assert asked(server, "conversations.replies") == 2
    for number in range(5 * LOOK_PAGE):
        await server.post_as("U0GRACE", "C0GENERAL", str(number), thread_ts=root)
    assert await heir.find_sent(target, question("never", nonce="p9"), since) is None
    assert asked(server, "conversations.replies") == 2 + 5


async def test_without_the_history_scope_nobody_can_tell(
    server: SlackServer, platform: SlackPlatform, heir: SlackPlatform, target: ReplyTarget
) -> None:
    await platform.send(target, question("one", nonce="p1"))
    server.scopes = [scope for scope in server.scopes if not scope.endswith(":history")]
    assert await heir.find_sent(target, question("one", nonce="p1"), just_now()) is None


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault.http(503), PlatformUnavailable),
        (Fault.rate_limit(7), RateLimited),
        (Fault.refuse("thread_not_found"), MessageGone),
    ],
)
async def test_trouble_is_told_and_not_taken_for_an_answer(
    server: SlackServer, heir: SlackPlatform, target: ReplyTarget, fault: Fault, kind: type[PlatformError]
) -> None:
    server.faults.fail_next["conversations.replies"] = [fault]
    with pytest.raises(kind):
        await heir.find_sent(target, question("one", nonce="p1"), just_now())


async def test_the_message_of_a_file_is_found_like_any_other(
    platform: SlackPlatform, heir: SlackPlatform, target: ReplyTarget
) -> None:
    since = just_now()
    ref = await platform.send_file(target, COMMENT, FILE)
    assert await heir.find_sent(target, COMMENT, since) == ref


async def test_a_file_that_nobody_came_to_speak_of_is_not_put_there_again(
    server: SlackServer, platform: SlackPlatform, heir: SlackPlatform, target: ReplyTarget, root: str
) -> None:
    since = just_now()
    server.faults.fail_next["chat.postMessage"] = [Fault.http(503)]
    with pytest.raises(PlatformUnavailable):
        await platform.send_file(target, COMMENT, FILE)
    assert await heir.find_sent(target, COMMENT, since) is None
    await heir.send_file(target, COMMENT, FILE)
    shared, comment = answers(server, root)
    assert [file.name for file in shared.files] == ["answer.md"]
    assert comment.visible_text == COMMENT.text
    assert asked(server, "files.completeUploadExternal") == 1


@pytest.mark.parametrize("other", ["name", "size", "spoken of", "a person's"])
async def test_another_file_is_not_taken_for_it(
    server: SlackServer, platform: SlackPlatform, heir: SlackPlatform, target: ReplyTarget, root: str, other: str
) -> None:
    since = just_now()
    match other:
        case "name":
            found = replace(FILE, name="other.md")
        case "size":
            found = replace(FILE, content=b"another rest")
        case _:
            found = FILE
    if other == "a person's":
        await server.post_as(
            "U0GRACE", "C0GENERAL", "", thread_ts=root, files=[File(id="F9", name=FILE.name, size=len(FILE.content))]
        )
    else:
        if other != "spoken of":
            server.faults.fail_next["chat.postMessage"] = [Fault.http(503)]
        with suppress(PlatformUnavailable):
            await platform.send_file(target, replace(COMMENT, nonce="n6"), found)
    assert await heir.find_sent(target, COMMENT, since) is None
    uploads = asked(server, "files.completeUploadExternal")
    await heir.send_file(target, COMMENT, FILE)
    assert asked(server, "files.completeUploadExternal") == uploads + 1
