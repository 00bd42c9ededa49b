"""The message that somebody wants to ask about: looked at when the form is opened and again when it comes back, for by then the
message may be gone, and we may have left the channel."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from enum import StrEnum

from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from adapters.slack.addresses import Place
from adapters.slack.reading.fields import Json, items_in, object_in, text_in
from adapters.slack.reading.messages import TOMBSTONE, words_of
from adapters.slack.reading.people import Identity
from adapters.slack.web.clients import Clients
from adapters.slack.web.names import Names
from bridge import logs
from bridge.errors import PlatformError

log = logs.get("slack")

WITHIN = 1.0
"""Seconds for a look; somebody waits, and Slack waits three for all of it."""

_OUTSIDE = frozenset({"not_in_channel", "channel_not_found", "is_archived"})
_GONE = frozenset({"thread_not_found", "message_not_found"})


class Sight(StrEnum):
    SEEN = "seen"
    GONE = "gone"
    OUTSIDE = "outside"
    """We are not in that channel, and cannot answer there."""
    UNKNOWN = "unknown"
    """Slack does not tell, or not soon enough."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    sight: Sight
    message: Json
    """Empty unless it was seen."""


class Picking:
    def __init__(self, clients: Clients, names: Names) -> None:
        self._clients = clients
        self._names = names

    async def look(self, place: Place, root: str) -> Looked:
        """Never raises a `PlatformError`."""

        def call(client: AsyncWebClient) -> Awaitable[AsyncSlackResponse]:
            return client.conversations_replies(
                channel=place.channel, ts=root, oldest=place.ts, latest=place.ts, inclusive=True, limit=2
            )

        try:
            async with asyncio.timeout(WITHIN):
                response = await self._clients.ask(place.team, "conversations.replies", call)
        except TimeoutError:
            return Looked(sight=Sight.UNKNOWN, message={})
        except PlatformError as error:
            if error.code in _OUTSIDE:
                return Looked(sight=Sight.OUTSIDE, message={})
            if error.code in _GONE:
                return Looked(sight=Sight.GONE, message={})
            log.info("picked_message_not_read", code=error.code)
            return Looked(sight=Sight.UNKNOWN, message={})
        body = response.data if isinstance(response.data, dict) else {}
        # The first message of a thread is told whatever the bounds are.
        found = next((one for one in items_in(body, "messages") if text_in(one, "ts") == place.ts), None)
        if found is None or text_in(found, "subtype") == TOMBSTONE:
            return Looked(sight=Sight.GONE, message={})
        return Looked(sight=Sight.SEEN, message=found)

    async def name_author(self, message: Json, team: str) -> str:
        """A name for people."""
        user = text_in(message, "user")
        if user and not text_in(message, "bot_id") and user not in self._names.known():
            await self._names.learn([user], team)
        spellings = (
            self._names.known().get(user, ""),
            text_in(message, "username"),
            text_in(object_in(message, "bot_profile"), "name"),
            user,
        )
        return next((one for one in spellings if one), "somebody")

    def read(self, message: Json, me: Identity) -> str:
        """What it says: its words, else what other apps put beside them."""
        words = words_of(message, me, self._names.known())
        if words:
            return words
        beside = (text_in(one, "text") or text_in(one, "fallback") for one in items_in(message, "attachments"))
        return "\n".join(one for one in beside if one) or "(a message without text)"
