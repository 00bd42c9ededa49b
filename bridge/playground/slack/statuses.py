"""Web API methods for what stands beside a conversation: the status line, agent sessions, suggested prompts, titles."""

from typing import TypeGuard, get_args

from bridge.playground.slack import limits
from bridge.playground.slack.arguments import Arguments
from bridge.playground.slack.model import Channel, JsonObject, Refusal
from bridge.playground.slack.surfaces import Prompts, Session, SessionStatus
from bridge.playground.slack.workspace import Workspace
from bridge.playground.slack.writing import WritingMethods


class StatusMethods:
    def __init__(self, workspace: Workspace, writing: WritingMethods) -> None:
        self._workspace = workspace
        self._writing = writing

    def set_status(self, args: Arguments) -> JsonObject:
        channel = self._writing.writable(args.required("channel_id", "channel_not_found"))
        thread_ts = args.required("thread_ts", "invalid_thread_ts")
        status = args.text("status")
        if status is None:
            raise Refusal("invalid_arguments")
        loading = args.structure("loading_messages", "invalid_arguments")
        if loading is None:
            loading = []
        if not isinstance(loading, list) or len(loading) > limits.LOADING_MESSAGES:
            raise Refusal("invalid_arguments")
        if not all(isinstance(one, str) and one for one in loading):
            raise Refusal("invalid_arguments")
        self._workspace.find_root(channel.id, thread_ts)
        self._workspace.set_status(channel.id, thread_ts, status, loading)
        return {}

    def set_title(self, args: Arguments) -> JsonObject:
        channel = self._direct(args)
        thread_ts = args.required("thread_ts", "invalid_thread_ts")
        title = args.required("title")
        self._workspace.find_root(channel.id, thread_ts)
        self._workspace.titles[channel.id, thread_ts] = title
        self._workspace.changed()
        return {}

    def set_prompts(self, args: Arguments) -> JsonObject:
        channel = self._direct(args)
        thread_ts = args.text("thread_ts")
        if thread_ts is not None:
            self._workspace.find_root(channel.id, thread_ts)
        listed = args.structure("prompts", "invalid_arguments")
        if not isinstance(listed, list) or not 1 <= len(listed) <= limits.PROMPTS:
            raise Refusal("invalid_arguments")
        prompts = Prompts(
            channel=channel.id,
            thread_ts=thread_ts,
            title=args.text("title") or "",
            prompts=tuple(_read_prompt(one) for one in listed),
        )
        if thread_ts is not None and "agent" not in self._workspace.lacks:
            # Docs of the method: an agent's call with a thread fails, and says nothing.
            self._workspace.ignored_prompts.append(prompts)
        else:
            self._workspace.prompts[channel.id] = prompts
            self._workspace.changed()
        return {}

    def set_session_status(self, args: Arguments) -> JsonObject:
        channel, thread_ts = self._read_session(args)
        status = read_session_status(args, "status")
        title = args.text("title") or ""
        if len(title) > limits.SESSION_TITLE_CHARS:
            raise Refusal("invalid_arguments")
        initiator = args.text("initiator_user_id")
        if initiator is not None and initiator not in channel.members - {self._workspace.bot_user_id}:
            # Docs: must be a member of the channel. The word for it is not documented.
            raise Refusal("user_not_in_channel")
        session = change_session(self._workspace, channel.id, thread_ts, status, title=title, initiator=initiator)
        answer: JsonObject = {"agent_status": session.status, "title": session.title}
        if "agent_session_stopped" not in self._workspace.subscriptions:
            # Seen in reports (KiroCrew issue 9822): accepted, but nobody gets a button to stop it.
            answer["warning"] = "missing_agent_session_stopped_event_subscription"
        return answer

    def rename_session(self, args: Arguments) -> JsonObject:
        channel, thread_ts = self._read_session(args)
        title = args.required("title")
        if len(title) > limits.SESSION_TITLE_CHARS:
            raise Refusal("invalid_arguments")
        session = self._workspace.sessions.get((channel.id, thread_ts))
        if session is None:
            raise Refusal("session_not_found")
        session.title = title
        self._workspace.changed()
        return {"title": title}

    def _read_session(self, args: Arguments) -> tuple[Channel, str]:
        channel = self._writing.writable(args.required("channel_id", "channel_not_found"))
        thread_ts = args.required("thread_ts", "invalid_thread_ts")
        self._workspace.find_root(channel.id, thread_ts)
        return channel, thread_ts

    def _direct(self, args: Arguments) -> Channel:
        """The assistant's threads are those of direct messages."""
        channel = self._writing.writable(args.required("channel_id", "channel_not_found"))
        if channel.kind != "im":
            raise Refusal("channel_not_found")
        return channel


def read_session_status(args: Arguments, name: str) -> SessionStatus:
    status = args.text(name)
    if not _is_session_status(status):
        messages = [f"[ERROR] {name} must be one of {', '.join(get_args(SessionStatus))}"]
        raise Refusal("invalid_arguments", response_metadata={"messages": messages})
    return status


def change_session(
    workspace: Workspace,
    channel: str,
    thread_ts: str,
    status: SessionStatus,
    *,
    title: str = "",
    initiator: str | None = None,
) -> Session:
    """Makes the session where there is none; only then title and initiator count (docs of agents.sessions.setStatus)."""
    now = workspace.clock.monotonic()
    session = workspace.sessions.get((channel, thread_ts))
    if session is None:
        session = Session(channel=channel, thread_ts=thread_ts, status=status, at=now, title=title, initiator=initiator)
        workspace.sessions[channel, thread_ts] = session
    session.status, session.at = status, now
    workspace.changed()
    return session


def _read_prompt(prompt: object) -> tuple[str, str]:
    match prompt:
        case {"title": str(title), "message": str(message)} if title and message:
            return title, message
        case _:
            raise Refusal("invalid_arguments")


def _is_session_status(value: object) -> TypeGuard[SessionStatus]:
    return value in get_args(SessionStatus)
