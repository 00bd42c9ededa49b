"""What every platform must do, whatever it is called. Bound once per platform in `test_<name>_platform.py`:

    @pytest.fixture
    async def stage() -> AsyncIterator[PlatformStage]: ...     # a stand-in and one platform made for it, not running

    class TestSlackPlatform(PlatformContract): ...

A stage plays the world around the platform, in words that no platform owns. Its stand-in is strict, so that "accepted" means
something.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from typing import Protocol

import pytest

from bridge.clock import SystemClock
from bridge.errors import MessageGone, MessageRefused, NotAllowed
from bridge.events import InboundEvent, MessageReceived
from bridge.messages import MessageRef, NamedPerson, Origin, OutgoingMessage, ReplyTarget
from bridge.outgoing_files import OutgoingFile
from bridge.platform_api import Finding, OpensThreads, Platform, PlatformHealth, SendsFiles, Severity

PATIENCE = 8.0
"""Seconds after which something that did not happen fails its test."""


class PlatformStage(Protocol):
    """The world around one platform. What it makes, it also ends."""

    platform: Platform
    """Credentials are right. `run` is called by the suite."""

    async def ask(self, text: str) -> None:
        """A person mentions the bot in a public place, with this text after the mention."""
        ...

    def mention(self) -> tuple[str, NamedPerson]:
        """How a text mentions somebody who is neither the bot nor who asks, and who that is."""
        ...

    def files(self) -> list[tuple[str, bytes]]:
        """Name and content of every file that the bot has put where people can see it."""
        ...

    async def visible(self, ref: MessageRef) -> str:
        """What stands at `ref` now, invisible characters included."""
        ...

    async def remove(self, ref: MessageRef) -> None:
        """The message at `ref` is deleted behind the platform's back."""
        ...

    def pings(self) -> list[str]:
        """Everything in the bot's messages so far that notified somebody."""
        ...

    def rejected(self) -> int:
        """How many calls were turned away for coming too fast."""
        ...

    async def break_connection(self) -> None:
        """What the platform hears on breaks off, and cannot be opened again until `mend_connection`."""
        ...

    async def mend_connection(self) -> None: ...

    async def refused(self) -> Platform:
        """A second platform whose credentials are refused."""
        ...


async def eventually(condition: Callable[[], bool], what: str) -> None:
    clock = SystemClock()
    deadline = clock.monotonic() + PATIENCE
    while not condition():
        assert clock.monotonic() < deadline, f"not within {PATIENCE} s: {what}"
        await clock.sleep(0.01)


def message(text: str, nonce: str = "contract") -> OutgoingMessage:
    return OutgoingMessage(text=text, nonce=nonce)


UNITS = (
    "x",
    "word ",
    "é",
    "漢",
    "🙂",
    "<&>",
    "@here ",
    "# head\ntext\n",
    "text\n\n---\n\n",
    "|a|\n|-|\n\n",
    "```\n#\n```\n",
)


class Hearing:
    """A running platform and what it has handed in."""

    def __init__(self, stage: PlatformStage) -> None:
        self.stage = stage
        self.events: list[InboundEvent] = []
        self.task = asyncio.create_task(stage.platform.run(self._take))

    async def _take(self, event: InboundEvent) -> None:
        self.events.append(event)

    @property
    def messages(self) -> list[MessageReceived]:
        return [event for event in self.events if isinstance(event, MessageReceived)]

    @property
    def questions(self) -> list[MessageReceived]:
        return [one for one in self.messages if one.origin is Origin.PERSON and one.mentions_bot]

    def health(self) -> PlatformHealth:
        return self.stage.platform.health()

    async def next_target(self, text: str = "a question") -> ReplyTarget:
        """Has a person ask, and returns where the answer goes; the thread is opened where the platform has to."""
        before = {question.ref for question in self.questions}
        await self.stage.ask(text)
        await eventually(
            lambda: any(question.ref not in before for question in self.questions), "the question is heard"
        )
        target = next(question for question in self.questions if question.ref not in before).target
        platform = self.stage.platform
        if target.opens_thread:
            assert isinstance(platform, OpensThreads)
            target = await platform.open_thread(target, text)
        return target

    async def stop(self) -> None:
        self.task.cancel()
        with suppress(asyncio.CancelledError):
            await self.task


