"""What would be sent for a source, and what a person sees of it."""

from collections.abc import Mapping

from adapters.discord.dialect import DIALECT as DISCORD
from adapters.discord.dialect import DiscordDialect
from adapters.slack.dialect import DIALECT as SLACK
from adapters.slack.dialect import SlackDialect
from bridge.markdown.dialect import Dialect
from tests.markdown.corpus.document import Place
from tests.markdown.discord_sight import discord_counts, see_discord
from tests.markdown.mrkdwn_sight import see_mrkdwn
from tests.markdown.seen import Seen
from tests.markdown.slack_sight import see_slack, slack_counts


def dialect_of(place: Place, limit: int | None = None) -> Dialect:
    """A dialect of the platform that remembers nothing yet; None is the limit that the bridge uses."""
    if place == "discord":
        return DiscordDialect(limit=limit or DISCORD.limit)
    return SlackDialect(limit=limit or SLACK.limit)


def payload_of(source: str, place: Place, people: Mapping[str, str]) -> dict[str, object]:
    return dialect_of(place).payload(source, people, fallback=place == "fallback")


def see(sent: dict[str, object], place: Place) -> Seen:
    match place:
        case "slack":
            return see_slack(sent)
        case "fallback":
            text = sent["text"]
            assert isinstance(text, str)
            assert "blocks" not in sent
            return see_mrkdwn(text)
        case "discord":
            return see_discord(sent)


def problems(sent: dict[str, object], place: Place) -> tuple[str, ...]:
    """Why the platform would refuse this."""
    return discord_counts(sent).problems if place == "discord" else slack_counts(sent).problems


def wire(value: object) -> str:
    """Every string of a payload."""
    match value:
        case str():
            return value
        case dict():
            return "\n".join(map(wire, value.values()))
        case list():
            return "\n".join(map(wire, value))
        case _:
            raise AssertionError(f"{value!r} in a payload")
