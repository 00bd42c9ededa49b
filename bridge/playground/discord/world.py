"""The state of the pretended Discord: one server, its people, channels and messages, and what may be switched.

Changing it in the ways that Discord knows is `acts`; sockets are `rest` and `gateway`.
"""

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from bridge.clock import Clock
from bridge.playground.discord import limits
from bridge.playground.discord.buckets import Buckets
from bridge.playground.discord.faults import Faults
from bridge.playground.discord.model import (
    Attachment,
    Call,
    Channel,
    ChannelKind,
    Command,
    Guild,
    Interaction,
    Json,
    Message,
    Modal,
    Person,
)
from bridge.playground.discord.permissions import (
    ADMINISTRATOR,
    DEFAULT_PERMISSIONS,
    EVERYTHING,
    PERSON_PERMISSIONS,
    VIEW_CHANNEL,
)
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
    guild_id: str
    """Empty for what happens in direct messages."""
    make: Callable[[bool], Json]
    """Builds the payload; the argument says whether the session may read everybody's content."""


class World:
    """Attributes without an underscore are the stand-in's API; see `server.DiscordServer`."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.bot_name = "bridge"
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
        first = Guild(id=self.guild_id, name="Playground", bot_role_id=self.bot_role_id, created=clock.now())
        self.guilds: dict[str, Guild] = {first.id: first}
        self.roles = first.roles
        """Id -> name of the first server's roles, without everybody's and the bot's own."""
        self.role_permissions: dict[str, int] = {}
        """Role -> what it adds to what its members may do."""
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
        """Every command, press and submitted form so far, by id."""
        self.modals: dict[str, Modal] = {}
        """Forms that are open, by the id of the interaction that was answered with them."""
        self.whispers: dict[str, Message] = {}
        """Messages that only one person sees, by id."""
        self.loose_files: dict[tuple[str, str], Attachment] = {}
        """Files given to commands, which are on no message, by channel and id."""
        self.installed_for: set[str] = set()
        """People who have the app themselves, wherever they are."""
        self.commands: list[Command] = []
        """What the bot registered last, for every server."""
        self.command_creates: list[float] = []
        """When (monotonic seconds) each new name was registered; Discord counts them by the day."""
        self.command_puts = 0
        self.token_seconds = limits.INTERACTION_TOKEN_SECONDS
        """For how long an interaction may be answered and followed up."""
        self.pings: list[tuple[str, str]] = []
        """(message id, what) for each mention in the bot's creates and edits that would really ping somebody."""
        self.typing: dict[str, list[float]] = {}
        self.faults = Faults()
        self.permissions: dict[str, int] = {}
        """The bot's permissions in a channel or, by the server's id, in the whole server."""
        self.overwrites: dict[str, dict[str, tuple[int, int]]] = {}
        """Channel -> who (the server's id for everybody, a role, a person, the bot) -> (allowed, denied)."""
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
        self.shards = 1
        """How many Discord recommends."""
        self.identifies_before = 0
        """How many of today's identifies were used up before the stand-in started."""
        self.link_seconds = limits.LINK_SECONDS
        """For how long the address of a file leads to it."""
        self.identifies = 0
        self.resumes = 0
        self.publish: Callable[[Dispatch], None] = lambda _: None
        self._messages: dict[str, dict[str, Message]] = {}
        self._nonces: dict[tuple[str, str, str], tuple[float, Message]] = {}
        self._last_id = 0
        self._listeners: list[Callable[[], None]] = []

    @property
    def guild_name(self) -> str:
        return self.guilds[self.guild_id].name

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
        if not channel.in_guild:
            return DEFAULT_PERMISSIONS
        own = self.permissions.get(channel.guild_id, DEFAULT_PERMISSIONS)
        return self._overwritten(channel, own, self.bot_id, (self.guilds[channel.guild_id].bot_role_id,))

    def allowed_for(self, user_id: str, channel: Channel) -> int:
        """A person's permission bits there: what everybody has, what their roles add, and the channel's overwrites."""
        if not channel.in_guild:
            return PERSON_PERMISSIONS
        roles = self.roles_of(user_id, channel.guild_id)
        own = PERSON_PERMISSIONS
        for role in roles:
            own |= self.role_permissions.get(role, 0)
        return self._overwritten(channel, own, user_id, roles)

    def _overwritten(self, channel: Channel, own: int, user_id: str, roles: Sequence[str]) -> int:
        """Everybody's overwrite first, then those of the roles together, then the one's own (docs: topics/permissions)."""
        if own & ADMINISTRATOR:
            return EVERYTHING
        place = channel.parent_id if channel.kind == "thread" else channel.id
        known = self.overwrites.get(place or "", {})
        allow, deny = known.get(channel.guild_id, (0, 0))
        own = own & ~deny | allow
        given = [known[role] for role in roles if role in known]
        for _, deny in given:
            own &= ~deny
        for allow, _ in given:
            own |= allow
        allow, deny = known.get(user_id, (0, 0))
        return own & ~deny | allow

    def joined(self, guild_id: str) -> datetime:
        """Since when everybody is there, the bot too: since there is a first channel."""
        guild = self.guilds[guild_id]
        return self.channels[guild.channel_ids[0]].created if guild.channel_ids else guild.created

    def roles_of(self, user_id: str, guild_id: str) -> tuple[str, ...]:
        guild = self.guilds[guild_id]
        if user_id == self.bot_id:
            return (guild.bot_role_id,)
        return tuple(one for one in self.member_roles.get(user_id, ()) if one in guild.roles)

    def sees(self, channel: Channel) -> bool:
        """Whether the bot does."""
        if not channel.in_guild:
            return channel.kind == "dm"
        return self.guilds[channel.guild_id].bot_in and bool(self.allowed(channel) & VIEW_CHANNEL)

    def person_sees(self, user_id: str, channel: Channel) -> bool:
        if channel.kind == "dm":
            return user_id == channel.person_id
        if channel.kind == "private":
            return user_id in channel.member_ids
        return bool(self.allowed_for(user_id, channel) & VIEW_CHANNEL)

    def active_threads(self, guild_id: str) -> list[Channel]:
        places = (self.channels[one] for one in self.guilds[guild_id].channel_ids)
        return [one for one in places if one.kind == "thread" and not one.archived]

    def file_limit(self, channel: Channel) -> int:
        """Bytes that one file may have there."""
        return (
            limits.FILE_BYTES[self.guilds[channel.guild_id].premium_tier] if channel.in_guild else limits.FILE_BYTES[0]
        )

    def attachment(self, channel_id: str, file_id: str) -> Attachment | None:
        """A file of a message that still stands, or of a command."""
        if (channel_id, file_id) in self.loose_files:
            return self.loose_files[channel_id, file_id]
        whispered = (one for one in self.whispers.values() if one.channel_id == channel_id)
        for one in (*self._messages.get(channel_id, {}).values(), *whispered):
            for number, file in one.attachments:
                if number == file_id:
                    return file
        return None

    def identifies_left(self) -> int:
        """Of today."""
        return max(0, limits.IDENTIFIES_PER_DAY - self.identifies_before - self.identifies)

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
        guild_id: str | None = None,
        parent_id: str | None = None,
        owner_id: str = "",
        person_id: str = "",
        bot_joined: bool = False,
    ) -> Channel:
        """`guild_id`: None for the first server, unless the place is in none by its kind."""
        now = self.clock.now()
        belongs_to = "" if kind in ("dm", "private") else guild_id or self.guild_id
        place = Channel(
            id=channel_id,
            name=name,
            kind=kind,
            guild_id=belongs_to,
            parent_id=parent_id,
            owner_id=owner_id,
            person_id=person_id,
            created=now,
            archive_changed=now,
            bot_joined=bot_joined,
        )
        self.channels[channel_id] = place
        if belongs_to:
            self.guilds[belongs_to].channel_ids.append(channel_id)
        return place

    def drop_place(self, place: Channel) -> None:
        del self.channels[place.id]
        self._messages.pop(place.id, None)
        if place.in_guild:
            self.guilds[place.guild_id].channel_ids.remove(place.id)

    def keep(self, message: Message) -> None:
        message.deleted = False
        if message.seen_by:
            self.whispers[message.id] = message
        else:
            self._messages.setdefault(message.channel_id, {})[message.id] = message

    def forget(self, message: Message) -> None:
        message.deleted = True
        if message.seen_by:
            del self.whispers[message.id]
        else:
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