@asynccontextmanager
async def hearing(stage: PlatformStage) -> AsyncIterator[Hearing]:
    heard = Hearing(stage)
    try:
        await eventually(lambda: heard.health().hearing or heard.task.done(), "the platform hears")
        yield heard
    finally:
        await heard.stop()


MENTIONS = (
    "@everyone @here @channel",
    "<!channel> <!here> <!everyone>",
    "<!subteam^S0TEAM> <!subteam^S0TEAM|@team>",
    "<@U0ADA> <@!1000000000000000001> <@1000000000000000001> <@&1000000000000000002>",
    "`@everyone` and `<!channel>` in code",
    "```\n<!here> @here <@U0ADA>\n```",
    "| a | b |\n|---|---|\n| <!channel> | @everyone |",
    "[<!channel>](https://example.com) **@channel**",
    "\\<!channel> <\\!here> \\@everyone &lt;!channel&gt;",
    "<\x00!channel> @\x00everyone <\u200b!here>",
)
TEXTS = (
    ("one line", "one line"),
    ("two\n\nparagraphs", "two paragraphs"),
    ("**bold** _it_ `code` [link](https://example.com/?a=1&b=2)", "bold it code link https example com a 1 b 2"),
    ("a < b && c > d &amp; &lt;tag&gt;", "a b c d tag"),
    ("- item\n- item\n\n1. one\n2. two", "item item 1 one 2 two"),
    ("```python\nif a < b:\n    print('<!-- -->')\n```", "python if a b print"),
    ("漢字とかな、العربية, עברית, 🇨🇭👩‍👩‍👧 e\u0301", "漢字とかな العربية עברית e"),
)
"""What a model writes, and the words that people read of it in every dialect."""


def words(text: str) -> str:
    return " ".join(re.findall(r"[^\W_]+", text))


