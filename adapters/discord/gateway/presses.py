"""Pressed buttons: handed in, and answered in the three seconds that Discord gives.

What a press leads to is seen in the chat, so the answer says only that it was heard: nothing at all, or, where the store is
away, a line for who pressed.
"""

import asyncio

import discord

from adapters.discord import inbound
from adapters.discord.capabilities import ANSWER_A_PRESS
from adapters.discord.inbound import Ignored
from adapters.discord.refusals import SDK_ERRORS, UNREADABLE
from adapters.discord.settings import Settings
from bridge import logs
from bridge.clock import Clock
from bridge.errors import StoreUnavailable
from bridge.events import ButtonPressed
from bridge.platform_api import Inbox

log = logs.get("discord")

NOT_NOTED = "That could not be noted just now. Please press again in a moment."

PAUSE = 0.1
"""Seconds between two offers to a store that did not take a press."""

# Codes of Discord's REST API (API reference, JSON Error Codes).
UNKNOWN_INTERACTION = 10062
ALREADY_ANSWERED = 40060


class Presses:
    """Each press is a task of its own: waiting in line behind a channel's messages would take too long."""

    def __init__(self, settings: Settings, clock: Clock, inbox: Inbox) -> None:
        self._settings = settings
        self._clock = clock
        self._inbox = inbox
        self._tasks: set[asyncio.Task[None]] = set()

    def put(self, interaction: discord.Interaction) -> None:
        """Never waits."""
        if len(self._tasks) >= self._settings.discord_inbox_limit:
            log.error("event_lost", reason="too many presses wait to be stored", id=interaction.id)
            return
        task = asyncio.create_task(self._take(interaction))
        self._tasks.add(task)
        task.add_done_callback(self._end)

    async def close(self) -> None:
        """Those under way are answered; that takes a few seconds at most."""
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=self._settings.discord_close_timeout)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def _end(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("event_lost", reason="could not be read", error=type(error).__name__)

    async def _take(self, interaction: discord.Interaction) -> None:
        began = self._clock.monotonic()
        event = inbound.read_press(interaction)
        if isinstance(event, Ignored):
            log.info("event_ignored", reason=event.reason)
            noted = True
        else:
            noted = await self._hand_in(event)
        left = ANSWER_A_PRESS.total_seconds() - (self._clock.monotonic() - began)
        await self._answer(interaction, noted=noted, within=left)

    async def _hand_in(self, event: ButtonPressed) -> bool:
        try:
            async with asyncio.timeout(self._settings.discord_press_patience):
                while True:
                    try:
                        await self._inbox(event)
                    except StoreUnavailable:
                        await self._clock.sleep(PAUSE)
                    else:
                        return True
        except TimeoutError:
            # Should it be stored after all, then pressing again does no harm: what is asked for is asked for once.
            log.warning("press_not_noted", id=event.event_id)
            return False

    async def _answer(self, interaction: discord.Interaction, *, noted: bool, within: float) -> None:
        try:
            async with asyncio.timeout(within):
                if noted:
                    await interaction.response.defer()
                else:
                    await interaction.response.send_message(NOT_NOTED, ephemeral=True)
        except discord.HTTPException as error:
            if error.code == ALREADY_ANSWERED:
                log.debug("press_answered_elsewhere", id=interaction.id)
            elif error.code == UNKNOWN_INTERACTION:
                log.warning("press_answered_too_late", id=interaction.id)
            else:
                log.warning("press_not_answered", id=interaction.id, code=error.code or error.status)
        except (*SDK_ERRORS, *UNREADABLE, RuntimeError) as error:
            # RuntimeError: the connection that it came over, and whose HTTP session it uses, was closed meanwhile.
            log.warning("press_not_answered", id=interaction.id, error=type(error).__name__)
