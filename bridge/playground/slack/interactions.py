"""What people did with the app's controls: how it is carried to the app, what the app answered, and the record of each.

An act is offered once. Slack does not repeat it; who did it sees a warning when it was not acknowledged in time.
"""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from bridge.clock import Clock
from bridge.playground.slack.delivery import Offer, Transport
from bridge.playground.slack.model import Act, JsonObject, Refusal

Settle = Callable[[JsonObject | str | None], None]
"""What becomes of an acknowledgement. Raises `Refusal` for an answer that Slack cannot make anything of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownButton:
    """A button as it stands under a message. Of a pair of feedback buttons each is one."""

    action_id: str
    label: str
    block_id: str
    element: JsonObject
    value: str = ""
    kind: Literal["button", "feedback_buttons", "icon_button", "static_select"] = "button"

    def action(self) -> JsonObject:
        """As a press of it is told."""
        action = {**self.element, "action_id": self.action_id, "block_id": self.block_id}
        if self.kind == "feedback_buttons":
            # Of such an action only the value of the one that was pressed is documented.
            action = {"type": self.kind, "action_id": self.action_id, "block_id": self.block_id, "value": self.value}
        if self.kind == "static_select":
            where = {"action_id": self.action_id, "block_id": self.block_id}
            action = {"type": self.kind, **where, "selected_option": self.element}
        return action


def buttons_in(blocks: list[JsonObject]) -> Iterator[ShownButton]:
    """Slack makes up the ids that an app leaves out."""
    for number, block in enumerate(blocks):
        block_id = str(block.get("block_id", f"b{number}"))
        for place, element in enumerate(_elements(block)):
            action_id = str(element.get("action_id", f"made-up-{number}-{place}"))
            match element.get("type"):
                case "button" | "icon_button" as kind:
                    yield ShownButton(
                        action_id=action_id,
                        label=_label(element),
                        block_id=block_id,
                        element=element,
                        value=str(element.get("value", "")),
                        kind="button" if kind == "button" else "icon_button",
                    )
                case "feedback_buttons":
                    for one in ("positive_button", "negative_button"):
                        button = element[one]
                        if isinstance(button, dict):
                            yield ShownButton(
                                action_id=action_id,
                                label=_label(button),
                                block_id=block_id,
                                element=button,
                                value=str(button.get("value", "")),
                                kind="feedback_buttons",
                            )
                case _:
                    pass


def options_in(blocks: list[JsonObject]) -> Iterator[ShownButton]:
    """What can be chosen in the menus of a message, each as something to press."""
    for number, block in enumerate(blocks):
        for element in _elements(block):
            options = element.get("options")
            for option in options if element.get("type") == "static_select" and isinstance(options, list) else []:
                yield ShownButton(
                    action_id=str(element.get("action_id", "")),
                    label=_label(option),
                    block_id=str(block.get("block_id", f"b{number}")),
                    element=option,
                    value=str(option.get("value", "")),
                    kind="static_select",
                )


def _elements(block: JsonObject) -> list[JsonObject]:
    elements = (
        block.get("elements") if block.get("type") in ("actions", "context_actions") else [block.get("accessory")]
    )
    return [element for element in (elements if isinstance(elements, list) else []) if isinstance(element, dict)]


def _label(element: JsonObject) -> str:
    text = element.get("text")
    return str(text.get("text", "")) if isinstance(text, dict) else ""


class Interactions:
    """Carries each act in a task of its own."""

    def __init__(self, clock: Clock, transport: Callable[[], Transport], changed: Callable[[], None]) -> None:
        self.record: list[Act] = []
        self._clock = clock
        self._transport = transport
        self._changed = changed
        self._carrying: set[asyncio.Task[None]] = set()

    def start(self, act: Act, settle: Settle | None = None) -> Act:
        """`settle` is called with what the app answered once the act is acknowledged."""
        self.record.append(act)
        task = asyncio.create_task(self._carry(act, settle))
        self._carrying.add(task)
        task.add_done_callback(self._carrying.discard)
        return act

    async def idle(self, timeout: float) -> None:
        """Waits until every act so far is acknowledged or has failed. Raises `TimeoutError`."""
        if self._carrying:
            _, late = await asyncio.wait(set(self._carrying), timeout=timeout)
            if late:
                raise TimeoutError(f"{len(late)} acts are still under way after {timeout} s")

    async def stop(self) -> None:
        for task in self._carrying:
            task.cancel()
        await asyncio.gather(*self._carrying, return_exceptions=True)

    async def _carry(self, act: Act, settle: Settle | None) -> None:
        offer = await self._transport().offer(act.payload, 0, "")
        act.answer = offer.answer
        act.outcome = "acked" if offer.acked else "failed"
        if not offer.acked:
            # Seen in clients: "operation_timeout" when the app is slow, "dispatch_failed" when it is not there or says no.
            act.error = "operation_timeout" if offer.timed_out else "dispatch_failed"
        elif settle is not None:
            _settle(act, offer, settle)
        act.settled_at = self._clock.monotonic()
        self._changed()


def _settle(act: Act, offer: Offer, settle: Settle) -> None:
    try:
        settle(offer.answer)
    except Refusal:
        act.outcome, act.error = "failed", "invalid_response"
