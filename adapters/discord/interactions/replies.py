"""The first answer to an interaction, which Discord takes once and within three seconds."""

import asyncio
from collections.abc import Awaitable

import discord

from adapters.discord.capabilities import ANSWER_A_PRESS
from adapters.discord.refusals import SDK_ERRORS, UNREADABLE
from bridge import logs
from bridge.clock import Clock

log = logs.get("discord")

# Codes of Discord's REST API (API reference, JSON Error Codes).
UNKNOWN_INTERACTION = 10062
ALREADY_ANSWERED = 40060


class Reply:
    """One for each interaction, made when it is heard. Every method tells whether it is answered now, by us or by another process
    that heard it too; none raises."""

    def __init__(self, interaction: discord.Interaction, clock: Clock) -> None:
        self.interaction = interaction
        self._clock = clock
        self._until = clock.monotonic() + ANSWER_A_PRESS.total_seconds()
        self._over = False
        """Nothing more can be said."""

    async def thinking(self, *, ephemeral: bool) -> bool:
        """Shows that the bot thinks, to all or to who did it, until something takes its place."""
        return await self._give(self.interaction.response.defer(thinking=True, ephemeral=ephemeral))

    async def silently(self) -> bool:
        """Shows nothing at all. Of presses and of forms that a press opened."""
        return await self._give(self.interaction.response.defer())

    async def privately(self, text: str) -> bool:
        return await self._give(self.interaction.response.send_message(text, ephemeral=True))

    async def with_form(self, form: discord.ui.Modal) -> bool:
        return await self._give(self.interaction.response.send_modal(form))

    async def with_buttons(self, view: discord.ui.View | None) -> bool:
        """Shows these below the message whose button was pressed, at once: this draws on no quota. None: as they are. Where the
        message cannot be changed, as in an archived thread, nothing shows."""
        changed = view is not None and await self._give(self.interaction.response.edit_message(view=view))
        return changed or (not self._over and await self.silently())

    async def _give(self, answer: Awaitable[object]) -> bool:
        number = self.interaction.id
        try:
            async with asyncio.timeout(self._until - self._clock.monotonic()):
                await answer
        except discord.HTTPException as error:
            if error.code == ALREADY_ANSWERED:
                log.debug("interaction_answered_elsewhere", id=number)
                return True
            self._over = error.code == UNKNOWN_INTERACTION
            reason = "too late" if self._over else str(error.code or error.status)
            log.warning("interaction_not_answered", id=number, reason=reason)
            return False
        except (*SDK_ERRORS, *UNREADABLE, RuntimeError) as error:
            # RuntimeError: the connection that it came over, and whose HTTP session it uses, was closed meanwhile.
            self._over = True
            log.warning("interaction_not_answered", id=number, reason=type(error).__name__)
            return False
        return True
