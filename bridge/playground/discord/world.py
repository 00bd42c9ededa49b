"""The state of the pretended Discord: one server, its people, channels and messages, and what may be switched.

Changing it in the ways that Discord knows is `acts`; sockets are `rest` and `gateway`.
"""

import base64
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from bridge.clock import Clock
from bridge.playground.discord import limits
from bridge.playground.discord.buckets import Buckets
from bridge.playground.discord.faults import Faults
from bridge.playground.discord.model import Attachment, Call, Channel, ChannelKind, Interaction, Json, Message, Person
from bridge.playground.discord.permissions import DEFAULT_PERMISSIONS, VIEW_CHANNEL
from bridge.playground.discord.refusals import unknown_channel, unknown_message

_EPOCH_MILLISECONDS: Final = 1_420_070_400_000
"""First second of 2015 (docs: reference, Snowflakes)."""

# Fixed, so that whoever keeps ids (a store, a page) meets the same places again after a restart.
_FIRST_ID: Final = 1_300_000_000_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispatch:
    """One gateway event before it is cut to what a session may see."""

    name: str
    intent: int
    """The bit that a session must have asked for; 0 for what everybody gets."""
    in_guild: bool
    make: Callable[[bool], Json]
    """Builds the payload; the argument says whether the session may read everybody's content."""


