"""What the bot says of itself: how to ask it, and where which app answers. Only what holds in the place is told. Pure.

What a platform has beside messages (commands, forms) it tells itself, see `NamesWays`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bridge.backend_api import AcceptsFiles, Backend, OffersChoices, StandsAlone
from bridge.events import CommandInvoked
from bridge.facts import Policy
from bridge.messages import AppName, Author, InstallationId, PlatformName
from bridge.past_api import Speaks
from bridge.platform_api import FetchesFiles, NamesWays, Platform, SendsFiles
from bridge.quotas import in_questions
from bridge.routing import DEFAULT_APP, Answers, External, Follow, Resolution, Resolver, Route
from bridge.store import Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class Guide:
    """Knows what there is to explain. Without platforms and backends it explains what holds everywhere."""

    policy: Policy
    platforms: Mapping[PlatformName, Platform] = field(default_factory=dict)
    backends: Mapping[AppName, Backend] = field(default_factory=dict)

    def explain(self, order: CommandInvoked, resolution: Resolution, *, alone: bool = False) -> str:
        """Help for whoever asked for it there. `alone`: the app holds no conversation."""
        app = resolution.app.name if resolution.app else None
        external = resolution.guests.external if order.is_external or order.author.home else External.ON
        follow = resolution.follow if external is External.ON else Follow.MENTION
        asked_by = _ASKING_BY_REPLY if resolution.answers is Answers.REPLY else _ASKING
        asking = "Every message that you write to me here is a question." if order.is_direct else asked_by[follow]
        lines = [asking, *self._more(order.target.platform, app)]
        if quota := resolution.quotas.per_person:
            lines.append(f"From one person I take at most {in_questions(quota)}.")
        if not order.is_direct and follow is not Follow.MENTION:
            lines.append(self._muting())
        lines.append(_ALONE if alone else _RESETTING)
        lines += self._choosing(resolution)
        return _listed(_title(app), lines)

    def explain_all(self, platform: PlatformName, resolution: Resolution) -> str:
        """The same for the bot's own page, which is in no place. `resolution` is about direct messages."""
        app = resolution.app.name if resolution.app else None
        lines = [
            "Write to me in direct messages, or mention me in a channel that I am in; I answer in a thread.",
            *self._more(platform, app),
            self._muting(),
            _RESETTING,
            *self._choosing(resolution),
        ]
        return _listed("**How to ask**", lines)

    async def stands_alone(self, app: AppName) -> bool:
        """Whether the app holds no conversation that could be forgotten."""
        backend = self.backends.get(app)
        return backend is not None and isinstance(backend, StandsAlone) and await backend.stands_alone()

    def _choosing(self, resolution: Resolution) -> Sequence[str]:
        app = resolution.app.name if resolution.app else None
        within = app is not None and isinstance(self.backends.get(app), OffersChoices)
        if not within and len(resolution.choices) < 2:  # then there is nothing to choose
            return []
        return [_CHOOSING if resolution.choices else _CHOOSING_WITHIN]

    def _more(self, name: PlatformName, app: AppName | None) -> Sequence[str]:
        lines: list[str] = []
        press = ""
        if platform := self.platforms.get(name):
            lines += platform.name_ways() if isinstance(platform, NamesWays) else []
            backend = self.backends.get(app) if app else None
            if isinstance(platform, FetchesFiles) and backend is not None and isinstance(backend, AcceptsFiles):
                lines.append("Attach files to a question; I say so if the app cannot take one.")
            shown = [emoji for emoji in sorted(self.policy.speak) if not emoji.isascii()]
            if shown and isinstance(platform, SendsFiles) and backend is not None and isinstance(backend, Speaks):
                lines.append(f"React with {shown[0]} to an answer to have it read aloud, where the app has a voice.")
            press = ", or press Stop where you see it" if platform.capabilities.buttons else ""
            if platform.capabilities.again_button:
                lines.append("Press Regenerate below my newest answer to have another one.")
        lines.append(f"Say `stop` to end an answer{press}.")
        if self.policy.follow_edits_running:
            lines.append("Edit your question while I am answering, and I begin anew.")
        return lines

    def _muting(self) -> str:
        words = self.policy.words
        if not words.mute or not words.unmute:
            return (
                "In a thread, `/mute` has me answer only when I am mentioned; `/unmute` ends that. Mention me with it."
            )
        mute, unmute = min(words.mute), min(words.unmute)
        return f"In a thread, say `{mute}` to have me answer only when I am mentioned, and `{unmute}` to end that."


