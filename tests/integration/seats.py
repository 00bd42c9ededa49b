"""A chair at each platform: the same few gestures of a person, whichever stand-in is behind them."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol

from bridge.playground.discord import DiscordServer
from bridge.playground.slack import SlackServer
from bridge.playground.stage import APP_MODE, Stage


class Seat(Protocol):
    """What a person does and sees. A `thread` is the name of the place where the bot answers."""

    name: str

    async def ask(self, text: str, channel: int = 0) -> str:
        """Mentions the bot in a channel; returns the thread in which it will answer."""
        ...

    async def say(self, thread: str, text: str) -> None:
        """Writes into a thread without mentioning anybody."""
        ...

    async def tell(self, text: str) -> str:
        """Writes a direct message; returns where the answer comes."""
        ...

    def answers(self, thread: str) -> list[str]:
        """What the bot has written there, oldest first, as it reads now."""
        ...

    def growth(self, thread: str) -> list[str]:
        """Every text that the bot's last message there has had."""
        ...

    def files(self, thread: str) -> list[tuple[str, bytes]]:
        """Name and content of every file that the bot has put there."""
        ...

    async def react(self, thread: str, *, up: bool, who: int = 0, remove: bool = False) -> None:
        """Rates the bot's first message there."""
        ...

    def pings(self) -> int: ...

    def rejected(self) -> int: ...

    def on_change(self, callback: Callable[[], None]) -> None: ...


class SlackSeat:
    name = "slack"
    people = ("U0ADA", "U0GRACE", "U0LINUS")
    channels = ("C0GENERAL", "C0SUPPORT")

    def __init__(self, server: SlackServer) -> None:
        self.server = server
        self._channel_of: dict[str, str] = {}

    async def ask(self, text: str, channel: int = 0) -> str:
        place = self.channels[channel]
        ts = await self.server.post_as(self.people[0], place, f"<@{self.server.bot_user_id}> {text}")
        self._channel_of[ts] = place
        return ts

    async def say(self, thread: str, text: str) -> None:
        await self.server.post_as(self.people[1], self._channel_of[thread], text, thread_ts=thread)

    async def tell(self, text: str) -> str:
        ts = await self.server.post_as(self.people[0], "D0ADA", text)
        self._channel_of[ts] = "D0ADA"
        return ts

    def _own(self, thread: str) -> list[tuple[str, str, list[str]]]:
        return [
            (message.ts, message.visible_text, [text for _, text in message.history])
            for message in self.server.messages(self._channel_of[thread], thread)
            if message.user == self.server.bot_user_id and message.visible_text
        ]

    def answers(self, thread: str) -> list[str]:
        return [text for _, text, _ in self._own(thread)]

    def growth(self, thread: str) -> list[str]:
        return self._own(thread)[-1][2]

    def files(self, thread: str) -> list[tuple[str, bytes]]:
        shown = self.server.messages(self._channel_of[thread], thread)
        files = [file for one in shown if one.user == self.server.bot_user_id for file in one.files]
        return [(file.title, self.server.uploads.content(file.id) or b"") for file in files]

    async def react(self, thread: str, *, up: bool, who: int = 0, remove: bool = False) -> None:
        change = self.server.unreact if remove else self.server.react
        await change(self.people[who], self._channel_of[thread], self._own(thread)[0][0], "+1" if up else "-1")

    def pings(self) -> int:
        return len(self.server.pings)

    def rejected(self) -> int:
        return self.server.rejected

    def on_change(self, callback: Callable[[], None]) -> None:
        self.server.on_change(callback)


class DiscordSeat:
    name = "discord"

    def __init__(self, server: DiscordServer) -> None:
        self.server = server
        self._people = (server.ada, server.grace, server.linus)

    async def ask(self, text: str, channel: int = 0) -> str:
        place = (self.server.general, self.server.support)[channel]
        return await self.server.post_as(self._people[0], place, f"<@{self.server.bot_id}> {text}")

    async def say(self, thread: str, text: str) -> None:
        await self.server.post_as(self._people[1], thread, text)

    async def tell(self, text: str) -> str:
        await self.server.post_as(self._people[0], self.server.dm_ada, text)
        return self.server.dm_ada

    def _own(self, thread: str) -> list[tuple[str, str, list[str]]]:
        if thread not in self.server.channels:
            return []
        return [
            (message.id, message.content, [text for _, text in message.history])
            for message in self.server.messages(thread)
            if message.author_id == self.server.bot_id and message.content
        ]

    def answers(self, thread: str) -> list[str]:
        return [text for _, text, _ in self._own(thread)]

    def growth(self, thread: str) -> list[str]:
        return self._own(thread)[-1][2]

    def files(self, thread: str) -> list[tuple[str, bytes]]:
        if thread not in self.server.channels:
            return []
        shown = [one for one in self.server.messages(thread) if one.is_bot]
        return [(file.filename, file.content or b"") for one in shown for _, file in one.attachments]

    async def react(self, thread: str, *, up: bool, who: int = 0, remove: bool = False) -> None:
        change = self.server.unreact if remove else self.server.react
        await change(self._people[who], thread, self._own(thread)[0][0], "👍" if up else "👎")

    def pings(self) -> int:
        return len(self.server.pings)

    def rejected(self) -> int:
        return self.server.rejected

    def on_change(self, callback: Callable[[], None]) -> None:
        self.server.on_change(callback)


class Changes:
    """Waits for things to happen at the stand-ins, without polling."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def notice(self) -> None:
        self._event.set()

    async def until(self, condition: Callable[[], bool], what: str, timeout: float = 30.0) -> None:
        try:
            async with asyncio.timeout(timeout):
                while not condition():
                    self._event.clear()
                    await self._event.wait()
        except TimeoutError:
            raise AssertionError(f"did not happen in {timeout} s: {what}") from None


class Play:
    """A running stage, the seats at it and a way to wait."""

    def __init__(self, stage: Stage, database: Path) -> None:
        self.stage = stage
        self.database = database
        self.changes = Changes()
        assert stage.dify is not None
        self.dify = stage.dify
        self.dify.first_token = 0.0
        self.dify.per_token = 0.002
        self.seats: dict[str, Seat] = {"slack": SlackSeat(stage.slack), "discord": DiscordSeat(stage.discord)}
        for seat in self.seats.values():
            seat.on_change(self.changes.notice)
        self.dify.on_change(self.changes.notice)

    async def until(self, condition: Callable[[], bool], what: str, timeout: float = 30.0) -> None:
        await self.changes.until(condition, what, timeout)

    async def answered(self, seat: Seat, thread: str, ending: str, count: int = 1) -> list[str]:
        """Waits until the bot has `count` messages there and the last one contains `ending`."""

        def done() -> bool:
            texts = seat.answers(thread)
            return len(texts) >= count and ending in texts[-1]

        await self.until(
            done, f"{seat.name}: {count} message(s), the last with {ending!r}; has {seat.answers(thread)!r}"
        )
        return seat.answers(thread)


@asynccontextmanager
async def playing(folder: Path, app_mode: str = APP_MODE) -> AsyncIterator[Play]:
    stage = Stage(database=folder / "bridge.db", grace=5.0, app_mode=app_mode)
    await stage.start()
    try:
        assert await stage.connected(), "the bridge did not connect"
        yield Play(stage, folder / "bridge.db")
    finally:
        await stage.stop()
