"""The stand-in Dify takes, makes and signs files, cites, suggests and introduces itself only as the real one does."""

import json
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import aiohttp
import pytest

from bridge.clock import SystemClock
from bridge.playground.dify import DifyServer, MadeFile, Reply, everything_on

Json = dict[str, object]

PNG = b"\x89PNG not really"
CHART = MadeFile(name="chart.png", kind="image", media_type="image/png", content=PNG)


class MovedClock(SystemClock):
    ahead = timedelta()

    def now(self) -> datetime:
        return super().now() + self.ahead


class Caller:
    def __init__(self, server: DifyServer, session: aiohttp.ClientSession) -> None:
        self.server = server
        self.session = session
        self.headers = {"Authorization": f"Bearer {server.api_key}"}

    async def get(self, path: str) -> tuple[int, Json]:
        async with self.session.get(self.server.base_url + path, headers=self.headers) as response:
            return response.status, await response.json()

    async def upload(
        self, name: str = "red.png", content: bytes = PNG, *, user: str = "u-1", copies: int = 1
    ) -> tuple[int, Json]:
        form = aiohttp.FormData(quote_fields=False)
        form.add_field("user", user)
        for _ in range(copies):
            form.add_field("file", content, filename=name, content_type="image/png")
        url = self.server.base_url + "/files/upload"
        async with self.session.post(url, data=form, headers=self.headers) as response:
            return response.status, await response.json()

    async def ask(self, query: str = "hello", *, user: str = "u-1", **fields: object) -> tuple[int, list[Json]]:
        body = {"inputs": {}, "query": query, "user": user, "response_mode": "streaming", **fields}
        url = self.server.base_url + "/chat-messages"
        async with self.session.post(url, json=body, headers=self.headers) as response:
            text = await response.text()
        if response.status != 200:
            return response.status, [json.loads(text)]
        return 200, [json.loads(block[6:]) for block in text.split("\n\n") if block.startswith("data: ")]


def named(ident: object, kind: str = "image", **fields: object) -> list[Json]:
    return [{"type": kind, "transfer_method": "local_file", "upload_file_id": ident, **fields}]


@pytest.fixture
def clock() -> MovedClock:
    return MovedClock()


@pytest.fixture(params=["chat"])
async def server(request: pytest.FixtureRequest, clock: MovedClock) -> AsyncIterator[DifyServer]:
    server = DifyServer(clock, mode=request.param)
    server.first_token = server.per_token = 0
    server.features = everything_on()
    server.features.suggest_seconds = 0
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def caller(server: DifyServer) -> AsyncIterator[Caller]:
    async with aiohttp.ClientSession() as session:
        yield Caller(server, session)


async def test_an_upload_is_kept_with_its_own_letters_and_told_on_the_page(server: DifyServer, caller: Caller) -> None:
    status, kept = await caller.upload("日本語 name.png")

    assert (status, kept["name"], kept["extension"], kept["size"]) == (201, "日本語 name.png", "png", len(PNG))
    (shown,) = json.loads(json.dumps(server.snapshot()))["uploads"]
    assert (shown["name"], shown["user"]) == ("日本語 name.png", "u-1")


async def test_uploads_are_refused_by_size_name_and_number_and_never_by_kind(
    server: DifyServer, caller: Caller
) -> None:
    server.features.image_mb, server.features.other_mb = 0.001, 0.002
    big = b"x" * 1500

    assert (await caller.upload("a.png", big))[1]["code"] == "file_too_large"
    assert (await caller.upload("a.exe", big))[0] == 201
    assert (await caller.upload('a"b.png'))[0] == 400
    assert (await caller.upload(copies=2))[1]["code"] == "too_many_files"
    assert (await caller.upload(copies=0))[1]["code"] in ("no_file_uploaded", "unsupported_media_type")


async def test_a_question_may_name_only_what_its_own_user_uploaded_and_the_app_takes(
    server: DifyServer, caller: Caller
) -> None:
    server.features.kinds, server.features.extensions = ["image", "custom"], [".log"]
    _, mine = await caller.upload()
    _, log = await caller.upload("x.log")

    assert (await caller.ask(files=named(mine["id"])))[0] == 200
    assert server.requests[-1].stored is not None
    assert [file.name for file, _ in server.requests[-1].stored.given] == ["red.png"]
    assert (await caller.ask(files=named(log["id"], "custom")))[0] == 200
    for files, words in (
        (named("00000000-0000-0000-0000-000000000000"), "Invalid upload file"),
        (named(mine["id"], "audio"), "File validation failed"),
        (named(mine["id"], "custom"), "File validation failed"),
        (named(mine["id"]) * 4, "Number of files"),
        (named(mine["id"], transfer_method="bogus"), "No matching enum"),
    ):
        status, (refusal,) = await caller.ask(files=files)
        assert (status, refusal["code"]) == (400, "invalid_param")
        assert words in str(refusal["message"])
    assert (await caller.ask(user="u-2", files=named(mine["id"])))[0] == 400


async def test_an_app_without_uploads_drops_files_without_a_word(server: DifyServer, caller: Caller) -> None:
    _, kept = await caller.upload()
    server.features.uploads = False

    status, events = await caller.ask(files=named(kept["id"]))

    assert (status, events[0]["event"]) == (200, "message")
    assert "With it came" not in "".join(str(event.get("answer", "")) for event in events)


async def test_with_a_file_a_chat_app_sends_its_text_under_another_name(caller: Caller) -> None:
    _, kept = await caller.upload()

    _, events = await caller.ask(files=named(kept["id"]))

    assert {event["event"] for event in events} == {"message_file", "message_end"}
    assert "red.png (image, " in "".join(str(event.get("answer", "")) for event in events)


