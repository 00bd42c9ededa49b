"""What stands at Slack: messages of ours that are looked for, and what others said in a thread."""

from collections.abc import Awaitable, Mapping, Sequence

from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from adapters.slack.addresses import Place, read_address
from adapters.slack.markup import mentioned, readable
from adapters.slack.web.clients import Call, Clients, Identity
from adapters.slack.web.names import Names
from bridge import logs
from bridge.messages import MessageRef, OutgoingMessage, ReplyTarget, Said

log = logs.get("slack")

Shown = Mapping[str, object]
"""A message as Slack gives it back: untrusted."""

EVENT_TYPE = "bridge_answer"
"""Type of the metadata on our messages; its payload carries the nonce."""

CLOCK_SKEW = 120.0
"""Seconds by which Slack's clock may be behind ours when a message is looked for by time."""

LOOK_PAGE, MOST_PAGES = 200, 5
"""Messages of one page, and pages, that are looked through for a message of ours. Slack recommends at most 200 a page."""

COMPARED = 40
"""Letters by which a message that carries no nonce yet is recognised."""

_SAID_BY_SOMEBODY = frozenset({None, "", "bot_message", "file_share", "me_message", "thread_broadcast"})
"""Subtypes of messages that say something; others tell of joining, of topics and the like."""


class History:
    """Reads threads and channels."""

    def __init__(self, clients: Clients, names: Names) -> None:
        self._clients = clients
        self._names = names

    async def look_back(self, place: Place, since: float) -> list[Shown]:
        """What was written in a thread since then (seconds since the epoch, Slack's clock), with metadata, the oldest first,
        as far as `MOST_PAGES` reach. Raises a `PlatformError`; `NotAllowed` without the history scope."""
        return await self._pages(place.team, "conversations.replies", channel=place.channel, ts=place.ts, oldest=since)

    async def look_back_in_channel(self, team: str, channel: str, since: float) -> list[Shown]:
        """The same for what stands at the top of a channel, the latest first."""
        return await self._pages(team, "conversations.history", channel=channel, oldest=since)

    async def read_thread(self, target: ReplyTarget, before: MessageRef | None, limit: int) -> Sequence[Said]:
        """As `ReadsThreads` promises. Of a thread with more messages than `MOST_PAGES` hold, the first ones."""
        place = read_address(target.address)
        asked = before.address.rpartition("/")[2] if before is not None else ""
        latest = asked if is_timestamp(asked) else None
        shown = await self._pages(
            place.team, "conversations.replies", channel=place.channel, ts=place.ts, latest=latest
        )
        me = await self._clients.identity(place.team)
        others = [
            one
            for one in shown
            if one.get("subtype") in _SAID_BY_SOMEBODY
            and one.get("user") != me.user
            and not (me.bot and one.get("bot_id") == me.bot)
            # The first message of a thread is told whatever the bounds are.
            and (latest is None or _order(one) < float(latest))
        ][-limit:]
        people = {str(one.get("user")) for one in others if one.get("user") and not one.get("bot_id")}
        people |= {person for one in others for person in mentioned(_text(one))}
        await self._names.learn(sorted(people - self._names.known().keys() - {me.user}), place.team)
        names = self._names.known()
        said = [Said(who=_who(one, names), text=_words(one, me.user, names)) for one in others]
        return [one for one in said if one.text]

    async def _pages(
        self,
        team: str,
        method: str,
        *,
        channel: str,
        ts: str = "",
        oldest: float | None = None,
        latest: str | None = None,
    ) -> list[Shown]:
        found: list[Shown] = []
        cursor: str | None = None
        since = None if oldest is None else f"{oldest:.6f}"

        for _ in range(MOST_PAGES):
            request = _request(channel, ts, since, latest, cursor)
            response = await self._clients.ask(team, method, request)
            found += _objects(response.get("messages"))
            cursor = _next_cursor(response.get("response_metadata"))
            if cursor is None:
                return found
        log.warning("too_long_to_look_through", channel=channel, messages=len(found))
        return found


def _request(channel: str, ts: str, oldest: str | None, latest: str | None, cursor: str | None) -> Call:
    def call(client: AsyncWebClient) -> Awaitable[AsyncSlackResponse]:
        if not ts:
            return client.conversations_history(
                channel=channel, oldest=oldest, include_all_metadata=True, limit=LOOK_PAGE, cursor=cursor
            )
        return client.conversations_replies(
            channel=channel,
            ts=ts,
            oldest=oldest,
            latest=latest,
            include_all_metadata=True,
            limit=LOOK_PAGE,
            cursor=cursor,
        )

    return call


def metadata(nonce: str) -> dict[str, object]:
    """What makes a message of ours known again."""
    return {"event_type": EVENT_TYPE, "event_payload": {"nonce": nonce}}


def ts_of(nonce: str, shown: Sequence[Shown]) -> str | None:
    """The message among them that carries this nonce."""
    return next((str(one.get("ts")) for one in shown if nonce_in(one) == nonce), None)


def ts_of_growing(message: OutgoingMessage, shown: Sequence[Shown], me: Identity, since: float) -> str | None:
    """The message among them that was begun as a stream with this text: it carries no nonce before it has ended, and may say
    more or less by now. `since`: seconds since the epoch, Slack's clock."""
    wanted = letters(message.text)
    for one in reversed(shown):
        ours = one.get("user") == me.user or (me.bot and one.get("bot_id") == me.bot)
        if not ours or _order(one) < since or one.get("files") or nonce_in(one) is not None:
            continue
        found = letters(_text(one))
        short = min(len(wanted), len(found))
        if wanted[:short] == found[:short]:
            return str(one.get("ts"))
    return None


def letters(text: str) -> str:
    """The beginning of `text` without what markup and spaces make of it."""
    return "".join(letter for letter in text[: 4 * COMPARED] if letter.isalnum())[:COMPARED].casefold()


def nonce_in(shown: Shown) -> str | None:
    """None for messages that are not ours, or do not carry one."""
    found = shown.get("metadata")
    if not isinstance(found, dict) or found.get("event_type") != EVENT_TYPE:
        return None
    payload = found.get("event_payload")
    nonce = payload.get("nonce") if isinstance(payload, dict) else None
    return nonce if isinstance(nonce, str) else None


def is_timestamp(text: str) -> bool:
    seconds, dot, rest = text.partition(".")
    return bool(dot) and text.isascii() and seconds.isdecimal() and rest.isdecimal()


def _order(shown: Shown) -> float:
    ts = str(shown.get("ts"))
    return float(ts) if is_timestamp(ts) else 0.0


def _text(shown: Shown) -> str:
    text = shown.get("text")
    return text if isinstance(text, str) else ""


def _words(shown: Shown, bot_user: str, names: Mapping[str, str]) -> str:
    text = readable(_text(shown), bot_user=bot_user, names=names)
    files = [str(file.get("name") or "a file") for file in _objects(shown.get("files"))]
    return "\n".join(part for part in (text, f"({', '.join(files)})" if files else "") if part)


def _who(shown: Shown, names: Mapping[str, str]) -> str:
    profile = shown.get("bot_profile")
    spellings = [names.get(str(shown.get("user"))), shown.get("username")]
    spellings += [profile.get("name")] if isinstance(profile, dict) else []
    return next((one for one in spellings if isinstance(one, str) and one), str(shown.get("user") or "somebody"))


def _next_cursor(found: object) -> str | None:
    cursor = found.get("next_cursor") if isinstance(found, dict) else None
    return cursor if isinstance(cursor, str) and cursor else None


def _objects(found: object) -> list[dict[str, object]]:
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
