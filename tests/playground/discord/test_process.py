"""The stand-in in a process of its own, worked by its remote control."""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass

import aiohttp
import pytest

from bridge.playground.discord import DiscordServer
from tests.playground.discord.clients import WAIT

pytestmark = pytest.mark.process


@dataclass(frozen=True, slots=True)
class Remote:
    facts: dict[str, str]
    http: aiohttp.ClientSession

    async def post(self, path: str, **body: object) -> dict[str, object]:
        async with self.http.post(f"{self.facts['control_url']}/{path}", json=body) as response:
            answer: dict[str, object] = await response.json()
            return answer | {"status": response.status}

    async def get(self, path: str, **query: str) -> dict[str, object]:
        async with self.http.get(f"{self.facts['control_url']}/{path}", params=query) as response:
            answer: dict[str, object] = await response.json()
            return answer

    async def say(self, channel: str, content: str) -> int:
        url = f"{self.facts['api_url']}/channels/{channel}/messages"
        headers = {"Authorization": f"Bot {self.facts['token']}"}
        async with self.http.post(url, json={"content": content}, headers=headers) as response:
            return response.status


@pytest.fixture
async def remote() -> AsyncIterator[Remote]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bridge.playground.discord", "--port", "0", stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    async with asyncio.timeout(WAIT * 2), aiohttp.ClientSession() as http:
        yield Remote(json.loads(await process.stdout.readline()), http)
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0


async def test_another_process_can_be_its_people_and_its_faults(remote: Remote) -> None:
    facts = remote.facts
    posted = await remote.post("post", user="Ada", channel=facts["general"], text=f"<@{facts['bot_id']}> hello")
    answered = await remote.post(
        "post", user=facts["grace"], channel=facts["general"], text="hello Ada", reply_to=posted["id"]
    )
    await remote.post("react", user="Linus", channel=facts["general"], message=answered["id"], emoji="👍")
    made = await remote.post("channel", name="load-1")
    thread = await remote.post("thread", channel=made["id"], name="Question 1")
    assert await remote.say(str(thread["id"]), "an answer") == 200
    assert (
        await remote.post("faults", latency=0.01, fail_next={"POST /channels/{channel_id}/messages": [{"status": 502}]})
    )["status"] == 200
    assert await remote.say(facts["general"], "lost") == 502
    assert await remote.say(facts["general"], "kept") == 200

    calls = await remote.get("calls")
    assert isinstance(calls["calls"], list)
    assert [one["status"] for one in calls["calls"]] == [200, 502, 200]
    assert calls["rejected"] == 0
    growth = await remote.get("growth", channel=facts["general"], message=str(answered["id"]))
    assert isinstance(growth["history"], list)
    assert [content for _, content in growth["history"]] == ["hello Ada"]
    snapshot = await remote.get("snapshot")
    assert isinstance(snapshot["channels"], list)
    general = snapshot["channels"][0]
    assert [one["content"] for one in general["messages"]] == [f"<@{facts['bot_id']}> hello", "hello Ada", "kept"]
    assert general["messages"][1]["reply_to"] == posted["id"]
    assert general["messages"][1]["reactions"] == [{"emoji": "👍", "users": [facts["linus"]]}]

    for path, body in (
        ("post", {"channel": "0", "text": "x"}),
        ("post", {"channel": facts["general"]}),
        ("post", {"user": "Nobody", "channel": facts["general"], "text": "x"}),
        ("faults", {"latency": "much"}),
        ("faults", {"unheard_of": True}),
        ("faults", {"fail_next": {"GET /users/@me": [{"status": "bad"}]}}),
        ("faults", {"fail_next": {"GET /users/@me": [{"kind": "bad"}]}}),
    ):
        refused = await remote.post(path, **body)
        assert refused["status"] == 400, (path, body)
        assert refused["error"]
    # What a page from elsewhere could send without being asked.
    async with remote.http.post(facts["control_url"] + "/channel", data='{"name": "x"}') as answer:
        assert answer.status == 400


async def test_another_process_can_use_commands_and_forms(remote: Remote) -> None:
    facts = remote.facts
    headers = {"Authorization": f"Bot {facts['token']}"}
    commands = [
        {
            "name": "ask",
            "description": "Ask",
            "integration_types": [0, 1],
            "options": [{"type": 3, "name": "question", "description": "What", "required": True}],
        },
        {"name": "Ask about this", "type": 3},
    ]
    url = f"{facts['api_url']}/applications/{facts['application_id']}/commands"
    async with remote.http.put(url, json=commands, headers=headers) as registered:
        assert registered.status == 200
    general = facts["general"]
    asked = await remote.post("command", user="Ada", channel=general, name="ask", options={"question": "why?"})
    incomplete = await remote.post("command", user="Ada", channel=general, name="ask")
    assert (incomplete["status"], incomplete["error"]) == (400, "/ask needs `question`")
    snapshot = await remote.get("snapshot")
    assert isinstance(snapshot["commands"], list)
    assert [one["name"] for one in snapshot["commands"]] == ["ask", "Ask about this"]
    assert isinstance(snapshot["interactions"], list)
    assert [(one["id"], one["state"]) for one in snapshot["interactions"]] == [(asked["id"], "asked")]
    found = await remote.get("interaction", id=str(asked["id"]))
    assert (found["answer"], found["failed"], found["original"]) == (None, False, None)
    said = await remote.post("post", user="Ada", channel=general, text="look")
    pointed = await remote.post("menu", user="Grace", channel=general, name="Ask about this", message=said["id"])
    assert pointed["status"] == 200
    assert (await remote.post("submit", interaction=pointed["id"], values={}))["status"] == 400
    assert (await remote.post("close", interaction=pointed["id"]))["status"] == 400
    assert (await remote.post("dismiss", message="0"))["status"] == 400
    assert (await remote.post("install", user="Ada"))["status"] == 200
    assert (await remote.post("forward", channel=general, message=said["id"], to=facts["support"]))["status"] == 200
    assert (await remote.post("voice", channel=general, seconds=1, content="T2dn"))["status"] == 200
    assert (await remote.post("voice", channel=general, seconds="one", content="T2dn"))["status"] == 400
    forum = await remote.post("forum", name="help", tags=["solved"])
    post = {"channel": forum["id"], "name": "How?", "text": "please", "tags": ["solved"]}
    assert (await remote.post("forum_post", **post))["status"] == 200
    assert (await remote.post("forum_post", **post | {"tags": ["other"]}))["status"] == 400
    assert (await remote.post("guilds", count=3, channels=2))["status"] == 200
    snapshot = await remote.get("snapshot")
    assert isinstance(snapshot["guilds"], list)
    assert len(snapshot["guilds"]) == 4


async def test_the_remote_control_is_off_unless_asked_for(server: DiscordServer) -> None:
    async with aiohttp.ClientSession() as http, http.get(server.address + "/control/snapshot") as response:
        assert response.status == 404
