"""Web API methods that change messages and reactions."""

import re
from copy import deepcopy

from bridge.playground.slack import limits
from bridge.playground.slack.arguments import Arguments
from bridge.playground.slack.checks import check_message
from bridge.playground.slack.content import escape_loose
from bridge.playground.slack.events import wire_message
from bridge.playground.slack.model import Channel, JsonObject, Message, Refusal
from bridge.playground.slack.streams import Content
from bridge.playground.slack.surfaces import Ephemeral
from bridge.playground.slack.workspace import Workspace

_TS = re.compile(r"\d{1,12}\.\d{6}")


class WritingMethods:
    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def post_ephemeral(self, args: Arguments) -> JsonObject:
        channel = self.writable(args.required("channel", "channel_not_found"))
        if self._workspace.bot_user_id not in channel.members:
            raise Refusal("not_in_channel")
        person = args.required("user", "user_not_found")
        if person not in channel.members - {self._workspace.bot_user_id}:
            raise Refusal("user_not_in_channel")
        text, blocks = self._read_post(args)
        thread_ts = args.text("thread_ts")
        if thread_ts is not None:
            self._workspace.find_root(channel.id, thread_ts)
        ephemeral = Ephemeral(
            channel=channel.id,
            person=person,
            ts=self._workspace.next_ts(),
            text=escape_loose(text),
            blocks=deepcopy(blocks),
            thread_ts=thread_ts,
        )
        # Docs: "Ephemeral messages in threads are only shown if there is already an active thread."
        if thread_ts is None or len(self._workspace.messages(channel.id, thread_ts)) > 1:
            self._workspace.ephemerals.append(ephemeral)
            self._workspace.changed()
        return {"message_ts": ephemeral.ts}

    def post_message(self, args: Arguments) -> JsonObject:
        channel = self.writable(args.required("channel", "channel_not_found"))
        text, blocks = self._read_post(args)
        thread_ts = args.text("thread_ts")
        broadcast = args.flag("reply_broadcast") and thread_ts is not None
        message = self._workspace.post(
            channel,
            self._workspace.bot_user_id,
            text,
            blocks=blocks,
            thread_ts=thread_ts,
            is_bot=True,
            bot_id=self._workspace.bot_id,
            subtype="thread_broadcast" if broadcast else None,
            metadata=read_metadata(args),
            link_names=_links_names(args),
        )
        return {"channel": channel.id, "ts": message.ts, "message": wire_message(message)}

    def update(self, args: Arguments) -> JsonObject:
        channel = self.writable(args.required("channel", "channel_not_found"))
        message = self._own(channel, args.required("ts", "message_not_found"), "cant_update_message")
        if self._grows(message):
            raise Refusal("streaming_state_conflict")
        text, blocks = self._read_content(args)
        if text is None and blocks is None:
            raise Refusal("no_text")
        if text is not None and not text.strip() and not blocks:
            raise Refusal("no_text")
        if text is None and not blocks and not message.text:
            raise Refusal("no_text")
        if len(escape_loose(text or "").encode()) > limits.UPDATE_TEXT_BYTES:
            raise Refusal("msg_too_long")
        self._workspace.edit(message, text, blocks, metadata=read_metadata(args), link_names=_links_names(args))
        stream = self._workspace.streams.get((channel.id, message.ts))
        if stream is not None:
            # An edit replaces everything, tasks included.
            stream.content = Content()
        return {"channel": channel.id, "ts": message.ts, "text": message.text, "message": wire_message(message)}

    def delete(self, args: Arguments) -> JsonObject:
        channel = self.writable(args.required("channel", "channel_not_found"))
        message = self._own(channel, args.required("ts", "message_not_found"), "cant_delete_message")
        if self._grows(message):
            raise Refusal("cant_delete_message")
        self._workspace.delete(message)
        return {"channel": channel.id, "ts": message.ts}

    def add_reaction(self, args: Arguments) -> JsonObject:
        self._workspace.react(self._reacted(args), self._workspace.bot_user_id, args.required("name", "invalid_name"))
        return {}

    def remove_reaction(self, args: Arguments) -> JsonObject:
        self._workspace.unreact(self._reacted(args), self._workspace.bot_user_id, args.required("name", "invalid_name"))
        return {}

    def writable(self, channel_id: str) -> Channel:
        """Raises the refusal that a bot meets where it may not write."""
        channel = self._workspace.channels.get(channel_id)
        member = channel is not None and self._workspace.bot_user_id in channel.members
        # A private channel without the bot does not exist for it.
        if channel is None or (not member and channel.kind != "channel"):
            raise Refusal("channel_not_found")
        if not member and "chat:write.public" not in self._workspace.scopes:
            raise Refusal("not_in_channel")
        return channel

    def _own(self, channel: Channel, ts: str, error: str) -> Message:
        message = self._workspace.find(channel.id, ts)
        if message.user != self._workspace.bot_user_id:
            raise Refusal(error)
        return message

    def _grows(self, message: Message) -> bool:
        stream = self._workspace.streams.get((message.channel, message.ts))
        return stream is not None and stream.state(self._workspace.clock.monotonic()) == "live"

    def _reacted(self, args: Arguments) -> Message:
        channel = self.writable(args.required("channel", "no_item_specified"))
        ts = args.required("timestamp", "no_item_specified")
        if not _TS.fullmatch(ts):
            raise Refusal("bad_timestamp")
        return self._workspace.find(channel.id, ts)

    def _read_post(self, args: Arguments) -> tuple[str, list[JsonObject]]:
        text, blocks = self._read_content(args)
        if not (text or "").strip() and not blocks:
            raise Refusal("no_text")
        if len(escape_loose(text or "")) > limits.POST_TEXT_CHARS:
            raise Refusal("msg_too_long")
        return text or "", blocks or []

    def _read_content(self, args: Arguments) -> tuple[str | None, list[JsonObject] | None]:
        text, blocks, markdown = args.text("text"), args.blocks(), args.text("markdown_text")
        if markdown is not None:
            if text is not None or blocks is not None:
                raise Refusal("markdown_text_conflict")
            if not markdown.strip():
                raise Refusal("no_text")
            blocks = [{"type": "markdown", "text": markdown}]
        check_message(text or "", blocks or ())
        return text, blocks


def _links_names(args: Arguments) -> bool:
    return args.flag("link_names") or args.text("parse") == "full"


def read_metadata(args: Arguments) -> JsonObject | None:
    match args.structure("metadata", "invalid_metadata_format"):
        case None:
            return None
        case {"event_type": str(event_type), "event_payload": dict(payload)}:
            return {"event_type": event_type, "event_payload": payload}
        case _:
            raise Refusal("invalid_metadata_format")
