"""What others said in a thread, as an app is told that was not there."""

from collections.abc import Mapping, Sequence

from adapters.discord import markup
from adapters.discord.addresses import Manner, read_message_address, read_target_address
from adapters.discord.capabilities import MAX_HISTORY
from adapters.discord.gateway.heard import Payload
from adapters.discord.rest.client import Rest
from adapters.discord.rest.lookups import Lookups, author_of, number_of
from bridge import logs
from bridge.errors import PlatformError
from bridge.messages import MessageRef, ReplyTarget, Said

log = logs.get("discord")

MOST_PAGES = 3
"""Pages of a thread that are looked through. Our own messages in it count."""

# Types of messages that somebody wrote (API reference, Message Types).
ORDINARY, REPLY, COMMAND, MENU_COMMAND = 0, 19, 20, 23
THREAD_STARTER = 21
"""The empty first message of a thread that was started from a message, which it refers to."""
_WRITTEN = frozenset({ORDINARY, REPLY, COMMAND, MENU_COMMAND})


class History:
    def __init__(self, rest: Rest, lookups: Lookups) -> None:
        self._rest = rest
        self._lookups = lookups

    async def read_thread(self, target: ReplyTarget, before: MessageRef | None, limit: int) -> Sequence[Said]:
        """As `ReadsThreads` promises. The message that a thread was opened with is told whatever `limit` is."""
        place = read_target_address(target.address)
        if place.manner is not Manner.IN or not target.conversation.thread:
            return ()
        me = (await self._rest.log_in()).user
        until = None if before is None else read_message_address(before.address).message
        found, complete = await self._look_back(place.channel, until, limit, me)
        openers = [
            each.get("referenced_message") if _is_starter(each) else each
            for each in found
            if _opens(each, place.channel)
        ]
        opener: Payload | None = next((each for each in openers if isinstance(each, dict)), None)
        if opener is None and (openers or not complete):
            opener = await self._find_opener(place.channel, target.conversation.channel)
        shown = [each for each in found if _is_told(each, me) and not _opens(each, place.channel)]
        if opener is not None and _is_told(opener, me):
            shown = [*shown[: limit - 1], opener]
        shown = list(reversed(shown[:limit]))
        told = (Said(who=_who(each), text=_words(each)) for each in shown)
        return [each for each in told if each.text]

    async def _look_back(self, thread: int, until: int | None, limit: int, me: int) -> tuple[Sequence[Payload], bool]:
        """What stands above, the newest first, until there is enough of it; and whether that is all."""
        found: list[Payload] = []
        for _ in range(MOST_PAGES):
            listed = await self._lookups.page(thread, before=until)
            found += listed
            if len(listed) < MAX_HISTORY:
                return found, True
            if sum(_is_told(each, me) for each in found) >= limit:
                break
            until = number_of(listed[-1])
        return found, False

    async def _find_opener(self, thread: int, parent: str) -> Payload | None:
        """It has the thread's number, and stands in the channel above or, in a forum, in the thread itself."""
        for channel in dict.fromkeys((int(parent) if parent.isdecimal() else thread, thread)):
            try:
                return await self._lookups.message(channel, thread)
            except PlatformError as error:
                log.debug("thread_opener_not_read", code=error.code)
        return None


def _opens(payload: Payload, thread: int) -> bool:
    """It has the thread's number, as in forums, or refers to the message that has it."""
    return number_of(payload) == thread or _is_starter(payload)


def _is_starter(payload: Payload) -> bool:
    return payload.get("type") == THREAD_STARTER


def _is_told(payload: Payload, me: int) -> bool:
    return payload.get("type") in _WRITTEN and author_of(payload) != me


def _who(payload: Payload) -> str:
    member, author = payload.get("member"), payload.get("author")
    spellings = [_text(member, "nick"), _text(author, "global_name"), _text(author, "username")]
    return next((each for each in spellings if each), "somebody")


def _words(payload: Payload) -> str:
    snapshots = [
        each["message"] for each in _objects(payload.get("message_snapshots")) if _is_object(each.get("message"))
    ]
    sources = [payload, *(each for each in snapshots if isinstance(each, dict))]
    texts = [_text(each, "content") for each in sources]
    if not any(texts):
        embeds = [embed for each in sources for embed in _objects(each.get("embeds"))]
        texts = [text for each in embeds for text in (_text(each, "title"), _text(each, "description"))]
    people = _objects(payload.get("mentions"))
    names = markup.Names(
        users={
            int(str(each["id"])): _text(each, "global_name") or _text(each, "username")
            for each in people
            if str(each.get("id")).isdecimal()
        }
    )
    files = [_text(file, "filename") or "a file" for each in sources for file in _objects(each.get("attachments"))]
    parts = [*(markup.readable(text, names) for text in texts if text), f"({', '.join(files)})" if files else ""]
    return "\n".join(part for part in parts if part.strip()).strip()


def _is_object(found: object) -> bool:
    return isinstance(found, dict)


def _objects(found: object) -> list[dict[str, object]]:
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _text(found: object, name: str) -> str:
    value = found.get(name) if isinstance(found, Mapping) else None
    return value if isinstance(value, str) else ""
