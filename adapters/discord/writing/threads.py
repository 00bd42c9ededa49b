"""Threads: opened under a message, given a title, marked as solved."""

from collections.abc import Sequence
from typing import Literal

import discord

from adapters.discord import markup
from adapters.discord.capabilities import MAX_TAGS
from adapters.discord.gateway.heard import Payload
from adapters.discord.refusals import THREAD_ARCHIVED, THREAD_EXISTS, UNKNOWN_CHANNEL
from adapters.discord.rest.client import Rest
from adapters.discord.settings import Settings
from bridge import logs
from bridge.errors import MessageGone, MessageRefused, NotAllowed, PlatformUnavailable, RateLimited

log = logs.get("discord")

THREAD_KEPT_OPEN_MINUTES: Literal[1440] = 1440
"""One of 60, 1440, 4320, 10080 (API reference, Start Thread from Message): a day without messages."""

MOST_NAMED = 5_000
"""Threads whose name is remembered as we gave it."""


class Threads:
    def __init__(self, settings: Settings, rest: Rest) -> None:
        self._settings = settings
        self._rest = rest
        self._names: dict[int, str] = {}

    async def open_under(self, channel: int, message: int, title: str) -> bool:
        """Opens a thread under a message, or finds the one that is there; its id is the message's. False: that is not possible
        here, or not now.

        Making threads has limits of minutes, so it is given a few seconds. What became of a call that ran out of time is
        looked up. Raises a `PlatformError` when not even a reply is possible.
        """
        name = markup.thread_name(title)

        async def start(client: discord.Client) -> None:
            await client.http.start_thread_with_message(
                channel, message, name=name, auto_archive_duration=THREAD_KEPT_OPEN_MINUTES
            )

        try:
            await self._rest.call(start, within=self._settings.discord_thread_timeout)
        except (RateLimited, PlatformUnavailable) as error:
            log.info("thread_uncertain", question=message, code=error.code)
            return await self._is_channel(message)
        except (NotAllowed, MessageRefused, MessageGone) as error:
            if error.code == str(THREAD_EXISTS):
                return True
            if error.code in (str(UNKNOWN_CHANNEL), "401"):
                raise
            log.info("thread_refused", question=message, code=error.code)
            return False
        self._names.pop(message, None)
        self._names[message] = name
        if len(self._names) > MOST_NAMED:
            del self._names[next(iter(self._names))]
        return True

    async def rename(self, thread: int, title: str) -> None:
        """Only a thread that we opened, and that has the name we gave it as far as we know. Discord lets a thread be renamed
        about twice in ten minutes; then `RateLimited` is raised, or `PlatformUnavailable` after a while."""
        name = markup.thread_name(title)
        found = await self._look_up(thread)
        me = (await self._rest.log_in()).user
        if "thread_metadata" not in found or _number(found.get("owner_id")) != me:
            return
        shown = found.get("name")
        if shown == name or shown != self._names.get(thread, shown):
            return

        async def change(client: discord.Client) -> None:
            await client.http.edit_channel(thread, name=name)

        await self._rest.call(change, within=self._settings.discord_thread_timeout)
        self._names[thread] = name

    async def mark_solved(self, thread: int) -> None:
        """Gives a post the tag that means this, where its forum has one and the post has room for it."""
        wanted = self._settings.discord_solved_tag.strip().casefold()
        if not wanted:
            return
        post = await self._look_up(thread)
        forum = _number(post.get("parent_id"))
        if "thread_metadata" not in post or not forum:
            return
        tag = _find_tag(await self._look_up(forum), wanted)
        standing = [_number(each) for each in _listed(post.get("applied_tags"))]
        if tag is None or tag in standing or len(standing) >= MAX_TAGS:
            return

        async def change(client: discord.Client) -> None:
            await client.http.edit_channel(thread, applied_tags=[str(each) for each in (*standing, tag)])

        try:
            await self._rest.call(change, within=self._settings.discord_thread_timeout)
        except MessageGone as error:
            if error.code != str(THREAD_ARCHIVED):
                raise
            # It is not worth bringing it back to everybody's list.
            log.info("thread_not_marked", thread=thread, reason="it is archived")

    async def _look_up(self, channel: int) -> Payload:
        async def fetch(client: discord.Client) -> Payload:
            return dict(await client.http.get_channel(channel))

        return await self._rest.call(fetch, within=self._settings.discord_thread_timeout)

    async def _is_channel(self, number: int) -> bool:
        """Whether there is such a channel or thread. Raises `PlatformUnavailable` when Discord cannot be asked."""
        try:
            await self._look_up(number)
        except (MessageGone, NotAllowed, MessageRefused, RateLimited):
            return False
        return True


def _find_tag(forum: Payload, wanted: str) -> int | None:
    for each in _listed(forum.get("available_tags")):
        if isinstance(each, dict) and str(each.get("name", "")).strip().casefold() == wanted:
            return _number(each.get("id")) or None
    return None


def _listed(found: object) -> Sequence[object]:
    return found if isinstance(found, list) else ()


def _number(found: object) -> int:
    text = str(found)
    return int(text) if text.isascii() and text.isdecimal() else 0
