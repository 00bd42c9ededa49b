"""Getting events to the app: attempts, retries, and the record of each. How one attempt is made is the transport's affair."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Protocol

from bridge.clock import Clock
from bridge.playground.slack import limits
from bridge.playground.slack.events import envelope
from bridge.playground.slack.model import Delivery, Faults, JsonObject, Team

_SWAP_SECONDS = 0.1
"""How long an event that should be overtaken waits for another one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """How one attempt went."""

    acked: bool
    reason: str = ""
    """Why not, in the words that the next attempt carries."""
    may_retry: bool = True
    answer: JsonObject | str | None = None
    """What came with the acknowledgement: JSON, or plain text."""
    timed_out: bool = False
    """The app was there and did not answer in time."""


class Transport(Protocol):
    async def offer(self, payload: JsonObject, attempt: int, reason: str) -> Offer:
        """Delivers an event or an act once and waits for the acknowledgement. `attempt` is 0 the first time. Never raises."""
        ...


class Deliveries:
    """Carries each event in a task of its own, so that one without an answer holds up no other."""

    def __init__(self, faults: Faults, clock: Clock, transport: Callable[[], Transport]) -> None:
        self.record: list[Delivery] = []
        self.retry_schedule: tuple[float, ...] = limits.RETRY_SCHEDULE
        """Seconds before each retry."""
        self._faults = faults
        self._clock = clock
        self._transport = transport
        self._carrying: dict[asyncio.Task[None], Delivery] = {}
        self._failures: list[BaseException] = []
        self._overtaken: tuple[Delivery, asyncio.Event] | None = None

    def send(self, event: JsonObject, team: Team, *, is_ext_shared: bool = False, sender: str = "") -> None:
        """Takes an event on its way. `team`: where it happened; `sender`: where its author is at home, if elsewhere."""
        event_id = f"Ev{len(self.record) + 1:08d}"
        delivery = Delivery(
            event_id=event_id,
            type=str(event["type"]),
            payload=envelope(
                event,
                event_id,
                int(self._clock.now().timestamp()),
                is_ext_shared=is_ext_shared,
                team=team,
                sender=sender,
            ),
        )
        self.record.append(delivery)
        if self._overtaken is not None:
            waiting, overtaken = self._overtaken
            self._overtaken = None
            self._start(delivery)
            self._start(waiting)
            overtaken.set()
        elif self._faults.out_of_order:
            self._overtaken = (delivery, asyncio.Event())
            self._spawn(delivery, self._wait_to_be_overtaken(delivery, self._overtaken[1]))
        else:
            self._start(delivery)

    async def redeliver(self, event_id: str) -> bool:
        """Offers an event once more, as a retry. Returns whether it was acknowledged. Raises `KeyError`."""
        delivery = next((one for one in self.record if one.event_id == event_id), None)
        if delivery is None:
            raise KeyError(event_id)
        return (await self._offer(delivery, 1, "timeout")).acked

    async def idle(self, timeout: float) -> None:
        """Waits until every event sent so far is acknowledged or given up. Raises `TimeoutError`."""
        until = asyncio.get_running_loop().time() + timeout
        so_far = {delivery.event_id for delivery in self.record}
        while tasks := [task for task, delivery in self._carrying.items() if delivery.event_id in so_far]:
            done, _ = await asyncio.wait(tasks, timeout=until - asyncio.get_running_loop().time())
            if not done:
                raise TimeoutError(f"{len(tasks)} events are still under way after {timeout} s")
            await asyncio.sleep(0)  # lets `_finish` take the done ones out

    async def stop(self) -> None:
        """Gives up everything that is under way. Raises what went wrong in a delivery, which is a bug of the stand-in."""
        tasks = list(self._carrying)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._overtaken = None
        if self._failures:
            raise self._failures.pop()

    def _start(self, delivery: Delivery) -> None:
        for _ in range(2 if self._faults.duplicate_events else 1):
            self._spawn(delivery, self._carry(delivery))

    def _spawn(self, delivery: Delivery, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._carrying[task] = delivery
        task.add_done_callback(self._finish)

    def _finish(self, task: asyncio.Task[None]) -> None:
        delivery = self._carrying.pop(task)
        failure = None if task.cancelled() else task.exception()
        if failure is not None:
            self._failures.append(failure)
        if delivery.outcome == "pending" and all(other is not delivery for other in self._carrying.values()):
            delivery.outcome = "gave_up"

    async def _wait_to_be_overtaken(self, delivery: Delivery, overtaken: asyncio.Event) -> None:
        if not await self._clock.wait(overtaken, _SWAP_SECONDS):
            self._overtaken = None
            self._start(delivery)

    async def _carry(self, delivery: Delivery) -> None:
        reason = ""
        for attempt, pause in enumerate((0.0, *self.retry_schedule)):
            if pause > 0:
                await self._clock.sleep(pause)
            offer = await self._offer(delivery, attempt, reason)
            if offer.acked or not offer.may_retry:
                return
            reason = offer.reason

    async def _offer(self, delivery: Delivery, attempt: int, reason: str) -> Offer:
        delivery.attempts += 1
        offer = await self._transport().offer(delivery.payload, attempt, reason)
        if offer.acked:
            delivery.outcome = "acked"
            if delivery.acked_at is None:
                delivery.acked_at = self._clock.monotonic()
        return offer
