"""What people do in conversations: write, edit, delete, react, come and go. What they do with the app's controls is in `acts`."""

from collections.abc import Iterable, Sequence
from itertools import count

from bridge.playground.slack import events
from bridge.playground.slack.apis import Apis
from bridge.playground.slack.content import escape_loose
from bridge.playground.slack.model import Channel, ChannelKind, File, JsonObject, Message, Person, Refusal
from bridge.playground.slack.workspace import Workspace
from bridge.playground.slack.workspaces import Workspaces

_ID_MARKS: dict[ChannelKind, str] = {"channel": "C", "group": "G", "im": "D", "mpim": "G"}


class People:
    """Acts by id. Ids are unique over all workspaces, so nobody says in which one it is.

    All raise `ValueError` for what a Slack client would not let a person do.
    """

    _workspaces: Workspaces
    _apis: Apis

    async def post_as(
        self,
        user_id: str,
        channel_id: str,
        text: str,
        thread_ts: str | None = None,
        bot_id: str | None = None,
        subtype: str | None = None,
        files: Sequence[File] = (),
        app_id: str = "",
    ) -> str:
        """Writes a message and returns its ts. `bot_id` makes it another app's message, by whatever user id."""
        workspace, channel = self._place(channel_id)
        if bot_id is None and subtype is None and user_id not in channel.members:
            raise ValueError(f"{user_id} is not in {channel_id}")
        try:
            message = workspace.post(
                channel,
                user_id,
                text,
                thread_ts=thread_ts,
                bot_id=bot_id,
                subtype=subtype,
                files=self._apis.first.downloads.put(files),
                app_id=app_id,
            )
        except Refusal as e:
            raise ValueError(f"{thread_ts} cannot be replied to: {e.code}") from e
        return message.ts

    async def edit_as(self, user_id: str, channel_id: str, ts: str, text: str) -> None:
        message = self._own(user_id, channel_id, ts)
        if message.text != escape_loose(text):
            self._place(channel_id)[0].edit(message, text, None)

    async def delete_as(self, user_id: str, channel_id: str, ts: str) -> None:
        self._place(channel_id)[0].delete(self._own(user_id, channel_id, ts))

    async def react(self, user_id: str, channel_id: str, ts: str, emoji: str) -> None:
        """Adds a reaction by its short name. One that is there already stays, and no event is sent."""
        message = self._seen_by(user_id, channel_id, ts)
        if user_id not in message.reactions.get(emoji, []):
            try:
                self._place(channel_id)[0].react(message, user_id, emoji)
            except Refusal as e:
                raise ValueError(f"{emoji!r} is no emoji name") from e

    async def unreact(self, user_id: str, channel_id: str, ts: str, emoji: str) -> None:
        """Takes a reaction away. Without one nothing happens."""
        message = self._seen_by(user_id, channel_id, ts)
        if user_id in message.reactions.get(emoji, []):
            self._place(channel_id)[0].unreact(message, user_id, emoji)

    async def open_home(self, user_id: str, tab: str = "home", entities: Sequence[JsonObject] = ()) -> None:
        """Opens the app's page at "home" or "messages". `entities`: what the person was looking at, which agents are told."""
        if tab not in ("home", "messages"):
            raise ValueError(f"the app has no tab {tab!r}")
        workspace = self._with_app(user_id)
        channel = self._direct(workspace, user_id)
        home = workspace.views.homes.get(user_id)
        view = home.wire(workspace.team, events.APP_ID) if home is not None else None
        event = events.home_event(user_id, channel.id, tab, workspace.next_ts(), view)
        if entities:
            event["context"] = {"entities": list(entities)}
        workspace.emit(event, channel)

    async def open_dm(self, user_id: str, entities: Sequence[JsonObject] = ()) -> str:
        """Opens the direct message with the app and returns its channel's id."""
        channel = self._direct(self._with_app(user_id), user_id)
        await self.open_home(user_id, "messages", entities)
        return channel.id

    async def change_context(self, user_id: str, entities: Sequence[JsonObject]) -> None:
        """Turns to something else beside the agent's direct message. What is written there afterwards tells of it too."""
        workspace = self._with_app(user_id)
        channel = self._direct(workspace, user_id)
        workspace.contexts[user_id] = list(entities)
        workspace.emit(events.context_event(user_id, channel.id, entities, workspace.next_ts()), channel)

    async def stop_session(self, user_id: str, channel_id: str, thread_ts: str) -> list[str]:
        """Presses Slack's own Stop button: streams there end at once, the session's status stays. Returns their ts.

        Docs: the button stands only while the session is processing, and only where the app has subscribed to its event.
        """
        workspace, channel = self._place(channel_id)
        self._seen_by(user_id, channel_id, thread_ts)
        session = workspace.sessions.get((channel_id, thread_ts))
        if session is None or session.status_at(workspace.clock.monotonic()) != "processing":
            raise ValueError(f"nothing is being processed in {thread_ts}")
        if "agent_session_stopped" not in workspace.subscriptions:
            raise ValueError("the app has not subscribed to agent_session_stopped")
        stopped = workspace.stop_streams(channel_id, thread_ts)
        workspace.emit(events.stopped_event(user_id, channel_id, thread_ts, stopped, workspace.next_ts()), channel)
        return stopped

    async def invite_bot(self, user_id: str, channel_id: str) -> None:
        workspace, channel = self._place(channel_id)
        if user_id not in channel.members:
            raise ValueError(f"{user_id} is not in {channel_id}")
        if not workspace.installed:
            raise ValueError(f"the app is not in {workspace.team_id}")
        if channel.kind in ("im", "mpim") or workspace.bot_user_id in channel.members:
            raise ValueError(f"the bot cannot be invited to {channel_id}")
        channel.members.add(workspace.bot_user_id)
        text = f"<@{workspace.bot_user_id}> has joined the channel"
        workspace.post(channel, workspace.bot_user_id, text, subtype="channel_join")
        event = events.joined_event(workspace.bot_user_id, channel, workspace.team, user_id, workspace.next_ts())
        workspace.emit(event, channel)

    async def kick_bot(self, user_id: str, channel_id: str) -> None:
        """The app hears nothing of it: it is no longer there."""
        workspace, channel = self._place(channel_id)
        if user_id not in channel.members or workspace.bot_user_id not in channel.members:
            raise ValueError(f"{user_id} cannot remove the bot from {channel_id}")
        channel.members.discard(workspace.bot_user_id)
        text = f"<@{workspace.bot_user_id}> was removed from the channel"
        workspace.post(channel, workspace.bot_user_id, text, subtype="channel_leave")

    def add_channel(
        self,
        name: str,
        kind: ChannelKind = "channel",
        members: Iterable[str] | None = None,
        team_id: str | None = None,
    ) -> Channel:
        """Without `members` it holds everybody in the workspace and, where the app is installed, its bot."""
        workspace = self._workspace(team_id)
        number = sum(len(one.channels) for one in self._workspaces.all.values())
        known = {channel_id for one in self._workspaces.all.values() for channel_id in one.channels}
        everybody = {person.id for person in workspace.people.values() if not person.team_id}
        if workspace.installed:
            everybody.add(workspace.bot_user_id)
        channel_id = next(one for n in count(number) if (one := f"{_ID_MARKS[kind]}0{n:06}") not in known)
        channel = Channel(id=channel_id, name=name, kind=kind, members=set(members) if members else everybody)
        workspace.channels[channel.id] = channel
        workspace.changed()
        return channel

    def add_stranger(self, channel_id: str, name: str, team_id: str = "T0ELSEWHERE") -> Person:
        """Somebody from another company, who makes the channel a shared one (Slack Connect)."""
        workspace, channel = self._place(channel_id)
        if channel.kind == "im":
            raise ValueError(f"{channel_id} is a direct message")
        person = Person(id=f"U9{name.upper()}", name=name, team_id=team_id)
        if workspace.people.setdefault(person.id, person) != person:
            raise ValueError(f"{name} is from elsewhere already")
        channel.members.add(person.id)
        channel.is_ext_shared = True
        workspace.changed()
        return person

    def _workspace(self, team_id: str | None) -> Workspace:
        if team_id is None:
            return self._workspaces.first
        workspace = self._workspaces.all.get(team_id)
        if workspace is None:
            raise ValueError(f"there is no workspace {team_id}")
        return workspace

    def _place(self, channel_id: str) -> tuple[Workspace, Channel]:
        workspace = self._workspaces.of_channel(channel_id)
        return workspace, workspace.channels[channel_id]

    def _with_app(self, user_id: str) -> Workspace:
        """The person's workspace, if the app is installed there."""
        workspace = self._workspaces.of_person(user_id)
        if not workspace.installed:
            raise ValueError(f"the app is not in {workspace.team_id}")
        if workspace.people[user_id].team_id:
            raise ValueError(f"the app is not in {user_id}'s workspace")
        return workspace

    def _direct(self, workspace: Workspace, user_id: str) -> Channel:
        """The person's direct message with the bot, made where there is none yet."""
        members = {user_id, workspace.bot_user_id}
        for channel in workspace.channels.values():
            if channel.kind == "im" and channel.members == members:
                return channel
        name = workspace.people[user_id].name
        channel = Channel(id=f"D0{user_id}", name=name, kind="im", members=members)
        workspace.channels[channel.id] = channel
        workspace.changed()
        return channel

    def _seen_by(self, user_id: str, channel_id: str, ts: str) -> Message:
        workspace, channel = self._place(channel_id)
        if user_id not in channel.members:
            raise ValueError(f"{user_id} is not in {channel_id}")
        try:
            return workspace.find(channel_id, ts)
        except Refusal as e:
            raise ValueError(f"no message {ts} in {channel_id}") from e

    def _own(self, user_id: str, channel_id: str, ts: str) -> Message:
        message = self._seen_by(user_id, channel_id, ts)
        if message.user != user_id:
            raise ValueError(f"{ts} was not written by {user_id}")
        return message
