"""What is said by an interaction's own webhook: its first answer, further messages, and lines that one person alone reads.

The webhook needs a token that Discord gives with the interaction and that is good for a quarter of an hour. It is kept in
memory only: after a restart those who waited are answered in their channel, where the bot has one.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TypeVar, cast

import discord
from discord.utils import MISSING

from adapters.discord.addresses import message_address, read_message_address
from adapters.discord.capabilities import ANSWER_A_PRESS, MAX_FOLLOW_UPS, TOKEN_LASTS
from adapters.discord.files import attach
from adapters.discord.inbound import DISCORD
from adapters.discord.rest import buttons
from adapters.discord.rest.client import Rest
from adapters.discord.settings import Settings
from adapters.discord.writing.mentions import allow
from bridge import logs
from bridge.clock import Clock
from bridge.errors import MessageGone, NotAllowed, PlatformError
from bridge.messages import MessageRef, OutgoingMessage, PaceGroup
from bridge.outgoing_files import OutgoingFile

T = TypeVar("T")

log = logs.get("discord")

MOST_KEPT = 5_000
"""Interactions that are remembered at once."""

LAST_CALLS = 10.0
"""Seconds before the end of a token in which it is not used any more: a call takes a while."""

NEARLY_OVER = 60.0
"""Seconds before the end of a token when people are told that it ends."""

ENDS_SOON = (
    "Discord lets me write here for 15 minutes, and they are nearly over. If the rest does not come, please ask again."
)

_ORIGINAL = cast("int", "@original")
"""Discord takes this for the id of the first answer, and the library passes it on."""


class Waiting(Enum):
    """What the person sees until something is said: "thinking", for all or for that person alone."""

    PUBLIC = auto()
    PRIVATE = auto()


@dataclass(slots=True, kw_only=True)
class _Way:
    application: int
    token: str
    until: float
    waiting: Waiting | None
    largest: int | None
    answered: asyncio.Event = field(default_factory=asyncio.Event)
    failed: bool = False
    first: str = ""
    """Nonce of what took the place of the waiting; empty: nothing yet."""
    sent: dict[str, int] = field(default_factory=dict)
    """Nonces to the messages that stand."""
    follow_ups: int = 0
    last_words: bool = False


class Hooks:
    def __init__(self, settings: Settings, rest: Rest, clock: Clock) -> None:
        self._patience = settings.discord_call_timeout
        self._rest = rest
        self._clock = clock
        self._ways: dict[int, _Way] = {}

    # What whoever hears the interaction tells

    def keep(
        self, interaction: int, *, application: int, token: str, waiting: Waiting | None, largest: int | None = None
    ) -> None:
        """Remembers how to answer it; before anybody could want to. `waiting`: what its first answer shows, given or to be given;
        None for one that shows nothing of the kind. `largest`: bytes of a file, where Discord said. Of one that is told again,
        as after a resumed connection, it is known already what was written."""
        if interaction in self._ways:
            return
        until = self._clock.monotonic() + TOKEN_LASTS.total_seconds() - LAST_CALLS
        way = _Way(application=application, token=token, until=until, waiting=waiting, largest=largest)
        self._ways[interaction] = way
        self._rest.quotas.name(PaceGroup(f"hook/{interaction}"), token)
        if len(self._ways) > MOST_KEPT:
            del self._ways[next(iter(self._ways))]

    def answered(self, interaction: int) -> None:
        """Discord took the first answer, so there may be others."""
        if way := self._ways.get(interaction):
            way.answered.set()

    def failed(self, interaction: int) -> None:
        """It did not, so there will be none."""
        if way := self._ways.get(interaction):
            way.failed = True
            way.answered.set()

    # What is written

    def is_open(self, interaction: int) -> bool:
        """Whether a public first answer is still to be given, or was given."""
        way = self._ways.get(interaction)
        return (
            way is not None and not way.failed and way.waiting is Waiting.PUBLIC and way.until > self._clock.monotonic()
        )

    def lasts(self, interaction: int) -> bool:
        """Whether what was written with its token can still be changed."""
        way = self._ways.get(interaction)
        return way is not None and not way.failed and way.until > self._clock.monotonic()

    def may_begin(self, interaction: int, nonce: str) -> bool:
        """Whether what all see waiting can become the message with this nonce, or did."""
        way = self._ways.get(interaction)
        return self.is_open(interaction) and way is not None and way.first in ("", nonce)

    async def begin(
        self, interaction: int, text: str, message: OutgoingMessage, file: OutgoingFile | None = None
    ) -> MessageRef:
        """Shows it in place of the waiting. Raises a `PlatformError`; `NotAllowed` or `MessageGone` when that cannot be
        (any more)."""
        known = self._ways.get(interaction)
        attached = MISSING if file is None else [attach(file, *_most(known))]
        if known is not None:
            # At once: whatever else comes for it while this is on its way goes elsewhere.
            known.first = message.nonce
        way = await self._way(interaction)

        async def change(hook: discord.Webhook) -> discord.WebhookMessage:
            return await hook.edit_message(
                _ORIGINAL,
                content=text,
                attachments=attached,
                allowed_mentions=allow(message),
                view=buttons.row(message.buttons),
            )

        try:
            posted = await self._call(way, change)
        except MessageGone:
            way.first, way.waiting = "", None
            raise
        way.sent[message.nonce] = posted.id
        return _ref(posted)

    async def send(
        self, interaction: int, text: str, message: OutgoingMessage, file: OutgoingFile | None = None
    ) -> MessageRef:
        """Where there is nothing but the webhook: the first message takes the place of the waiting, the others follow."""
        way = await self._way(interaction)
        if way.first in ("", message.nonce):
            return await self.begin(interaction, text, message, file)
        if way.follow_ups >= MAX_FOLLOW_UPS:
            raise NotAllowed("Discord takes no more messages for this command", code="40094")
        attached = MISSING if file is None else attach(file, *_most(way))

        async def post(hook: discord.Webhook) -> discord.WebhookMessage:
            return await hook.send(
                text,
                file=attached,
                allowed_mentions=allow(message),
                view=buttons.row(message.buttons) or MISSING,
                suppress_embeds=True,
                silent=message.follows,
                wait=True,
            )

        # Such messages have no nonce: should this one stand although the connection broke, it is posted twice.
        way.follow_ups += 1
        posted = await self._call(way, post)
        way.sent[message.nonce] = posted.id
        return _ref(posted)

    async def edit(self, interaction: int, ref: MessageRef, text: str, message: OutgoingMessage) -> None:
        way = await self._way(interaction)
        number = read_message_address(ref.address).message

        async def change(hook: discord.Webhook) -> None:
            await hook.edit_message(
                number, content=text, allowed_mentions=allow(message), view=buttons.row(message.buttons)
            )

        await self._call(way, change)

    def last_words(self, interaction: int) -> str | None:
        """A line for a message that is growing when there is hardly time left; "" while there is. None: it was said already."""
        way = self._ways.get(interaction)
        if way is None or way.until - self._clock.monotonic() > NEARLY_OVER:
            return ""
        if way.last_words:
            return None
        way.last_words = True
        return ENDS_SOON

    async def whisper(self, interaction: int, text: str, message: OutgoingMessage) -> MessageRef:
        """Tells it the person alone who caused the interaction."""
        known = self._ways.get(interaction)
        if known is not None and known.waiting is Waiting.PRIVATE and known.first in ("", message.nonce):
            with contextlib.suppress(MessageGone):  # dismissed: it is said once more below
                return await self.begin(interaction, text, message)
        way = await self._way(interaction)
        if way.waiting is Waiting.PUBLIC and not way.first:
            # The first message after it would take its place, and all would read it.
            await self._end_waiting(way)

        async def post(hook: discord.Webhook) -> discord.WebhookMessage:
            return await hook.send(
                text,
                ephemeral=True,
                allowed_mentions=allow(message),
                view=buttons.row(message.buttons) or MISSING,
                suppress_embeds=True,
                wait=True,
            )

        return _ref(await self._call(way, post))

    async def put_away(self, interaction: int) -> None:
        """What the person alone sees waiting has nothing to become. Nothing happens where something took its place, or is about
        to. Never raises a `PlatformError`."""
        known = self._ways.get(interaction)
        if known is None or known.waiting is not Waiting.PRIVATE or known.first:
            return
        try:
            way = await self._way(interaction)
            if way.waiting is Waiting.PRIVATE and not way.first:
                await self._end_waiting(way)
        except PlatformError as error:
            log.info("waiting_not_put_away", id=interaction, code=error.code)

    async def _end_waiting(self, way: _Way) -> None:
        async def remove(hook: discord.Webhook) -> None:
            await hook.delete_message(_ORIGINAL)

        # A message that is posted before it is gone would take its place and go with it; but discord.py makes one call with a
        # token at a time, in the order in which they came.
        before, way.waiting = way.waiting, None
        try:
            await self._call(way, remove)
        except MessageGone:
            log.info("waiting_gone")
        except PlatformError:
            # It may stand, and then nothing private may be posted before it is gone.
            way.waiting = before
            raise

    async def _way(self, interaction: int) -> _Way:
        way = self._ways.get(interaction)
        if way is not None:
            # Discord knows no webhook before the first answer has arrived.
            await self._clock.wait(way.answered, ANSWER_A_PRESS.total_seconds())
        if way is None or way.failed or way.until <= self._clock.monotonic():
            raise NotAllowed("Discord lets nobody answer this interaction any more", code="no_token")
        return way

    async def _call(self, way: _Way, make: Callable[[discord.Webhook], Awaitable[T]]) -> T:
        async def run(client: discord.Client) -> T:
            hook = discord.Webhook.partial(way.application, way.token, client=client)
            # An application's webhooks can do more than those that `partial` makes.
            hook.type = discord.WebhookType.application
            return await make(hook)

        left = max(way.until - self._clock.monotonic(), 1.0)
        return await self._rest.call(run, within=min(left, self._patience))


def _most(way: _Way | None) -> tuple[int, ...]:
    return () if way is None or way.largest is None else (way.largest,)


def _ref(posted: discord.WebhookMessage) -> MessageRef:
    return MessageRef(platform=DISCORD, address=message_address(posted.channel.id, posted.id))
