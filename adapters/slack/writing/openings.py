"""Threads that begin with a message of ours: a command or a form asked, so that there is nothing yet to answer under."""

from collections.abc import Awaitable
from dataclasses import replace

from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from adapters.slack.addresses import Opening, Place, read_opening, write_address
from adapters.slack.dialect import PLAIN_BYTES, escape, neutralise
from adapters.slack.web.clients import Clients, timestamp_in
from adapters.slack.web.history import CLOCK_SKEW, History, metadata, ts_of
from adapters.slack.web.remembering import remember
from adapters.slack.writing.posts import POST
from adapters.slack.writing.privates import Privately
from bridge import logs
from bridge.clock import Clock
from bridge.errors import MessageGone, NotAllowed, PlatformUnavailable
from bridge.markdown.characters import clean, without_marks
from bridge.messages import ReplyTarget, ThreadId

log = logs.get("slack")

FRESH = 5.0
"""Seconds for which a question is certainly asked for the first time; later, another process may have begun the thread."""

MOST_BEGUN = 1_000

NOT_A_MEMBER = "I cannot write in this channel yet. Invite me with `/invite`, and ask again."


class Openings:
    def __init__(self, clients: Clients, history: History, privately: Privately, clock: Clock) -> None:
        self._clients = clients
        self._history = history
        self._privately = privately
        self._clock = clock
        self._begun: dict[str, str] = {}
        """Nonce to the timestamp of what was posted; empty where it may stand."""

    async def open(self, target: ReplyTarget, title: str) -> ReplyTarget:
        """As `OpensThreads.open_thread` promises."""
        opening = read_opening(target.address)
        if opening is None:
            return target
        ts = await self._find(opening)
        if ts is None:
            ts = await self._begin(opening, title)
        remember(self._begun, opening.nonce, ts, MOST_BEGUN)
        address = write_address(Place(team=opening.team, channel=opening.channel, ts=ts))
        conversation = target.conversation
        # Rolling direct messages are one conversation, whatever thread they are answered in.
        if conversation.thread or not conversation.person:
            conversation = replace(conversation, thread=ThreadId(ts))
        return replace(target, address=address, conversation=conversation, opens_thread=False)

    async def _find(self, opening: Opening) -> str | None:
        begun = self._begun.get(opening.nonce)
        if begun:
            return begun
        late = self._clock.now().timestamp() - opening.at > FRESH
        if not late and begun is None:
            return None
        try:
            shown = await self._history.look_back_in_channel(opening.team, opening.channel, opening.at - CLOCK_SKEW)
        except NotAllowed as error:
            # Without a history scope nobody can tell. A question that is seen twice is better than none.
            log.warning("opening_not_looked_up", code=error.code)
            return None
        except MessageGone:
            return None  # what is wrong with the channel is told when the thread is begun
        return ts_of(opening.nonce, shown)

    async def _begin(self, opening: Opening, title: str) -> str:
        text = plain_text(title)

        def call(client: AsyncWebClient) -> Awaitable[AsyncSlackResponse]:
            return client.chat_postMessage(
                channel=opening.channel,
                text=text,
                mrkdwn=False,
                unfurl_links=False,
                unfurl_media=False,
                metadata=metadata(opening.nonce),
            )

        try:
            return timestamp_in(await self._clients.ask(opening.team, POST, call), POST)
        except PlatformUnavailable:
            remember(self._begun, opening.nonce, "", MOST_BEGUN)
            raise
        except (NotAllowed, MessageGone) as error:
            await self._privately.answer(opening.nonce, NOT_A_MEMBER)
            raise NotAllowed(str(error), code=error.code) from error


def plain_text(title: str) -> str:
    """`title` to the letter, as `text` without formatting takes it: at most `PLAIN_BYTES` and mentioning nobody."""
    text = without_marks(clean(title, final=True)).strip()
    out, size = "", 0
    for letter in text:
        size += len(escape(letter).encode())
        if size > PLAIN_BYTES - 800:
            return neutralise(escape(out.rstrip())) + "…"
        out += letter
    return neutralise(escape(out)) or "…"
