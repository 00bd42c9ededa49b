"""The stand-in Dify names conversations, listens to recordings and links files only as the real one does."""

import io
import json
from collections.abc import AsyncIterator

import aiohttp
import pytest

from bridge.clock import SystemClock
from bridge.playground.dify import DifyServer, MadeFile, everything_on

Json = dict[str, object]
UNKNOWN = "00000000-0000-0000-0000-000000000000"


class Caller:
    def __init__(self, server: DifyServer, session: aiohttp.ClientSession) -> None:
        self.server = server
        self.session = session
        self.headers = {"Authorization": f"Bearer {server.api_key}"}

    async def call(self, method: str, path: str, body: object = None) -> tuple[int, Json]:
        url = self.server.base_url + path
        async with self.session.request(method, url, json=body, headers=self.headers) as response:
            text = await response.text()
            return response.status, json.loads(text) if "json" in response.content_type else {"page": text}

    async def ask(self, query: str = "hello", **fields: object) -> str:
        """The conversation's id."""
        body = {"inputs": {}, "query": query, "user": "u-1", "response_mode": "blocking", **fields}
        status, reply = await self.call("POST", "/chat-messages", body)
        assert status == 200
        return str(reply["conversation_id"])

    async def rename(self, conversation: str, **body: object) -> tuple[int, Json]:
        return await self.call("POST", f"/conversations/{conversation}/name", {"user": "u-1", **body})

    async def names(self) -> list[object]:
        _, reply = await self.call("GET", "/conversations?user=u-1")
        data = reply["data"]
        assert isinstance(data, list)
        return [one["name"] for one in data]

    async def hear(
        self, media_type: str = "audio/wav", content: bytes = b"RIFF", *, part: str = "file"
    ) -> tuple[int, Json]:
        form = aiohttp.FormData()
        form.add_field("user", "u-1")
        form.add_field(part, io.BytesIO(content), filename="a.wav", content_type=media_type)
        url = self.server.base_url + "/audio-to-text"
        async with self.session.post(url, data=form, headers=self.headers) as response:
            return response.status, await response.json()


@pytest.fixture(params=["1.12.1"])
async def server(request: pytest.FixtureRequest) -> AsyncIterator[DifyServer]:
    server = DifyServer(SystemClock(), version=request.param)
    server.first_token = server.per_token = 0
    server.features = everything_on()
    server.features.name_seconds = server.features.hear_seconds = 0
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def caller(server: DifyServer) -> AsyncIterator[Caller]:
    async with aiohttp.ClientSession() as session:
        yield Caller(server, session)


async def test_a_conversation_is_named_with_its_first_answer_unless_that_is_declined(caller: Caller) -> None:
    await caller.ask("Tell me about planets")
    assert await caller.names() == ["About: Tell me about planets"]
    await caller.ask("And moons", auto_generate_name=False, conversation_id="", user="u-1")
    assert sorted(map(str, await caller.names())) == ["About: Tell me about planets", "New conversation"]


async def test_a_title_is_thought_of_from_the_first_question_alone(server: DifyServer, caller: Caller) -> None:
    server.titles = lambda query: f"{query}: " + "x" * 100
    conversation = await caller.ask("First", auto_generate_name=False)
    await caller.ask("Second", conversation_id=conversation)
    assert await caller.names() == ["New conversation"]

    status, reply = await caller.rename(conversation, auto_generate=True)

    assert (status, reply["id"]) == (200, conversation)
    assert reply["name"] == "First: " + "x" * 68 + "..."
    assert await caller.names() == [reply["name"]]
    assert await caller.rename(conversation, name="Renamed ✓") == (200, reply | {"name": "Renamed ✓"})
    assert [(call.name, call.thought_of) for call in server.name_log] == [(reply["name"], True), ("Renamed ✓", False)]


async def test_a_model_that_fails_is_no_failure_of_the_call(server: DifyServer, caller: Caller) -> None:
    server.features.names = False
    conversation = await caller.ask()

    status, reply = await caller.rename(conversation, auto_generate=True)

    assert (status, reply["name"]) == (200, "New conversation")


@pytest.mark.parametrize("server", ["0.15.3", "1.12.1"], indirect=True)
async def test_renaming_is_refused_as_it_was_recorded(server: DifyServer, caller: Caller) -> None:
    conversation = await caller.ask()

    for ident, user in ((conversation, "u-2"), (UNKNOWN, "u-1")):
        missing = await caller.rename(ident, name="stolen", user=user)
        assert missing == (404, {"code": "not_found", "message": "Conversation Not Exists.", "status": 404})
    status, reply = await caller.rename(conversation)
    assert (status, reply["code"]) == ((500, "unknown") if server._state.dialect.is_old else (400, "invalid_param"))
    assert (await caller.rename(conversation, name=" "))[0] in (400, 500)
    assert (await caller.rename(conversation, name="x", user=""))[0] == 400
    assert "page" in (await caller.rename("no-uuid", name="x"))[1]
    path = f"/conversations/{conversation}/name"
    assert (await caller.call("POST", path))[0] == 415
    assert (await caller.call("GET", path))[0] == 405
    server.mode = "workflow"
    assert (await caller.rename(conversation, name="x"))[1]["code"] == "not_chat_app"
    assert server.name_log == []


