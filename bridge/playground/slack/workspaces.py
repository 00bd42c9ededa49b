"""All workspaces of the stand-in: which there are, and which one a channel, a person or a view belongs to.

Ids are unique over all of them, as Slack's own are within an organisation, so that nobody has to say which is meant.
"""

from dataclasses import replace
from random import Random

from bridge.clock import Clock
from bridge.playground.slack.model import Channel, Person, Team
from bridge.playground.slack.workspace import Workspace, furnish_channels, furnish_people


class Workspaces:
    def __init__(self, clock: Clock, shuffle: Random) -> None:
        self._clock = clock
        self._shuffle = shuffle
        self.first = Workspace(clock=clock, shuffle=shuffle)
        self.all: dict[str, Workspace] = {self.first.team_id: self.first}

    def add(self, team_id: str, name: str, enterprise_id: str | None, *, installed: bool, org_wide: bool) -> Workspace:
        """Raises `ValueError` when it is there already, or when it is to share an installation without an organisation."""
        if team_id in self.all:
            raise ValueError(f"there is a workspace {team_id}")
        if org_wide and enterprise_id is None:
            raise ValueError("only a workspace of an organisation can share its installation")
        number = len(self.all)
        relatives = [one for one in self.all.values() if enterprise_id and one.team.enterprise_id == enterprise_id]
        sharing = next((one for one in relatives if org_wide and one.team.org_wide), None)
        team = Team(
            id=team_id,
            name=name,
            domain=name.lower().replace(" ", "-"),
            bot_user_id=sharing.bot_user_id if sharing else f"U{number}BRIDGE",
            bot_id=sharing.bot_id if sharing else f"B{number}BRIDGE",
            enterprise_id=enterprise_id,
            enterprise_name=f"{enterprise_id} Inc." if enterprise_id else "",
            org_wide=org_wide,
        )
        people = furnish_people(number, "U" if enterprise_id is None else "W")
        workspace = Workspace(
            clock=self._clock,
            shuffle=self._shuffle,
            people=people,
            channels=furnish_channels(people, team.bot_user_id if installed else None, number),
            team=team,
            installed=installed,
            scopes=sharing.scopes if sharing else list(self.first.scopes),
            triggers=self.first.triggers,
            subscriptions=self.first.subscriptions,
        )
        workspace.views.number_from(number * _VIEWS_EACH)
        self.all[team_id] = workspace
        return workspace

    def of_channel(self, channel_id: str) -> Workspace:
        """Raises `ValueError` when there is no such channel."""
        for workspace in self.all.values():
            if channel_id in workspace.channels:
                return workspace
        raise ValueError(f"no channel {channel_id}")

    def of_person(self, user_id: str) -> Workspace:
        """Where somebody is at home, or else a guest. Raises `ValueError` when nobody has that id."""
        for workspace in self.all.values():
            if user_id in workspace.people:
                return workspace
        raise ValueError(f"nobody is called {user_id}")

    def of_view(self, view_id: str) -> Workspace:
        """Raises `ValueError` when there is no such modal or Home tab."""
        for workspace in self.all.values():
            homes = [home.id for home in workspace.views.homes.values()]
            if view_id in workspace.views.opened or view_id in homes:
                return workspace
        raise ValueError(f"there is no view {view_id}")

    def channel(self, channel_id: str) -> Channel:
        """Raises `ValueError`."""
        return self.of_channel(channel_id).channels[channel_id]

    def person(self, user_id: str) -> Person:
        """Raises `ValueError`."""
        return self.of_person(user_id).people[user_id]

    def relatives(self, workspace: Workspace) -> list[Workspace]:
        """All workspaces of its organisation, itself included."""
        enterprise = workspace.team.enterprise_id
        if enterprise is None:
            return [workspace]
        return [one for one in self.all.values() if one.team.enterprise_id == enterprise]

    def share_installation(self, enterprise_id: str) -> list[Workspace]:
        """Makes the app's standing in all workspaces of an organisation one. Returns them. Raises `ValueError`."""
        members = [one for one in self.all.values() if one.team.enterprise_id == enterprise_id]
        if not members:
            raise ValueError(f"no workspace belongs to {enterprise_id}")
        bot_user_id, bot_id = members[0].bot_user_id, members[0].bot_id
        for workspace in members:
            for channel in workspace.channels.values():
                if workspace.bot_user_id in channel.members:
                    channel.members.remove(workspace.bot_user_id)
                    channel.members.add(bot_user_id)
            workspace.team = replace(workspace.team, bot_user_id=bot_user_id, bot_id=bot_id, org_wide=True)
            workspace.scopes = members[0].scopes
        return members


_VIEWS_EACH = 1_000
"""How far apart the numbers of two workspaces' views begin."""
