"""Which app answers where, how eagerly it listens there, and who may use it. Pure: values in, values out.

The values come from `bridge.toml` (or from the environment alone, which makes one app and one route for everything); reading
that file is not done here.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from bridge.inputs import Sourced
from bridge.messages import AppName, Author, ChannelId, Inputs, InstallationId, PersonId, PlatformName
from bridge.quotas import Quotas

DEFAULT_APP = AppName("default")
"""The name of the app that the environment configures; part of every conversation's identity, as all names of apps are."""


class Follow(StrEnum):
    """Which messages of people are questions, in a place that a route is about. Direct messages always are."""

    MENTION = "mention"
    """Only those that mention the bot or reply to it."""
    THREAD = "thread"
    """Those too that are written in a thread in which the bot was asked before."""
    EVERYTHING = "everything"
    """Every one."""


class Answers(StrEnum):
    """Where answers stand, on platforms that can do both. Those of a thread always stand in it."""

    THREAD = "thread"
    """In a thread that is opened for them."""
    REPLY = "reply"
    """In the channel, as replies to their questions. Who replies to them goes on with the conversation."""


class Recover(StrEnum):
    """What is done about an answer whose process died while the app was at work on it."""

    FETCH = "fetch"
    """It is looked for at the backend. When it is not there, the member is told and offered Retry."""
    REASK = "reask"
    """The same, but a lost answer is asked for once more by itself."""
    APOLOGISE = "apologise"
    """The member is told at once and offered Retry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MayAnswer:
    """Who may answer what an app asks in the middle of an answer, of those who may use the bot there."""

    asker: bool = True
    """Whoever asked the question."""
    anyone: bool = False
    people: frozenset[str] = frozenset()
    """These, by their ids or by those of their roles."""

    @classmethod
    def read(cls, who: str, people: Collection[str]) -> "MayAnswer":
        """`who` is "asker", "anyone" or "people", who alone may then."""
        return cls(asker=who == "asker", anyone=who == "anyone", people=frozenset(people))

    def admits(self, author: Author, asker: Author) -> bool:
        same = self.asker and (author.platform, author.id) == (asker.platform, asker.id)
        return self.anyone or same or author.id in self.people or not self.people.isdisjoint(author.roles)


@dataclass(frozen=True, slots=True, kw_only=True)
class AppPolicy:
    """What the operator chose for one app, apart from how its backend is reached."""

    name: AppName
    recover: Recover = Recover.REASK
    context_turns: int = 0
    """How many past questions and answers are told to the app when its conversation had to be started anew."""
    inputs: Inputs = field(default_factory=dict)
    """Constant values for the app's input variables, sent with every question."""
    sourced: Mapping[str, Sourced] = field(default_factory=dict)
    """Variables whose values are known with each question."""
    asked: frozenset[str] = frozenset()
    """Variables that members are asked for, besides those that the app cannot do without."""
    may_answer: MayAnswer = MayAnswer()
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


class External(StrEnum):
    """What is answered where people of another organisation read along (Slack Connect)."""

    DENY = "deny"
    """Nothing."""
    MENTION = "mention"
    """What mentions the bot or replies to it, whatever is followed elsewhere."""
    ON = "on"
    """The same as anywhere else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Guests:
    """How those are met who are no people of the house."""

    external: External = External.DENY
    bots: frozenset[PersonId] = frozenset()
    """Other bots that are answered. Nobody else's are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """What holds in one place, and why."""

    app: AppPolicy | None
    """None: no app answers there."""
    choices: tuple[AppPolicy, ...] = ()
    """Apps that members may choose from there, `app` among them; fewer than two: nothing is to be chosen."""
    choice: str = ""
    """What within the app somebody chose there (`Choice.id`); empty: what its operator set."""
    follow: Follow = Follow.THREAD
    access: Access = Access()
    guests: Guests = Guests()
    answers: Answers = Answers.THREAD
    quotas: Quotas = field(default_factory=Quotas)
    because: Sequence[str] = ()
    """For an operator: the route that decided, where it stands, and why others did not."""


