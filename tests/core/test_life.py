"""Whole lives of a bridge, made up at random: people ask, change their minds, stop and retry, while processes die and everything
that can fail does. When all is well again, every question must have one honest ending, and nothing may be left over.

`LIFE_RUNS=2000` lives more of them, `LIFE_FIRST=17` begins with that one; a failure names its seed.
"""

import asyncio
import os
import random
import re
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta

import pytest

from bridge.answers import WriterLimits
from bridge.asking import AskLimits
from bridge.errors import StoreUnavailable
from bridge.events import ButtonPressed, InboundEvent, MessageDeleted, MessageEdited, MessageReceived
from bridge.messages import AnswerState, ButtonAction, EventId, InstallationId, MessageRef, PersonId
from bridge.routing import AppPolicy, Recover
from tests.core.life import (
    LivingBackend,
    LivingFinder,
    LivingGrower,
    LivingReader,
    LivingStore,
    made_by,
    makes_file,
    says_nothing,
    whole_answer,
)
from tests.core.room import Room, room
from tests.fakes import values
from tests.fakes.clock import FakeClock
from tests.fakes.rows import KeptAnswer

RUNS = int(os.environ.get("LIFE_RUNS", "12"))
FIRST = int(os.environ.get("LIFE_FIRST", "0"))
STEPS = 40
WITHDRAWN = "(This part was withdrawn.)"


