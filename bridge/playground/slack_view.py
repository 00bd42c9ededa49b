"""The JSON that the page draws of Slack: channels with their threads, what one person alone sees, modals, Home tabs.

Messages, modals and Home tabs keep Slack's own blocks, which the page draws. Reads, changes nothing.
"""

from bridge.playground.slack import SlackServer
from bridge.playground.slack import model as slack
from bridge.playground.slack.surfaces import Ephemeral
from bridge.playground.slack.views import View
from bridge.playground.view import (
    BOT_NAME,
    EMOJI,
    IMAGES,
    MOST_MESSAGES,
    MOST_REPLIES,
    Json,
    RatingOf,
    file_link,
    from_slack,
)

_HINTS = {
    "/ask": "Ask the bot; it answers in a new thread",
    "/reset": "Begin the conversation anew",
    "/history": "Go on with an earlier conversation",
    "/forget": "Delete what was said in this conversation",
    "/app": "See which app answers here, and choose",
    "/help": "What the bot can do here",
}
"""What Slack's list of commands says of each; the words are the page's, the manifest's may differ."""
_SHORTCUTS = {"ask_message": "Ask about this"}
"""Callback id to the line in the menu of a message."""

_UNHEARD = "Slack: the app did not answer. Try again."


def slack_view(server: SlackServer, rating_of: RatingOf) -> Json:
    views = server.workspace.views
    return {
        "bot": {"id": server.bot_user_id, "name": BOT_NAME},
        "people": [{"id": one.id, "name": one.name, "outside": bool(one.team_id)} for one in server.people.values()],
        "channels": [_channel(server, one, rating_of) for one in server.channels.values()],
        "commands": [{"name": name, "hint": _HINTS.get(name, "")} for name in server.commands],
        "shortcuts": [{"id": one, "label": _SHORTCUTS.get(one, one)} for one in sorted(server.shortcuts)],
        "modals": [_modal(server, one) for one in views.opened.values()],
        "homes": [{"id": one.id, "person": one.person, "blocks": one.blocks} for one in views.homes.values()],
        "warnings": [
            {"id": number, "person": one.person, "words": f"{one.action_id}: the app did not answer. Try again."}
            for number, one in enumerate(server.acts)
            if one.outcome == "failed" and one.kind in ("slash_command", "message_action")
        ],
    }


def _channel(server: SlackServer, channel: slack.Channel, rating_of: RatingOf) -> Json:
    roots: list[slack.Message] = []
    replies: dict[str, list[slack.Message]] = {}
    for message in server.messages(channel.id):
        if message.thread_ts is None:
            roots.append(message)
        else:
            replies.setdefault(message.thread_ts, []).append(message)
    whispers = [one for one in server.workspace.ephemerals if one.channel == channel.id]
    prompts = server.workspace.prompts.get(channel.id)
    return {
        "id": channel.id,
        "name": channel.name,
        "kind": channel.kind,
        "direct": channel.kind == "im",
        "shared": channel.is_ext_shared,
        "members": sorted(one for one in channel.members if one in server.people),
        "activity": False,
        "prompts": prompts
        and {"title": prompts.title, "prompts": [{"title": one, "message": text} for one, text in prompts.prompts]},
        "messages": [
            _message(server, root, rating_of)
            | {"thread": _thread(server, root, replies.get(root.ts, []), whispers, rating_of)}
            for root in roots[-MOST_MESSAGES:]
        ],
        "whispers": [_whisper(server, one) for one in whispers if one.thread_ts is None],
    }


