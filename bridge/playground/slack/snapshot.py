"""The workspace as plain JSON, for a page and for other processes."""

from dataclasses import asdict

from bridge.playground.slack.events import BOT_NAME
from bridge.playground.slack.model import JsonObject, Message
from bridge.playground.slack.workspace import Workspace


def take_snapshot(workspace: Workspace) -> JsonObject:
    """Channels with their top-level messages, oldest first, each with its thread (root not repeated)."""
    statuses = workspace.statuses()
    channels: list[JsonObject] = []
    for channel in workspace.channels.values():
        threads: dict[str, list[JsonObject]] = {}
        everything = workspace.messages(channel.id)
        for message in everything:
            if message.thread_ts is not None:
                threads.setdefault(message.thread_ts, []).append(_describe(workspace, message))
        top = []
        for message in everything:
            if message.thread_ts is None:
                status = statuses.get((channel.id, message.ts))
                described = _describe(workspace, message)
                described["replies"] = threads.get(message.ts, [])
                described["status"] = status.text if status else ""
                top.append(described)
        channels.append(
            {
                "id": channel.id,
                "name": channel.name,
                "kind": channel.kind,
                "members": sorted(channel.members),
                "messages": top,
            }
        )
    return {
        "bot": {"id": workspace.bot_user_id, "name": BOT_NAME},
        "people": [asdict(person) for person in workspace.people.values()],
        "channels": channels,
    }


def _describe(workspace: Workspace, message: Message) -> JsonObject:
    person = workspace.people.get(message.user)
    return {
        "ts": message.ts,
        "thread_ts": message.thread_ts,
        "user": message.user,
        "name": BOT_NAME if message.is_bot else person.name if person else message.user,
        "is_bot": message.is_bot,
        "text": message.visible_text,
        "blocks": message.blocks,
        "edited": message.edited,
        "reactions": [{"emoji": emoji, "users": list(users)} for emoji, users in message.reactions.items()],
        "files": [asdict(file) for file in message.files],
    }
