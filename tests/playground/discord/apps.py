"""A real client with commands, which leaves what it is asked to the test."""

import discord
from discord import app_commands

from tests.playground.discord.clients import INTENTS, Listener

MENU = "Ask about this message"


class App(Listener):
    def __init__(self, intents: discord.Intents = INTENTS) -> None:
        super().__init__(intents)
        self.tree = app_commands.CommandTree(
            self,
            allowed_contexts=app_commands.AppCommandContext(guild=True, dm_channel=True, private_channel=True),
            allowed_installs=app_commands.AppInstallationType(guild=True, user=True),
        )
        self.asked: list[tuple[discord.Interaction, str, discord.Attachment | None]] = []
        self.pointed: list[tuple[discord.Interaction, discord.Message]] = []
        self.reset: list[discord.Interaction] = []

        @self.tree.command(name="ask", description="Ask the app a question")
        @app_commands.describe(question="What to ask", file="Something to read with it")
        async def ask(
            interaction: discord.Interaction,
            question: app_commands.Range[str, 1, 2000],
            file: discord.Attachment | None = None,
        ) -> None:
            self.asked.append((interaction, question, file))
            self._tell()

        @self.tree.command(name="reset", description="Begin anew")
        @app_commands.allowed_installs(guilds=True, users=False)
        @app_commands.allowed_contexts(guilds=True, dms=True, private_channels=False)
        async def reset(interaction: discord.Interaction) -> None:
            self.reset.append(interaction)
            self._tell()

        @self.tree.context_menu(name=MENU)
        async def about(interaction: discord.Interaction, message: discord.Message) -> None:
            self.pointed.append((interaction, message))
            self._tell()
