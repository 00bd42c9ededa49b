"""Web API methods that stream a message: chat.startStream, chat.appendStream, chat.stopStream.

What Slack's pages leave open is decided to the app's disadvantage: a stream ends at its time whether it was idle or not, and
white space at the front of a chunk is lost.
"""

from collections.abc import Mapping
from typing import Literal, TypeGuard, get_args

from bridge.playground.slack import limits
from bridge.playground.slack.arguments import Arguments
from bridge.playground.slack.checks import check_message, check_stream
from bridge.playground.slack.events import wire_message
from bridge.playground.slack.model import Channel, JsonObject, Message, Refusal
from bridge.playground.slack.statuses import change_session, read_session_status
from bridge.playground.slack.streams import (
    BlocksChunk,
    Chunk,
    Content,
    DisplayMode,
    PlanChunk,
    Stream,
    TaskChunk,
    TaskStatus,
    TextChunk,
)
from bridge.playground.slack.workspace import Workspace
from bridge.playground.slack.writing import WritingMethods, read_metadata

_Way = Literal["text", "chunks"]


class StreamingMethods:
    def __init__(self, workspace: Workspace, writing: WritingMethods) -> None:
        self._workspace = workspace
        self._writing = writing

    def start(self, args: Arguments) -> JsonObject:
        channel = self._writing.writable(args.required("channel", "channel_not_found"))
        if channel.id in self._workspace.streamless:
            raise Refusal(self._workspace.streamless[channel.id])
        thread_ts = args.text("thread_ts")
        if thread_ts is None:
            # Newer pages allow a stream at the top of a channel; nobody who answers in threads may rest on it.
            raise _wrong("missing required field: thread_ts")
        person, team = self._read_recipient(args, channel)
        mode = args.text("task_display_mode") or "timeline"
        if not _is_mode(mode):
            raise _wrong("task_display_mode must be timeline, plan or dense")
        way, chunks = self._read_content(args)
        content = Content().with_chunks(chunks)
        check_stream(content)
        now = self._workspace.clock.monotonic()
        message = self._workspace.post(
            channel,
            self._workspace.bot_user_id,
            "",
            thread_ts=thread_ts,
            is_bot=True,
            bot_id=self._workspace.bot_id,
        )
        message.history.clear()
        stream = Stream(
            channel=channel.id,
            ts=message.ts,
            thread_ts=thread_ts,
            expires_at=now + self._workspace.stream_seconds,
            recipient_user=person,
            recipient_team=team,
            mode=mode,
            way=way,
        )
        self._workspace.streams[channel.id, message.ts] = stream
        self._show(message, stream, content)
        return {"channel": channel.id, "ts": message.ts}

    def append(self, args: Arguments) -> JsonObject:
        message, stream = self._find(args)
        way, chunks = self._read_content(args)
        if way is None:
            raise Refusal("no_text")
        content = _grow(stream, way, chunks)
        stream.way = way
        self._show(message, stream, content)
        return {"channel": message.channel, "ts": message.ts}

    def stop(self, args: Arguments) -> JsonObject:
        message, stream = self._find(args)
        way, chunks = self._read_content(args)
        content = _grow(stream, way, chunks)
        blocks, metadata = args.blocks() or [], read_metadata(args)
        check_message("", blocks)
        status = None if args.values.get("session_status") is None else read_session_status(args, "session_status")
        if status is not None and "agent" in self._workspace.lacks:
            raise Refusal(self._workspace.lacks["agent"])
        if not content.parts and not blocks:
            raise Refusal("no_text")
        stream.way = way or stream.way
        stream.ended = "stopped"
        if metadata is not None:
            message.metadata = metadata
        self._show(message, stream, content, blocks)
        if status is not None:
            # Docs: "active" is the default. An app that leaves it out and rests on that is shown what it forgot.
            change_session(self._workspace, message.channel, message.root, status)
        return {"channel": message.channel, "ts": message.ts, "message": wire_message(message)}

    def _find(self, args: Arguments) -> tuple[Message, Stream]:
        """The message and its stream, which is open."""
        channel = self._writing.writable(args.required("channel", "channel_not_found"))
        message = self._workspace.find(channel.id, args.required("ts", "message_not_found"))
        if message.user != self._workspace.bot_user_id:
            raise Refusal("message_not_owned_by_app")
        stream = self._workspace.streams.get((channel.id, message.ts))
        state = "stopped" if stream is None else stream.state(self._workspace.clock.monotonic())
        if state == "stopped_by_user":
            raise Refusal("stopped_by_user")
        if stream is None or state != "live":
            raise Refusal("message_not_in_streaming_state")
        return message, stream

    def _read_content(self, args: Arguments) -> tuple[_Way | None, list[Chunk]]:
        """How it comes, None for nothing at all, and what. Both errors reported (hermes-agent pull 104173)."""
        text = args.text("markdown_text")
        listed = args.structure("chunks", "invalid_arguments")
        if text is not None and listed is not None:
            raise Refusal("cannot_provide_both_markdown_text_and_chunks")
        if text is not None:
            if not text.strip():
                raise Refusal("no_text")
            return "text", [_read_text(text)]
        if listed is None or listed == []:
            return None, []
        if not isinstance(listed, list):
            raise _wrong("chunks must be a list")
        chunks = [_read_chunk(one) for one in listed]
        if "tasks" in self._workspace.lacks and any(isinstance(chunk, TaskChunk | PlanChunk) for chunk in chunks):
            # Reported (vercel/chat pull 173): not every app that may stream may show tasks. The error is not told there.
            raise Refusal(self._workspace.lacks["tasks"])
        return "chunks", chunks

    def _read_recipient(self, args: Arguments, channel: Channel) -> tuple[str | None, str | None]:
        person, team = args.text("recipient_user_id"), args.text("recipient_team_id")
        if channel.kind != "im":
            if not person:
                raise Refusal("missing_recipient_user_id")
            if not team:
                raise Refusal("missing_recipient_team_id")
        known = self._workspace.people.get(person) if person else None
        # Which word Slack has for a recipient who is not there is not documented; this one is on the method's page.
        if person and (known is None or person not in channel.members):
            raise Refusal("user_not_found")
        home = known.team_id if known is not None and known.team_id else self._workspace.team_id
        if team and team != home:
            raise Refusal("team_not_found")
        return person, team

    def _show(self, message: Message, stream: Stream, content: Content, blocks: list[JsonObject] | None = None) -> None:
        stream.content = content
        found = content.live_mentions()
        if blocks:
            found += Content(parts=[tuple(blocks)]).live_mentions()
        self._workspace.pings.extend((message.ts, token) for token in (found - stream.pinged).elements())
        stream.pinged |= found
        shown = [*content.as_blocks(stream.mode), *(blocks or [])]
        self._workspace.redraw(message, content.text, shown, finished=blocks is not None)


