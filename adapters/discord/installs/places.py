"""Whether the bot may do what it needs in the places that routes name, one finding for each."""

from collections.abc import Sequence

from adapters.discord.installs.looking import (
    CATEGORY,
    DIRECT,
    FORUMS,
    SPOKEN,
    THREADS,
    Spot,
    look_at_channel,
    server_name,
)
from adapters.discord.installs.manifest import invite_link
from adapters.discord.installs.permissions import VIEW_CHANNELS, Need, Use, missing, needed_permissions
from adapters.discord.outbound import Login, Rest
from adapters.discord.settings import Settings
from bridge.errors import MessageGone, NotAllowed
from bridge.platform_api import ConfiguredPlace, Finding, Severity

MOST_PLACES = 100
"""Places that are looked at; each takes up to three calls."""


async def look_at_places(
    rest: Rest, settings: Settings, login: Login, places: Sequence[ConfiguredPlace]
) -> Sequence[Finding]:
    """Raises a `PlatformError` where Discord cannot be asked."""
    findings: list[Finding] = []
    for place in places[:MOST_PLACES]:
        # The most specific of what is named; that the others go with it is part of the look.
        if channel := place.channel or place.category:
            findings += await _look_at_channel(rest, settings, login, place, channel)
        elif place.installation:
            findings.append(await _look_at_server(rest, settings, login, place))
    if len(places) > MOST_PLACES:
        left = f"{len(places) - MOST_PLACES} more were not looked at"
        findings.append(Finding(severity=Severity.OK, subject="Discord channels", problem=left))
    return findings


def needed_in(spot: Spot, settings: Settings, *, in_threads: bool) -> Sequence[Need]:
    """The permissions that the bot needs in this kind of channel."""
    needs = needed_permissions(settings)
    if spot.kind in FORUMS:
        # The posts are people's; each is a thread.
        return [need for need in needs if need.name not in ("Send Messages", "Create Public Threads")]
    if spot.kind is not CATEGORY:
        needs = [need for need in needs if need.use is not Use.SOLVED]
    if spot.kind in SPOKEN:
        return [need for need in needs if need.use is not Use.THREADS]
    return [need for need in needs if in_threads or need.name != "Create Public Threads"]


async def _look_at_server(rest: Rest, settings: Settings, login: Login, place: ConfiguredPlace) -> Finding:
    try:
        name = await server_name(rest, str(place.installation))
    except (NotAllowed, MessageGone):
        return Finding(
            severity=Severity.ERROR,
            subject=f"Discord server {place.installation} ({place.where})",
            problem="the bot is not in it, or there is none with this id",
            fix=f"Correct the id, or add the bot: {invite_link(settings, login.application)}",
        )
    return Finding(severity=Severity.OK, subject=f"Discord server {name} ({place.where})", problem="the bot is in it")


async def _look_at_channel(
    rest: Rest, settings: Settings, login: Login, place: ConfiguredPlace, channel: str
) -> Sequence[Finding]:
    link = invite_link(settings, login.application)
    try:
        spot = await look_at_channel(rest, channel, login.user)
    except NotAllowed:
        problem = f"missing {VIEW_CHANNELS.name}, or the bot is not in its server: {VIEW_CHANNELS.without}"
        fix = f"Give the bot's role View Channel in that channel, or add the bot: {link}"
        return [_finding(Severity.ERROR, f"channel {channel}", place, problem, fix)]
    except MessageGone:
        problem = "there is none with this id"
        fix = "Correct the id (Discord's settings > Advanced > Developer Mode, then Copy Channel ID in the channel's menu)."
        return [_finding(Severity.ERROR, f"channel {channel}", place, problem, fix)]
    if spot.kind in DIRECT:
        return [_finding(Severity.OK, f"channel {channel}", place, "direct messages", "")]
    name = f"category {spot.name}" if spot.kind is CATEGORY else f"channel #{spot.name}"
    if misplaced := _never_fits(spot, place):
        return [_finding(Severity.ERROR, name, place, *misplaced)]
    return [_look_at_permissions(spot, name, settings, place, link), *_look_at_rest(spot, name, settings, login, place)]


def _look_at_permissions(spot: Spot, name: str, settings: Settings, place: ConfiguredPlace, link: str) -> Finding:
    lacking = missing(needed_in(spot, settings, in_threads=place.in_threads), spot.granted)
    if VIEW_CHANNELS in lacking:
        # Without it nothing else counts.
        lacking = [VIEW_CHANNELS]
    if not lacking:
        return _finding(Severity.OK, name, place, "the bot may do all that it needs there", "")
    return _finding(
        Severity.ERROR if any(need.required for need in lacking) else Severity.WARNING,
        name,
        place,
        "; ".join(f"missing {need.name}: {need.without}" for need in lacking),
        f"Give it to the bot's role there (Edit Channel > Permissions), or in the whole server: {link}",
    )


def _look_at_rest(spot: Spot, name: str, settings: Settings, login: Login, place: ConfiguredPlace) -> Sequence[Finding]:
    findings = []
    tag = settings.discord_solved_tag.strip()
    if tag and spot.kind in FORUMS and tag.casefold() not in [each.casefold() for each in spot.tags]:
        problem = f"the forum has no tag {tag} (DISCORD_SOLVED_TAG), so no post there is marked as solved"
        fix = "Add the tag to the forum (Edit Channel > Tags), or leave it if you want none there."
        findings.append(_finding(Severity.WARNING, name, place, problem, fix))
    if place.everything and not (settings.discord_message_content and login.content_allowed):
        problem = "every message is to be answered there, but without the Message Content intent only mentions can be"
        fix = "Switch on the intent (see above) and DISCORD_MESSAGE_CONTENT, or follow mentions there."
        findings.append(_finding(Severity.WARNING, name, place, problem, fix))
    return findings


def _never_fits(spot: Spot, place: ConfiguredPlace) -> tuple[str, str] | None:
    """What is wrong and how to mend it, when no message can ever fit the route."""
    if spot.kind in THREADS:
        return (
            "it is a thread, and routes are about channels, with all their threads",
            f"Name its channel instead: {spot.parent}.",
        )
    if place.installation and str(place.installation) != spot.server:
        return (
            f"it is in another server than the route says ({spot.server})",
            "Correct the server, or leave it out: the channel is enough.",
        )
    if place.channel and place.category and str(place.category) != spot.parent:
        return (
            f"it is in another category than the route says ({spot.parent or 'in none'})",
            "Correct the category, or leave it out: the channel is enough.",
        )
    if not place.channel and spot.kind is not CATEGORY:
        return "it is no category", "Name it as `channel` instead of `category`."
    if place.channel and spot.kind is CATEGORY:
        return "it is a category", "Name it as `category` instead of `channel`."
    return None


def _finding(severity: Severity, name: str, place: ConfiguredPlace, problem: str, fix: str) -> Finding:
    return Finding(severity=severity, subject=f"Discord {name} ({place.where})", problem=problem, fix=fix)