class PlatformContract:
    """Needs the fixture `stage`."""

    async def test_what_is_sent_and_edited_is_what_people_read(self, stage: PlatformStage) -> None:
        async with hearing(stage) as heard:
            target = await heard.next_target()
            ref = await stage.platform.send(target, message("first"))
            assert await stage.visible(ref) == "first"
            for text, read in TEXTS:
                await stage.platform.edit(target, ref, message(text))
                visible = await stage.visible(ref)
                assert visible == stage.platform.dialect.render(text).text
                assert words(re.sub("&(?:amp|lt|gt);", "", visible)) == read

    async def test_two_messages_are_two_refs_of_the_same_platform(self, stage: PlatformStage) -> None:
        async with hearing(stage) as heard:
            target = await heard.next_target()
            one = await stage.platform.send(target, message("one", "nonce-1"))
            two = await stage.platform.send(target, message("two", "nonce-2"))
            assert one != two
            assert one.platform == two.platform == stage.platform.name
            await stage.platform.edit(target, one, message("one, edited", "nonce-1"))
            assert (await stage.visible(one), await stage.visible(two)) == ("one, edited", "two")

    async def test_a_question_says_who_asked_what_and_where(self, stage: PlatformStage) -> None:
        async with hearing(stage) as heard:
            await heard.next_target("what is the answer?")
            question = heard.questions[0]
            assert question.text == "what is the answer?"
            assert question.ref.platform == question.target.platform == question.author.platform == stage.platform.name
            assert question.target.conversation.platform == stage.platform.name
            assert question.target.conversation.installation
            assert question.target.conversation.channel
            assert question.target.post_group
            assert question.target.edit_group
            assert not question.author.is_bot
            assert question.sent_at.tzinfo is not None

    async def test_a_question_says_whom_it_names_and_nobody_else(self, stage: PlatformStage) -> None:
        mention, person = stage.mention()
        async with hearing(stage) as heard:
            await heard.next_target("what is the answer?")
            await heard.next_target(f"tell {mention} and {mention}")
            named = {question.text: question.named for question in heard.questions}
            assert named == {
                "what is the answer?": (),
                f"tell @{person.name} and @{person.name}": (person,),
            }

    async def test_every_event_about_one_post_has_the_same_identity(self, stage: PlatformStage) -> None:
        async with hearing(stage) as heard:
            await heard.next_target("one")
            await heard.next_target("two")
            by_ref = {question.ref: question.text for question in heard.questions}
            assert sorted(by_ref.values()) == ["one", "two"]

    async def test_questions_arrive_in_the_order_they_were_asked(self, stage: PlatformStage) -> None:
        async with hearing(stage) as heard:
            for number in range(5):
                await stage.ask(f"number {number}")
            await eventually(lambda: len({question.ref for question in heard.questions}) == 5, "all five are heard")
            asked = list(dict.fromkeys(question.text for question in heard.questions))
            assert asked == [f"number {number}" for number in range(5)]

    async def test_the_bots_own_messages_never_look_like_a_persons(self, stage: PlatformStage) -> None:
        async with hearing(stage) as heard:
            target = await heard.next_target()
            ref = await stage.platform.send(target, message("an answer"))
            await stage.platform.edit(target, ref, message("an answer, edited"))
            await heard.next_target("something after it")
            own = [one for one in heard.messages if one.ref == ref or one.text.startswith("an answer")]
            assert all(one.origin is Origin.SELF for one in own)
            assert {question.text for question in heard.questions} == {"a question", "something after it"}

    @pytest.mark.parametrize("text", MENTIONS)
    async def test_nothing_the_bot_writes_notifies_anybody(self, stage: PlatformStage, text: str) -> None:
        async with hearing(stage) as heard:
            target = await heard.next_target()
            ref = await stage.platform.send(target, message(text))
            await stage.platform.edit(target, ref, message(text + "\n" + text))
            assert stage.pings() == []

    async def test_a_file_stands_with_a_message_that_can_be_edited_and_notifies_nobody(
        self, stage: PlatformStage
    ) -> None:
        platform = stage.platform
        assert isinstance(platform, SendsFiles)
        file = OutgoingFile(
            name="../@everyone <!channel>\n.md", content="# Grüße\n".encode(), media_type="text/markdown"
        )
        async with hearing(stage) as heard:
            target = await heard.next_target()
            with pytest.raises(MessageRefused):
                await platform.send_file(target, message("漢" * 2 * platform.dialect.limit, "nonce-1"), file)
            ref = await platform.send_file(target, message("The rest is **attached**.", "nonce-1"), file)
            assert await stage.visible(ref) == "The rest is **attached**."
            await platform.edit(target, ref, message("The rest is attached.", "nonce-1"))
            assert await stage.visible(ref) == "The rest is attached."
            ((name, content),) = stage.files()
            assert content == file.content
            assert name.endswith(".md")
            assert not set(name) & set("@<>/\n")
            assert stage.pings() == []

    @pytest.mark.parametrize("unit", UNITS)
    async def test_a_text_of_the_longest_length_can_be_sent_and_edited(self, stage: PlatformStage, unit: str) -> None:
        platform = stage.platform
        longest = platform.dialect.limit
        text = fill(platform, unit, longest)
        assert longest * 0.9 < platform.dialect.render(text).length <= longest
        async with hearing(stage) as heard:
            target = await heard.next_target()
            ref = await platform.send(target, message(text))
            await platform.edit(target, ref, message(text))
            assert await stage.visible(ref) == platform.dialect.render(text).text.strip()

    async def test_a_person_who_was_named_can_be_mentioned_and_nobody_else(self, stage: PlatformStage) -> None:
        mention, person = stage.mention()
        text = f"ask {mention}, or @{person.name}"
        async with hearing(stage) as heard:
            target = await heard.next_target()
            await stage.platform.send(target, message(text, "nonce-1"))
            assert stage.pings() == []
            named = OutgoingMessage(text=text, nonce="nonce-2", people={person.id: person.name})
            ref = await stage.platform.send(target, named)
            assert (await stage.visible(ref)).count(mention) == 2
            assert stage.pings()

    async def test_capabilities_make_sense(self, stage: PlatformStage) -> None:
        capabilities = stage.platform.capabilities
        assert stage.platform.dialect.limit >= 500
        assert stage.platform.dialect is stage.platform.dialect
        for budget in (capabilities.post_budget, capabilities.edit_budget):
            assert budget.limit >= 1
            assert timedelta() < budget.window <= timedelta(minutes=5)
        assert timedelta() < capabilities.min_edit_interval <= timedelta(seconds=5)
        assert timedelta(seconds=1) < capabilities.activity_every <= timedelta(minutes=5)
        assert stage.platform.capabilities == capabilities

    async def test_a_burst_within_the_budget_is_not_turned_away(self, stage: PlatformStage) -> None:
        platform = stage.platform
        async with hearing(stage) as heard:
            target = await heard.next_target()
            posts = min(platform.capabilities.post_budget.limit, 5)
            refs = [await platform.send(target, message(f"post {n}", f"nonce-{n}")) for n in range(posts)]
            for number in range(min(platform.capabilities.edit_budget.limit - posts, 5)):
                await platform.edit(target, refs[0], message(f"edit {number}"))
            assert stage.rejected() == 0

    async def test_editing_a_deleted_message_says_that_it_is_gone(self, stage: PlatformStage) -> None:
        async with hearing(stage) as heard:
            target = await heard.next_target()
            ref = await stage.platform.send(target, message("soon gone"))
            await stage.remove(ref)
            with pytest.raises(MessageGone):
                await stage.platform.edit(target, ref, message("too late"))

    async def test_showing_activity_never_fails(self, stage: PlatformStage) -> None:
        async with hearing(stage) as heard:
            target = await heard.next_target()
            question = await stage.platform.send(target, message("a question"))
            await stage.platform.show_activity(target, question)
            ref = await stage.platform.send(target, message("done"))
            await stage.remove(ref)
            await stage.platform.show_activity(target, question)

    async def test_health_follows_the_connection(self, stage: PlatformStage) -> None:
        assert not stage.platform.health().connected
        assert not stage.platform.health().hearing
        async with hearing(stage) as heard:
            health = replace(heard.health(), heartbeat_age=None)
            assert health == PlatformHealth(connected=True, hearing=True, detail="")
            await stage.break_connection()
            await eventually(lambda: not heard.health().hearing and heard.health().detail != "", "deafness is reported")
            await stage.mend_connection()
            await eventually(lambda: heard.health().hearing, "it hears again")
            assert heard.health().detail == ""
            await heard.next_target("are you back?")
        assert not stage.platform.health().connected
        assert not stage.platform.health().hearing

    async def test_cancelling_the_run_ends_hearing_and_leaves_sending(self, stage: PlatformStage) -> None:
        async with hearing(stage) as heard:
            target = await heard.next_target()
            await heard.stop()
            before = len(heard.events)
            await stage.ask("too late")
            ref = await stage.platform.send(target, message("still here"))
            await stage.platform.edit(target, ref, message("still here, edited"))
            assert await stage.visible(ref) == "still here, edited"
            assert len(heard.events) == before

    async def test_refused_credentials_end_the_run(self, stage: PlatformStage) -> None:
        platform = await stage.refused()
        try:
            with pytest.raises(NotAllowed):
                async with asyncio.timeout(PATIENCE):
                    await platform.run(_nobody)
            assert not platform.health().connected
            findings = await platform.check()
            assert Severity.ERROR in {finding.severity for finding in findings}
            assert all(finding.fix for finding in findings if finding.severity is not Severity.OK)
        finally:
            await platform.close()

    async def test_checking_finds_no_error_when_all_is_well(self, stage: PlatformStage) -> None:
        findings = await stage.platform.check()
        assert findings
        assert [one for one in findings if _is_error(one)] == []


def fill(platform: Platform, unit: str, longest: int) -> str:
    """As many repetitions of `unit` as measure at most `longest`, and then single letters up to it."""

    def measure(text: str) -> int:
        return platform.dialect.render(text).length

    low, high = 1, longest
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if measure(unit * middle) <= longest else (low, middle - 1)
    text = unit * low
    padded = text + "x" * (longest - measure(text))
    return padded if measure(padded) <= longest else text


def _is_error(finding: Finding) -> bool:
    return finding.severity is Severity.ERROR


async def _nobody(event: InboundEvent) -> None:
    raise AssertionError("nothing can be heard with refused credentials")