def _grow(stream: Stream, way: _Way | None, chunks: list[Chunk]) -> Content:
    """What the stream holds then; the stream itself is not changed."""
    if way is not None and stream.way not in (None, way):
        raise Refusal("streaming_mode_mismatch")
    content = stream.content.with_chunks(chunks)
    check_stream(content)
    return content


def _read_chunk(chunk: object) -> Chunk:
    match chunk:
        case {"type": "markdown_text", "text": str(text), **rest} if not rest and text:
            return _read_text(text)
        case {"type": "task_update"} if isinstance(chunk, dict):
            return _read_task(chunk)
        case {"type": "plan_update", "title": str(title), **rest} if not rest and title:
            _check_field("title", title)
            return PlanChunk(title=title)
        case {"type": "blocks", "blocks": list(blocks), **rest} if not rest:
            if not blocks or not all(isinstance(block, dict) for block in blocks):
                raise Refusal("invalid_blocks_format")
            check_message("", blocks)
            return BlocksChunk(blocks=tuple(blocks))
        case _:
            raise _wrong("not a chunk")


def _read_text(text: str) -> TextChunk:
    if len(text) > limits.STREAM_CHARS:
        raise Refusal("msg_too_long")
    return TextChunk(text=text)


def _read_task(fields: Mapping[str, object]) -> TaskChunk:
    unknown = set(fields) - {"type", "id", "title", "status", "details", "output", "sources"}
    if unknown:
        raise _wrong(f"invalid additional property: {min(unknown)}")
    texts: dict[str, str] = {}
    for name in ("id", "title", "details", "output"):
        value = "" if fields.get(name) is None else fields[name]
        if not isinstance(value, str) or (not value and name in ("id", "title")):
            raise _wrong(f"{name} of a task must be a string")
        _check_field(name, value)
        texts[name] = value
    status = fields.get("status")
    if not _is_task_status(status):
        raise _wrong("status must be pending, in_progress, complete or error")
    sources = [] if fields.get("sources") is None else fields["sources"]
    if not isinstance(sources, list):
        raise _wrong("sources must be a list")
    return TaskChunk(
        id=texts["id"],
        title=texts["title"],
        status=status,
        details=texts["details"],
        output=texts["output"],
        sources=tuple(_read_source(source) for source in sources),
    )


def _read_source(source: object) -> JsonObject:
    match source:
        case {"type": "url", "url": str(url), "text": str(text)} if url.startswith(("http://", "https://")) and text:
            _check_field("text", text)
            return {"type": "url", "url": url, "text": text}
        case _:
            raise _wrong("not a source")


def _check_field(name: str, text: str) -> None:
    if len(text) > limits.TASK_FIELD_CHARS:
        raise _wrong(f"{name} must have at most {limits.TASK_FIELD_CHARS} characters")


def _is_task_status(value: object) -> TypeGuard[TaskStatus]:
    return value in get_args(TaskStatus)


def _is_mode(value: str) -> TypeGuard[DisplayMode]:
    return value in get_args(DisplayMode)


def _wrong(why: str) -> Refusal:
    return Refusal("invalid_arguments", response_metadata={"messages": [f"[ERROR] {why}"]})
