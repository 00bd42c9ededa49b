"""The picture of everything at one moment, put together from the stand-ins, what Dify received and the bridge's own record."""

from collections.abc import Mapping
from pathlib import Path

from bridge.messages import Rating
from bridge.playground.dify import DifyServer
from bridge.playground.discord import DiscordServer
from bridge.playground.discord_view import discord_view
from bridge.playground.origins import Origins, Place
from bridge.playground.received import Received, read_stand_in
from bridge.playground.slack import SlackServer
from bridge.playground.slack_view import slack_view
from bridge.playground.view import RatingOf, dify_view


class Camera:
    def __init__(self, slack: SlackServer, discord: DiscordServer, database: Path) -> None:
        self._slack = slack
        self._discord = discord
        self._origins = Origins(database)
        self.dify: DifyServer | None = None
        """The stand-in; None where a real Dify is asked, whose share is then in `received`."""
        self.received = Received()

    async def take(self) -> Mapping[str, object]:
        received = self.received if self.dify is None else read_stand_in(self.dify)
        await self._origins.find(self._judged())
        return {
            "slack": slack_view(self._slack, self._rating_of("slack", received)),
            "discord": discord_view(self._discord, self._rating_of("discord", received)),
            "dify": dify_view(received, stand_in=self.dify is not None),
        }

    def _rating_of(self, platform: str, received: Received) -> RatingOf:
        def look(channel: str, message: str) -> Rating | str | None:
            origin = self._origins.get((platform, channel, message))
            if origin is None or origin not in received.ratings:
                return None
            return received.ratings[origin] or "none"

        return look

    def _judged(self) -> list[Place]:
        """Messages of the bot whose rating may have been told: those with a reaction, or with a button that was pressed."""
        pressed_in_slack = {(one.channel, one.message) for one in self._slack.presses}
        pressed_in_discord = {one.message_id for one in self._discord.interactions.values()}
        in_slack = [
            ("slack", channel, one.ts)
            for channel in self._slack.channels
            for one in self._slack.messages(channel)
            if one.is_bot and (one.reactions or (channel, one.ts) in pressed_in_slack)
        ]
        in_discord = [
            ("discord", channel, one.id)
            for channel in self._discord.channels
            for one in self._discord.messages(channel)
            if one.is_bot and (one.reactions or one.id in pressed_in_discord)
        ]
        return in_slack + in_discord
