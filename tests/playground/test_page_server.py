"""The page's HTTP server: its files, who may ask, what is refused, and what is pushed."""

import asyncio
import base64
import io
import json
import socket
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from importlib import resources

import aiohttp
import pytest

from bridge.clock import SystemClock
from bridge.errors import SettingsError
from bridge.playground import discord_bodies as in_discord
from bridge.playground.bodies import (
    LARGEST_BODY,
    LARGEST_FILE,
    LONGEST_TEXT,
    MOST_FILES,
    Act,
    BadBody,
    Delete,
    Edit,
    Post,
    Press,
    React,
    SentFile,
    Turn,
)
from bridge.playground.server import PageServer, ShownFile
from bridge.playground.slack_bodies import (
    Close,
    Command,
    Look,
    PressInView,
    Shortcut,
    SlackAct,
    StopSession,
    Submit,
)


@dataclass
class Scene:
    """Remembers what it was asked to do."""

    shown: int = 0
    pictures: int = 0
    done: list[object] = field(default_factory=list)
    files: dict[tuple[str, str], ShownFile] = field(default_factory=dict)

    async def picture(self) -> Mapping[str, object]:
        self.pictures += 1
        return {"shown": self.shown, "text": "Grüße"}

    async def readiness(self) -> tuple[bool, Mapping[str, object]]:
        return False, {"problems": ["slack is not connected"]}

    async def post(self, platform: str, post: Post) -> str:
        if post.channel == "nowhere":
            raise BadBody("That channel does not exist.")
        self.done.append((platform, post))
        return "17"

    async def react(self, platform: str, react: React) -> None:
        self.done.append((platform, react))

    async def act(self, platform: str, act: Act) -> None:
        self.done.append((platform, act))

    async def use_slack(self, act: SlackAct) -> None:
        self.done.append(act)

    async def use_discord(self, act: in_discord.DiscordAct) -> str:
        self.done.append(act)
        return "18" if isinstance(act, in_discord.ForumPost) else ""

    def find_file(self, platform: str, file_id: str) -> ShownFile | None:
        return self.files.get((platform, file_id))

    async def turn(self, turn: Turn) -> None:
        self.done.append(turn)

    async def restart_bridge(self, *, kill: bool = False) -> None:
        self.done.append(kill)


@pytest.fixture
def scene() -> Scene:
    return Scene()


@pytest.fixture
async def page(scene: Scene) -> AsyncIterator[PageServer]:
    server = PageServer(scene, SystemClock(), port=0)
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def client(page: PageServer) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(base_url=page.url) as session:
        yield session


AT = {"channel": "C1", "message": "9", "person": "U1"}
POST = {"channel": "C1", "thread": None, "person": "U1", "text": "@bot hello"}


async def test_the_page_and_its_files_are_served_and_name_nothing_outside(client: aiohttp.ClientSession) -> None:
    async with client.get("/") as answer:
        html = await answer.text()
        assert answer.status == 200
        assert answer.content_type == "text/html"
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    own = sorted(
        one.name for one in (resources.files("bridge.playground") / "page").iterdir() if one.name != "index.html"
    )
    assert {"page.css", "panes.css", "markdown.css", "page.js", "pane.js", "markdown.js", "message.js"} <= set(own)
    for name in own:
        async with client.get(f"/page/{name}") as answer:
            assert answer.status == 200
            html += await answer.text()
    for outside in ("//cdn", "https://", "@import", "url("):
        assert not [line for line in html.splitlines() if outside in line and "/^" not in line and "raw`" not in line]


@pytest.mark.parametrize("path", ["/page/server.py", "/page/..%2fserver.py", "/page/%2e%2e/stage.py", "/page/", "/etc"])
async def test_no_other_file_is_served(client: aiohttp.ClientSession, path: str) -> None:
    async with client.get(path) as answer:
        assert answer.status == 404


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "[::1]"])
async def test_its_own_names_are_answered(client: aiohttp.ClientSession, page: PageServer, name: str) -> None:
    async with client.get("/livez", headers={"Host": f"{name}:{page.port}"}) as answer:
        assert answer.status == 200


@pytest.mark.parametrize("path", ["/", "/livez", "/readyz", "/page/page.js", "/playground/state", "/playground/events"])
async def test_another_host_name_is_refused_everywhere(
    client: aiohttp.ClientSession, page: PageServer, path: str
) -> None:
    for host in (f"evil.example:{page.port}", "127.0.0.1:1", "127.0.0.1", f"127.0.0.1.evil.example:{page.port}"):
        async with client.get(path, headers={"Host": host}) as answer:
            assert answer.status == 403
            assert page.url in (await answer.json())["problem"]