def _thread(
    server: SlackServer,
    root: slack.Message,
    replies: list[slack.Message],
    whispers: list[Ephemeral],
    rating_of: RatingOf,
) -> Json | None:
    """None where nothing has happened under the message yet."""
    key = (root.channel, root.ts)
    status, session = server.statuses.get(key), server.workspace.sessions.get(key)
    inside = [one for one in whispers if one.thread_ts == root.ts]
    if not replies and not inside and status is None and session is None:
        return None
    state = session.status_at(server.clock.monotonic()) if session is not None else ""
    return {
        "name": server.workspace.titles.get(key) or (session.title if session is not None else "") or "Thread",
        "activity": status.text if status is not None else "",
        "loading": list(status.loading_messages) if status is not None else [],
        "session": state,
        # Docs of the event: the button stands while the session is processing, where the app hears of it.
        "stoppable": state == "processing" and "agent_session_stopped" in server.subscriptions,
        "messages": [_message(server, one, rating_of) for one in replies[-MOST_REPLIES:]],
        "whispers": [_whisper(server, one) for one in inside],
    }


def _message(server: SlackServer, message: slack.Message, rating_of: RatingOf) -> Json:
    person = server.people.get(message.user)
    stream = server.workspace.streams.get((message.channel, message.ts))
    return {
        "id": message.ts,
        "channel": message.channel,
        "author": message.user,
        "name": person.name if person and not message.is_bot else BOT_NAME if message.is_bot else "Slack",
        "bot": message.is_bot,
        "dialect": "mrkdwn",
        # Without blocks the page reads Slack's own escaping; unescaped, a typed "<https://...>" would look like a link.
        "text": "" if message.blocks else message.text,
        "blocks": message.blocks,
        "stream": stream.state(server.clock.monotonic()) if stream is not None else "",
        "typed": "" if message.is_bot else from_slack(message.text, server.bot_user_id),
        "told": _told(server, message.channel, message.ts),
        "files": [_file(one) for one in message.files],
        "time": float(message.ts),
        "edited": message.edited,
        "reactions": [
            {"emoji": EMOJI.get(name, f":{name}:"), "people": list(people)}
            for name, people in message.reactions.items()
        ],
        "rating": rating_of(message.channel, message.ts) if message.is_bot else None,
    }


def _whisper(server: SlackServer, one: Ephemeral) -> Json:
    """What one person alone sees, in the shape of a message. Nobody can react to it or answer it."""
    return {
        "id": one.ts,
        "channel": one.channel,
        "only": one.person,
        "author": server.bot_user_id,
        "name": BOT_NAME,
        "bot": True,
        "dialect": "mrkdwn",
        "text": "" if one.blocks else one.text,
        "blocks": one.blocks,
        "stream": "",
        "typed": "",
        "told": _told(server, one.channel, one.ts),
        "files": [],
        "time": float(one.ts),
        "edited": False,
        "reactions": [],
        "rating": None,
    }


def _file(file: slack.File) -> Json:
    return {
        "name": file.title or file.name,
        "size": file.size,
        "image": bool(file.content) and file.mimetype in IMAGES,
        "url": file_link("slack", file.id, file.name) if file.content and file.mode == "hosted" else "",
    }


def _modal(server: SlackServer, view: View) -> Json:
    acts = [one for one in server.acts if one.view == view.id and one.kind == "view_submission"]
    last = acts[-1] if acts else None
    failed = last is not None and last.outcome == "failed"
    return {
        "id": view.id,
        "person": view.person,
        "title": view.content.get("title"),
        "submit": view.content.get("submit"),
        "close": view.content.get("close"),
        "blocks": view.blocks,
        "errors": dict(view.errors),
        "busy": last is not None and last.outcome == "pending",
        # Seen in clients: a submission that nobody answers leaves the modal open, with a line like this.
        "trouble": "We had some trouble connecting. Try again?" if failed else "",
    }


def _told(server: SlackServer, channel: str, ts: str) -> dict[str, str]:
    """Person to what only they see there: Slack's warning when the app did not take their last press."""
    last = {one.person: one for one in server.presses if (one.channel, one.message) == (channel, ts)}
    return {person: _UNHEARD for person, press in last.items() if press.outcome == "failed"}
