"""Messages that are posted and edited whole. What Slack refuses to show is written once more in a simpler form; nothing was
posted before then."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from adapters.slack.addresses import Place
from adapters.slack.refusals import REFUSED_BLOCKS
from adapters.slack.web.clients import Clients, timestamp_in
from adapters.slack.web.history import metadata
from adapters.slack.web.remembering import remember
from adapters.slack.writing.blocks import Block, Form, has_ratings, write_message
from adapters.slack.writing.ladder import Feature, Ladder
from bridge import logs
from bridge.errors import MessageRefused
from bridge.messages import OutgoingMessage

log = logs.get("slack")

POST, UPDATE = "chat.postMessage", "chat.update"

MOST_SIMPLER = 1_000
"""Refused messages whose simpler form is remembered."""

T = TypeVar("T")


class Posts:
    def __init__(self, clients: Clients, ladder: Ladder) -> None:
        self._clients = clients
        self._ladder = ladder
        self._simpler: dict[str, Form] = {}
        """Nonces of messages that were refused as they were and are not written more simply yet."""

    async def post(self, place: Place, message: OutgoingMessage) -> str:
        """Posts it in a thread; the timestamp. Raises a `PlatformError`."""

        async def write(text: str, blocks: Sequence[Block]) -> str:
            def call(client: AsyncWebClient) -> Awaitable[AsyncSlackResponse]:
                return client.chat_postMessage(
                    channel=place.channel,
                    thread_ts=place.ts,
                    text=text,
                    blocks=blocks if blocks else None,
                    unfurl_links=False,
                    unfurl_media=False,
                    metadata=metadata(message.nonce),
                )

            return timestamp_in(await self._clients.ask(place.team, POST, call), POST)

        return await self._in_some_form(place.team, message, write)

    async def update(self, place: Place, message: OutgoingMessage) -> None:
        """Makes a message say and show this and nothing else. Raises a `PlatformError`."""

        async def write(text: str, blocks: Sequence[Block]) -> None:
            def call(client: AsyncWebClient) -> Awaitable[AsyncSlackResponse]:
                # Without the empty list Slack would keep showing the message's former blocks, buttons included.
                return client.chat_update(
                    channel=place.channel, ts=place.ts, text=text, blocks=blocks, metadata=metadata(message.nonce)
                )

            await self._clients.ask(place.team, UPDATE, call, again=True)

        await self._in_some_form(place.team, message, write)

    async def _in_some_form(
        self, team: str, message: OutgoingMessage, write: Callable[[str, Sequence[Block]], Awaitable[T]]
    ) -> T:
        """Where the simpler form could not be written at once, the next attempt begins with it: a refusal counts against
        Slack's limits too."""
        first = Form.MARKDOWN
        if has_ratings(message) and not self._ladder.allows(Feature.RATINGS, team):
            first = Form.PLAIN_RATINGS
        written = write_message(message, self._simpler.get(message.nonce, first)) or write_message(message)
        refused = ""
        while written is not None:
            try:
                done = await write(written.text, written.blocks)
            except MessageRefused as error:
                if error.code not in REFUSED_BLOCKS:
                    raise
                refused = error.code
                written = write_message(message, written.form + 1)
                if written is None:
                    raise  # it must be cut, not dropped
                log.warning("blocks_refused", code=error.code, next=written.form.name.lower())
                remember(self._simpler, message.nonce, written.form, MOST_SIMPLER)
            else:
                self._simpler.pop(message.nonce, None)
                if refused and written.form is Form.PLAIN_RATINGS:
                    self._ladder.step_down(Feature.RATINGS, refused, team)
                return done
        raise MessageRefused("nothing to show", code="no_text")
