"""What is read from Slack: threads that the app never saw, and files that members attach."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from yarl import URL

from adapters.slack.adapter import SlackPlatform
from adapters.slack.addresses import write_file
from adapters.slack.web.downloads import is_slacks
from bridge.errors import FileTooLarge, NotAllowed, PlatformError, PlatformUnavailable, RateLimited
from bridge.messages import Address, Attachment, MessageRef, ReplyTarget, Said
from bridge.playground.slack import File, SlackServer
from bridge.playground.slack.downloads import ForeignHost
from bridge.playground.slack.model import Fault, FileMode
from tests.adapters.slack.writing.said import calls, final, live

PICTURE = File(id="F1", name="a b.png", mimetype="image/png", content=b"picture" * 100)


def at(server: SlackServer, ts: str) -> MessageRef:
    return MessageRef(platform=final("").asker.platform, address=Address(f"{server.team_id}/C0GENERAL/{ts}"))  # type: ignore[union-attr]


async def test_a_thread_is_told_up_to_the_question_by_people_with_names(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget, root: str
) -> None:
    await server.post_as("U0GRACE", "C0GENERAL", "<@U0LINUS> knows &amp; cares", thread_ts=root)
    await platform.send(target, final("an answer of our own"))
    await platform.send(target, live("one that is growing", nonce="n2"))
    await server.post_as("U0ADA", "C0GENERAL", "", thread_ts=root, files=[PICTURE])
    asked = await server.post_as("U0ADA", "C0GENERAL", "well?", thread_ts=root)
    await server.post_as("U0ADA", "C0GENERAL", "later", thread_ts=root)
    assert await platform.read_thread(target, at(server, asked), 10) == [
        Said(who="Ada", text="a question"),
        Said(who="Grace", text="@Linus knows & cares"),
        Said(who="Ada", text="(a b.png)"),
    ]
    assert [said.text for said in await platform.read_thread(target, at(server, asked), 1)] == ["(a b.png)"]
    unseen = await platform.read_thread(target, at(server, "!press"), 10)
    assert [said.text for said in unseen][-2:] == ["well?", "later"]


async def test_above_the_question_that_begins_a_thread_there_is_nothing(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget, root: str
) -> None:
    await server.post_as("U0GRACE", "C0GENERAL", "later", thread_ts=root)
    assert await platform.read_thread(target, at(server, root), 10) == []


async def test_a_long_thread_is_read_to_its_end(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget, root: str
) -> None:
    for number in range(250):
        await server.post_as("U0GRACE", "C0GENERAL", f"message {number}", thread_ts=root)
    said = await platform.read_thread(target, at(server, "!press"), 3)
    assert [one.text for one in said] == ["message 247", "message 248", "message 249"]
    assert len(calls(server, "conversations.replies")) == 2


async def test_without_names_people_go_by_their_ids(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget
) -> None:
    server.scopes = [scope for scope in server.scopes if scope != "users:read"]
    assert await platform.read_thread(target, at(server, "!press"), 3) == [Said(who="U0ADA", text="a question")]


@pytest.mark.parametrize(
    ("fault", "kind"), [(Fault.refuse("missing_scope"), NotAllowed), (Fault.rate_limit(60), RateLimited)]
)
async def test_a_thread_that_cannot_be_read_says_so(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget, fault: Fault, kind: type[PlatformError]
) -> None:
    server.faults.fail_next["conversations.replies"] = [fault]
    with pytest.raises(kind):
        await platform.read_thread(target, at(server, "!press"), 3)


# Files


@pytest.fixture
async def attached(server: SlackServer) -> Attachment:
    await server.post_as("U0ADA", "C0GENERAL", "look", files=[PICTURE])
    return attachment(server)


@pytest.fixture
async def foreign() -> AsyncIterator[ForeignHost]:
    foreign = ForeignHost()
    yield foreign
    await foreign.stop()


def attachment(server: SlackServer) -> Attachment:
    return Attachment(name="a b.png", address=write_file(server.team_id, "F1"))


@pytest.mark.parametrize("stub", [False, True])
async def test_a_file_is_fetched_with_its_type(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget, tmp_path: Path, *, stub: bool
) -> None:
    file = replace(PICTURE, file_access="check_file_info") if stub else PICTURE
    await server.post_as("U0ADA", "C0GENERAL", "look", files=[file])
    into = tmp_path / "file"
    assert await platform.fetch_file(target, attachment(server), into, 10_000) == "image/png"
    assert into.read_bytes() == PICTURE.content


async def test_a_page_that_was_attached_is_a_page_and_not_a_sign_in(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget, tmp_path: Path
) -> None:
    page = replace(PICTURE, name="a.html", mimetype="text/html", content=b"<html>")
    await server.post_as("U0ADA", "C0GENERAL", "look", files=[page])
    assert await platform.fetch_file(target, attachment(server), tmp_path / "file", 100) == "text/html"


@pytest.mark.parametrize(
    ("mode", "sentence"),
    [("tombstone", "was deleted"), ("hidden_by_limit", "storage limit"), ("external", "another service")],
)
async def test_what_slack_does_not_have_is_named_to_the_member(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget, tmp_path: Path, mode: FileMode, sentence: str
) -> None:
    await server.post_as("U0ADA", "C0GENERAL", "look", files=[replace(PICTURE, mode=mode)])
    with pytest.raises(NotAllowed, match=sentence):
        await platform.fetch_file(target, attachment(server), tmp_path / "file", 10_000)
    assert list(tmp_path.iterdir()) == []


async def test_without_the_scope_the_member_reads_which_one_is_missing(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget, attached: Attachment, tmp_path: Path
) -> None:
    server.scopes = [scope for scope in server.scopes if scope != "files:read"]
    with pytest.raises(NotAllowed, match=r"files:read is missing"):
        await platform.fetch_file(target, attached, tmp_path / "file", 10_000)


async def test_a_sign_in_page_is_not_taken_for_the_file(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget, attached: Attachment, tmp_path: Path
) -> None:
    async def wrong(team: str) -> str:
        return "xoxb-other"

    look = platform._outbound._downloads._look_up
    facts = await look(server.team_id, "F1")

    async def known(team: str, number: str) -> object:
        return facts

    platform._outbound._downloads._look_up = known  # type: ignore[assignment, method-assign]
    platform._outbound.clients._token_of = wrong
    with pytest.raises(NotAllowed, match=r"files:read is missing"):
        await platform.fetch_file(target, attached, tmp_path / "file", 10_000)


@pytest.mark.parametrize("told", [True, False])
async def test_a_file_that_is_too_large_is_not_kept(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget, tmp_path: Path, *, told: bool
) -> None:
    file = PICTURE if told else replace(PICTURE, size=5)
    await server.post_as("U0ADA", "C0GENERAL", "look", files=[file])
    with pytest.raises(FileTooLarge):
        await platform.fetch_file(target, attachment(server), tmp_path / "file", 100)
    assert list(tmp_path.iterdir()) == []


async def test_of_a_file_that_turns_out_too_large_nothing_is_left(
    platform: SlackPlatform, target: ReplyTarget, tmp_path: Path
) -> None:
    async def pour(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(4):
            await response.write(b"x" * 50)
        return response

    app = web.Application()
    app.router.add_get("/file", pour)
    async with TestServer(app) as host:
        facts = {"url_private": str(host.make_url("/file")), "mimetype": "text/plain"}

        async def known(team: str, number: str) -> object:
            return facts

        downloads = platform._outbound._downloads
        downloads._look_up = known  # type: ignore[assignment, method-assign]
        downloads._api = host.make_url("/api/")
        file = Attachment(name="x", address=Address("T0/F1"))
        with pytest.raises(FileTooLarge):
            await platform.fetch_file(target, file, tmp_path / "file", 100)
        assert list(tmp_path.iterdir()) == []
        assert await platform.fetch_file(target, file, tmp_path / "file", 200) == "text/plain"


async def test_a_file_that_came_in_part_is_not_taken_for_whole(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget, attached: Attachment, tmp_path: Path
) -> None:
    server.downloads.cut_to = 10
    with pytest.raises(PlatformUnavailable):
        await platform.fetch_file(target, attached, tmp_path / "file", 10_000)


@pytest.mark.parametrize(
    ("status", "kind"), [(503, PlatformUnavailable), (429, PlatformUnavailable), (403, NotAllowed)]
)
async def test_each_status_says_what_it_means(
    server: SlackServer,
    platform: SlackPlatform,
    target: ReplyTarget,
    attached: Attachment,
    tmp_path: Path,
    status: int,
    kind: type[PlatformError],
) -> None:
    server.downloads.answer_with = status
    with pytest.raises(kind):
        await platform.fetch_file(target, attached, tmp_path / "file", 10_000)


async def test_the_token_never_goes_to_another_host(
    server: SlackServer,
    platform: SlackPlatform,
    target: ReplyTarget,
    attached: Attachment,
    tmp_path: Path,
    foreign: ForeignHost,
) -> None:
    server.downloads.redirect_to = await foreign.start() + "/x"
    with pytest.raises(NotAllowed):
        await platform.fetch_file(target, attached, tmp_path / "file", 10_000)
    assert foreign.authorizations == []
    server.downloads.redirect_to = f"{server.downloads.address}/files-pri/F1/x"
    with pytest.raises(NotAllowed):  # round and round
        await platform.fetch_file(target, attached, tmp_path / "file", 10_000)


@pytest.mark.parametrize(
    ("fault", "kind", "sentence"),
    [
        (Fault.refuse("file_not_found"), NotAllowed, "was deleted"),
        (Fault.refuse("access_denied"), NotAllowed, "did not hand the file out"),
        (Fault.rate_limit(30), RateLimited, "asked to wait"),
        (Fault.http(503), PlatformUnavailable, "503"),
    ],
)
async def test_why_a_file_cannot_be_looked_up_is_told(
    server: SlackServer,
    platform: SlackPlatform,
    target: ReplyTarget,
    attached: Attachment,
    tmp_path: Path,
    fault: Fault,
    kind: type[PlatformError],
    sentence: str,
) -> None:
    server.faults.fail_next["files.info"] = [fault] * 4
    with pytest.raises(kind, match=sentence):
        await platform.fetch_file(target, attached, tmp_path / "file", 10_000)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("facts", "kind", "code"),
    [
        ({"file_access": "access_denied", "url_private": "https://files.slack.com/x"}, NotAllowed, "access_denied"),
        ({"is_external": True, "url_private": "https://files.slack.com/x"}, NotAllowed, "external"),
        ({}, NotAllowed, "no_address"),
        ({"url_private": 5}, NotAllowed, "no_address"),
        ({"url_private": "http://[files"}, NotAllowed, "foreign_address"),
        ({"url_private": "https://files.slack.com.example/x"}, NotAllowed, "foreign_address"),
        ({"url_private": "http://127.0.0.1:1/x"}, PlatformUnavailable, "PlatformUnavailable"),
    ],
)
async def test_a_file_that_lies_nowhere_or_in_the_wrong_place_is_not_fetched(
    platform: SlackPlatform,
    target: ReplyTarget,
    tmp_path: Path,
    facts: dict[str, object],
    kind: type[PlatformError],
    code: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def known(team: str, number: str) -> object:
        return facts

    monkeypatch.setattr(platform._outbound._downloads, "_look_up", known)
    monkeypatch.setattr(platform._outbound._downloads, "_api", URL("http://127.0.0.1:1/api/"))
    with pytest.raises(kind) as caught:
        await platform.fetch_file(target, Attachment(name="x", address=Address("T0/F1")), tmp_path / "file", 100)
    assert caught.value.code == code
    assert list(tmp_path.iterdir()) == []


async def test_an_attachment_without_an_address_cannot_be_had(
    platform: SlackPlatform, target: ReplyTarget, tmp_path: Path
) -> None:
    with pytest.raises(NotAllowed):
        await platform.fetch_file(target, Attachment(name="x"), tmp_path / "file", 10)


@pytest.mark.parametrize(
    ("url", "ours"),
    [
        ("https://files.slack.com/x", True),
        ("https://files.slack-gov.com/x", True),
        ("http://127.0.0.1:1/x", True),
        ("http://files.slack.com/x", False),
        ("https://notslack.com/x", False),
        ("https://slack.com.example/x", False),
        ("https://me:pass@files.slack.com/x", False),
        ("http://127.0.0.1:2/x", False),
        ("/x", False),
    ],
)
def test_which_addresses_are_slacks(url: str, ours: bool) -> None:  # a column of the table
    assert is_slacks(URL(url), URL("http://127.0.0.1:1/api/")) is ours
