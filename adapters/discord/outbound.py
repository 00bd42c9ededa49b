"""What the bridge says on Discord, and by which way: in a channel or thread, by an interaction's webhook, or to one person alone.
This module chooses between them and puts the parts in `writing` and `rest` together; what a refusal means is in `refusals`.
"""

import contextlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import assert_never

import discord

from adapters.discord.addresses import Manner, TargetPlace, read_target_address, target_address
from adapters.discord.rest.client import GatewayPlan, Login, Rest, Server, silence_voice_warnings
from adapters.discord.rest.downloads import Downloads
from adapters.discord.rest.history import History
from adapters.discord.rest.limits import FileLimits
from adapters.discord.rest.lookups import Lookups
from adapters.discord.settings import Settings
from adapters.discord.writing.hooks import Hooks
from adapters.discord.writing.openings import Openings, question_in
from adapters.discord.writing.posts import Posts, is_growing
from adapters.discord.writing.smallprint import around, plain
from adapters.discord.writing.threads import Threads
from bridge import logs
from bridge.clock import Clock
from bridge.errors import PlatformError
from bridge.markdown.dialect import Dialect
from bridge.messages import (
    Attachment,
    ButtonAction,
    MessageRef,
    OutgoingMessage,
    PaceGroup,
    ReplyTarget,
    Said,
    ThreadId,
)
from bridge.outgoing_files import OutgoingFile

__all__ = ["GatewayPlan", "Login", "Outbound", "Rest", "Server", "silence_voice_warnings"]

log = logs.get("discord")

_ENDS_KNOWN = 200
"""Messages whose end is remembered for as long as a press on their Stop may be under way."""


