"""Lines that one person reads: by the address that Slack gives with a command or a press, while it lasts, else as an ephemeral
message. Nobody can edit them, and they are gone with the next reload."""

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse
from yarl import URL

from adapters.slack.addresses import SLACK, PrivatePlace, write_block_id
from adapters.slack.dialect import DIALECT, PLAIN_BYTES
from adapters.slack.web.clients import Call, Clients
from adapters.slack.web.downloads import is_slacks
from adapters.slack.web.remembering import remember
from adapters.slack.writing.blocks import Block, Form, write_message
from bridge import logs
from bridge.clock import Clock
from bridge.errors import MessageRefused, PlatformUnavailable
from bridge.messages import Address, MessageRef, OutgoingMessage

log = logs.get("slack")

VALID = 29 * 60.0
USES = 5
"""Of a response_url: half an hour and five messages (Slack's page on responding to interactions), with a minute's margin."""

MOST_KEPT = 1_000


@dataclass(slots=True, kw_only=True)
class _Way:
    url: URL
    until: float
    left: int = USES


class Privately:
    def __init__(self, clients: Clients, clock: Clock, *, api_url: str) -> None:
        self._clients = clients
        self._clock = clock
        self._api = URL(api_url)
        self._ways: dict[str, _Way] = {}

    def keep(self, key: str, response_url: str) -> None:
        """Remembers where the asker of `key` can be told something. An address that is not Slack's is not remembered."""
        try:
            url = URL(response_url)
        except ValueError:
            return
        if not key or not is_slacks(url, self._api):
            log.warning("response_url_not_slacks", host=url.host or "")
            return
        remember(self._ways, key, _Way(url=url, until=self._clock.monotonic() + VALID), MOST_KEPT)

    async def send(self, place: PrivatePlace, address: Address, message: OutgoingMessage) -> MessageRef:
        """Raises a `PlatformError`."""
        text = str(DIALECT.payload(message.text, message.people, fallback=True)["text"])
        if not text.strip():
            raise MessageRefused("nothing to show", code="no_text")
        if len(text.encode()) > PLAIN_BYTES:
            raise MessageRefused("too long for one person", code="msg_too_long")
        blocks = _with_buttons(place, message) if message.buttons else []
        if not (place.key and await self.answer(place.key, text, place.thread, blocks)):
            await self._clients.ask(place.team, "chat.postEphemeral", _ephemeral(place, text, blocks))
        return MessageRef(platform=SLACK, address=address)

    async def answer(self, key: str, text: str, thread: str = "", blocks: Sequence[Block] = ()) -> bool:
        """Tells it by the remembered address. False: there is none (any more), or it was not taken."""
        way = self._ways.get(key)
        if way is None or way.until < self._clock.monotonic() or way.left < 1:
            self._ways.pop(key, None)
            return False
        way.left -= 1
        client = self._clients.unopened
        said: dict[str, object] = {"response_type": "ephemeral", "replace_original": False, "text": text}
        if blocks:
            said["blocks"] = list(blocks)
        if thread:
            said["thread_ts"] = thread  # slack_bolt's `respond` sends it so
        try:
            async with self._clients.session.post(
                way.url,
                json=said,
                allow_redirects=False,
                proxy=client.proxy,
                ssl=client.ssl if client.ssl is not None else True,
            ) as response:
                if response.status == 200:
                    return True
                log.info("response_url_refused", status=response.status)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            # It may have been said; said twice to one person is better than not at all.
            log.info("response_url_failed", error=type(error).__name__)
        except PlatformUnavailable:
            return False
        return False


def _with_buttons(place: PrivatePlace, message: OutgoingMessage) -> Sequence[Block]:
    """Empty where they cannot be shown."""
    written = write_message(message, Form.SECTION)
    blocks = written.blocks if written else ()
    return [
        {**block, "block_id": write_block_id(number, place.thread)} if block["type"] == "actions" else block
        for number, block in enumerate(blocks)
    ]


def _ephemeral(place: PrivatePlace, text: str, blocks: Sequence[Block]) -> Call:
    def call(client: AsyncWebClient) -> Awaitable[AsyncSlackResponse]:
        return client.chat_postEphemeral(
            channel=place.channel,
            user=place.person,
            text=text,
            thread_ts=place.thread or None,
            blocks=list(blocks) or None,
        )

    return call
