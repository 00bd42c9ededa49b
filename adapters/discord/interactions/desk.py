"""Takes whatever people do besides writing messages: claims it first, and tells Discord within the three seconds that it gives.

Discord tells every process of each interaction, so that it is durable before it is acknowledged, and whoever is second finds it
acknowledged already. What a command or a press leads to is written by others later, by the webhook that this opens.

A store that has much to do ends what it began, later than Discord waits. So whoever did it is answered as if it were stored by
then; should it not come to that, they are told.
"""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import assert_never

import discord

from adapters.discord.gateway.heard import Build, Connection
from adapters.discord.inbound import Ignored
from adapters.discord.interactions.filling import MemberForms
from adapters.discord.interactions.forms import Comment, comment_form, question_form
from adapters.discord.interactions.invocations import (
    Asked,
    AskedAbout,
    AskedByButton,
    Commented,
    Doing,
    Explained,
    Filling,
    Ordered,
    Picked,
    Pressed,
    question_about,
    read,
)
from adapters.discord.interactions.looks import stopping
from adapters.discord.interactions.matters import Matters
from adapters.discord.interactions.replies import Reply
from adapters.discord.interactions.scenes import Scene
from adapters.discord.outbound import Outbound
from adapters.discord.rest import buttons
from adapters.discord.settings import Settings
from adapters.discord.writing.hooks import Waiting
from bridge import logs
from bridge.clock import Clock
from bridge.errors import PlatformError, StoreUnavailable
from bridge.events import ButtonPressed, InboundEvent
from bridge.forms_api import FindForm
from bridge.messages import ButtonAction, OutgoingMessage
from bridge.platform_api import Inbox

log = logs.get("discord")

NOT_NOTED = "That could not be noted just now. Please press again in a moment."
NOT_TAKEN = "I could not take that just now. Please try again in a moment."
UNKNOWN = "I do not know that any more. Please try again; if it stays so, ask whoever runs this bot."
FORGOTTEN = "I no longer know what that message says. Please choose “Ask about this message” once more."
TIME_IS_UP = "Discord lets me change my answers here for 15 minutes only. Please ask again."

PAUSE = 0.1
"""Seconds between two offers to a store that did not take it."""

RECALL = 0.8
"""Seconds for reading a picked message again; the question must be stored, and Discord answered, in what is left of three."""

TOO_OLD = timedelta(seconds=5)
"""After this a command is not taken any more: it comes late after an outage, who gave it was told after three that there is
no answer, and has given it again. Two more, for our clock and Discord's."""

_ONCE_MORE = frozenset({ButtonAction.RETRY, ButtonAction.AGAIN})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Late:
    """What is on its way into the store although its interaction is acknowledged."""

    scene: Scene
    event: InboundEvent
    offer: asyncio.Task[bool]