class Life:
    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.clock = FakeClock()
        self.store = LivingStore(self.chance, self.clock)
        kind = self.chance.choice((LivingFinder, LivingReader, LivingGrower, LivingGrower))
        buttons = self.chance.random() < 0.7
        again = buttons and self.chance.random() < 0.7
        self.platform = kind(self.clock, max_text=400, buttons=buttons, again_button=again, chance=self.chance)
        remembers = self.chance.random() < 0.7
        capacity = self.chance.choice((1, 2, 100))
        self.backend = LivingBackend(self.chance, self.clock, capacity, remembers=remembers, able=kind is LivingGrower)
        self.app = AppPolicy(name=values.APP, recover=self.chance.choice(list(Recover)))
        self.open = AsyncExitStack()
        self.at: Room
        self.asked: dict[MessageRef, MessageReceived] = {}
        self.readings: dict[MessageRef, list[str]] = {}
        self.deleted: set[MessageRef] = set()
        self.undelivered: list[InboundEvent] = []
        self.interrupted = 0
        """How often a process ended with work left over."""
        self.numbers = 0
        self.story: list[str] = []

    # What happens

    async def live(self) -> None:
        others = asyncio.all_tasks()
        await self.start()
        for _ in range(STEPS):
            await self.chance.choices(
                (
                    *(self.ask, self.edit, self.delete, self.stop, self.retry, self.again),
                    *(self.say_stop, self.kill, self.hand_over),
                ),
                (30, 8, 5, 8, 10, 6, 3, 5, 4),
            )[0]()
            await self.chance.choices(
                (self.nothing, self.take_over, self.trouble, self.redeliver, self.sweep), (60, 3, 20, 12, 5)
            )[0]()
            await self.clock.advance(self.chance.choice((0, 0, 0.1, 0.5, 1, 3, 10, 70)))
        await self.make_well()
        assert asyncio.all_tasks() <= others, "a task was left behind"

    async def nothing(self) -> None: ...

    async def start(self) -> None:
        if isinstance(self.platform, LivingGrower):
            self.platform.forget()
        self.open = AsyncExitStack()
        limits = AskLimits(stop=timedelta(seconds=3))
        writer = WriterLimits(delivery=timedelta(hours=10), find_tries=1_000, most_messages=1_000)
        self.at = await self.open.enter_async_context(
            room(self.store, self.platform, self.backend.capacity, writer, limits, self.app, self.clock, self.backend)
        )
        await self.sweep()

    async def sweep(self) -> None:
        try:
            await self.at.recovery.sweep()
        except StoreUnavailable:
            return
        await self.at.turns.look_all()

    async def tell(self, event: InboundEvent) -> None:
        self.story.append(f"{self.clock.monotonic():.1f} {type(event).__name__} {event.event_id}")
        try:
            await self.clock.live_through(self.at.inbox(event))
        except StoreUnavailable:
            self.undelivered.append(event)

    async def redeliver(self) -> None:
        events, self.undelivered = self.undelivered, []
        for event in events:
            await self.tell(event)

    def number(self) -> int:
        self.numbers += 1
        return self.numbers

    async def ask(self) -> None:
        number = self.number()
        thread = self.chance.choice("123")
        message = values.message(f"question{number}", number=number, where=values.target(thread))
        self.asked[message.ref] = message
        self.readings[message.ref] = [message.text]
        await self.tell(message)

    async def edit(self) -> None:
        if not self.asked:
            return
        ref = self.chance.choice(list(self.asked)[-4:])
        number = self.number()
        now = replace(self.asked[ref], text=f"edited{number}", event_id=EventId(f"e{number}"))
        self.readings[ref].append(now.text)
        await self.tell(MessageEdited(event_id=now.event_id, now=now, revision=number))

    async def delete(self) -> None:
        if self.asked:
            ref = self.chance.choice(list(self.asked)[-4:])
            self.deleted.add(ref)
            await self.tell(
                MessageDeleted(event_id=EventId(f"d{self.number()}"), ref=ref, installation=InstallationId("team"))
            )

    async def press(self, action: ButtonAction) -> None:
        shown = [
            address
            for address, message in self.platform.messages.items()
            if not self.platform.buttons or any(button.action is action for button in message.buttons)
        ]
        if not shown:
            return
        address = self.chance.choice(shown[-5:])
        number = self.number()
        if self.platform.buttons:
            event: InboundEvent = ButtonPressed(
                event_id=EventId(f"b{number}"),
                message=values.ref(address),
                installation=InstallationId("team"),
                person=PersonId("ada"),
                action=action,
            )
        else:
            event = values.reaction(address, "🛑" if action is ButtonAction.STOP else "🔁", revision=number)
        await self.tell(event)

    async def stop(self) -> None:
        await self.press(ButtonAction.STOP)

    async def retry(self) -> None:
        await self.press(ButtonAction.RETRY)

    async def again(self) -> None:
        await self.press(ButtonAction.AGAIN)

    async def say_stop(self) -> None:
        number = self.number()
        message = values.message("stop" + "!" * number, number=number, where=values.target(self.chance.choice("123")))
        self.readings[message.ref] = [message.text]
        await self.tell(message)

    async def kill(self) -> None:
        self.story.append(f"{self.clock.monotonic():.1f} kill")
        self.interrupted += 1
        await self.open.aclose()
        await self.start()

    async def hand_over(self) -> None:
        self.story.append(f"{self.clock.monotonic():.1f} hand over")
        self.interrupted += 1
        self.at.conversations.close()
        self.at.turns.close()
        for grace, then in ((self.chance.choice((0.1, 5)), self.at.turns.hand_over), (10, self.nothing_sync)):
            draining = asyncio.ensure_future(self.at.dispatcher.drain(timedelta(seconds=grace)))
            await self.clock.advance(grace + 0.1)
            if await draining:
                break
            then()
        await self.open.aclose()
        await self.start()

    def nothing_sync(self) -> None: ...

    async def take_over(self) -> None:
        """A second process takes the first for dead, which lives on for a while."""
        self.story.append(f"{self.clock.monotonic():.1f} take over")
        self.interrupted += 1
        # What is on its way when its sender is taken for dead arrives all the same; nobody can call it back.
        self.platform.slow = False
        # Nor does anybody learn that somebody else has taken over, who cannot ask the store.
        self.store.flaky = 0.0
        await self.clock.advance(3)
        old = self.open
        await self.start()
        await self.clock.advance(self.chance.choice((0, 0.2, 2, 30)))
        await old.aclose()

    async def trouble(self) -> None:
        chance = self.chance
        self.store.away = chance.random() < 0.15
        self.store.flaky = chance.choice((0.0, 0.0, 0.2))
        self.platform.away = chance.random() < 0.15
        self.platform.flaky = chance.choice((0.0, 0.0, 0.3))
        self.platform.slow = chance.random() < 0.4
        if isinstance(self.platform, LivingGrower):
            self.platform.refuses = chance.random() < 0.2
        self.backend.down = chance.random() < 0.15
        self.backend.trouble = chance.choice((0.0, 0.0, 0.4))

    async def make_well(self) -> None:
        self.store.away, self.store.flaky = False, 0.0
        self.platform.away, self.platform.flaky, self.platform.slow = False, 0.0, False
        self.backend.down, self.backend.trouble = False, 0.0
        if self.chance.random() < 0.5:
            await self.kill()
        await self.redeliver()
        for _ in range(200):
            await self.sweep()
            await self.clock.advance(70)
            if not await self.store.waiting_conversations(self.at.turns._platforms):
                break
        await self.clock.advance(120)
        running = dict(self.at.turns._running)
        free = self.at.turns._places._free
        await self.open.aclose()
        assert not running
        assert set(free.values()) == {self.backend.capacity}, "a place was lost"

    # What must be true

    def judge(self) -> None:
        for conversation in self.store.conversations:
            assert conversation.head == len(conversation.questions), "a question has no ending"
            assert conversation.active is None
        for answer in self.store.answers:
            assert answer.state in (AnswerState.DONE, AnswerState.STOPPED, AnswerState.FAILED)
            self.judge_answer(answer)
        known = {part.ref.address for answer in self.store.answers for part in answer.parts.values() if part.ref}
        for address, message in self.platform.messages.items():
            told_twice = message.nonce in self.store.unrecorded
            notice = message.nonce.startswith("n") and len(message.nonce) == 21
            assert address in known or notice or told_twice, f"{address} belongs to no answer: {message.text!r}"
            if not told_twice:
                assert not message.text.startswith("⏳"), f"{address} still waits: {message.text!r}"
                assert address not in getattr(self.platform, "growing", {}), f"{address} still grows: {message.text!r}"
                assert ButtonAction.STOP not in [one.action for one in message.buttons], f"{address} has a Stop button"
        self.judge_order()
        self.judge_asking()

    def judge_answer(self, answer: KeptAnswer) -> None:
        if answer.retried and not answer.parts:
            return
        assert answer.error != "internal", f"answer {answer.turn.answer_id} broke"
        refs = [part.ref for _, part in sorted(answer.parts.items()) if part.ref is not None]
        nonces = {part.nonce for part in answer.parts.values()}
        if nonces & self.store.unrecorded:
            # It cannot be told from the record what stands, and what was shown may be shown twice.
            return
        assert refs, f"answer {answer.turn.answer_id} was never shown"
        shown = [self.platform.messages[ref.address] for ref in refs]
        texts = [message.text for message in shown if message.text != WITHDRAWN]
        said = re.sub(r"\s+", "", "".join(texts))
        readings = self.readings[
            self.store.conversations[answer.turn.conversation_id - 1].questions[answer.turn.seq - 1].ref
        ]
        silent = [text for text in readings if self.backend.able and says_nothing(text)]
        wholes = [re.sub(r"\s+", "", whole_answer(text)) for text in readings if text not in silent]
        if answer.state is AnswerState.DONE:
            named = any(f"{text}.png" in said for text in silent)
            assert named or any(said.startswith(whole) for whole in wholes), (
                f"answer {answer.turn.answer_id} is not whole: {texts}"
            )
        elif answer.state is AnswerState.STOPPED:
            assert "stopped" in said.lower(), (
                f"answer {answer.turn.answer_id} does not say that it was stopped: {texts}"
            )
        else:
            assert "⚠️" in said, f"answer {answer.turn.answer_id} does not say that it failed: {texts}"
        for reading in readings:
            assert said.count(f"Answer:{reading}:") <= 1, f"answer {answer.turn.answer_id} is doubled: {texts}"
        for ref, message in zip(refs, shown, strict=True):
            if message.text.startswith("📎 ") and message.text.endswith(".png"):
                files = getattr(self.platform, "files", {})
                made = made_by(message.text.removeprefix("📎 ").removesuffix(".png"))
                assert ref.address in files, f"there is no file beside {message.text!r}"
                assert files[ref.address].content == made.address.encode()
        if answer.state is AnswerState.DONE and self.backend.able:
            assert any(f"{text}.png" in said for text in readings) or not all(makes_file(text) for text in readings)
        buttons = [button.action for message in shown for button in message.buttons]
        assert len(buttons) <= 1
        whole = answer.state is AnswerState.DONE
        assert all((button is ButtonAction.AGAIN) is whole for button in buttons), f"{buttons} below {answer.state}"
        assert WITHDRAWN not in texts[:-1]

    def judge_order(self) -> None:
        for conversation in self.store.conversations:
            begun = [asked.answer for asked in conversation.questions if asked.answer is not None]
            assert begun == sorted(begun)
            firsts = [
                self.platform.messages[part.ref.address].history[0][0]
                for asked in conversation.questions
                if asked.answer is not None and asked.retry_of is None
                for part in [self.store.answers[asked.answer - 1].parts.get(0)]
                if part is not None and part.ref is not None
            ]
            assert firsts == sorted(firsts), "answers stand in another order than their questions"

    def judge_asking(self) -> None:
        retries: dict[MessageRef, int] = {}
        for conversation in self.store.conversations:
            for asked in conversation.questions:
                retries[asked.ref] = retries.get(asked.ref, 0) + 1
        accepted = self.backend.accepted()
        for ref, readings in self.readings.items():
            for text in readings:
                most = retries.get(ref, 0) * (2 if self.interrupted and self.app.recover is Recover.REASK else 1)
                assert accepted[text] <= most, f"{text} was asked {accepted[text]} times, not {most}"


@pytest.mark.parametrize("seed", range(FIRST, FIRST + RUNS))
async def test_whatever_happens_every_question_has_one_honest_ending(seed: int) -> None:
    life = Life(seed)
    try:
        await life.live()
        life.judge()
    except AssertionError as error:
        error.add_note("\n".join(life.story))
        raise
