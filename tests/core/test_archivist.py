"""The archivist: what is shown to whom, what is done with a press, and deletions that are tried until they are done."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from bridge import archivist
from bridge.archive import (
    Deletion,
    ForgetResult,
    Forgotten,
    PastConversation,
    ResumeResult,
    Seeker,
    Utterance,
)
from bridge.archivist import Archivist
from bridge.backend_api import Backend
from bridge.decisions import Pick
from bridge.errors import BackendUnreachable, QuestionRefused
from bridge.events import ButtonPressed, Command, CommandInvoked
from bridge.messages import (
    AnswerId,
    AppName,
    BackendConversationId,
    BackendUser,
    ButtonAction,
    ConversationId,
    EventId,
    MessageRef,
    OutgoingMessage,
    PersonId,
    PlatformName,
    ReplyTarget,
)
from bridge.notices import Notices
from bridge.pacing import Pacer
from bridge.past_api import KeptConversation
from tests.fakes import values
from tests.fakes.backend import FakeBackend
from tests.fakes.clock import FakeClock
from tests.fakes.platform import FAKE, FakePlatform

HERE = ConversationId(1)
USER = BackendUser("user of 1")


def past(number: int, question: str = "") -> PastConversation:
    return PastConversation(
        answer=AnswerId(number),
        id=BackendConversationId(f"c{number}"),
        user=USER,
        question=question,
        last_asked=values.THEN,
    )


@dataclass
class MadeUpArchive:
    """Says what it was told to say, and remembers what it was asked."""

    found: Sequence[PastConversation] = ()
    result: ResumeResult = ResumeResult.RESUMED
    forgotten: Forgotten = field(default_factory=lambda: Forgotten(result=ForgetResult.FORGOTTEN, deletions=[1]))
    deletions: dict[int, Deletion] = field(default_factory=dict)
    due: dict[int, datetime] = field(default_factory=dict)
    seekers: list[Seeker] = field(default_factory=list)
    resumed: list[AnswerId] = field(default_factory=list)
    yes: bool = True

    def owe(self, number: int, attempts: int = 0) -> None:
        conversation = BackendConversationId(f"c{number}")
        self.deletions[number] = Deletion(
            id=number, app=values.APP, conversation=conversation, user=USER, attempts=attempts
        )

    async def past(self, seeker: Seeker, limit: int) -> Sequence[PastConversation]:
        self.seekers.append(seeker)
        return self.found[:limit]

    async def resume(self, event_id: EventId, seeker: Seeker, answer: AnswerId) -> ResumeResult:
        self.seekers.append(seeker)
        self.resumed.append(answer)
        return self.result

    async def may_forget(self, conversation: ConversationId, person: PersonId) -> bool:
        return self.yes

    async def forget(self, event_id: EventId, conversation: ConversationId, person: PersonId) -> Forgotten:
        for number in self.forgotten.deletions:
            self.owe(number)
        return self.forgotten

    async def due_deletions(self, now: datetime, limit: int) -> Sequence[Deletion]:
        return [one for one in self.deletions.values() if self.due.get(one.id, now) <= now][:limit]

    async def deleted(self, deletion: int) -> None:
        del self.deletions[deletion]

    async def not_deleted(self, deletion: int, retry_at: datetime) -> None:
        self.due[deletion] = retry_at
        self.deletions[deletion] = replace(self.deletions[deletion], attempts=self.deletions[deletion].attempts + 1)

    async def begin_speaking(self, event_id: EventId, message: MessageRef) -> Utterance | None:
        return None

    async def spoken(self, utterance: Utterance) -> None: ...

    async def not_spoken(self, utterance: Utterance) -> None: ...


@dataclass
class KeepingBackend(FakeBackend):
    titles: dict[str, str] = field(default_factory=dict)
    silent: bool = False
    failures: int = 0
    never: bool = False
    gone: list[tuple[str, str]] = field(default_factory=list)

    async def conversations(self, user: BackendUser, limit: int) -> Sequence[KeptConversation]:
        if self.silent:
            await asyncio.Event().wait()
        return [KeptConversation(id=BackendConversationId(one), title=title) for one, title in self.titles.items()]

    async def delete_conversation(self, conversation: BackendConversationId, user: BackendUser) -> None:
        if self.never:
            raise QuestionRefused("deletes nothing", code=archivist.CANNOT_DELETE)
        if self.failures:
            self.failures -= 1
            raise BackendUnreachable("away", code="broken")
        self.gone.append((conversation, user))


@dataclass
class Listening(FakePlatform):
    sent: list[tuple[ReplyTarget, OutgoingMessage]] = field(default_factory=list)

    async def send(self, target: ReplyTarget, message: OutgoingMessage) -> MessageRef:
        self.sent.append((target, message))
        return await super().send(target, message)


class Study:
    def __init__(self, backend: FakeBackend | None, *, buttons: bool) -> None:
        self.clock = FakeClock()
        self.platform = Listening(self.clock, buttons=buttons)
        self.backend = backend or KeepingBackend(self.clock)
        self.archive = MadeUpArchive()
        platforms: dict[PlatformName, FakePlatform] = {FAKE: self.platform}
        backends: dict[AppName, Backend] = {values.APP: self.backend}
        self.notices = Notices(platforms=platforms, pacer=Pacer(self.clock), clock=self.clock)
        self.archivist = Archivist(
            archive=self.archive, platforms=platforms, backends=backends, notices=self.notices, clock=self.clock
        )

    @property
    def keeping(self) -> KeepingBackend:
        assert isinstance(self.backend, KeepingBackend)
        return self.backend

    @property
    def texts(self) -> list[str]:
        return [message.text for _, message in self.platform.sent]

    async def press(self, action: ButtonAction, value: str = "1", *, person: str = "", known: bool = True) -> None:
        where = values.target(person=person)
        event = ButtonPressed(
            event_id=EventId("p1"),
            message=values.ref("list"),
            installation=where.conversation.installation,
            person=PersonId("ada"),
            action=action,
            author=values.person() if known else None,
            target=where,
            private=replace(where, private=True),
            value=value,
        )
        await self.archivist.do(Pick(event=event, app=values.APP))
        await self.clock.advance(0)


@asynccontextmanager
async def study(backend: FakeBackend | None = None, *, buttons: bool = True) -> AsyncIterator[Study]:
    made = Study(backend, buttons=buttons)
    tasks = [asyncio.ensure_future(made.archivist.run()), asyncio.ensure_future(made.notices.run())]
    try:
        yield made
        for task in tasks:
            assert not task.done() or task.result(), "it works until it is cancelled"
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def order(command: Command = Command.HISTORY, *, in_thread: bool = True, private: bool = True) -> CommandInvoked:
    where = values.target()
    return CommandInvoked(
        event_id=EventId("e1"),
        command=command,
        target=where,
        author=values.person(),
        is_direct=False,
        in_thread=in_thread,
        private=replace(where, private=True) if private else None,
    )


async def test_conversations_are_offered_by_what_the_app_calls_them_else_by_how_they_began() -> None:
    async with study() as at:
        at.keeping.titles = {"c1": "Skies"}
        at.archive.found = [past(1, "Why?"), past(2, "What is\nfor lunch? " + "x" * 100), past(3)]
        assert await at.archivist.list_past(order(), values.APP, HERE) == ""
        await at.clock.advance(0)
        ((where, shown),) = at.platform.sent
        assert where.private
        assert [one.value for one in shown.buttons] == ["1", "2", "3"]
        first, second, third = (one.label for one in shown.buttons)
        assert (first, third) == ("1 Jan 2026: Skies", "1 Jan 2026, 12:00 UTC")
        assert second.startswith("1 Jan 2026: What is for lunch?")
        assert len(second) <= 75


async def test_an_app_that_does_not_answer_holds_up_no_list_for_long() -> None:
    async with study() as at:
        at.keeping.silent = True
        at.archive.found = [past(1, "Why?")]
        await at.archivist.list_past(order(), values.APP, HERE)
        await at.clock.advance(4)
        assert at.texts == []
        await at.clock.advance(2)
        assert at.texts == [archivist.CHOOSE]


async def test_why_there_is_no_list_is_said_at_once() -> None:
    async with study() as at:
        assert await at.archivist.list_past(order(), values.APP, HERE) == archivist.NO_PAST
        at.archive.found = [past(1)]
        assert await at.archivist.list_past(order(in_thread=False), values.APP, None) == archivist.IN_THREADS
        assert await at.archivist.list_past(order(private=False), values.APP, HERE) == archivist.PRIVATELY
    async with study(FakeBackend(FakeClock())) as forgetful:
        assert await forgetful.archivist.list_past(order(), values.APP, HERE) == archivist.KEEPS_NONE


async def test_where_there_are_no_buttons_it_is_said() -> None:
    async with study(buttons=False) as at:
        at.archive.found = [past(1)]
        assert await at.archivist.list_past(order(), values.APP, HERE) == archivist.NO_BUTTONS
        assert await at.archivist.ask_whether(order(Command.FORGET), HERE) == (archivist.NO_BUTTONS, ())


async def test_what_a_press_comes_to_is_said_to_who_pressed_but_a_change_of_a_thread_to_everybody() -> None:
    told = {
        ResumeResult.NOT_YOURS: archivist.NOT_YOURS,
        ResumeResult.BUSY: archivist.BUSY,
        ResumeResult.HERE_ALREADY: archivist.HERE_ALREADY,
    }
    for result, text in told.items():
        async with study() as at:
            at.archive.result = result
            await at.press(ButtonAction.RESUME)
            assert [(where.private, message.text) for where, message in at.platform.sent] == [(True, text)]
    async with study() as at:
        at.archive.result = ResumeResult.DUPLICATE
        await at.press(ButtonAction.RESUME)
        assert at.texts == []
        at.archive.result = ResumeResult.RESUMED
        await at.press(ButtonAction.RESUME)
        await at.press(ButtonAction.RESUME, person="ada")
        assert [(where.private, message.text) for where, message in at.platform.sent] == [
            (False, archivist.RESUMED_IN_THREAD),
            (True, archivist.RESUMED),
        ]


async def test_who_presses_is_asked_about_and_never_what_the_button_says() -> None:
    async with study() as at:
        await at.press(ButtonAction.RESUME, "17")
        (seeker,) = at.archive.seekers
        assert (seeker.person, seeker.key, seeker.app) == ("ada", values.key(), values.APP)
        assert at.archive.resumed == [AnswerId(17)]


async def test_a_press_that_no_button_of_ours_makes_does_nothing() -> None:
    async with study() as at:
        for value in ("", "x", "-1", "1" * 30, "¹"):
            await at.press(ButtonAction.RESUME, value)
            await at.press(ButtonAction.FORGET, value)
        await at.press(ButtonAction.RESUME, known=False)
        assert (at.archive.resumed, at.texts) == ([], [])


async def test_it_is_asked_back_before_anything_is_forgotten() -> None:
    async with study() as at:
        text, buttons = await at.archivist.ask_whether(order(Command.FORGET), ConversationId(7))
        assert text == archivist.SURE
        assert [(one.action, one.value) for one in buttons] == [(ButtonAction.FORGET, "7")]
        assert await at.archivist.ask_whether(order(Command.FORGET), None) == (archivist.NOTHING_TO_FORGET, ())
        outside = order(Command.FORGET, in_thread=False)
        assert await at.archivist.ask_whether(outside, None) == (archivist.FORGET_IN_THREADS, ())
        at.archive.yes = False
        assert await at.archivist.ask_whether(order(Command.FORGET), HERE) == (archivist.NOT_YOUR_WORDS, ())


async def test_done_is_said_once_the_app_has_deleted_it_too() -> None:
    async with study() as at:
        at.archive.forgotten = Forgotten(result=ForgetResult.FORGOTTEN, deletions=[1, 2])
        await at.press(ButtonAction.FORGET)
        assert at.keeping.gone == [("c1", USER), ("c2", USER)]
        assert at.texts == [archivist.FORGOTTEN]
        assert at.archive.deletions == {}


async def test_an_app_that_is_away_is_told_again_with_growing_pauses() -> None:
    async with study() as at:
        at.keeping.failures = 3
        await at.press(ButtonAction.FORGET)
        assert at.texts == [archivist.FORGOTTEN_HERE]
        await at.clock.advance(60)
        assert at.keeping.gone == [("c1", USER)]
        assert at.texts == [archivist.FORGOTTEN_HERE], "said once"


async def test_a_server_that_deletes_nothing_is_not_asked_again_and_members_know() -> None:
    async with study() as at:
        at.keeping.never = True
        await at.press(ButtonAction.FORGET)
        assert at.texts == [archivist.FORGOTTEN_HERE_ONLY]
        assert at.archive.deletions == {}


async def test_after_days_a_deletion_is_given_up() -> None:
    async with study() as at:
        at.keeping.failures = 1
        at.archive.owe(1, attempts=124)
        await at.clock.advance(10)
        assert (at.archive.deletions, at.keeping.gone) == ({}, [])


async def test_a_backend_that_keeps_nothing_has_nothing_to_delete() -> None:
    async with study(FakeBackend(FakeClock())) as at:
        await at.press(ButtonAction.FORGET)
        assert at.texts == [archivist.FORGOTTEN]


async def test_what_stood_in_the_way_of_forgetting_is_said() -> None:
    told = {
        ForgetResult.NOT_YOURS: archivist.NOT_YOUR_WORDS,
        ForgetResult.BUSY: archivist.FORGET_LATER,
        ForgetResult.NOTHING: archivist.NOTHING_LEFT,
    }
    for result, text in told.items():
        async with study() as at:
            at.archive.forgotten = Forgotten(result=result)
            await at.press(ButtonAction.FORGET)
            assert at.texts == [text]


def test_pauses_grow_up_to_an_hour_for_about_five_days() -> None:
    limits = archivist.ArchivistLimits()
    pauses = [min(limits.first_retry * 2 ** min(number, 20), limits.longest_retry) for number in range(limits.attempts)]
    assert timedelta(days=4.5) < sum(pauses, timedelta()) < timedelta(days=5.5)
