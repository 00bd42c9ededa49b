"""Web API methods by which the bot comes to a channel: conversations.join, conversations.open."""

from bridge.playground.slack.arguments import Arguments
from bridge.playground.slack.events import joined_event
from bridge.playground.slack.model import Channel, ChannelKind, JsonObject, Refusal
from bridge.playground.slack.workspace import Workspace

_MOST_PEOPLE = 8
"""Docs of conversations.open: a group direct message holds so many people besides who opens it."""


class JoiningMethods:
    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def join(self, args: Arguments) -> JsonObject:
        channel = self._workspace.channels.get(args.required("channel", "channel_not_found"))
        bot = self._workspace.bot_user_id
        if channel is None or (channel.kind != "channel" and bot not in channel.members):
            raise Refusal("channel_not_found")
        if channel.kind != "channel":
            raise Refusal("method_not_supported_for_channel_type")
        answer: JsonObject = {"channel": {"id": channel.id, "name": channel.name, "is_member": True}}
        if bot in channel.members:
            return answer | {"warning": "already_in_channel"}
        channel.members.add(bot)
        self._workspace.post(channel, bot, f"<@{bot}> has joined the channel", subtype="channel_join")
        event = joined_event(bot, channel, self._workspace.team, "", self._workspace.next_ts())
        # Docs of the event: who comes by themselves has no inviter.
        del event["inviter"]
        self._workspace.emit(event, channel)
        return answer

    def open(self, args: Arguments) -> JsonObject:
        channel_id, users = args.text("channel"), args.text("users")
        if channel_id:
            known = self._workspace.channels.get(channel_id)
            if known is None or known.kind not in ("im", "mpim") or self._workspace.bot_user_id not in known.members:
                raise Refusal("channel_not_found")
            return {"no_op": True, "already_open": True, "channel": {"id": known.id}}
        people = list(dict.fromkeys((users or "").split(",")))
        if not users or not all(people):
            raise Refusal("users_list_not_supplied")
        if len(people) > _MOST_PEOPLE:
            raise Refusal("too_many_users")
        if any(person not in self._workspace.people for person in people):
            raise Refusal("user_not_found")
        kind: ChannelKind = "im" if len(people) == 1 else "mpim"
        self._check_scope(kind)
        members = {*people, self._workspace.bot_user_id}
        known = next(
            (one for one in self._workspace.channels.values() if one.kind == kind and one.members == members), None
        )
        if known is not None:
            return {"no_op": True, "already_open": True, "channel": {"id": known.id}}
        return {"channel": {"id": self._make(kind, people, members).id}}

    def _make(self, kind: ChannelKind, people: list[str], members: set[str]) -> Channel:
        names = "-".join(self._workspace.people[person].name for person in people)
        # Ours: named after who is in it, so that a test can tell; Slack's ids tell nothing.
        mark = "D0" if kind == "im" else "G0"
        made = Channel(id=f"{mark}{'X'.join(people)}", name=names, kind=kind, members=members)
        self._workspace.channels[made.id] = made
        self._workspace.changed()
        return made

    def _check_scope(self, kind: ChannelKind) -> None:
        needed, scopes = f"{kind}:write", self._workspace.scopes
        if needed not in scopes:
            raise Refusal("missing_scope", needed=needed, provided=",".join(scopes))