@pytest.mark.parametrize(
    ("server", "where"),
    [("chat", "message_file"), ("agent-chat", "message_file"), ("advanced-chat", "message_end")],
    indirect=["server"],
)
async def test_a_made_file_is_told_where_its_kind_of_app_tells_it_and_opens_for_five_minutes(
    server: DifyServer, caller: Caller, clock: MovedClock, where: str
) -> None:
    server.script = lambda query: Reply(tokens=["here"], files=(CHART,), tool="bar_chart")
    _, events = await caller.ask()
    told = [event for event in events if event["event"] == where and "answer" not in event]
    files = told[0]["files"] if where == "message_end" else [told[0]]
    assert isinstance(files, list)
    url = str(files[0]["url"])

    async with caller.session.get(url) as response:
        assert (response.status, await response.read()) == (200, PNG)
        assert response.headers["Content-Type"] == "image/png"
        assert "Content-Disposition" not in response.headers
    async with caller.session.get(url.partition("?")[0]) as response:
        assert (response.status, (await response.json())["params"]) == (400, "timestamp")
    async with caller.session.get(url[:-5] + "AAAA=") as response:
        assert (response.status, (await response.json())["code"]) == (403, "forbidden")
    clock.ahead = timedelta(seconds=301)
    async with caller.session.get(url) as response:
        assert response.status == 403
    conversation = events[0]["conversation_id"]
    _, listing = await caller.get(f"/messages?conversation_id={conversation}&user=u-1")
    rows = listing["data"]
    assert isinstance(rows, list)
    (row,) = rows
    assert [file["belongs_to"] for file in row["message_files"]] == ["assistant"]
    async with caller.session.get(row["message_files"][0]["url"]) as response:
        assert response.status == 200


@pytest.mark.parametrize("server", ["advanced-chat"], indirect=True)
async def test_a_chatflow_links_its_files_in_the_text_but_keeps_the_text_without_them(
    server: DifyServer, caller: Caller
) -> None:
    server.features.files_url = ""
    server.script = lambda query: Reply(tokens=["here"], files=(CHART,))

    _, events = await caller.ask()

    said = "".join(str(event["answer"]) for event in events if event["event"] == "message")
    assert said.startswith("here\n\n![chart.png](/files/tools/")
    assert [message.answer for one in server.conversations.values() for message in one.messages] == ["here"]


async def test_citations_come_only_where_they_are_switched_on(server: DifyServer, caller: Caller) -> None:
    _, events = await caller.ask("cite")
    server.features.cites = False
    _, without = await caller.ask("cite")

    metadata = events[-1]["metadata"]
    assert isinstance(metadata, dict)
    assert metadata["retriever_resources"][0]["document_name"] == "Employee handbook.pdf"
    assert without[-1]["metadata"]["retriever_resources"] == []  # type: ignore[index]


async def test_suggestions_are_for_the_messages_own_user_and_can_be_off(server: DifyServer, caller: Caller) -> None:
    _, events = await caller.ask()
    path = f"/messages/{events[0]['message_id']}/suggested"

    assert len((await caller.get(f"{path}?user=u-1"))[1]["data"]) == 3  # type: ignore[arg-type]
    assert (await caller.get(path))[0] == 400
    assert (await caller.get(f"{path}?user=u-2"))[0] == 404
    server.features.suggests = False
    assert await caller.get(f"{path}?user=u-1") == (
        400,
        {"code": "bad_request", "message": "Suggested Questions Is Disabled.", "status": 400},
    )


@pytest.mark.parametrize(
    ("server", "expected"),
    [
        ("agent-chat", ["agent_thought Current Time", "agent_thought Current Time"]),
        ("advanced-chat", [f"node_{what} {title}" for title in ("Understand the question", "Search the handbook")
                           for what in ("started", "finished")]),
    ],
    indirect=["server"],
)  # fmt: skip
async def test_tools_run_step_by_step(server: DifyServer, caller: Caller, expected: list[str]) -> None:
    steps = ("Understand the question", "Search the handbook")
    server.script = lambda query: Reply(tokens=["done"], tool="current_time", nodes=steps, step_seconds=0.01)

    _, events = await caller.ask()

    told: list[str] = []
    for event in events:
        data = event.get("data")
        title = data.get("title", "") if isinstance(data, dict) else ""
        labels = event.get("tool_labels")
        title = title or (labels["current_time"]["en_US"] if isinstance(labels, dict) and labels else "")
        if title and title not in ("Start", "LLM", "Answer"):
            told.append(f"{event['event']} {title}")
    assert told == expected


async def test_the_app_is_set_up_from_outside(server: DifyServer, caller: Caller) -> None:
    control = server.base_url.removesuffix("/v1") + "/control/features"
    async with caller.session.post(control, json={"cites": False, "most_files": 7, "mode": "agent-chat"}) as response:
        assert (await response.json())["most_files"] == 7
    for wrong in ({"nonsense": 1}, {"cites": "no"}, {"most_files": True}, {"mode": "robot"}):
        async with caller.session.post(control, json=wrong) as response:
            assert response.status == 400

    assert (server.features.cites, server.features.most_files, server.mode) == (False, 7, "agent-chat")


@pytest.mark.parametrize("word", ["tools", "cite", "file", "picture", "link"])
async def test_the_help_names_what_the_app_can_show(caller: Caller, word: str) -> None:
    _, events = await caller.ask("help")
    assert f"`{word}`" in "".join(str(event.get("answer", "")) for event in events)
    assert (await caller.ask(f"please show me {word}"))[0] == 200