async def test_another_web_page_may_neither_post_nor_listen(
    client: aiohttp.ClientSession, scene: Scene, page: PageServer
) -> None:
    for origin in ("http://evil.example", "null", f"https://127.0.0.1:{page.port}"):
        async with client.post("/playground/slack/post", json=POST, headers={"Origin": origin}) as answer:
            assert answer.status == 403
        async with client.get("/playground/events", headers={"Origin": origin}) as answer:
            assert answer.status == 403
    async with client.post(
        "/playground/slack/post", json=POST, headers={"Origin": f"http://127.0.0.1:{page.port}"}
    ) as answer:
        assert answer.status == 200
    assert len(scene.done) == 1


async def test_a_form_cannot_post(client: aiohttp.ClientSession, scene: Scene) -> None:
    async with client.post("/playground/slack/post", data=json.dumps(POST)) as answer:
        assert answer.status == 415
    assert scene.done == []


async def test_what_is_done_on_the_page_reaches_the_scene(client: aiohttp.ClientSession, scene: Scene) -> None:
    react = {"channel": "C1", "message": "9", "person": "U1", "emoji": "👍", "add": True}
    async with client.post("/playground/discord/post", json=POST | {"thread": "5"}) as answer:
        assert await answer.json() == {"id": "17"}
    for path, body in (
        ("slack/react", react),
        ("slack/edit", AT | {"text": "@bot bye"}),
        ("discord/delete", AT),
        ("slack/press", AT | {"button": "bridge:stop"}),
        ("faults", {"name": "dify_down", "on": True}),
        ("restart", {"kill": True}),
    ):
        async with client.post(f"/playground/{path}", json=body) as answer:
            assert answer.status == 200
    assert scene.done == [
        ("discord", Post(channel="C1", thread="5", person="U1", text="@bot hello")),
        ("slack", React(channel="C1", message="9", person="U1", emoji="👍", add=True)),
        ("slack", Edit(channel="C1", message="9", person="U1", text="@bot bye")),
        ("discord", Delete(channel="C1", message="9", person="U1")),
        ("slack", Press(channel="C1", message="9", person="U1", button="bridge:stop")),
        Turn(name="dify_down", on=True),
        True,
    ]


async def test_what_only_slack_has_reaches_the_scene(client: aiohttp.ClientSession, scene: Scene) -> None:
    view = {"person": "U1", "view": "V1"}
    for path, body in (
        ("command", {"channel": "C1", "person": "U1", "name": "/ask", "text": "why?"}),
        ("command", {"channel": "C1", "person": "U1", "name": "/help", "thread": "5"}),
        ("shortcut", AT | {"shortcut": "ask_message"}),
        ("press-in-view", view | {"button": "a", "value": "b"}),
        ("submit", view | {"values": {"words": {"words": "too long"}}}),
        ("close", view),
        ("look", {"person": "U1", "tab": "home"}),
        ("stop", {"person": "U1", "channel": "C1", "thread": "5"}),
    ):
        async with client.post(f"/playground/slack/{path}", json=body) as answer:
            assert answer.status == 200, path
    assert scene.done == [
        Command(person="U1", channel="C1", thread=None, name="/ask", text="why?"),
        Command(person="U1", channel="C1", thread="5", name="/help", text=""),
        Shortcut(person="U1", channel="C1", message="9", shortcut="ask_message"),
        PressInView(person="U1", view="V1", button="a", value="b"),
        Submit(person="U1", view="V1", values={"words": {"words": "too long"}}),
        Close(person="U1", view="V1"),
        Look(person="U1", tab="home"),
        StopSession(person="U1", channel="C1", thread="5"),
    ]
    async with client.post("/playground/discord/look", json=body) as answer:
        assert answer.status == 404


def encoded(content: bytes) -> str:
    return base64.b64encode(content).decode()


