"""What an operator asks of routes: which app answers in one place, and why. No network, no store."""

import re
from collections.abc import Collection, Sequence

from bridge.errors import SettingsError
from bridge.messages import ChannelId, InstallationId, PlatformName
from bridge.quotas import Quotas, in_questions
from bridge.routing import Access, Answers, AppPolicy, External, Follow, Guests, Place, Resolver, Routes

DIRECT = "direct"
FORMS = (
    "slack:C0123 (a channel), slack:T0123/C0123 (workspace/channel), discord:SERVER/CHANNEL, discord:CHANNEL@CATEGORY, "
    "discord:SERVER/CHANNEL@CATEGORY, slack:direct (direct messages), slack:T0123/direct"
)
_PLACE = re.compile(
    r"(?P<platform>[a-z][a-z0-9_]*):(?:(?P<installation>[^\s/@:#]+)/)?(?P<channel>[^\s/@:#]+)(?:@(?P<category>[^\s/@:#]+))?"
)

_FOLLOWED = {
    Follow.MENTION: "mention (only messages that mention the bot or reply to it)",
    Follow.THREAD: "thread (mentions, and what is written in threads in which the bot was asked)",
    Follow.EVERYTHING: "everything (every message of a person)",
}

_ANSWERED = {
    Answers.THREAD: "thread (answers stand in threads, which are opened for them)",
    Answers.REPLY: "reply (answers stand in the channel as replies, where the platform can do that)",
}

_EXTERNAL = {
    External.DENY: "deny (nothing is answered where people of another organisation read along)",
    External.MENTION: "mention (where people of another organisation read along, only what mentions the bot or replies to it)",
    External.ON: "on (people of another organisation are answered like all others)",
}


def read_place(text: str, platforms: Collection[str]) -> Place:
    """Raises `SettingsError`, with the forms that are understood."""
    found = _PLACE.fullmatch(text.strip())
    if found is None:
        raise SettingsError([f"--route: {text!r} is not a place; write for example {FORMS}."])
    if found["platform"] not in platforms:
        known = ", ".join(sorted(platforms))
        raise SettingsError([f"--route: there is no platform named {found['platform']!r}; there are {known}."])
    is_direct = found["channel"] == DIRECT
    return Place(
        platform=PlatformName(found["platform"]),
        installation=InstallationId(found["installation"] or ""),
        channel=ChannelId("" if is_direct else found["channel"]),
        category=ChannelId(found["category"] or ""),
        is_direct=is_direct,
    )


def explain_place(place: Place, routes: Resolver) -> Sequence[tuple[str, str]]:
    """Pairs of a word and what holds there: the app, what it listens to, who may use it, what guests get, and why."""
    resolution = routes.resolve(place)
    lines = [
        ("app", "none; the bot says that no app is set up there" if resolution.app is None else resolution.app.name)
    ]
    if resolution.app is not None:
        followed = "every message, as always in direct messages" if place.is_direct else _FOLLOWED[resolution.follow]
        lines += [("follow", followed), ("access", describe_access(resolution.access))]
        if resolution.choices:
            lines.append(("choice", f"members may choose among {describe_choices(resolution.choices)} with /app"))
        if not place.is_direct:
            lines.append(("answers", _ANSWERED[resolution.answers]))
        lines.append(("limits", describe_quotas(resolution.quotas)))
        lines += [("external", _EXTERNAL[resolution.guests.external]), ("bots", describe_bots(resolution.guests))]
    lines += [("because" if not number else "", words) for number, words in enumerate(resolution.because)]
    if isinstance(routes, Routes):
        for route in routes.undecided(place):
            missing = [
                f"in workspace or server {route.installation}" if not place.installation and route.installation else "",
                f"in category {route.category}" if not place.category and route.category else "",
            ]
            where = " and ".join(words for words in missing if words)
            lines.append(
                (
                    "but",
                    f"If the place is {where}, the route at {route} decides: it leads to {' or '.join(route.leads_to)}.",
                )
            )
    return lines


def describe_access(access: Access) -> str:
    people = [f"person {one}" for one in sorted(access.users)] + [f"role {one}" for one in sorted(access.roles)]
    return f"only {', '.join(people)}" if people else "everybody"


def describe_choices(policies: Sequence[AppPolicy]) -> str:
    *others, last = [policy.name for policy in policies]
    return f"{', '.join(others)} and {last}"


def describe_quotas(quotas: Quotas) -> str:
    told = [
        f"{in_questions(quota)} {whose}"
        for quota, whose in ((quotas.per_person, "from one person"), (quotas.per_channel, "in one channel"))
        if quota is not None
    ]
    return ", ".join(told) or "none"


def describe_bots(guests: Guests) -> str:
    return f"only {', '.join(sorted(guests.bots))}" if guests.bots else "none"
