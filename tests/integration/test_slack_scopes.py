"""A scope that was not granted costs what the table of scopes says, and nothing else; the bot answers all the same."""

from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.slack.installs.scopes import SCOPES
from bridge.playground.dify.kept_files import MadeFile
from bridge.playground.dify.script import Reply
from bridge.playground.slack.model import ChannelKind, File, Message
from tests.integration.slack_world import ADA, DIRECT, GRACE, World, living, say

KINDS: dict[ChannelKind, str] = {"channel": "public", "group": "private", "mpim": "group messages"}

COSTS = {
    "assistant:write": {"suggestions"},
    "channels:history": {"follow-ups, public"},
    "groups:history": {"follow-ups, private"},
    "mpim:history": {"follow-ups, group messages"},
    "im:history": {"direct messages"},
    "reactions:read": {"feedback by reaction"},
    # That shows only where the workspace has no agents, and so no suggestions either.
    "reactions:write": {"a sign of work", "suggestions"},
    "files:read": {"files of people"},
    "files:write": {"files of the app"},
    "users:read": {"names"},
    "commands": {"commands", "shortcut"},
    "channels:read": {"caution, public"},
    "groups:read": {"caution, private"},
    "mpim:read": {"caution, group messages"},
}

NOTES = File(id="F0NOTES", name="notes.pdf", mimetype="application/pdf", content=b"%PDF notes")
SUMS = MadeFile(name="sums.csv", kind="document", media_type="text/csv", content=b"one,two\r\n1,2\r\n")


class Trial:
    """Everything that can be done with the bot is done once, each in a channel of its own, and looked at in the end."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._places: dict[str, str] = {}
        self._shown_sign = False
        world.dify.features.questions = ["What can you do?"]
        world.dify.script = self._reply
        world.slack.on_change(self._look_for_signs)

    async def do_everything(self) -> None:
        for kind, name in KINDS.items():
            await self._follow_up(f"follow-ups, {name}", kind)
            await self._ask_among_strangers(f"caution, {name}", kind)
        await self.world.ask("In a direct message", channel=DIRECT)
        await self._rate()
        await self._mention("files of people", "Read this", files=[NOTES])
        await self._mention("files of the app", "Make sums")
        await self._mention("names", f"Who is <@{GRACE}>?")
        with suppress(ValueError):  # Slack shows no command without its scope
            await self.world.slack.command(GRACE, self._place("commands"), "/ask", "By command")
        ts = await self.world.slack.post_as(ADA, self._place("shortcut"), "Due on Friday")
        with suppress(ValueError):
            await self.world.slack.shortcut(GRACE, "ask_message", self._place("shortcut"), ts)
        self._places["suggestions"] = await self.world.slack.open_dm(GRACE)

    def works(self) -> set[str]:
        """What does, as far as can be seen now."""
        world, queries = self.world, [request.query for request in self.world.requests]
        found = {
            "direct messages": "In a direct message" in queries,
            "feedback by reaction": bool(world.dify.ratings),
            "files of people": any(upload.name == NOTES.name for upload in world.dify.uploads.values()),
            "files of the app": any(one.files for one in self._shown("files of the app")),
            "names": any("@Grace" in query for query in queries),
            "commands": "By command" in queries,
            "shortcut": bool(world.forms(GRACE)),
            "suggestions": self._places.get("suggestions", "") in world.slack.workspace.prompts,
            "a sign of work": self._shown_sign,
        }
        for name in KINDS.values():
            found[f"follow-ups, {name}"] = f"More of follow-ups, {name}" in queries
            found[f"caution, {name}"] = f"Secret of caution, {name}" not in queries
        return {ability for ability, is_there in found.items() if is_there}

    async def _follow_up(self, ability: str, kind: ChannelKind) -> None:
        root = await self.world.ask(ability, channel=self._place(ability, kind))
        await self.world.answered(self._place(ability), root, f"re: {ability}")
        await self.world.slack.post_as(GRACE, self._place(ability), f"More of {ability}", root)

    async def _ask_among_strangers(self, ability: str, kind: ChannelKind) -> None:
        self.world.slack.add_stranger(self._place(ability, kind), "Mallory")
        with suppress(ValueError):
            await self.world.slack.command(GRACE, self._place(ability), "/ask", f"Secret of {ability}")

    async def _rate(self) -> None:
        place = self._place("feedback by reaction")
        root = await self.world.ask("Rate me", channel=place)
        (answer,) = await self.world.answered(place, root, "re: Rate me")
        await self.world.slack.react(ADA, place, answer.ts, "+1")

    async def _mention(self, ability: str, text: str, files: list[File] | None = None) -> None:
        words = f"<@{self.world.slack.bot_user_id}> {text}"
        await self.world.slack.post_as(ADA, self._place(ability), words, files=files or [])

    def _place(self, ability: str, kind: ChannelKind = "channel") -> str:
        if ability not in self._places:
            name = "".join(letter if letter.isalpha() else "-" for letter in ability)
            self._places[ability] = self.world.slack.add_channel(name, kind).id
        return self._places[ability]

    def _shown(self, ability: str) -> list[Message]:
        return [one for one in self.world.slack.messages(self._place(ability)) if one.is_bot]

    def _reply(self, query: str) -> Reply:
        reply = say(f"re: {query}", per_token=0.05)
        return replace(reply, files=(SUMS,)) if query == "Make sums" else reply

    def _look_for_signs(self) -> None:
        signs = [one for one in self.world.working() if not one.startswith("stream")]
        self._shown_sign = self._shown_sign or bool(signs)


ALL = set().union(*COSTS.values())


async def tried(world: World, *, without: set[str]) -> set[str]:
    """What works when everything was done, with `without` being what is not expected to."""
    trial = Trial(world)
    await trial.do_everything()
    await world.until(lambda: trial.works() >= ALL - without, f"what is to be expected; missing {ALL - trial.works()}")
    await world.settled()
    return trial.works()


async def test_with_every_scope_everything_works(tmp_path: Path) -> None:
    async with living(World(tmp_path)) as world:
        assert await tried(world, without=set()) == ALL


@pytest.mark.parametrize("scope", [need.name for need in SCOPES if not need.required])
async def test_a_scope_that_is_missing_costs_one_thing(scope: str, tmp_path: Path) -> None:
    async with living(World(tmp_path)) as world:
        world.slack.scopes = [one for one in world.slack.scopes if one != scope]
        if scope == "reactions:write":
            world.slack.lacks.update({"agent": "feature_disabled", "assistant": "feature_disabled"})
        assert ALL - await tried(world, without=COSTS[scope]) == COSTS[scope]