async def test_a_message_may_bring_files_and_be_nothing_but_them(client: aiohttp.ClientSession, scene: Scene) -> None:
    listed = [{"name": "a.png", "content": encoded(b"\x89PNG")}, {"name": "b.unheard", "content": encoded(b"b")}]
    async with client.post("/playground/slack/post", json=POST | {"text": "", "files": listed}) as answer:
        assert answer.status == 200
    files = (
        SentFile(name="a.png", media_type="image/png", content=b"\x89PNG"),
        SentFile(name="b.unheard", media_type="application/octet-stream", content=b"b"),
    )
    assert scene.done == [("slack", Post(channel="C1", thread=None, person="U1", text="", files=files))]
    for wrong, problem in (
        ([{"name": "a", "content": encoded(b"x" * (LARGEST_FILE + 1))}], "too large"),
        ([{"name": "a", "content": encoded(b"x")}] * (MOST_FILES + 1), f"At most {MOST_FILES}"),
        ([{"name": "a", "content": "?"}], "not base64"),
        ([{"name": "a", "content": ""}], "“a” is empty"),
        (["a"], "must be a list"),
    ):
        body = io.BytesIO(json.dumps(POST | {"files": wrong}).encode())
        headers = {"Content-Type": "application/json"}
        async with client.post("/playground/slack/post", data=body, headers=headers) as answer:
            assert (answer.status, problem in (await answer.json())["problem"]) == (400, True), problem
    assert len(scene.done) == 1


async def test_a_file_is_shown_only_if_it_is_a_picture_and_downloaded_otherwise(
    client: aiohttp.ClientSession, scene: Scene
) -> None:
    for number, kind in enumerate(("image/png", "image/svg+xml", "text/html")):
        scene.files["slack", f"F{number}"] = ShownFile(media_type=kind, content=b"<svg>")
    for number, shown in enumerate((True, False, False)):
        async with client.get(f"/playground/slack/files/F{number}/a") as answer:
            assert (answer.status, await answer.read()) == (200, b"<svg>")
            assert (answer.content_type == "image/png") is shown
            assert (answer.headers.get("Content-Disposition") == "attachment") is not shown
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
    for path in ("slack/files/F9/a", "discord/files/F0/a"):
        async with client.get(f"/playground/{path}") as answer:
            assert answer.status == 404


async def test_what_only_discord_has_reaches_the_scene(client: aiohttp.ClientSession, scene: Scene) -> None:
    view = {"person": "U1", "view": "V1"}
    note = {"name": "a.txt", "content": base64.b64encode(b"hello").decode()}
    post = {"channel": "C1", "person": "U1", "title": "Broken", "text": "It is.", "tags": ["help"]}
    for path, body, made in (
        ("command", {"channel": "C1", "person": "U1", "name": "/ask", "text": "why?", "files": [note]}, ""),
        ("command", {"channel": "C1", "person": "U1", "name": "/help", "thread": "5"}, ""),
        ("shortcut", AT | {"shortcut": "Ask about this message"}, ""),
        ("submit", view | {"values": {"words": "too long", "kinds": ["a", "b"]}}, ""),
        ("close", view, ""),
        ("dismiss", {"person": "U1", "message": "9"}, ""),
        ("forum-post", post, "18"),
    ):
        async with client.post(f"/playground/discord/{path}", json=body) as answer:
            assert await answer.json() == {"id": made}, path
    sent = SentFile(name="a.txt", media_type="text/plain", content=b"hello")
    assert scene.done == [
        in_discord.Command(person="U1", channel="C1", thread=None, name="/ask", text="why?", files=(sent,)),
        in_discord.Command(person="U1", channel="C1", thread="5", name="/help", text=""),
        in_discord.Menu(person="U1", channel="C1", message="9", shortcut="Ask about this message"),
        in_discord.Submit(person="U1", view="V1", values={"words": "too long", "kinds": ["a", "b"]}),
        in_discord.Close(person="U1", view="V1"),
        in_discord.Dismiss(person="U1", message="9"),
        in_discord.ForumPost(person="U1", channel="C1", title="Broken", text="It is.", tags=("help",)),
    ]


