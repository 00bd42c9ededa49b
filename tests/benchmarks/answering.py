"""Answers in one Slack workspace: which calls each takes, how soon it begins, how late it ends, and how it was shown.

A question that is asked for the first time in a thread costs one read of that thread; here every question is one.
"""

import asyncio
import re
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from bridge.playground.slack import limits
from tests.benchmarks.loads import FIRST_TOKEN, PATIENCE, TOKENS, Stage, is_whole, requests, stage
from tests.benchmarks.processes import bridge
from tests.benchmarks.rooms import CALL_SECONDS, Asked, Json, Seen, get, post

NO_STREAMS = {"streaming": "feature_not_enabled"}
"""What a workspace without native streams says."""

_STATUSES = {"agents.sessions.setStatus": "processing", "assistant.threads.setStatus": None, "reactions.add": None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    method: str
    at: float
    channel: str
    ok: bool
    status: int
    shows: str
    """The status that it sets, if it sets one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """One answer."""

    is_native: bool
    """It grew as a stream at least in part."""
    whole: bool
    messages: int
    status: float | None
    """Seconds from the question until something shows that it is worked on; None: nothing did."""
    first: float | None
    """Seconds from the question to the first text."""
    late: float | None
    """Seconds from the app's last word to the answer's end on the platform."""
    calls: Mapping[str, int]
    """By method."""

    @property
    def writings(self) -> int:
        """How often its text was written to."""
        return sum(self.calls.get(method, 0) for method in ("chat.appendStream", "chat.update"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    answers: Sequence[Answered]
    busiest: Mapping[str, int]
    """Method to most calls in any minute."""
    rejected: int
    refused: Mapping[str, int]
    """Method to calls that were refused for another reason than the rate limit."""

    @property
    def native(self) -> Sequence[Answered]:
        return [one for one in self.answers if one.is_native]

    @property
    def others(self) -> Sequence[Answered]:
        return [one for one in self.answers if not one.is_native]


async def answer_questions(
    count: int, *, every: float = 0.0, per_token: float, lacks: Mapping[str, str] | None = None
) -> Load:
    """Asks in as many channels, one question `every` so many seconds, and waits until all answers are whole."""
    async with stage(per_token=per_token) as on:
        control = on.slack.control
        await post(on.session, f"{control}/features", {"lacks": cast("Json", dict(lacks or {}))})
        rooms = await on.slack.make_rooms(count)
        async with bridge(on.folder, on.settings | {"DIFY_MAX_CONCURRENT": str(count)}):
            await asyncio.sleep(1.0)
            before = len(await _calls(on))
            asked: list[Asked] = []
            began = time.monotonic()
            for number, room in enumerate(rooms):
                await asyncio.sleep(max(0.0, began + number * every - time.monotonic()))
                asked.append(await on.slack.ask(room, f"Please write a lot, number {number}."))
            await asyncio.sleep(FIRST_TOKEN + TOKENS * per_token)
            seen = await _until_all_is_said(on, asked)
            calls = await _calls(on, after=before)
            ended = await _endings(on, per_token)
    return Load(
        answers=[
            _judge(one, text, [call for call in calls if call.channel == one.room.channel], ended.get(number))
            for number, (one, text) in enumerate(zip(asked, seen, strict=True))
        ],
        busiest=busiest_minute(calls),
        rejected=sum(call.status == 429 for call in calls),
        refused=Counter(call.method for call in calls if not call.ok and call.status != 429),
    )


def tier_of(method: str) -> int:
    """Calls a minute that Slack allows a workspace at least."""
    return limits.CALLS_PER_MINUTE[method]


def busiest_minute(calls: Sequence[Call]) -> Mapping[str, int]:
    found: Counter[str] = Counter()
    times: dict[str, list[float]] = {}
    for call in sorted(calls, key=lambda one: one.at):
        window = times.setdefault(call.method, [])
        window.append(call.at)
        while window[0] <= call.at - limits.WINDOW_SECONDS:
            del window[0]
        found[call.method] = max(found[call.method], len(window))
    return found


async def _until_all_is_said(on: Stage, asked: list[Asked]) -> list[Seen]:
    """Also until every status is taken away again: that is the last call of an answer."""
    began = time.monotonic()
    while True:
        seen = await on.slack.look(asked)
        if all(is_whole(one) for one in seen) and not await _is_working(on):
            return seen
        if time.monotonic() - began > PATIENCE:
            return seen
        await asyncio.sleep(0.5)


async def _is_working(on: Stage) -> bool:
    snapshot = await get(on.session, f"{on.slack.control}/snapshot")
    for channel in cast("list[Json]", snapshot["channels"]):
        for message in cast("list[Json]", channel["messages"]):
            session = cast("Json | None", message["session"])
            streams = [cast("Json | None", reply["stream"]) for reply in cast("list[Json]", message["replies"])]
            if (session or {}).get("status") == "processing" or message["status"]:
                return True
            if any(stream is not None and stream["live"] for stream in streams):
                return True
    return False


async def _calls(on: Stage, after: int = 0) -> list[Call]:
    record = await get(on.session, f"{on.slack.control}/calls", after=str(after))
    found = []
    for call in cast("list[Json]", record["calls"]):
        method, args = str(call["method"]), cast("Json", call["args"])
        wanted = _STATUSES.get(method, "")
        told = str(args.get("status") or args.get("name") or "")
        found.append(
            Call(
                method=method,
                at=float(cast("float", call["at"])),
                channel=str(args.get("channel") or args.get("channel_id") or ""),
                ok=bool(call["ok"]),
                status=int(cast("int", call["status"])),
                shows=told if wanted in (None, told) else "",
            )
        )
    return found


async def _endings(on: Stage, per_token: float) -> dict[int, float]:
    """Question's number to when the app said its last word."""
    found = {}
    for request in await requests(on):
        number = int(re.findall(r"number (\d+)", str(request["query"]))[-1])
        found[number] = float(cast("float", request["at"])) + FIRST_TOKEN + (TOKENS - 1) * per_token
    return found


def _judge(asked: Asked, seen: Seen, calls: Sequence[Call], ended: float | None) -> Answered:
    counts = Counter(call.method for call in calls)
    shown = [call.at + CALL_SECONDS for call in calls if call.ok and call.shows and call.at >= seen.asked_at]
    last = None if seen.last is None else seen.asked_at + seen.last
    return Answered(
        is_native=any(call.ok and call.method == "chat.startStream" for call in calls),
        whole=is_whole(seen),
        messages=sum(call.ok and call.method in ("chat.startStream", "chat.postMessage") for call in calls),
        status=min(shown) - seen.asked_at if shown else None,
        first=seen.first,
        late=None if last is None or ended is None else last - ended,
        calls=counts,
    )
