"""Which app answers where, how eagerly it listens there, and who may use it. Pure: values in, values out.

The values come from `bridge.toml` (or from the environment alone, which makes one app and one route for everything); reading
that file is not done here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from bridge.messages import AppName, Author, ChannelId, Inputs, InstallationId, PersonId, PlatformName


class Follow(StrEnum):
    """Which messages of people are questions, in a place that a route is about. Direct messages always are."""

    MENTION = "mention"
    """Only those that mention the bot or reply to it."""
    THREAD = "thread"
    """Those too that are written in a thread in which the bot was asked before."""
    EVERYTHING = "everything"
    """Every one."""


class Recover(StrEnum):
    """What is done about an answer whose process died while the app was at work on it."""

    FETCH = "fetch"
    """It is looked for at the backend. When it is not there, the member is told and offered Retry."""
    REASK = "reask"
    """The same, but a lost answer is asked for once more by itself."""
    APOLOGISE = "apologise"
    """The member is told at once and offered Retry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AppPolicy:
    """What the operator chose for one app, apart from how its backend is reached."""

    name: AppName
    recover: Recover = Recover.REASK
    context_turns: int = 0
    """How many past questions and answers are told to the app when its conversation had to be started anew."""
    inputs: Inputs = field(default_factory=dict)
    """Constant values for the app's input variables, sent with every question."""
    most_waiting: int = 20
    """Questions that may wait in one conversation. One more is politely refused."""
    most_queued: int = 200
    """Questions of all conversations that may wait for a place at the app, in this process."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a message was written, as routes see it."""

    platform: PlatformName
    installation: InstallationId = InstallationId("")
    """Workspace or server. Discord's direct messages have "@me"."""
    channel: ChannelId = ChannelId("")
    """The channel itself; of a thread, the channel that it hangs in."""
    category: ChannelId = ChannelId("")
    is_direct: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Who may use the bot in a place. Empty sets allow everybody."""

    users: frozenset[PersonId] = frozenset()
    roles: frozenset[str] = frozenset()

    def admits(self, author: Author) -> bool:
        """Being on either list is enough."""
        if not self.users and not self.roles:
            return True
        return author.id in self.users or not self.roles.isdisjoint(author.roles)


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """What holds in one place, and why."""

    app: AppPolicy | None
    """None: no app answers there."""
    follow: Follow = Follow.THREAD
    access: Access = Access()
    because: Sequence[str] = ()
    """For an operator: the route that decided, where it stands, and why others did not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Everywhere:
    """One app for every place, as the environment alone configures it."""

    app: AppPolicy

    def resolve(self, place: Place) -> Resolution:
        return Resolution(app=self.app, because=("There are no routes; the one app answers everywhere.",))

    @property
    def apps(self) -> Mapping[AppName, AppPolicy]:
        return {self.app.name: self.app}