class Outbound:
    """Works from the first call until `close`; needs no connection to the gateway."""

    def __init__(self, settings: Settings, clock: Clock, dialect: Dialect) -> None:
        """`dialect`: how messages are written."""
        self._settings = settings
        self._dialect = dialect
        self.rest = Rest(settings, clock)
        self.lookups = Lookups(settings, clock, self.rest, dialect)
        self.hooks = Hooks(settings, self.rest, clock)
        self.downloads = Downloads(settings, self.lookups)
        self._history = History(self.rest, self.lookups)
        self._posts = Posts(self.rest, FileLimits(self.rest, clock, within=settings.discord_lookup_timeout))
        self._threads = Threads(settings, self.rest)
        self._openings = Openings(self.rest, self.lookups, self.hooks, self._posts, dialect)
        self._ends: dict[MessageRef, tuple[ReplyTarget, OutgoingMessage]] = {}

    async def close(self) -> None:
        await self.downloads.close()
        await self.rest.close()

    # What the core wants

    async def send(self, target: ReplyTarget, message: OutgoingMessage, file: OutgoingFile | None = None) -> MessageRef:
        """As `Platform.send` and `SendsFiles.send_file` promise."""
        place = read_target_address(target.address)
        text = self._spell(message)
        match place.manner:
            case Manner.IN | Manner.UNDER | Manner.REPLY | Manner.PICK:
                return await self._posts.send(
                    place.channel,
                    text,
                    message,
                    question=place.question,
                    file=file,
                    server=target.conversation.installation,
                )
            case Manner.ASK:
                return await self._openings.send(place, text, message, file, target.conversation.installation)
            case Manner.HOOK:
                return await self.hooks.send(place.interaction or 0, text, message, file)
            case Manner.HUSH:
                return await self.hooks.whisper(place.interaction or 0, text, message)
            case _:
                assert_never(place.manner)

    async def edit(self, target: ReplyTarget, ref: MessageRef, message: OutgoingMessage) -> None:
        """As `Platform.edit` promises."""
        if not is_growing(message):
            self._ends.pop(ref, None)
            self._ends[ref] = target, message
            if len(self._ends) > _ENDS_KNOWN:
                del self._ends[next(iter(self._ends))]
        place = read_target_address(target.address)
        if place.manner is not Manner.HOOK or place.interaction is None:
            await self._posts.edit(ref, self._spell(message), message)
            return
        note = self.hooks.last_words(place.interaction) if is_growing(message) else ""
        if note is None:
            return  # what time is left is for the end of the answer
        await self.hooks.edit(place.interaction, ref, self._spell(message, note=note), message)

    async def find_sent(self, target: ReplyTarget, message: OutgoingMessage, since: datetime) -> MessageRef | None:
        return await self.lookups.find_sent(target, message, since)

    async def read_back(self, target: ReplyTarget, ref: MessageRef) -> str:
        return plain(await self._posts.read_back(ref))

    async def show_activity(self, target: ReplyTarget) -> None:
        """Shows the typing indicator for ten seconds, where the bot is. Never raises a `PlatformError`."""
        place = read_target_address(target.address)
        if not place.channel or place.manner is Manner.ASK:  # a command is shown as being thought about
            return
        if self.rest.crowded:
            return

        async def tell(client: discord.Client) -> None:
            await client.get_partial_messageable(place.channel).typing()

        with contextlib.suppress(PlatformError):
            await self.rest.call(tell, within=self._settings.discord_activity_timeout)

    def wait_for_room(self, target: ReplyTarget, spare: int) -> float:
        """As `TellsRoom.wait_for_room` promises."""
        return self.rest.quotas.wait_for_room(target.edit_group, spare)

    # Threads

    async def open_thread(self, target: ReplyTarget, title: str) -> ReplyTarget:
        """As `OpensThreads.open_thread` promises."""
        place = read_target_address(target.address)
        match place.manner:
            case Manner.UNDER:
                root = place.question or 0
                opened = await self._threads.open_under(place.channel, root, title)
            case Manner.ASK:
                root = await self._openings.say(place, title)
                opened = await self._threads.open_under(place.channel, root, question_in(title))
            case Manner.PICK:
                root = place.question or 0
                opened = await self._threads.open_under(place.channel, root, question_in(title))
                said = await self._openings.say_in(place, root if opened else place.channel, title)
                root = root if opened else said
            case _:
                return replace(target, opens_thread=False)
        return _in_thread(target, root) if opened else _reply(target, place, root)

    async def rename_thread(self, target: ReplyTarget, title: str) -> None:
        """As `RenamesThreads.rename_thread` promises."""
        place = read_target_address(target.address)
        if place.manner is Manner.IN and target.conversation.thread:
            await self._threads.rename(place.channel, title)

    async def mark_solved(self, target: ReplyTarget) -> None:
        """As `MarksSolved.mark_solved` promises."""
        place = read_target_address(target.address)
        if place.manner is Manner.IN and target.conversation.thread:
            await self._threads.mark_solved(place.channel)

    # What people wrote

    async def read_thread(self, target: ReplyTarget, before: MessageRef | None, limit: int) -> Sequence[Said]:
        return await self._history.read_thread(target, before, limit)

    async def fetch_file(self, target: ReplyTarget, file: Attachment, into: Path, most: int) -> str:
        return await self.downloads.fetch(file, into, most)

    # What only Discord has

    async def show_choice(self, ref: MessageRef, action: ButtonAction) -> None:
        """Shows below a message which rating was chosen last. Cosmetic: never raises a `PlatformError`."""
        try:
            await self._posts.show_choice(ref, action)
        except PlatformError as error:
            log.info("choice_not_shown", code=error.code)

    async def show_end_again(self, ref: MessageRef) -> None:
        """Discord may have shown that Stop was pressed after it showed the end that was on its way. Cosmetic: never raises a
        `PlatformError`."""
        if (end := self._ends.get(ref)) is None:
            return
        target, message = end
        try:
            await self.edit(target, ref, message)
        except PlatformError as error:
            log.info("end_not_shown_again", code=error.code)

    def _spell(self, message: OutgoingMessage, *, note: str = "") -> str:
        content = str(self._dialect.payload(message.text, message.people)["content"])
        return around(content, message, note=note)


def _in_thread(target: ReplyTarget, thread: int) -> ReplyTarget:
    return replace(
        target,
        address=target_address(TargetPlace(manner=Manner.IN, channel=thread)),
        conversation=replace(target.conversation, thread=ThreadId(str(thread))),
        post_group=PaceGroup(str(thread)),
        edit_group=PaceGroup(str(thread)),
        opens_thread=False,
    )


def _reply(target: ReplyTarget, place: TargetPlace, question: int) -> ReplyTarget:
    """`opens_thread` stays: this is how to answer this one question, not where the conversation lives."""
    return replace(
        target,
        address=target_address(TargetPlace(manner=Manner.REPLY, channel=place.channel, question=question)),
    )
