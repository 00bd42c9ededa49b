"""The methods of the Web API: what runs each, which scopes and which feature it needs, how its arguments come."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bridge.playground.slack.arguments import Arguments
from bridge.playground.slack.downloads import Downloads
from bridge.playground.slack.joining import JoiningMethods
from bridge.playground.slack.model import JsonObject
from bridge.playground.slack.reading import ReadingMethods
from bridge.playground.slack.statuses import StatusMethods
from bridge.playground.slack.streaming import StreamingMethods
from bridge.playground.slack.surfaces import Feature
from bridge.playground.slack.uploads import Uploads
from bridge.playground.slack.viewing import ViewMethods
from bridge.playground.slack.workspace import Workspace
from bridge.playground.slack.writing import WritingMethods

BOT_TOKEN = "xoxb-playground-bot-token"  # noqa: S105  # made up; opens nothing but this stand-in
APP_TOKEN = "xapp-playground-app-token"  # noqa: S105  # as above

_WRITE = ("chat:write",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    run: Callable[[Arguments], JsonObject]
    scopes: tuple[str, ...] = ()
    """Any one of them is enough. Empty: none, or it depends on the arguments."""
    accepts_json: bool = True
    token: str = BOT_TOKEN
    """Stands for the kind of token that it takes; empty: it takes none."""
    feature: Feature | None = None
    """Without which the workspace refuses it."""


def methods_of(
    workspace: Workspace,
    writing: WritingMethods,
    uploads: Uploads,
    downloads: Downloads,
    open_connection: Callable[[], str],
) -> Mapping[str, Method]:
    """Everything that the app may call in one workspace."""
    return {
        "apps.connections.open": Method(run=lambda _: {"url": open_connection()}, token=APP_TOKEN),
        **_writing_methods(workspace, writing),
        **_reading_methods(workspace),
        **_agent_methods(workspace, writing),
        **_view_methods(workspace),
        **_file_methods(workspace, uploads, downloads),
    }


def _writing_methods(workspace: Workspace, write: WritingMethods) -> Mapping[str, Method]:
    join = JoiningMethods(workspace)
    return {
        "chat.postMessage": Method(run=write.post_message, scopes=_WRITE),
        "chat.postEphemeral": Method(run=write.post_ephemeral, scopes=_WRITE),
        "chat.update": Method(run=write.update, scopes=_WRITE),
        "chat.delete": Method(run=write.delete, scopes=_WRITE),
        "reactions.add": Method(run=write.add_reaction, scopes=("reactions:write",)),
        "reactions.remove": Method(run=write.remove_reaction, scopes=("reactions:write",)),
        "conversations.join": Method(run=join.join, scopes=("channels:join",)),
        "conversations.open": Method(run=join.open),
    }


def _reading_methods(workspace: Workspace) -> Mapping[str, Method]:
    """Docs: the methods that read take forms and query strings, not JSON."""
    read = ReadingMethods(workspace)
    return {
        "auth.test": Method(run=read.auth_test),
        "reactions.get": Method(run=read.reactions, scopes=("reactions:read",), accepts_json=False),
        "conversations.replies": Method(run=read.replies, accepts_json=False),
        "conversations.history": Method(run=read.history, accepts_json=False),
        "conversations.info": Method(run=read.channel_info, accepts_json=False),
        "users.info": Method(run=read.user_info, scopes=("users:read",), accepts_json=False),
        "bots.info": Method(run=read.bot_info, scopes=("users:read",), accepts_json=False),
        "team.info": Method(run=read.team_info, scopes=("team:read",), accepts_json=False),
        "chat.getPermalink": Method(run=read.permalink, accepts_json=False),
    }


def _agent_methods(workspace: Workspace, writing: WritingMethods) -> Mapping[str, Method]:
    stream, status = StreamingMethods(workspace, writing), StatusMethods(workspace, writing)
    assistant = ("assistant:write",)
    return {
        "chat.startStream": Method(run=stream.start, scopes=_WRITE, feature="streaming"),
        "chat.appendStream": Method(run=stream.append, scopes=_WRITE, feature="streaming"),
        "chat.stopStream": Method(run=stream.stop, scopes=_WRITE, feature="streaming"),
        "agents.sessions.setStatus": Method(run=status.set_session_status, scopes=_WRITE, feature="agent"),
        "agents.sessions.rename": Method(run=status.rename_session, scopes=_WRITE, feature="agent"),
        "assistant.threads.setStatus": Method(run=status.set_status, scopes=(*_WRITE, *assistant), feature="assistant"),
        "assistant.threads.setTitle": Method(run=status.set_title, scopes=assistant, feature="assistant"),
        "assistant.threads.setSuggestedPrompts": Method(run=status.set_prompts, scopes=assistant, feature="assistant"),
    }


def _view_methods(workspace: Workspace) -> Mapping[str, Method]:
    view = ViewMethods(workspace)
    return {
        "views.open": Method(run=view.open),
        "views.update": Method(run=view.update),
        "views.publish": Method(run=view.publish, feature="home"),
    }


def _file_methods(workspace: Workspace, uploads: Uploads, downloads: Downloads) -> Mapping[str, Method]:
    return {
        "files.completeUploadExternal": Method(run=uploads.complete, scopes=("files:write",)),
        # Docs list JSON too, but the real one does not find its arguments there (seen live: earshot pull 10).
        "files.getUploadURLExternal": Method(run=uploads.get_url, scopes=("files:write",), accepts_json=False),
        "files.info": Method(
            run=lambda args: downloads.info(workspace, args), scopes=("files:read",), accepts_json=False
        ),
    }
