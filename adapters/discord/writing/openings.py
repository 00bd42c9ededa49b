"""Questions that nobody can read where they are answered, because a command or a form brought them: they are said first, by a
message of ours, and the thread hangs under that or holds it.

Everything here may be done again by another process: what stands already is found, in memory, by the interaction that Discord
names with its answer, or by the nonce.
"""

from dataclasses import dataclass

from adapters.discord.addresses import TargetPlace, message_address, read_message_address
from adapters.discord.capabilities import MAX_HISTORY
from adapters.discord.inbound import DISCORD
from adapters.discord.rest.client import Rest
from adapters.discord.rest.lookups import MOST_PAGES, Lookups, author_of, caused_by, number_of
from adapters.discord.writing.hooks import Hooks
from adapters.discord.writing.posts import Posts
from bridge import logs
from bridge.errors import MessageGone, MessageRefused, NotAllowed
from bridge.markdown.characters import literally
from bridge.markdown.dialect import Dialect
from bridge.messages import InstallationId, MessageRef, OutgoingMessage
from bridge.outgoing_files import OutgoingFile

log = logs.get("discord")

MOST_KNOWN = 5_000
"""Interactions whose message is remembered."""

_ASKED = " asked: "
"""Stands between who asked and what, in a title."""

NOBODYS = 0
"""Stands for the interaction of a place that has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    number: int
    said: str
    """Nothing as long as people see the bot thinking."""


class Openings:
    def __init__(self, rest: Rest, lookups: Lookups, hooks: Hooks, posts: Posts, dialect: Dialect) -> None:
        self._rest = rest
        self._lookups = lookups
        self._hooks = hooks
        self._posts = posts
        self._dialect = dialect
        self._known: dict[int, int] = {}
        """Interactions to the message that says the question, or the first of what answers it."""

    async def say(self, place: TargetPlace, title: str) -> int:
        """Says what was asked in the channel of `place`, once, and returns the number of the message. Raises a
        `PlatformError`."""
        interaction = place.interaction or NOBODYS
        if (known := self._known.get(interaction)) is not None:
            return known
        message = OutgoingMessage(text="", nonce=f"ask{interaction}")
        return _number(await self._begin(place, self._spell(title), message))

    async def say_in(self, place: TargetPlace, channel: int, title: str) -> int:
        """The same in another channel, such as the thread under the message that a form was about; as a reply to that where it is
        the same channel."""
        interaction = place.interaction or NOBODYS
        if (known := self._known.get(interaction)) is not None:
            return known
        text = self._spell(title)
        found = await self._find(channel, interaction, text) if self._lookups.is_late(interaction) else None
        if found is not None:
            known = found.number
        else:
            message = OutgoingMessage(text="", nonce=f"pick{interaction}")
            question = place.question if channel == place.channel else None
            known = _number(await self._posts.send(channel, text, message, question=question))
        self._remember(interaction, known)
        return known

    async def send(
        self,
        place: TargetPlace,
        text: str,
        message: OutgoingMessage,
        file: OutgoingFile | None = None,
        server: InstallationId | None = None,
    ) -> MessageRef:
        """A message of an answer that gets no thread: the first is what the command itself answers, the others reply to that."""
        interaction = place.interaction or NOBODYS
        known = self._known.get(interaction)
        if known is None or self._hooks.may_begin(interaction, message.nonce):
            return await self._begin(place, text, message, file, server)
        return await self._posts.send(place.channel, text, message, question=known, file=file, server=server)

    async def _begin(
        self,
        place: TargetPlace,
        text: str,
        message: OutgoingMessage,
        file: OutgoingFile | None = None,
        server: InstallationId | None = None,
    ) -> MessageRef:
        """Shows it where people see the bot thinking, or else posts it."""
        interaction = place.interaction or NOBODYS
        if self._hooks.may_begin(interaction, message.nonce):
            try:
                ref = await self._hooks.begin(interaction, text, message, file)
            except (NotAllowed, MessageGone) as error:
                if file is not None and isinstance(error, NotAllowed):
                    raise
                # What people saw was deleted, or never arrived.
                log.info("command_not_answered", id=interaction, code=error.code)
            else:
                self._remember(interaction, _number(ref))
                return ref
        return await self._begin_without(place, text, message, file, server)

    async def _begin_without(
        self,
        place: TargetPlace,
        text: str,
        message: OutgoingMessage,
        file: OutgoingFile | None,
        server: InstallationId | None,
    ) -> MessageRef:
        """Without the interaction's token, which another process had."""
        channel, interaction = place.channel, place.interaction or NOBODYS
        # Answers to others may say the same.
        found = await self._find(channel, interaction, None if message.text else text)
        question = found.number if found is not None and found.said else None
        ref = None
        if found is not None and file is None and found.said in ("", text.strip()):
            ref = await self._replace(channel, found, text, message)
        if ref is None:
            ref = await self._posts.send(channel, text, message, question=question, file=file, server=server)
        self._remember(interaction, question or _number(ref))
        return ref

    async def _replace(self, channel: int, found: _Found, text: str, message: OutgoingMessage) -> MessageRef | None:
        """None: Discord does not let us, without the token."""
        ref = MessageRef(platform=DISCORD, address=message_address(channel, found.number))
        if found.said and not message.buttons:
            return ref
        try:
            await self._posts.edit(ref, text, message)
        except (NotAllowed, MessageGone, MessageRefused) as error:
            log.info("command_not_answered", channel=channel, code=error.code)
            return None
        return ref

    async def _find(self, channel: int, interaction: int, text: str | None) -> _Found | None:
        """Our message there that Discord says was caused by this interaction, or else that says this."""
        me = (await self._rest.log_in()).user
        after, same = interaction, None
        for _ in range(MOST_PAGES):
            try:
                listed = await self._lookups.page(channel, after=after)
            except (NotAllowed, MessageGone) as error:
                # Without the right to read nobody can tell. A question that is seen twice is better than none.
                log.info("opening_not_looked_up", code=error.code)
                return None
            for each in listed:
                if author_of(each) != me:
                    continue
                said = str(each.get("content", "")).strip()
                if caused_by(each) == interaction:
                    return _Found(number=number_of(each), said=said)
                if text is not None and said == text.strip():
                    same = _Found(number=number_of(each), said=said)
            if len(listed) < MAX_HISTORY:
                break
            after = number_of(listed[0])
        return same

    def _spell(self, title: str) -> str:
        who, asked, what = title.partition(_ASKED)
        told = f"**{literally(who)}**{_ASKED}{literally(what)}" if asked else literally(title)
        text = str(self._dialect.payload(told)["content"])
        return text[: self._dialect.limit]

    def _remember(self, interaction: int, message: int) -> None:
        self._known.pop(interaction, None)
        self._known[interaction] = message
        if len(self._known) > MOST_KNOWN:
            del self._known[next(iter(self._known))]


def question_in(title: str) -> str:
    """What was asked, without who asked it; for a thread's name."""
    _, asked, what = title.partition(_ASKED)
    return what if asked and what.strip() else title


def _number(ref: MessageRef) -> int:
    return read_message_address(ref.address).message
