"""Files from the bot: the SDK's own way of uploading works, and every wrong turn is refused."""

import asyncio
import json

import aiohttp
import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bridge.clock import SystemClock
from bridge.playground.slack import SlackServer
from bridge.playground.slack.model import Message
from tests.playground.slack.peers import SOON, error_of

RESERVE, COMPLETE = "files.getUploadURLExternal", "files.completeUploadExternal"


@pytest.fixture(autouse=True)
def prompt(server: SlackServer) -> None:
    server.uploads.share_delay = 0.02


async def shared(server: SlackServer, count: int = 1) -> list[Message]:
    """The messages with files, as soon as there are so many."""
    clock, never = SystemClock(), asyncio.Event()
    async with asyncio.timeout(SOON):
        while len(found := [one for one in server.messages("C0GENERAL") if one.files]) < count:
            await clock.wait(never, 0.01)
    return found


async def reserve(client: AsyncWebClient, content: bytes = b"hello", name: str = "a.txt") -> tuple[str, str]:
    answer = await client.files_getUploadURLExternal(filename=name, length=len(content))
    return answer["upload_url"], answer["file_id"]


async def put(url: str, data: object, **headers: str) -> int:
    async with aiohttp.ClientSession() as session, session.post(url, data=data, headers=headers) as answer:
        return answer.status


async def test_the_sdks_own_upload_ends_as_a_message_with_the_file(server: SlackServer, client: AsyncWebClient) -> None:
    root = await server.post_as("U0ADA", "C0GENERAL", "hi")
    await client.files_upload_v2(
        channel="C0GENERAL", thread_ts=root, content="Grüße", filename="a b.md", title="A", initial_comment="Look"
    )
    (message,) = await shared(server)
    (file,) = message.files
    assert (message.thread_ts, message.visible_text, message.subtype, message.is_bot) == (
        root,
        "Look",
        "file_share",
        True,
    )
    assert (file.name, file.title, file.size) == ("a b.md", "A", len("Grüße".encode()))
    read = await client.conversations_replies(channel="C0GENERAL", ts=root)
    assert [one["id"] for one in read["messages"][1]["files"]] == [file.id]
    async with aiohttp.ClientSession() as session, session.get(server.uploads.link(file.id)) as answer:
        assert (await answer.read()).decode() == "Grüße"
        assert answer.headers["Content-Disposition"] == "attachment"
        assert str(answer.url).endswith("/a%20b.md")
    known = (await client.files_info(file=file.id))["file"]
    bearer = {"Authorization": f"Bearer {server.bot_token}"}
    async with aiohttp.ClientSession() as session, session.get(known["url_private_download"], headers=bearer) as answer:
        assert (await answer.read()).decode() == "Grüße"


async def test_sharing_comes_after_the_answer(server: SlackServer, client: AsyncWebClient) -> None:
    server.uploads.share_delay = 0.2
    url, number = await reserve(client)
    assert await put(url, b"hello") == 200
    answer = await client.files_completeUploadExternal(files=[{"id": number, "title": "A"}], channel_id="C0GENERAL")
    assert answer["files"] == [{"id": number, "title": "A"}]
    assert [one for one in server.messages("C0GENERAL") if one.files] == []
    await shared(server)


async def test_an_upload_without_a_channel_is_seen_by_nobody(server: SlackServer, client: AsyncWebClient) -> None:
    url, number = await reserve(client)
    await put(url, b"hello")
    await client.files_completeUploadExternal(files=[{"id": number}])
    assert server.uploads.content(number) == b"hello"
    assert server.messages("C0GENERAL") == []


async def test_an_accepted_file_may_never_be_shared(server: SlackServer, client: AsyncWebClient) -> None:
    server.uploads.dropped = 1
    for _ in range(2):
        url, number = await reserve(client)
        await put(url, b"hello")
        await client.files_completeUploadExternal(files=[{"id": number, "title": number}], channel_id="C0GENERAL")
    (message,) = await shared(server)
    assert message.files[0].title == number


