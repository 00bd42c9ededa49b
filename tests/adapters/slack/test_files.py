"""Files over real sockets: the file stands before anybody speaks of it, and a second attempt posts nothing twice."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from yarl import URL

from adapters.slack.adapter import SlackPlatform
from adapters.slack.files import trusted
from bridge.errors import MessageGone, MessageRefused, NotAllowed, PlatformError, PlatformUnavailable, RateLimited
from bridge.messages import ReplyTarget
from bridge.outgoing_files import OutgoingFile
from bridge.platform_api import SendsFiles
from bridge.playground.slack import SlackServer
from bridge.playground.slack.model import Fault
from tests.adapters.slack.peer import answers, asked, make_platform, make_timed_platform, question, until
from tests.fakes.clock import FakeClock

FILE = OutgoingFile(name="../<!channel> answer.md", content="# Grüße\n@channel\n".encode(), media_type="text/markdown")
COMMENT = question("The rest is **attached**.", nonce="n7")

RESERVE, COMPLETE, POST = "files.getUploadURLExternal", "files.completeUploadExternal", "chat.postMessage"


@pytest.fixture
async def platform(server: SlackServer) -> AsyncIterator[SlackPlatform]:
    server.uploads.share_delay = 0.05
    made = make_platform(server, slack_file_wait=0.7)
    yield made
    await made.close()


async def test_a_file_stands_in_the_thread_before_the_message_that_speaks_of_it(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget, root: str
) -> None:
    assert isinstance(platform, SendsFiles)
    ref = await platform.send_file(target, COMMENT, FILE)
    shared, comment = answers(server, root)
    (file,) = shared.files
    assert (file.name, file.title, file.size) == ("__channel_ answer.md", "__channel_ answer.md", len(FILE.content))
    assert server.uploads.content(file.id) == FILE.content
    assert shared.visible_text == ""
    assert comment.visible_text == COMMENT.text
    assert ref.address == f"{server.team_id}/C0GENERAL/{comment.ts}"
    assert server.pings == []
    await platform.edit(target, ref, replace(COMMENT, text="another comment"))
    assert [message.visible_text for message in answers(server, root)] == ["", "another comment"]


async def test_without_the_scope_nothing_is_posted(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget, root: str
) -> None:
    server.scopes = [scope for scope in server.scopes if scope != "files:write"]
    with pytest.raises(NotAllowed) as caught:
        await platform.send_file(target, COMMENT, FILE)
    assert caught.value.code == "missing_scope"
    assert answers(server, root) == []


@pytest.mark.parametrize("method", [RESERVE, COMPLETE])
@pytest.mark.parametrize(
    "code", ["file_uploads_disabled", "file_type_not_allowed", "invalid_arguments", "brand_new_code"]
)
async def test_what_slack_has_against_a_file_is_nothing_against_the_text(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget, root: str, method: str, code: str
) -> None:
    server.faults.fail_next[method] = [Fault.refuse(code)]
    with pytest.raises(NotAllowed) as caught:
        await platform.send_file(target, COMMENT, FILE)
    assert caught.value.code == code
    assert answers(server, root) == []


async def test_an_empty_comment_is_refused_before_anything_is_uploaded(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget
) -> None:
    with pytest.raises(MessageRefused):
        await platform.send_file(target, question(" \n"), FILE)
    assert server.calls == []


async def test_a_file_that_slack_took_and_never_showed_is_not_spoken_of(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget, root: str
) -> None:
    server.uploads.dropped = 1
    with pytest.raises(NotAllowed) as caught:
        await platform.send_file(target, COMMENT, FILE)
    assert caught.value.code == "file_not_shared"
    assert answers(server, root) == []
    await platform.send_file(target, COMMENT, FILE)
    assert len(answers(server, root)) == 2, "the next attempt starts from the beginning"


async def test_where_nobody_can_look_the_file_is_believed(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget, root: str
) -> None:
    server.scopes = [scope for scope in server.scopes if not scope.endswith(":history")]
    await platform.send_file(target, COMMENT, FILE)
    server.uploads.dropped = 1
    blind = make_platform(server, slack_file_wait=0)
    await blind.send_file(target, question("unseen", nonce="n8"), FILE)
    await blind.close()
    assert [message.visible_text for message in answers(server, root) if not message.files] == [COMMENT.text, "unseen"]


@pytest.mark.parametrize("fault", [Fault.drop(after_effect=True), Fault.drop(), Fault.http(503, after_effect=True)])
@pytest.mark.parametrize("method", [COMPLETE, POST])
async def test_an_attempt_goes_on_where_the_last_one_broke_off(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget, root: str, method: str, fault: Fault
) -> None:
    server.faults.fail_next[method] = [fault]
    with pytest.raises(PlatformUnavailable):
        await platform.send_file(target, COMMENT, FILE)
    ref = await platform.send_file(target, replace(COMMENT, text="a later text"), FILE)
    shared, comment = answers(server, root)
    assert len(shared.files) == 1
    assert comment.visible_text == "a later text"
    assert ref.address.endswith(comment.ts)
    assert asked(server, RESERVE) == 1


async def test_a_file_that_was_shared_unheard_is_not_shared_again_even_where_nobody_can_look(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget, root: str
) -> None:
    server.scopes = [scope for scope in server.scopes if not scope.endswith(":history")]
    server.faults.fail_next[COMPLETE] = [Fault.effect_then_drop()]
    with pytest.raises(PlatformUnavailable):
        await platform.send_file(target, COMMENT, FILE)
    await platform.send_file(target, COMMENT, FILE)
    assert sum(len(message.files) for message in answers(server, root)) <= 1
    assert asked(server, COMPLETE) == 2
    assert [call.error for call in server.calls if call.method == COMPLETE][-1] == "file_not_found"


async def test_a_refusal_after_a_lost_call_is_not_taken_for_success_where_nobody_can_look(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget, root: str
) -> None:
    server.scopes = [scope for scope in server.scopes if not scope.endswith(":history")]
    server.faults.fail_next[COMPLETE] = [Fault.drop(), Fault.refuse("file_type_not_allowed")]
    with pytest.raises(PlatformUnavailable):
        await platform.send_file(target, COMMENT, FILE)
    with pytest.raises(NotAllowed):
        await platform.send_file(target, COMMENT, FILE)
    assert answers(server, root) == []


async def test_limits_are_told_and_kept_to_and_forgotten_nothing(
    server: SlackServer, target: ReplyTarget, root: str
) -> None:
    clock = FakeClock()
    platform = make_timed_platform(server, clock, slack_file_wait=0)
    for method in (RESERVE, COMPLETE, POST):
        server.faults.fail_next[method] = [Fault.rate_limit(7)]
        with pytest.raises(RateLimited) as caught:
            await platform.send_file(target, COMMENT, FILE)
        assert caught.value.retry_after.total_seconds() == 7
        if method != POST:
            with pytest.raises(RateLimited):
                await platform.send_file(target, COMMENT, FILE)
        assert asked(server, method) == 1
        await clock.advance(7)
    await platform.send_file(target, COMMENT, FILE)
    await platform.close()
    await until(lambda: len(answers(server, root)) == 2)
    assert sorted(len(message.files) for message in answers(server, root)) == [0, 1]


async def test_a_comment_that_is_refused_can_be_sent_shorter_without_a_second_file(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget, root: str
) -> None:
    with pytest.raises(MessageRefused):
        await platform.send_file(target, replace(COMMENT, text="x" * 13_000), FILE)
    await platform.send_file(target, COMMENT, FILE)
    assert [len(message.files) for message in answers(server, root)] == [1, 0]


async def test_a_thread_that_is_gone_is_told(server: SlackServer, platform: SlackPlatform, target: ReplyTarget) -> None:
    await server.delete_as("U0ADA", "C0GENERAL", target.address.rsplit("/", 1)[1])
    with pytest.raises(MessageGone):
        await platform.send_file(target, COMMENT, FILE)


API = URL("https://slack.com/api/")


@pytest.mark.parametrize(
    "address",
    ["https://files.slack.com/upload/v1/x", "https://slack.com/upload", "https://files.slack-gov.com/upload/v1/x"],
)
def test_slacks_own_hosts_are_trusted_with_the_bytes(address: str) -> None:
    assert str(trusted(address, API)) == address
    assert str(trusted(address, URL("http://proxy.example:3000/api/"))) == address


@pytest.mark.parametrize(
    "address",
    [
        "http://files.slack.com/upload/v1/x",
        "http://slack.com/upload",
        "https://slack.com:444.evil.example/upload",
        "https://slack.com.evil.example/upload",
        "https://evilslack.com/upload",
        "https://user:secret@files.slack.com/upload",
        "https://user@slack.com/upload",
        "ftp://slack.com/upload",
        "//files.slack.com/upload",
        "/upload",
        "http://[",
        "",
    ],
)
def test_nobody_else_is_trusted_with_them(address: str) -> None:
    with pytest.raises(NotAllowed) as caught:
        trusted(address, API)
    assert caught.value.code == "foreign_upload_url"


async def test_bytes_do_not_go_to_another_host(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget, root: str
) -> None:
    came: list[web.Request] = []

    async def take(request: web.Request) -> web.Response:
        came.append(request)
        return web.Response()

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", take)
    async with TestServer(app) as elsewhere:
        server.uploads.address = str(elsewhere.make_url("")).rstrip("/")
        with pytest.raises(NotAllowed):
            await platform.send_file(target, COMMENT, FILE)
    assert came == []
    assert answers(server, root) == []


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, NotAllowed), (413, NotAllowed), (302, NotAllowed), (429, PlatformUnavailable), (503, PlatformUnavailable)],
)
async def test_what_the_upload_host_answers_decides_what_it_means(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget, root: str, status: int, kind: type[PlatformError]
) -> None:
    server.uploads.answer_with = status
    with pytest.raises(kind) as caught:
        await platform.send_file(target, COMMENT, FILE)
    assert caught.value.code == f"http_{status}"
    server.uploads.answer_with = 200
    await platform.send_file(target, COMMENT, FILE)
    assert [len(message.files) for message in answers(server, root)] == [1, 0]


async def test_a_closed_adapter_sends_no_file(platform: SlackPlatform, target: ReplyTarget) -> None:
    await platform.close()
    with pytest.raises(PlatformError):
        await platform.send_file(target, COMMENT, FILE)