class Desk:
    """Each interaction is a task of its own: waiting in line behind a channel's messages would take too long."""

    def __init__(
        self, settings: Settings, clock: Clock, outbound: Outbound, inbox: Inbox, find_form: FindForm | None = None
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._outbound = outbound
        self._inbox = inbox
        self._matters = Matters(outbound.lookups)
        self._forms = MemberForms(find_form)
        self._tasks: set[asyncio.Task[None]] = set()
        self._late: dict[int, _Late] = {}
        """By interaction."""

    def put(self, connection: Connection, interaction: discord.Interaction) -> None:
        """Never waits."""
        if len(self._tasks) >= self._settings.discord_inbox_limit:
            log.error("event_lost", reason="too many interactions wait to be stored", id=interaction.id)
            return
        task = asyncio.create_task(self._take(connection, interaction))
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

    async def _take(self, connection: Connection, interaction: discord.Interaction) -> None:
        reply = Reply(interaction, self._clock)
        doing = read(interaction, connection.build)
        if isinstance(doing, Ignored):
            log.info("event_ignored", reason=doing.reason)
            is_press = interaction.type is discord.InteractionType.component
            await (reply.silently() if is_press else reply.privately(UNKNOWN))
            return
        await self._do(doing, connection.build, reply)
        if (late := self._late.pop(interaction.id, None)) is not None:
            await self._see_through(late)

    async def _do(self, doing: Doing, build: Build, reply: Reply) -> None:
        match doing:
            case Asked(scene=scene, event=event):
                waiting = Waiting.PRIVATE if scene.is_ours and scene.is_one_conversation else Waiting.PUBLIC
                await self._claim(scene, event, reply, waiting, becomes_answer=waiting is Waiting.PUBLIC)
            case AskedAbout():
                await self._ask_about(doing, build, reply)
            case AskedByButton(scene=scene, event=event):
                await self._ask_by_button(scene, event, reply)
            case Ordered(scene=scene, event=event):
                await self._claim(scene, event, reply, Waiting.PRIVATE, becomes_answer=True)
            case Pressed(scene=scene, event=event):
                await self._press(scene, event, reply)
            case Picked(about=about, matter=matter):
                self._matters.keep(about, matter)
                await reply.with_form(question_form(about, matter.said))
            case Filling():
                await self._fill_in(doing, reply)
            case Commented(scene=scene, event=event):
                taken = await self._hand_in(scene, event)
                await (reply.silently() if taken else reply.privately(NOT_TAKEN))
            case Explained(text=text):
                await reply.privately(text)
            case _:
                assert_never(doing)

    # Questions and orders

    async def _claim(
        self, scene: Scene, event: InboundEvent, reply: Reply, waiting: Waiting, *, becomes_answer: bool
    ) -> None:
        """Hands it in, and shows the bot thinking. `becomes_answer`: what it comes to takes the place of that."""
        if self._clock.now() + self._outbound.rest.ahead - scene.at > TOO_OLD:
            log.warning("interaction_too_late", id=scene.number)
            return
        hooks = self._outbound.hooks
        self._keep(reply, waiting)
        if not await self._hand_in(scene, event):
            hooks.failed(scene.number)
            await reply.privately(NOT_TAKEN)
            return
        if not await reply.thinking(ephemeral=waiting is Waiting.PRIVATE):
            hooks.failed(scene.number)
            return
        hooks.answered(scene.number)
        if not becomes_answer:
            await hooks.put_away(scene.number)

    async def _ask_about(self, asked: AskedAbout, build: Build, reply: Reply) -> None:
        matter = None
        try:
            async with asyncio.timeout(RECALL):
                matter = await self._matters.recall(asked.about, asked.scene.place.server, build)
        except TimeoutError:
            log.info("picked_message_not_read", reason="not in time")
        if matter is None:
            await reply.privately(FORGOTTEN)
            return
        waiting = Waiting.PRIVATE if asked.scene.is_ours else Waiting.PUBLIC
        event = question_about(asked, matter)
        await self._claim(asked.scene, event, reply, waiting, becomes_answer=waiting is Waiting.PUBLIC)

    async def _ask_by_button(self, scene: Scene, event: InboundEvent, reply: Reply) -> None:
        if not scene.is_ours:
            # There the answer can stand nowhere else.
            await self._claim(scene, event, reply, Waiting.PUBLIC, becomes_answer=True)
            return
        self._keep(reply, None)
        if await self._hand_in(scene, event):
            self._settle(scene, await reply.silently())
        else:
            self._settle(scene, await reply.privately(NOT_NOTED))

    # Buttons

    async def _press(self, scene: Scene, event: ButtonPressed, reply: Reply) -> None:
        if event.action in _ONCE_MORE and not self._can_change(scene, reply.interaction.message):
            await reply.privately(TIME_IS_UP)
            return
        self._keep(reply, None)
        if not await self._hand_in(scene, event):
            # Should it be stored after all, then pressing again does no harm: what is asked for is asked for once.
            self._settle(scene, await reply.privately(NOT_NOTED))
            return
        message = reply.interaction.message
        match event.action:
            case ButtonAction.STOP if message is not None:
                answered = await reply.with_buttons(stopping(message))
            case ButtonAction.LIKE if message is not None:
                answered = await reply.with_buttons(buttons.chosen(message, event.action))
            case ButtonAction.DISLIKE if message is not None:
                about = Comment(channel=scene.place.channel, message=message.id, revision=event.revision)
                answered = await reply.with_form(comment_form(about))
            case _:
                answered = await reply.silently()
        self._settle(scene, answered)
        if event.action is ButtonAction.STOP:
            await self._outbound.show_end_again(event.message)
        if event.action is ButtonAction.DISLIKE:
            # A form is the whole answer, so the buttons are changed by an edit.
            await self._outbound.show_choice(event.message, event.action)

    # Forms

    async def _fill_in(self, filling: Filling, reply: Reply) -> None:
        self._keep(reply, None)
        if filling.sent is None:
            answered = await self._forms.open(filling, reply)
        else:
            answered = await self._forms.take(filling, reply, self._hand_in)
        self._settle(filling.scene, answered)

    # Inside

    def _can_change(self, scene: Scene, message: discord.Message | None) -> bool:
        """A new answer takes the place of the old one, and elsewhere nothing leads there but the token that wrote it."""
        wrote = None if message is None else message.interaction_metadata
        return scene.is_ours or wrote is None or self._outbound.hooks.lasts(wrote.id)

    def _keep(self, reply: Reply, waiting: Waiting | None) -> None:
        """Before it is handed in: what it leads to may be written at once."""
        one = reply.interaction
        self._outbound.hooks.keep(
            one.id, application=one.application_id, token=one.token, waiting=waiting, largest=one.filesize_limit
        )

    def _settle(self, scene: Scene, answered: bool) -> None:  # noqa: FBT001  a plain outcome
        hooks = self._outbound.hooks
        (hooks.answered if answered else hooks.failed)(scene.number)

    async def _hand_in(self, scene: Scene, event: InboundEvent) -> bool:
        """False: the store did not take it in time. True also for what it has begun to take: see `_late`."""
        until = self._clock.monotonic() + self._settings.discord_press_patience
        while True:
            offer = asyncio.create_task(self._offer(event))
            try:
                done, _ = await asyncio.wait({offer}, timeout=until - self._clock.monotonic())
            except asyncio.CancelledError:
                offer.cancel()
                raise
            if not done:
                log.warning("interaction_noted_late", id=event.event_id)
                self._late[scene.number] = _Late(scene=scene, event=event, offer=offer)
                return True
            if offer.result():
                return True
            if self._clock.monotonic() + PAUSE > until:
                log.warning("interaction_not_noted", id=event.event_id)
                return False
            await self._clock.sleep(PAUSE)

    async def _offer(self, event: InboundEvent) -> bool:
        try:
            await self._inbox(event)
        except StoreUnavailable:
            return False
        return True

    async def _see_through(self, late: "_Late") -> None:
        """Nobody offers it anew: whoever did it may have done so again by then."""
        if await late.offer:
            return
        log.error("event_lost", reason="the store did not take it", id=late.event.event_id)
        try:
            notice = OutgoingMessage(text=NOT_TAKEN, nonce=f"late{late.scene.number}")
            await self._outbound.send(late.scene.private, notice)
        except PlatformError as error:
            log.info("loss_not_told", id=late.scene.number, code=error.code)
