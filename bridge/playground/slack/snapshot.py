"""A workspace as plain JSON, for a page and for other processes.

    bot        {id, name}
    people     [{id, name, ...}]
    channels   [{id, name, kind, members: [user id],
                 messages: [MESSAGE + {replies: [MESSAGE], status: str, session: SESSION | null, title: str}],
                 prompts: {title, prompts: [{title, message}]} | null,
                 ephemerals: [{person, ts, thread_ts, text, blocks}]}]
    views      {modals: [VIEW], homes: [VIEW]}
    team       {id, name, installed: bool}

    MESSAGE    {ts, thread_ts, user, name, is_bot, text, blocks, edited, reactions: [{emoji, users}],
                files: [{id, name, title, mimetype, size, mode, file_access, url_private}],
                stream: STREAM | null}
    STREAM     {state: "live" | "stopped" | "expired" | "stopped_by_user", live: bool,
                mode: "timeline" | "plan" | "dense", recipient: user id | null, plan: str,
                tasks: [{id, title, status: "pending" | "in_progress" | "complete" | "error", details, output,
                         sources: [{type: "url", url, text}]}]}
    SESSION    {status: "processing" | "active" | "suspended" | "closed", title, initiator}
    VIEW       {id, person, type: "modal" | "home", hash, blocks, title, submit, close, callback_id, ...}: as on the wire,
                and errors: {block_id: what is wrong with it}, as the app answered to the last submission

A MESSAGE's `blocks` are as they were sent. Those of a streamed one hold its Markdown, the blocks that came with it and its
tasks, in their order: each task as {"type": "task_card", task_id, title, status, ...} or, in plan mode, all of them as one
{"type": "plan", title, tasks}. `text` is what a person reads without the tasks. `status` is the line that
assistant.threads.setStatus shows, `title` the name that assistant.threads.setTitle gave; a thread has them on its root.
"""

from dataclasses import asdict

from bridge.playground.slack.events import APP_ID, BOT_NAME
from bridge.playground.slack.model import Channel, JsonObject, Message
from bridge.playground.slack.views import View
from bridge.playground.slack.workspace import Workspace


def take_snapshot(workspace: Workspace) -> JsonObject:
    """Channels with their top-level messages, oldest first, each with its thread (root not repeated)."""
    return {
        "team": {"id": workspace.team_id, "name": workspace.team.name, "installed": workspace.installed},
        "bot": {"id": workspace.bot_user_id, "name": BOT_NAME},
        "people": [asdict(person) for person in workspace.people.values()],
        "channels": [_describe_channel(workspace, channel) for channel in workspace.channels.values()],
        "views": {
            "modals": [_describe_view(workspace, view) for view in workspace.views.opened.values()],
            "homes": [_describe_view(workspace, view) for view in workspace.views.homes.values()],
        },
    }


def _describe_view(workspace: Workspace, view: View) -> JsonObject:
    return {**view.wire(workspace.team, APP_ID), "person": view.person, "errors": view.errors}


def _describe_channel(workspace: Workspace, channel: Channel) -> JsonObject:
    statuses = workspace.statuses()
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
            described["session"] = _describe_session(workspace, message)
            described["title"] = workspace.titles.get((channel.id, message.ts), "")
            top.append(described)
    prompts = workspace.prompts.get(channel.id)
    return {
        "id": channel.id,
        "name": channel.name,
        "kind": channel.kind,
        "members": sorted(channel.members),
        "messages": top,
        "prompts": prompts
        and {
            "title": prompts.title,
            "prompts": [{"title": title, "message": message} for title, message in prompts.prompts],
        },
        "ephemerals": [
            {
                "person": one.person,
                "ts": one.ts,
                "thread_ts": one.thread_ts,
                "text": one.visible_text,
                "blocks": one.blocks,
            }
            for one in workspace.ephemerals
            if one.channel == channel.id
        ],
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
        "files": [
            {
                "id": file.id,
                "name": file.name,
                "title": file.title,
                "mimetype": file.mimetype,
                "size": file.size,
                "mode": file.mode,
                "file_access": file.file_access,
                "url_private": file.url_private,
            }
            for file in message.files
        ],
        "stream": _describe_stream(workspace, message),
    }


def _describe_stream(workspace: Workspace, message: Message) -> JsonObject | None:
    stream = workspace.streams.get((message.channel, message.ts))
    if stream is None:
        return None
    state = stream.state(workspace.clock.monotonic())
    return {
        "state": state,
        "live": state == "live",
        "mode": stream.mode,
        "recipient": stream.recipient_user,
        "plan": stream.content.plan,
        "tasks": [asdict(task) for task in stream.content.tasks],
    }


def _describe_session(workspace: Workspace, root: Message) -> JsonObject | None:
    session = workspace.sessions.get((root.channel, root.ts))
    if session is None:
        return None
    status = session.status_at(workspace.clock.monotonic())
    return {"status": status, "title": session.title, "initiator": session.initiator}
