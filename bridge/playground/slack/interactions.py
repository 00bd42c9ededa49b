"""Buttons under the bot's messages: how a press is spelled, how it is carried to the app, and the record of each.

A press is offered once. Slack does not repeat it; who pressed sees a warning when it was not acknowledged in time. Its
`response_url` is there and leads nowhere: the stand-in has no messages that only one person sees.
"""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from bridge.clock import Clock
from bridge.playground.slack.delivery import Transport
from bridge.playground.slack.events import APP_ID, TEAM_ID, wire_message
from bridge.playground.slack.model import Channel, JsonObject, Message, Person, Press

_CHANNEL_NAMES = {"im": "directmessage", "group": "privategroup", "mpim": "privategroup"}
"""What stands for the name of a channel that not everybody may know (Slack's page on interaction payloads shows both)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownButton:
    """A button as it stands under a message."""

    action_id: str
    label: str
    block_id: str
    element: JsonObject


def buttons_under(message: Message) -> Iterator[ShownButton]:
    """The buttons of a message, which was checked when it was written. Slack makes up the ids that an app leaves out."""
    for number, block in enumerate(message.blocks):
        elements = block.get("elements") if block.get("type") == "actions" else None
        for place, element in enumerate(elements if isinstance(elements, list) else []):
            if element.get("type") != "button":
                continue
            yield ShownButton(
                action_id=str(element.get("action_id", f"made-up-{number}-{place}")),
                label=str(element["text"]["text"]),
                block_id=str(block.get("block_id", f"b{number}")),
                element=element,
            )


class Interactions:
    """Carries each press in a task of its own."""

    def __init__(self, clock: Clock, transport: Callable[[], Transport], changed: Callable[[], None]) -> None:
        self.record: list[Press] = []
        self._clock = clock
        self._transport = transport
        self._changed = changed
        self._carrying: set[asyncio.Task[None]] = set()

    def press(self, button: ShownButton, message: Message, channel: Channel, person: Person, at: str) -> Press:
        """`at`: the time of the press as a Slack timestamp."""
        number = len(self.record) + 1
        press = Press(
            channel=channel.id,
            message=message.ts,
            person=person.id,
            action_id=button.action_id,
            payload=_payload(button, message, channel, person, at, number),
        )
        self.record.append(press)
        task = asyncio.create_task(self._carry(press))
        self._carrying.add(task)
        task.add_done_callback(self._carrying.discard)
        return press

    async def idle(self, timeout: float) -> None:
        """Waits until every press so far is acknowledged or has failed. Raises `TimeoutError`."""
        if self._carrying:
            _, late = await asyncio.wait(set(self._carrying), timeout=timeout)
            if late:
                raise TimeoutError(f"{len(late)} presses are still under way after {timeout} s")

    async def stop(self) -> None:
        for task in self._carrying:
            task.cancel()
        await asyncio.gather(*self._carrying, return_exceptions=True)

    async def _carry(self, press: Press) -> None:
        offer = await self._transport().offer(press.payload, 0, "")
        press.outcome = "acked" if offer.acked else "failed"
        press.settled_at = self._clock.monotonic()
        self._changed()


def _payload(
    button: ShownButton, message: Message, channel: Channel, person: Person, at: str, number: int
) -> JsonObject:
    container: JsonObject = {
        "type": "message",
        "message_ts": message.ts,
        "channel_id": channel.id,
        "is_ephemeral": False,
    }
    if message.thread_ts:
        container["thread_ts"] = message.thread_ts
    return {
        "type": "block_actions",
        "user": {"id": person.id, "username": person.name.lower(), "name": person.name.lower(), "team_id": TEAM_ID},
        "api_app_id": APP_ID,
        "token": "made-up-verification-token",
        "container": container,
        "trigger_id": f"{number}.0.made-up-trigger",
        "team": {"id": TEAM_ID, "domain": "playground"},
        "enterprise": None,
        "is_enterprise_install": False,
        "channel": {"id": channel.id, "name": _CHANNEL_NAMES.get(channel.kind, channel.name)},
        "message": wire_message(message),
        "state": {"values": {}},
        "response_url": f"https://hooks.slack.example/actions/{TEAM_ID}/{number}/made-up",
        "actions": [{**button.element, "action_id": button.action_id, "block_id": button.block_id, "action_ts": at}],
    }