async def test_a_recording_is_taken_by_its_media_type_alone(server: DifyServer, caller: Caller) -> None:
    server.features.heard = "What is new?"
    for media_type in ("audio/wav", "audio/mp3", "audio/m4a", "audio/amr", "audio/mpga", "Audio/WAV; rate=8000"):
        assert await caller.hear(media_type) == (200, {"text": "What is new?"})
    for media_type in ("audio/mpeg", "audio/mp4", "audio/webm", "audio/ogg", "audio/x-wav", "video/mp4", "text/plain"):
        status, reply = await caller.hear(media_type)
        assert (status, reply["code"]) == (415, "unsupported_audio_type")
    assert len(server.recordings) == 6
    shown = json.loads(json.dumps(server.snapshot()))["recordings"]
    assert shown[0] == {"user": "u-1", "name": "a.wav", "media_type": "audio/wav", "size": 4, "text": "What is new?"}


@pytest.mark.parametrize("server", ["0.15.3"], indirect=True)
async def test_an_old_one_knew_more_kinds_but_not_ogg(caller: Caller) -> None:
    for media_type in ("audio/mpeg", "audio/mp4", "audio/webm"):
        assert (await caller.hear(media_type))[0] == 200
    assert (await caller.hear("audio/ogg"))[0] == 415


async def test_what_is_wrong_with_a_recording_is_looked_for_in_the_real_ones_order(
    server: DifyServer, caller: Caller
) -> None:
    big = b"x" * (30 * 1024 * 1024 + 1)
    server.features.speech_model = server.features.hears = False

    assert (await caller.hear("audio/ogg", big, part="sound"))[1]["code"] == "bad_request_key_error"
    status, reply = await caller.hear("audio/ogg", big)
    assert (status, reply["code"], reply["message"]) == (400, "invalid_param", "Speech to text is not enabled")
    server.features.hears = True
    assert (await caller.hear("audio/ogg", big))[0] == 415
    assert (await caller.hear("audio/wav", big))[1]["code"] == "audio_too_large"
    assert (await caller.hear("audio/wav", big[1:]))[1]["code"] == "provider_not_initialize"
    server.features.speech_model = True
    assert (await caller.hear("audio/wav", big[1:]))[0] == 200
    caller.headers = {}
    assert (await caller.hear())[0] == 401
    assert len(server.recordings) == 1


async def test_whether_it_listens_is_among_its_parameters_and_set_from_outside(
    server: DifyServer, caller: Caller
) -> None:
    control = server.base_url.removesuffix("/v1") + "/control"
    assert (await caller.call("GET", "/parameters"))[1]["speech_to_text"] == {"enabled": True}
    async with caller.session.post(f"{control}/features", json={"hears": False, "heard": "Hi"}) as response:
        assert response.status == 200

    assert (await caller.call("GET", "/parameters"))[1]["speech_to_text"] == {"enabled": False}
    server.features.hears = True
    assert await caller.hear() == (200, {"text": "Hi"})
    await caller.rename(await caller.ask(), auto_generate=True)
    async with caller.session.get(f"{control}/recordings") as response:
        assert [one["text"] for one in await response.json()] == ["Hi"]
    async with caller.session.get(f"{control}/names") as response:
        assert [one["name"] for one in await response.json()] == ["About: hello"]


@pytest.mark.parametrize(("mode", "linked"), [("advanced-chat", True), ("agent-chat", False), ("chat", False)])
async def test_a_chatflow_links_its_files_in_the_text_when_it_is_asked_to(
    server: DifyServer, caller: Caller, mode: str, linked: bool
) -> None:
    server.mode = mode
    body = {"inputs": {}, "query": "link", "user": "u-1", "response_mode": "streaming"}
    async with caller.session.post(server.base_url + "/chat-messages", json=body, headers=caller.headers) as response:
        assert response.status == 200
        await response.read()
    ((answer,),) = [[message.answer for message in one.messages] for one in server.conversations.values()]

    assert (f"[planets.csv]({server.base_url.removesuffix('/v1')}/files/tools/" in answer) is linked
    if linked:
        address = answer.partition("[planets.csv](")[2].partition(")")[0]
        async with caller.session.get(address) as response:
            assert (response.status, response.content_type) == (200, "text/csv")


async def test_a_script_can_link_a_file_of_its_own(server: DifyServer, caller: Caller) -> None:
    file = MadeFile(name="a.txt", kind="document", media_type="text/plain", content=b"Hello")

    async with caller.session.get(server.link_to(file)) as response:
        assert (response.status, await response.read()) == (200, b"Hello")
    async with caller.session.get(server.link_to(file).partition("?")[0]) as response:
        assert response.status == 400