@pytest.mark.parametrize(
    ("path", "body", "sentence"),
    [
        ("slack/post", b"{", "The body is not JSON."),
        ("slack/post", b"\xff", "The body is not JSON."),
        ("slack/post", b"[" * 30000, "The body is not JSON."),
        ("slack/post", b"[]", "The body must be a JSON object."),
        ("slack/post", b'{"text": "  "}', "The message is empty."),
        ("slack/post", b'{"text": 7}', "The field “text” must be a text that is not empty."),
        ("slack/post", b'{"text": "\\ud800"}', "The field “text” contains half a character."),
        ("slack/post", json.dumps(POST | {"channel": "nowhere"}).encode(), "That channel does not exist."),
        ("discord/post", json.dumps(POST | {"thread": 5}).encode(), "The field “thread” must be a text that is not empty."),
        ("discord/react", b'{"channel": "a", "message": "b", "person": "c", "emoji": "d", "add": 1}',
         "The field “add” must be true or false."),
        ("slack/edit", json.dumps(AT | {"text": " "}).encode(), "The message is empty."),
        ("slack/delete", b'{"channel": "a", "person": "c"}', "The field “message” must be a text that is not empty."),
        ("discord/press", json.dumps(AT).encode(), "The field “button” must be a text that is not empty."),
        ("slack/command", json.dumps(AT | {"name": "/ask", "text": 7}).encode(),
         "The field “text” must be a text of at most 4,000 characters."),
        ("slack/submit", b'{"person": "a", "view": "b", "values": []}', "The field “values” must be an object."),
        ("slack/submit", b'{"person": "a", "view": "b", "values": {"c": {"d": 1}}}',
         "What was entered must be texts by their field."),
        ("discord/command", json.dumps(AT | {"name": "/ask", "text": "x" * (LONGEST_TEXT + 1)}).encode(),
         "The text has 4,001 characters; at most 4,000 fit."),
        ("discord/command", json.dumps(AT | {"name": "/ask", "text": 7}).encode(),
         "The field “text” must be a text that is not empty."),
        ("discord/submit", b'{"person": "a", "view": "b", "values": 7}', "The field “values” must be an object."),
        ("discord/submit", b'{"person": "a", "view": "b", "values": {"c": [1]}}',
         "What was entered must be texts, or lists of what was chosen, by their field."),
        ("discord/forum-post", json.dumps(AT | {"title": "a", "tags": "help"}).encode(),
         "The field “tags” must be a list of names."),
        ("faults", b'{"name": "dify_down"}', "The field “on” must be true or false."),
        ("restart", b"{}", "The field “kill” must be true or false."),
    ],
)  # fmt: skip
async def test_a_wrong_body_is_explained_in_one_sentence(
    client: aiohttp.ClientSession, scene: Scene, path: str, body: bytes, sentence: str
) -> None:
    headers = {"Content-Type": "application/json"}
    async with client.post(f"/playground/{path}", data=body, headers=headers) as answer:
        assert answer.status == 400
        assert await answer.json() == {"problem": sentence}
    assert scene.done == []


async def test_a_text_that_is_too_long_and_a_body_that_is_too_large_are_refused(client: aiohttp.ClientSession) -> None:
    headers = {"Content-Type": "application/json"}
    for letters, status in ((LONGEST_TEXT, 200), (LONGEST_TEXT + 1, 400), (LARGEST_BODY + 1, 413)):
        body = io.BytesIO(json.dumps(POST | {"text": "x" * letters}).encode())
        async with client.post("/playground/slack/post", data=body, headers=headers) as answer:
            assert answer.status == status
            assert status == 200 or (await answer.json())["problem"]


async def test_an_unknown_platform_is_not_found(client: aiohttp.ClientSession) -> None:
    async with client.post("/playground/irc/post", json=POST) as answer:
        assert answer.status == 404


async def test_the_state_and_the_readiness_can_be_asked_for(client: aiohttp.ClientSession) -> None:
    async with client.get("/playground/state") as answer:
        assert await answer.json() == {"shown": 0, "text": "Grüße"}
    async with client.get("/readyz") as answer:
        assert answer.status == 503
        assert await answer.json() == {"ready": False, "problems": ["slack is not connected"]}


async def test_changes_are_pushed_and_bursts_are_put_together(
    client: aiohttp.ClientSession, page: PageServer, scene: Scene
) -> None:
    async with client.ws_connect("/playground/events") as events:
        assert (await events.receive_json(timeout=5))["shown"] == 0
        for number in range(1, 500):
            scene.shown = number
            page.changed()
            await asyncio.sleep(0)
        seen = [(await events.receive_json(timeout=5))["shown"]]
        while seen[-1] != 499:
            seen.append((await events.receive_json(timeout=5))["shown"])
        assert len(seen) <= 3
        assert scene.pictures <= 5


async def test_stopping_says_goodbye_to_open_pages(page: PageServer, scene: Scene) -> None:
    async with aiohttp.ClientSession(base_url=page.url) as session, session.ws_connect("/playground/events") as events:
        await events.receive_json(timeout=5)
        stopping = asyncio.create_task(page.stop())
        message = await events.receive(timeout=5)
        assert message.type is aiohttp.WSMsgType.CLOSE
        assert message.data == 1001
        await asyncio.wait_for(stopping, 5)


async def test_a_taken_port_is_named(scene: Scene) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(SettingsError) as told:
            await PageServer(scene, SystemClock(), port=port).start()
    assert told.value.problems == [
        f"--port: port {port} on 127.0.0.1 is taken by another program; stop that one or choose another with --port."
    ]