class Resolver(Protocol):
    """Knows for every place which app answers there."""

    @property
    def apps(self) -> Mapping[AppName, AppPolicy]:
        """Every app, whether or not a route leads to it."""
        ...

    @property
    def routes(self) -> Sequence["Route"]:
        """In the order of the file; empty where one app answers everywhere."""
        ...

    def resolve(self, place: Place) -> Resolution: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Everywhere:
    """One app for every place, as the environment alone configures it."""

    app: AppPolicy
    guests: Guests = Guests()
    quotas: Quotas = field(default_factory=Quotas)

    def resolve(self, place: Place) -> Resolution:
        return Resolution(
            app=self.app,
            guests=self.guests,
            quotas=self.quotas,
            because=("There are no routes; the one app answers everywhere.",),
        )

    @property
    def apps(self) -> Mapping[AppName, AppPolicy]:
        return {self.app.name: self.app}

    @property
    def routes(self) -> Sequence["Route"]:
        return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Which app answers in the places that fit. What is None is not asked for."""

    app: AppName
    platform: PlatformName | None = None
    installation: InstallationId | None = None
    channel: ChannelId | None = None
    category: ChannelId | None = None
    is_direct: bool = False
    """Only direct messages. (False asks for nothing: a whole platform has its direct messages too.)"""
    follow: Follow = Follow.THREAD
    access: Access = Access()
    guests: Guests = Guests()
    answers: Answers = Answers.THREAD
    quotas: Quotas = field(default_factory=Quotas)
    choices: tuple[AppName, ...] = ()
    """Apps that members may choose from, `app` among them, which answers until they do. Empty: nothing is to be chosen."""
    line: int = 0
    """Where it begins in `bridge.toml`, for people; it decides nothing."""

    @property
    def specificity(self) -> tuple[bool, bool, bool, bool, bool]:
        """The larger one wins where two routes fit. Two that have the same and fit in one place ask for the same."""
        # A channel before `is_direct`: who names the channel of one direct conversation means that one and not all of them.
        return (
            self.channel is not None,
            self.is_direct,
            self.category is not None,
            self.installation is not None,
            self.platform is not None,
        )

    @property
    def leads_to(self) -> tuple[AppName, ...]:
        """Every app that may answer there."""
        return self.choices or (self.app,)

    @property
    def asks_for(self) -> tuple[str | bool | None, ...]:
        return (self.platform, self.installation, self.channel, self.category, self.is_direct)

    def fits(self, place: Place) -> bool:
        return (
            self.platform in (None, place.platform)
            and self.installation in (None, place.installation)
            and self.channel in (None, place.channel)
            and self.category in (None, place.category)
            and (place.is_direct or not self.is_direct)
        )

    def may_fit(self, place: Place) -> bool:
        """Whether it fits once it is known in which installation or category the place is, where the place leaves that out."""
        return self.fits(
            Place(
                platform=place.platform,
                installation=place.installation or self.installation or place.installation,
                channel=place.channel,
                # Direct messages are in no category on any platform.
                category=place.category if place.is_direct else place.category or self.category or place.category,
                is_direct=place.is_direct,
            )
        )

    def __str__(self) -> str:
        """For people: `line 14 (slack, channel C0123)`."""
        asked = [
            str(self.platform or ""),
            f"workspace or server {self.installation}" if self.installation is not None else "",
            f"category {self.category}" if self.category is not None else "",
            f"channel {self.channel}" if self.channel is not None else "",
            "direct messages" if self.is_direct else "",
        ]
        return f"line {self.line} ({', '.join(words for words in asked if words) or 'everywhere'})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Routes:
    """Several apps, or one that does not answer everywhere. In which order the routes are written does not matter."""

    apps: Mapping[AppName, AppPolicy]
    routes: Sequence[Route]
    """Each leads to one of `apps`, and no two ask for the same (see `find_twins`)."""

    def resolve(self, place: Place) -> Resolution:
        fitting = sorted((route for route in self.routes if route.fits(place)), key=_specificity, reverse=True)
        if not fitting:
            return Resolution(app=None, because=(f"None of the {len(self.routes)} routes is about this place.",))
        winner, *others = fitting
        because = [
            f"The route at {winner} decides: {'the most specific of those that fit' if others else 'no other one fits'}."
        ]
        because += [f"The route at {route} fits too, and is less specific." for route in others]
        return Resolution(
            app=self.apps[winner.app],
            choices=tuple(self.apps[name] for name in winner.choices),
            follow=winner.follow,
            access=winner.access,
            guests=winner.guests,
            answers=winner.answers,
            quotas=winner.quotas,
            because=tuple(because),
        )

    def undecided(self, place: Place) -> Sequence[Route]:
        """Routes that may decide instead when more is known of a place: its installation, its category. Most specific first."""
        known = max((_specificity(route) for route in self.routes if route.fits(place)), default=None)
        return sorted(
            (
                route
                for route in self.routes
                if route.may_fit(place) and not route.fits(place) and (known is None or route.specificity > known)
            ),
            key=_specificity,
            reverse=True,
        )


def find_twins(routes: Sequence[Route]) -> Sequence[tuple[Route, Route]]:
    """Pairs of routes that are about exactly the same places, so that neither can win, each with the earlier one first."""
    first: dict[tuple[str | bool | None, ...], Route] = {}
    return [(earlier, route) for route in routes if (earlier := first.setdefault(route.asks_for, route)) is not route]


def _specificity(route: Route) -> tuple[bool, bool, bool, bool, bool]:
    return route.specificity