async def test_what_is_not_complete_cannot_be_completed_and_nothing_twice(
    server: SlackServer, client: AsyncWebClient
) -> None:
    url, number = await reserve(client)

    async def complete(file_id: str = number, **more: str) -> str:
        return await error_of(client.api_call(COMPLETE, params={"files": json.dumps([{"id": file_id}]), **more}))

    assert await complete() == "file_not_found"
    await put(url, b"hello")
    assert await complete("F0NOBODY") == "file_not_found"
    assert await complete(channel_id="C0NOWHERE") == "channel_not_found"
    assert await complete(channel_id="C0GENERAL", thread_ts="1.000000") == "thread_not_found"
    assert await complete(thread_ts="1.000000") == "invalid_arguments"
    server.channels["C0SUPPORT"].members.discard(server.bot_user_id)
    assert await complete(channel_id="C0SUPPORT") == "not_in_channel"
    assert await complete(channel_id="C0GENERAL") == ""
    assert await complete(channel_id="C0GENERAL") == "file_not_found"
    await shared(server)
    for files in ("", "x", "[]", "{}", '[{"title": "a"}]', '[{"id": 1}]', '["F1"]', '[{"id": "F1", "title": 1}]'):
        assert await error_of(client.api_call(COMPLETE, params={"files": files})) == "invalid_arguments", files


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"length": "5"}, "invalid_arguments"),
        ({"filename": "a"}, "invalid_arguments"),
        ({"filename": "", "length": "5"}, "invalid_arguments"),
        ({"filename": "a", "length": "-5"}, "invalid_arguments"),
        ({"filename": "a", "length": "5.0"}, "invalid_arguments"),
        ({"filename": "a", "length": "9" * 30}, "invalid_arguments"),
        ({"filename": "a", "length": "0"}, "missing_argument"),
        ({"filename": "a", "length": "5"}, ""),
    ],
)
async def test_an_address_wants_a_name_and_a_length(
    client: AsyncWebClient, arguments: dict[str, str], error: str
) -> None:
    assert await error_of(client.api_call(RESERVE, data=arguments)) == error


async def test_an_address_is_not_asked_for_in_json(client: AsyncWebClient) -> None:
    assert await error_of(client.api_call(RESERVE, json={"filename": "a", "length": "5"})) == "invalid_arguments"


async def test_without_the_scope_there_are_no_files(server: SlackServer, client: AsyncWebClient) -> None:
    url, number = await reserve(client)
    await put(url, b"hello")
    server.scopes = [scope for scope in server.scopes if scope != "files:write"]
    assert await error_of(client.files_getUploadURLExternal(filename="a", length=1)) == "missing_scope"
    assert await error_of(client.files_completeUploadExternal(files=[{"id": number}])) == "missing_scope"


async def test_an_address_takes_exactly_what_was_announced_once_and_no_token(
    server: SlackServer, client: AsyncWebClient
) -> None:
    url, _ = await reserve(client)
    assert await put(url, b"hello", Authorization=f"Bearer {server.bot_token}") == 403
    assert await put(f"{url}?token={server.bot_token}", b"hello") == 403
    assert await put(url, b"hell") == 400
    assert await put(url, b"hello") == 200
    assert await put(url, b"hello") == 404
    assert await put(url + "x", b"hello") == 404
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        assert answer.status == 405


async def test_a_form_with_one_file_is_taken_too(server: SlackServer, client: AsyncWebClient) -> None:
    url, number = await reserve(client)
    form = aiohttp.FormData()
    form.add_field("filename", b"hello", filename="a.txt")
    assert await put(url, form) == 200
    await client.files_completeUploadExternal(files=[{"id": number}])
    assert server.uploads.content(number) == b"hello"


async def test_a_name_that_looks_like_a_mention_counts_as_a_ping(server: SlackServer, client: AsyncWebClient) -> None:
    url, number = await reserve(client, name="<!channel>.md")
    await put(url, b"hello")
    await client.files_completeUploadExternal(files=[{"id": number, "title": "@here"}], channel_id="C0GENERAL")
    (message,) = await shared(server)
    assert server.pings == [(message.ts, "<!channel>"), (message.ts, "@here")]


async def test_a_snapshot_names_files_and_stays_json(server: SlackServer, client: AsyncWebClient) -> None:
    await client.files_upload_v2(channel="C0GENERAL", content="x", filename="a.txt")
    await shared(server)
    assert '"a.txt"' in json.dumps(server.snapshot())


async def test_a_server_that_stops_shares_nothing_more(client: AsyncWebClient) -> None:
    server = SlackServer()
    await server.start()
    try:
        server.uploads.share_delay = 30
        await AsyncWebClient(token=server.bot_token, base_url=server.api_url).files_upload_v2(
            channel="C0GENERAL", content="x", filename="a.txt"
        )
    finally:
        async with asyncio.timeout(SOON):
            await server.stop()
    assert server.messages("C0GENERAL") == []
