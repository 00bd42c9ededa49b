"""The workspace: who is there, what was written and what was done to it. Knows nothing of HTTP or sockets.

Every change goes through here; it reports the resulting events to `emit` and that something changed to `changed`.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from random import Random

from bridge.clock import Clock
from bridge.playground.slack import events, limits
from bridge.playground.slack.content import escape_loose, live_mentions, mentions
from bridge.playground.slack.model import Channel, File, JsonObject, Message, Person, Refusal, Status, Team
from bridge.playground.slack.streams import Stream
from bridge.playground.slack.surfaces import Ephemeral, Feature, Prompts, Session
from bridge.playground.slack.views import Triggers, Views

SCOPES = (
    *("app_mentions:read", "chat:write", "channels:history", "groups:history", "im:history", "mpim:history"),
    *("channels:read", "groups:read", "im:read", "mpim:read", "reactions:read", "reactions:write", "users:read"),
    *("files:read", "files:write", "assistant:write", "im:write", "commands"),
)

SUBSCRIPTIONS = (
    *("app_mention", "message.channels", "message.groups", "message.im", "message.mpim", "reaction_added"),
    *("reaction_removed", "app_home_opened", "app_context_changed", "agent_session_stopped", "member_joined_channel"),
    *("app_uninstalled", "tokens_revoked"),
)

_EMOJI = re.compile(r"[a-z0-9_+'\-]+(?:::skin-tone-[2-6])?")
_TS = re.compile(r"\d{1,12}\.\d{6}")


def _ignore() -> None:
    pass


def _drop(event: JsonObject, channel: Channel | None) -> None:
    pass


_NAMES = ("Ada", "Grace", "Linus")


def furnish_people(number: int = 0, letter: str = "U") -> dict[str, Person]:
    """The people of the `number`th workspace. Ids begin with W where it belongs to an organisation."""
    people = [Person(id=f"{letter}{number}{name.upper()}", name=name) for name in _NAMES]
    return {person.id: person for person in people}


def furnish_channels(people: Iterable[str], bot: str | None, number: int = 0) -> dict[str, Channel]:
    """The channels of the `number`th workspace, the app's bot in them if there is one. The direct message is Ada's."""
    people = list(people)
    everybody = {*people, *([bot] if bot else [])}
    ada = {people[0], *([bot] if bot else [])}
    channels = [
        Channel(id=f"C{number}GENERAL", name="general", members=set(everybody)),
        Channel(id=f"C{number}SUPPORT", name="support", members=set(everybody)),
        Channel(id=f"G{number}PRIVATE", name="private", kind="group", members=set(everybody)),
        Channel(id=f"D{number}ADA", name=_NAMES[0], kind="im", members=ada),
    ]
    return {channel.id: channel for channel in channels}


def _channels() -> dict[str, Channel]:
    return furnish_channels(furnish_people(), events.BOT_USER_ID)


@dataclass(slots=True, kw_only=True)
class Workspace:
    clock: Clock
    shuffle: Random
    people: dict[str, Person] = field(default_factory=furnish_people)
    channels: dict[str, Channel] = field(default_factory=_channels)
    scopes: list[str] = field(default_factory=lambda: list(SCOPES))
    """What the bot token may do. Events need theirs as well."""
    pings: list[tuple[str, str]] = field(default_factory=list)
    """(ts, what was written) for everything in the bot's messages that would notify somebody."""
    emit: Callable[[JsonObject, Channel | None], None] = _drop
    """Takes an event and the channel that it happened in, if it did in one."""
    changed: Callable[[], None] = _ignore
    _messages: dict[str, dict[str, Message]] = field(default_factory=dict)
    _statuses: dict[tuple[str, str], Status] = field(default_factory=dict)
    _last_ts: int = 0
    team: Team = events.HOME
    streams: dict[tuple[str, str], Stream] = field(default_factory=dict)
    """(channel, ts) to every message that was streamed, also when it no longer grows."""
    stream_seconds: float = limits.STREAM_SECONDS
    """How long a stream stays open. May be changed at any time, for those that begin later."""
    streamless: dict[str, str] = field(default_factory=dict)
    """Channel to the error with which it refuses streams, such as `channel_type_not_supported`."""
    lacks: dict[Feature, str] = field(default_factory=dict)
    """What this workspace does not have, and the error with which its methods say so. Empty: it has everything."""
    sessions: dict[tuple[str, str], Session] = field(default_factory=dict)
    prompts: dict[str, Prompts] = field(default_factory=dict)
    """Direct message to what is suggested there."""
    ignored_prompts: list[Prompts] = field(default_factory=list)
    """What an agent suggested with a `thread_ts`: accepted, and shown to nobody."""
    titles: dict[tuple[str, str], str] = field(default_factory=dict)
    """(channel, thread) to the name that assistant.threads.setTitle gave it."""
    ephemerals: list[Ephemeral] = field(default_factory=list)
    triggers: Triggers = field(default_factory=Triggers)
    views: Views = field(default_factory=Views)
    installed: bool = True
    """Whether the app is there at all. Without it nothing is told to it."""
    bot_token: str = ""
    """What the app calls the Web API with; empty where it was never given one."""
    contexts: dict[str, list[JsonObject]] = field(default_factory=dict)
    """Person to what they look at beside the agent's direct message."""
    subscriptions: set[str] = field(default_factory=lambda: set(SUBSCRIPTIONS))
    """Events that the app wants to hear of, as its manifest names them. The same in every workspace."""

    # Looking

    @property
    def bot_user_id(self) -> str:
        return self.team.bot_user_id

    @property
    def bot_id(self) -> str:
        return self.team.bot_id

    @property
    def team_id(self) -> str:
        return self.team.id

    def messages(self, channel: str, thread_ts: str | None = None) -> list[Message]:
        found = self._messages.get(channel, {}).values()
        return [message for message in found if thread_ts is None or message.root == thread_ts]

    def find(self, channel: str, ts: str) -> Message:
        message = self._messages.get(channel, {}).get(ts)
        if message is None:
            raise Refusal("message_not_found")
        return message

    def find_root(self, channel: str, thread_ts: str) -> Message:
        """The message that `thread_ts` names, which must be one that can have replies."""
        if not _TS.fullmatch(thread_ts):
            raise Refusal("invalid_thread_ts")
        root = self._messages.get(channel, {}).get(thread_ts)
        if root is None:
            raise Refusal("thread_not_found")
        if root.thread_ts is not None:
            # The real one files such a reply where nobody finds it; the stand-in says so instead.
            raise Refusal("cannot_reply_to_message")
        return root

    def statuses(self) -> dict[tuple[str, str], Status]:
        now = self.clock.monotonic()
        return {key: one for key, one in self._statuses.items() if now - one.at < limits.STATUS_SECONDS}

    # Changing

    def post(
        self,
        channel: Channel,
        user: str,
        text: str,
        *,
        blocks: Sequence[JsonObject] = (),
        thread_ts: str | None = None,
        is_bot: bool = False,
        bot_id: str | None = None,
        subtype: str | None = None,
        files: Sequence[File] = (),
        metadata: JsonObject | None = None,
        link_names: bool = False,
        app_id: str = "",
    ) -> Message:
        """Raises `Refusal` when there is no such thread."""
        root = self.find_root(channel.id, thread_ts) if thread_ts is not None else None
        author = self.people.get(user)
        home = author.team_id if author is not None and author.team_id else self.team.id
        message = Message(
            channel=channel.id,
            ts=self.next_ts(),
            user=user,
            text=escape_loose(text),
            blocks=deepcopy(list(blocks)),
            thread_ts=thread_ts,
            is_bot=is_bot,
            bot_id=bot_id,
            subtype=subtype or ("file_share" if files else None),
            files=tuple(files),
            metadata=metadata,
            team=home,
            is_foreign=home != self.team.id,
            app_id=app_id,
            context=self.contexts.get(user, []) if channel.kind == "im" else [],
        )
        self._messages.setdefault(channel.id, {})[message.ts] = message
        if is_bot:
            self._statuses.pop((channel.id, message.root), None)
            self._record_pings(message, link_names=link_names)
        self._record_text(message)
        root_author = root.user if root else None
        happened = [events.message_event(message, channel, root_author)]
        if self._mentions_bot(message, channel):
            happened.append(events.mention_event(message, channel, root_author))
            self.shuffle.shuffle(happened)
        for event in happened:
            self.emit(event, channel)
        self.changed()
        return message

    def edit(
        self,
        message: Message,
        text: str | None,
        blocks: Sequence[JsonObject] | None,
        *,
        metadata: JsonObject | None = None,
        link_names: bool = False,
    ) -> None:
        """None keeps what is there, except that new text without blocks takes the blocks away (docs of chat.update)."""
        previous = events.wire_message(message)
        if text is not None:
            message.text = escape_loose(text)
        if blocks is not None or text is not None:
            message.blocks = deepcopy(list(blocks or ()))
        if metadata is not None:
            message.metadata = metadata
        event_ts = self.next_ts()
        # Docs of chat.update: a message that is rendered from blocks shows no "(edited)". Seen in events: whole seconds.
        message.edited, message.edited_ts = not message.blocks, f"{event_ts.partition('.')[0]}.000000"
        if message.is_bot:
            self._record_pings(message, link_names=link_names)
        self._record_text(message)
        self._emit_change(message, previous, event_ts)
        self.changed()

    def unfurl(self, message: Message, url: str) -> None:
        """The preview itself is seen in events only."""
        previous = events.wire_message(message)
        message.previews.append(url)
        self._emit_change(message, previous, self.next_ts())

    def delete(self, message: Message) -> None:
        """A root that has replies leaves a tombstone, so that its thread goes on."""
        channel = self.channels[message.channel]
        previous = events.wire_message(message)
        if len(self.messages(channel.id, message.ts)) > 1:
            message.text, message.blocks, message.subtype = "This message was deleted.", [], "tombstone"
            message.user, message.reactions, message.files = "USLACKBOT", {}, ()
            message.edited, message.previews = False, []
            self._record_text(message)
            self._emit_change(message, previous, self.next_ts())
        else:
            del self._messages[channel.id][message.ts]
            self.emit(events.deleted_event(previous, channel, self.next_ts()), channel)
        self.changed()

    def _emit_change(self, message: Message, previous: JsonObject, event_ts: str) -> None:
        channel = self.channels[message.channel]
        root = self._messages[channel.id].get(message.root)
        known: JsonObject = {"parent_user_id": root.user} if root is not None and message.thread_ts else {}
        self.emit(events.changed_event(message, previous | known, known, channel, event_ts), channel)

    def react(self, message: Message, user: str, emoji: str) -> None:
        if not _EMOJI.fullmatch(emoji):
            raise Refusal("invalid_name")
        who = message.reactions.setdefault(emoji, [])
        if user in who:
            raise Refusal("already_reacted")
        who.append(user)
        self._emit_reaction(message, user, emoji, added=True)

    def unreact(self, message: Message, user: str, emoji: str) -> None:
        who = message.reactions.get(emoji, [])
        if user not in who:
            raise Refusal("no_reaction")
        who.remove(user)
        if not who:
            del message.reactions[emoji]
        self._emit_reaction(message, user, emoji, added=False)

    def set_status(self, channel: str, thread_ts: str, text: str, loading_messages: Sequence[str]) -> None:
        """An empty text takes it away."""
        self._statuses.pop((channel, thread_ts), None)
        if text:
            self._statuses[channel, thread_ts] = Status(
                text=text, loading_messages=tuple(loading_messages), at=self.clock.monotonic()
            )
        self.changed()

    def next_ts(self) -> str:
        """The time now; unique and growing, since it names messages and orders reactions."""
        now = int(self.clock.now().timestamp() * 1_000_000)
        self._last_ts = max(self._last_ts + 1, now)
        seconds, micros = divmod(self._last_ts, 1_000_000)
        return f"{seconds}.{micros:06d}"

    def redraw(self, message: Message, text: str, blocks: Sequence[JsonObject], *, finished: bool) -> None:
        """What a streamed message shows now. Of what Slack tells the app before it is finished nothing is documented."""
        previous = events.wire_message(message)
        message.text, message.blocks = escape_loose(text), deepcopy(list(blocks))
        if not message.history or message.history[-1][1] != message.visible_text:
            self._record_text(message)
        if finished:
            self._emit_change(message, previous, self.next_ts())
        self.changed()

    def stop_streams(self, channel: str, thread_ts: str) -> list[str]:
        """A person presses Stop: every stream in the thread ends at once. Returns their ts. The session stays as it is."""
        now = self.clock.monotonic()
        stopped = [
            stream
            for stream in self.streams.values()
            if stream.channel == channel and stream.thread_ts == thread_ts and stream.state(now) == "live"
        ]
        for stream in stopped:
            stream.ended = "stopped_by_user"
        self.changed()
        return [stream.ts for stream in stopped]

    def _emit_reaction(self, message: Message, user: str, emoji: str, *, added: bool) -> None:
        event = events.reaction_event(message, user, emoji, self.next_ts(), added=added)
        self.emit(event, self.channels[message.channel])
        self.changed()

    def _mentions_bot(self, message: Message, channel: Channel) -> bool:
        plain = message.subtype in (None, "file_share", "thread_broadcast")
        return plain and not message.is_bot and channel.kind != "im" and mentions(message.text, self.bot_user_id)

    def _record_text(self, message: Message) -> None:
        message.history.append((self.clock.monotonic(), message.visible_text))

    def _record_pings(self, message: Message, *, link_names: bool) -> None:
        found = live_mentions(message.text, message.blocks, link_names=link_names)
        self.pings.extend((message.ts, token) for token in found)