_ASKING = {
    Follow.MENTION: "Mention me in a message, or reply to an answer of mine.",
    Follow.THREAD: "Mention me in a message. In the thread of my answer every further message is a question too.",
    Follow.EVERYTHING: "Every message here is a question. I answer in a thread.",
}
_ASKING_BY_REPLY = {
    Follow.MENTION: "Mention me in a message, or reply to an answer of mine to go on with it.",
    Follow.THREAD: "Mention me in a message, or reply to an answer of mine to go on with it. In a thread in which I was asked "
    "every further message is a question too.",
    Follow.EVERYTHING: "Every message here is a question. Reply to an answer of mine to go on with it.",
}
_ALONE = "Each question stands alone here: the app remembers none, and knows nothing of what was said around it."
_RESETTING = (
    "Mention me with `/reset` in a thread, or say it in direct messages, and I begin anew there. `/history` brings an earlier "
    "conversation of yours back, and `/forget` deletes what was said, at the app as well."
)

_CHOOSING = (
    "Several apps can answer here: mention me with `/app` in a thread, or say it in direct messages, to see which one does, "
    "and to choose another."
)
_CHOOSING_WITHIN = (
    "Mention me with `/app` in a thread, or say it in direct messages, to see what I answer from, "
    "and to choose something else."
)


def _title(app: AppName | None) -> str:
    return "**How to ask**" if app in (None, DEFAULT_APP) else f"**How to ask** (`{app}` answers here)"


def _listed(title: str, lines: Sequence[str]) -> str:
    return "\n".join([title, "", *(f"- {line}" for line in lines)])


def describe_apps(
    resolver: Resolver, platform: PlatformName, installation: InstallationId, author: Author
) -> Sequence[str]:
    """A line for each app that answers this person somewhere in that installation, and where."""
    if not resolver.routes:
        return [f"{_name(app)}: everywhere" for app in sorted(resolver.apps)]
    places: dict[AppName, list[str]] = {}
    channels: dict[AppName, int] = {}
    for route in sorted(resolver.routes, key=lambda one: one.specificity):
        here = route.platform in (None, platform) and route.installation in (None, installation)
        if not here or not route.access.admits(author):
            continue
        for app in route.leads_to:
            if route.channel is not None:
                channels[app] = channels.get(app, 0) + 1
            elif (where := _where(route)) not in places.setdefault(app, []):
                places[app].append(where)
    for app, number in channels.items():
        places.setdefault(app, []).append("in 1 channel" if number == 1 else f"in {number} channels")
    alone = len(places) == 1
    return [
        f"{_name(app)}: {', '.join(where if where != _ELSEWHERE or not alone else 'everywhere' for where in found)}"
        for app, found in sorted(places.items())
        if found
    ]


_ELSEWHERE = "wherever no other app does"


def _where(route: Route) -> str:
    if route.is_direct:
        return "in direct messages"
    return "in one category of channels" if route.category is not None else _ELSEWHERE


def _name(app: AppName) -> str:
    return "The app of this bot" if app == DEFAULT_APP else f"**{app}**"


def describe_usage(usage: Usage) -> str:
    if not usage.questions:
        return "You have not asked anything here yet."
    asked = "1 question" if usage.questions == 1 else f"{usage.questions} questions"
    rated = {0: "", 1: " You rated 1 answer."}.get(usage.votes, f" You rated {usage.votes} answers.")
    return f"You have asked {asked} here; {usage.answered} got a whole answer.{rated}"