class World:
    """Attributes without an underscore are the stand-in's API; see `server.DiscordServer`."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.bot_name = "bridge"
        self.guild_name = "Playground"
        self.guild_id, self.bot_id, self.bot_role_id = (str(_FIRST_ID + n) for n in (1, 2, 3))
        self.application_id = self.bot_id  # equal for every application made since 2016
        self.ada, self.grace, self.linus = (str(_FIRST_ID + n) for n in (11, 12, 13))
        self.general, self.support, self.dm_ada = (str(_FIRST_ID + n) for n in (21, 22, 23))
        # The shape of a real one (id in base64, two more parts), spelled so that nobody takes it for one.
        self.token = base64.b64encode(self.bot_id.encode()).decode() + ".GStand.in-token-of-the-playground-only"
        self.people = {
            self.ada: Person(self.ada, "Ada"),
            self.grace: Person(self.grace, "Grace"),
            self.linus: Person(self.linus, "Linus"),
        }
        self.roles: dict[str, str] = {}
        """Id -> name of the server's roles, without everybody's and the bot's own."""
        self.member_roles: dict[str, tuple[str, ...]] = {}
        """Person -> ids of the roles that this person has."""
        self.channels: dict[str, Channel] = {}
        self.add_place(self.general, "general", "text")
        self.add_place(self.support, "support", "text")
        self.add_place(self.dm_ada, "Ada", "dm", person_id=self.ada)
        self.buckets = Buckets(clock)
        self.calls: list[Call] = []
        self.rejected = 0
        self.interactions: dict[str, Interaction] = {}
        """Every press of a button so far, by id."""
        self.pings: list[tuple[str, str]] = []
        """(message id, what) for each mention in the bot's creates and edits that would really ping somebody."""
        self.typing: dict[str, list[float]] = {}
        self.faults = Faults()
        self.permissions: dict[str, int] = {}
        """The bot's permissions in a channel or, by the server's id, in the whole server."""
        self.message_content_allowed = True
        self.dm_blocked: set[str] = set()
        self.nonce_window = limits.NONCE_WINDOW
        self.max_active_threads = limits.MAX_ACTIVE_THREADS
        self.outage = False
        """The server is out: what happens there is told to nobody, not even later."""
        self.old_edits_refused = False
        """True: the cap on edits of messages older than an hour is used up, so each of them meets 30046."""
        self.address = ""
        """"http://host:port" once started."""
        self.gateway_url = ""
        self.identifies = 0
        self.resumes = 0
        self.publish: Callable[[Dispatch], None] = lambda _: None
        self._messages: dict[str, dict[str, Message]] = {}
        self._nonces: dict[tuple[str, str, str], tuple[float, Message]] = {}
        self._last_id = 0
        self._listeners: list[Callable[[], None]] = []

    # Finding things

    def messages(self, channel_id: str) -> list[Message]:
        """Oldest first, system messages included. Raises `KeyError` for an unknown channel."""
        self.channels[channel_id]
        return list(self._messages.get(channel_id, {}).values())

    def threads(self, channel_id: str) -> list[Channel]:
        return [one for one in self.channels.values() if one.kind == "thread" and one.parent_id == channel_id]

    def channel(self, channel_id: str) -> Channel:
        """Raises the refusal that Discord gives for an unknown one."""
        found = self.channels.get(channel_id)
        if found is None:
            raise unknown_channel()
        return found

    def message(self, channel_id: str, message_id: str) -> Message:
        """Raises the refusal that Discord gives for an unknown one."""
        found = self.find_message(channel_id, message_id)
        if found is None:
            raise unknown_message()
        return found

    def find_message(self, channel_id: str, message_id: str) -> Message | None:
        return self._messages.get(channel_id, {}).get(message_id)

    def name_of(self, user_id: str) -> str:
        """Raises `KeyError` for an unknown person."""
        return self.bot_name if user_id == self.bot_id else self.people[user_id].name

    def known_people(self) -> set[str]:
        return {self.bot_id, *self.people}

    def allowed(self, channel: Channel) -> int:
        """The bot's permission bits there. A thread without an entry of its own has its parent's."""
        for place in (channel.id, channel.parent_id):
            if place is not None and place in self.permissions:
                return self.permissions[place]
        return self.permissions.get(self.guild_id, DEFAULT_PERMISSIONS)

    def sees(self, channel: Channel) -> bool:
        return channel.kind == "dm" or bool(self.allowed(channel) & VIEW_CHANNEL)

    def active_threads(self) -> list[Channel]:
        return [one for one in self.channels.values() if one.kind == "thread" and not one.archived]

    def attachment(self, channel_id: str, file_id: str) -> Attachment | None:
        """A file of a message that still stands."""
        found = (kept for one in self._messages.get(channel_id, {}).values() for kept in one.attachments)
        return next((file for number, file in found if number == file_id), None)

    # Keeping things

    def new_id(self) -> str:
        """A snowflake: time in its upper bits, always larger than the one before."""
        milliseconds = int(self.clock.now().timestamp() * 1000) - _EPOCH_MILLISECONDS
        self._last_id = max(self._last_id + 1, milliseconds << 22)
        return str(self._last_id)

    def add_place(
        self,
        channel_id: str,
        name: str,
        kind: ChannelKind,
        *,
        parent_id: str | None = None,
        owner_id: str = "",
        person_id: str = "",
        bot_joined: bool = False,
    ) -> Channel:
        now = self.clock.now()
        place = Channel(
            id=channel_id,
            name=name,
            kind=kind,
            parent_id=parent_id,
            owner_id=owner_id,
            person_id=person_id,
            created=now,
            archive_changed=now,
            bot_joined=bot_joined,
        )
        self.channels[channel_id] = place
        return place

    def keep(self, message: Message) -> None:
        self._messages.setdefault(message.channel_id, {})[message.id] = message

    def forget(self, message: Message) -> None:
        del self._messages[message.channel_id][message.id]

    def remember_nonce(self, message: Message) -> None:
        self._nonces[message.channel_id, message.author_id, str(message.nonce)] = (self.clock.monotonic(), message)

    def find_nonce(self, channel_id: str, author_id: str, nonce: str | int) -> Message | None:
        """The message that was first created with this nonce, if that was less than `nonce_window` seconds ago."""
        found = self._nonces.get((channel_id, author_id, str(nonce)))
        if found is None or self.clock.monotonic() - found[0] >= self.nonce_window:
            return None
        return found[1]

    # Telling others

    def on_change(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Calls `callback` (which may not block or raise) after every visible change. Returns what ends that."""
        self._listeners.append(callback)
        return lambda: self._listeners.remove(callback)

    def changed(self) -> None:
        for callback in tuple(self._listeners):
            callback()
