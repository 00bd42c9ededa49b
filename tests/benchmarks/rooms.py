"""The stand-in platforms seen from a benchmark: make rooms, ask in them, read afterwards what was shown when.

Times come from the stand-ins' own records, in this machine's monotonic seconds, which all processes share.
"""

from dataclasses import dataclass
from typing import Protocol, TypeAlias, cast

import aiohttp

Json: TypeAlias = dict[str, "JsonValue"]
JsonValue: TypeAlias = str | int | float | bool | list["JsonValue"] | Json | None

_WRITES = {"chat.postMessage", "chat.update", "chat.startStream", "chat.appendStream", "chat.stopStream"}

CALL_SECONDS = 0.06
"""What a platform call takes, as in the load that other bots were measured with."""


@dataclass(frozen=True, slots=True)
class Room:
    channel: str
    thread: str = ""
    """Slack only: the thread's first message."""


@dataclass(frozen=True, slots=True)
class Asked:
    room: Room
    message: str


@dataclass(frozen=True, slots=True)
class Seen:
    """What became visible after one question. Seconds after the question; None when nothing came."""

    asked_at: float
    first: float | None
    last: float | None
    text: str


class Platform(Protocol):
    name: str

    async def make_rooms(self, count: int) -> list[Room]: ...

    async def ask(self, room: Room, text: str) -> Asked: ...

    async def look(self, asked: list[Asked]) -> list[Seen]: ...

    async def count_writes(self) -> tuple[int, int]:
        """Accepted writes and rejected calls so far."""
        ...


async def get(session: aiohttp.ClientSession, url: str, **query: str) -> Json:
    async with session.get(url, params=query) as answer:
        answer.raise_for_status()
        return cast("Json", await answer.json())


async def post(session: aiohttp.ClientSession, url: str, body: Json) -> Json:
    async with session.post(url, json=body) as answer:
        if answer.status != 200:
            raise RuntimeError(f"{url}: {await answer.text()}")
        return cast("Json", await answer.json())


def _changes(history: JsonValue) -> list[tuple[float, str]]:
    found = cast("list[tuple[float, str]]", history)
    return [(float(at), text) for at, text in found if text.strip()]


def _seen(asked_at: float, parts: list[list[tuple[float, str]]]) -> Seen:
    shown = [part for part in parts if part]
    if not shown:
        return Seen(asked_at, None, None, "")
    return Seen(
        asked_at,
        min(part[0][0] for part in shown) - asked_at,
        max(part[-1][0] for part in shown) - asked_at,
        "\n".join(part[-1][1] for part in shown),
    )


class DiscordRooms:
    name = "Discord"

    def __init__(self, session: aiohttp.ClientSession, facts: dict[str, str]) -> None:
        self._session = session
        self._control = facts["control_url"].rstrip("/")
        self._facts = facts

    async def make_rooms(self, count: int) -> list[Room]:
        await post(self._session, f"{self._control}/faults", {"latency": CALL_SECONDS})
        rooms = []
        for number in range(count):
            channel = await post(self._session, f"{self._control}/channel", {"name": f"bench-{number}"})
            thread = await post(
                self._session, f"{self._control}/thread", {"channel": channel["id"], "name": "a thread", "user": "Ada"}
            )
            rooms.append(Room(str(thread["id"])))
        return rooms

    async def ask(self, room: Room, text: str) -> Asked:
        body: Json = {"user": "Ada", "channel": room.channel, "text": f"<@{self._facts['bot_id']}> {text}"}
        return Asked(room, str((await post(self._session, f"{self._control}/post", body))["id"]))

    async def look(self, asked: list[Asked]) -> list[Seen]:
        snapshot = await get(self._session, f"{self._control}/snapshot")
        threads = {str(place["id"]): place for place in cast("list[Json]", snapshot["threads"])}
        found = []
        for one in asked:
            parts = []
            asked_at = 0.0
            after = False
            for message in cast("list[Json]", threads[one.room.channel]["messages"]):
                ours = str(message["author_id"]) == self._facts["bot_id"]
                if message["id"] == one.message:
                    asked_at = (await self._history(one.room, one.message))[0][0]
                    after = True
                elif after and not ours:
                    break
                elif after:
                    parts.append(await self._history(one.room, str(message["id"])))
            found.append(_seen(asked_at, parts))
        return found

    async def _history(self, room: Room, message: str) -> list[tuple[float, str]]:
        growth = await get(self._session, f"{self._control}/growth", channel=room.channel, message=message)
        return _changes(growth["history"])

    async def count_writes(self) -> tuple[int, int]:
        record = await get(self._session, f"{self._control}/calls")
        calls = cast("list[Json]", record["calls"])
        writes = [
            call
            for call in calls
            if call["method"] in {"POST", "PATCH"} and "/messages" in str(call["route"]) and call["status"] == 200
        ]
        return len(writes), int(cast("int", record["rejected"]))


class SlackRooms:
    name = "Slack"

    def __init__(self, session: aiohttp.ClientSession, facts: dict[str, str]) -> None:
        self._session = session
        self.control = facts["control_url"].rstrip("/")

    async def make_rooms(self, count: int) -> list[Room]:
        await post(self._session, f"{self.control}/faults", {"latency": CALL_SECONDS})
        rooms = []
        for number in range(count):
            # One channel each: what is measured is the budget of the workspace, not one post a second in one channel.
            channel = str((await post(self._session, f"{self.control}/channel", {"name": f"bench-{number}"}))["id"])
            root = await self._post(channel, f"thread {number}", None)
            rooms.append(Room(channel, root))
        return rooms

    async def ask(self, room: Room, text: str) -> Asked:
        return Asked(room, await self._post(room.channel, f"<@U0BRIDGE> {text}", room.thread))

    async def _post(self, channel: str, text: str, thread: str | None) -> str:
        body: Json = {"user": "U0ADA", "channel": channel, "text": text, "thread_ts": thread}
        return str((await post(self._session, f"{self.control}/post", body))["ts"])

    async def look(self, asked: list[Asked]) -> list[Seen]:
        found = []
        for one in asked:
            growth = await get(self._session, f"{self.control}/growth", channel=one.room.channel, ts=one.room.thread)
            replies = cast("list[Json]", growth["replies"])
            place = next(number for number, reply in enumerate(replies) if reply["ts"] == one.message)
            parts = []
            for reply in replies[place + 1 :]:
                if not reply["is_bot"]:
                    break
                parts.append(_changes(reply["history"]))
            found.append(_seen(_changes(replies[place]["history"])[0][0], parts))
        return found

    async def count_writes(self) -> tuple[int, int]:
        record = await get(self._session, f"{self.control}/calls")
        calls = cast("list[Json]", record["calls"])
        writes = [call for call in calls if call["method"] in _WRITES and call["ok"]]
        return len(writes), int(cast("int", record["rejected"]))
