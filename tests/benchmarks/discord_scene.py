"""The stand-in Discord of a load, as what people do there and what was shown and called afterwards."""

import asyncio
import re
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from tests.benchmarks.loads import FIRST_TOKEN, PATIENCE, TOKENS, Stage, requests
from tests.benchmarks.rooms import CALL_SECONDS, Json, get, post

_NUMBER = re.compile(r"number (\d+)")
_WORD = re.compile(r"word(\d+)")
_WHOLE = [str(number) for number in range(1, TOKENS + 1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """A question."""

    number: int
    """In its text."""
    channel: str
    message: str
    """Its own id, which its thread has as well; the interaction's where it was asked by command."""
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What became of one question. Seconds after it, or after the app's last word; None: that never came."""

    messages: int
    edits: int
    first: float | None
    whole: float | None
    late: float | None
    """From the app's last word until the whole text stands."""


class Scene:
    def __init__(self, on: Stage, bot: str) -> None:
        self._on = on
        self._control = _control_of(on)
        self._bot = bot

    async def do(self, act: str, body: Json) -> str:
        """Returns the id of what came of it."""
        return str((await post(self._on.session, f"{self._control}/{act}", body)).get("id", ""))

    async def look(self, what: str, **query: str) -> Json:
        return await get(self._on.session, f"{self._control}/{what}", **query)

    async def open_channels(self, count: int) -> list[str]:
        return [await self.do("channel", {"name": f"bench-{number}"}) for number in range(count)]

    async def open_threads(self, count: int) -> list[str]:
        """Each in a channel of its own."""
        channels = await self.open_channels(count)
        return [await self.do("thread", {"channel": one, "name": "a thread", "user": "Ada"}) for one in channels]

    async def until_commands_stand(self) -> None:
        began = time.monotonic()
        while not (await self.look("snapshot"))["commands"]:
            if time.monotonic() - began > PATIENCE:
                raise RuntimeError("no commands were registered")
            await asyncio.sleep(0.1)

    async def mention(self, channel: str, number: int) -> Posted:
        text = f"<@{self._bot}> Please write a lot, number {number}."
        message = await self.do("post", {"user": "Ada", "channel": channel, "text": text})
        ((at, _), *_) = await self._history(channel, message)
        return Posted(number=number, channel=channel, message=message, at=at)

    async def command(self, channel: str, number: int) -> Posted:
        at = time.monotonic()
        options: Json = {"question": f"Please write a lot, number {number}."}
        body: Json = {"user": "Ada", "channel": channel, "name": "ask", "options": options}
        return Posted(number=number, channel=channel, message=await self.do("command", body), at=at)

    async def calls(self, after: int = 0) -> list[Json]:
        return cast("list[Json]", (await self.look("calls"))["calls"])[after:]

    async def count_calls(self) -> int:
        return len(await self.calls())

    async def answered(self, asked: Sequence[Posted], per_token: float) -> list[Answered]:
        """Waits until every answer is whole and none shows that it grows, or until nobody would wait any longer."""
        began, pause = time.monotonic(), 0.25 if len(asked) <= 20 else 1.0
        while True:
            found = await self._find(asked, per_token)
            if all(one.whole is not None and not grows for one, grows in found):
                break
            if time.monotonic() - began > PATIENCE:
                break
            await asyncio.sleep(pause)
        return [one for one, _ in found]

    async def _find(self, asked: Sequence[Posted], per_token: float) -> list[tuple[Answered, bool]]:
        ended = await self._endings(per_token)
        snapshot = await self.look("snapshot")
        places = {str(one["id"]): one for kind in ("channels", "threads") for one in cast("list[Json]", snapshot[kind])}
        return [await self._judge(one, places, ended.get(one.number)) for one in asked]

    async def _judge(self, asked: Posted, places: Mapping[str, Json], ended: float | None) -> tuple[Answered, bool]:
        own = self._own(asked, places)
        histories = [await self._history(str(one["channel_id"]), str(one["id"])) for one in own]
        shown = [(at, text) for history in histories for at, text in history if _WORD.search(text)]
        whole = min((at for at, text in shown if _WORD.findall(text) == _WHOLE), default=None)
        grows = any("bridge:stop" in str(one["buttons"]) for one in own)
        answered = Answered(
            messages=len(own),
            edits=sum(len(history) - 1 for history in histories),
            first=min(at for at, _ in shown) - asked.at if shown else None,
            whole=None if whole is None else whole - asked.at,
            late=None if whole is None or ended is None else whole - ended,
        )
        return answered, grows

    def _own(self, asked: Posted, places: Mapping[str, Json]) -> list[Json]:
        """The bot's messages in the question's thread, or else those that reply to it."""
        thread = places.get(asked.message) or self._thread_of(asked, places)
        if thread is not None:
            return [one for one in _messages(thread) if str(one["author_id"]) == self._bot and one["content"]]
        return [one for one in _messages(places[asked.channel]) if one["reply_to"] == asked.message]

    def _thread_of(self, asked: Posted, places: Mapping[str, Json]) -> Json | None:
        """Of a command: it hangs below what the command was answered with."""
        roots = [one for one in _messages(places[asked.channel]) if one["interaction_id"] == asked.message]
        return places.get(str(roots[0]["id"])) if roots else None

    async def _history(self, channel: str, message: str) -> list[tuple[float, str]]:
        told = await self.look("growth", channel=channel, message=message)
        return [(float(at), text) for at, text in cast("list[tuple[float, str]]", told["history"])]

    async def _endings(self, per_token: float) -> dict[int, float]:
        """Question's number to when the app said its last word."""
        found = {}
        for request in await requests(self._on):
            number = int(_NUMBER.findall(str(request["query"]))[-1])
            found[number] = float(cast("float", request["at"])) + FIRST_TOKEN + (TOKENS - 1) * per_token
        return found


async def enter(on: Stage) -> Scene:
    """Calls take as long there as in every load."""
    control = _control_of(on)
    snapshot = await get(on.session, f"{control}/snapshot")
    scene = Scene(on, str(cast("Json", snapshot["bot"])["id"]))
    await scene.do("faults", {"latency": CALL_SECONDS})
    return scene


def by_route(calls: Sequence[Json]) -> Mapping[str, int]:
    return Counter(f"{one['method']} {one['route']}" for one in calls)


def rejected(calls: Sequence[Json]) -> Mapping[str, int]:
    """Those that Discord answered with 429, by method and route."""
    return by_route([one for one in calls if one["status"] == 429])


def _messages(place: Json) -> list[Json]:
    return cast("list[Json]", place["messages"])


def _control_of(on: Stage) -> str:
    return on.settings["DISCORD_API_URL"].removesuffix("/api/v10") + "/control"
