"""What every backend must do, whatever it is called. Bound once per backend in `test_<name>_backend.py`:

    @pytest.fixture
    async def stage() -> AsyncIterator[BackendStage]: ...     # a stand-in server and one backend made for it

    class TestDifyBackend(BackendContract): ...

A stage plays the server behind the backend, in words that no backend owns.
"""

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from typing import Protocol

import pytest

from bridge.backend_api import (
    AnswerCompleted,
    AnswerStarted,
    Backend,
    BackendEvent,
    Fate,
    LimitsRatings,
    Question,
    Recovered,
    StandsAlone,
    TextDelta,
)
from bridge.errors import BackendCut, BackendError, BackendUnreachable
from bridge.messages import BackendConversationId, BackendIds, BackendUser, Rating
from bridge.platform_api import Severity

PATIENCE = 8.0
"""Seconds after which something that did not happen fails its test."""

USER = BackendUser("contract:thread:1")


class BackendStage(Protocol):
    """The server behind one backend. What it makes, it also ends."""

    backend: Backend

    def say(self, tokens: Sequence[str], *, pause: float = 0.0, breaks_after: int | None = None) -> None:
        """What is answered from now on, token by token; the connection breaks after so many tokens, if told."""
        ...

    def asked(self) -> int:
        """Questions that have arrived so far."""
        ...

    def rating_of(self, ids: BackendIds) -> str | None:
        """The rating that the server has for this answer now."""
        ...

    async def noticed_departure(self) -> None:
        """Returns once the server has seen that the client of its latest question went away."""
        ...

    async def all_ended(self) -> None:
        """Returns once the server runs nothing any more."""
        ...

    async def another_second(self) -> None:
        """Whatever is asked from now on is dated later than what was asked before, also where times are kept to the second."""
        ...

    async def go_down(self) -> None:
        """Nothing listens any more."""
        ...


def ask(text: str = "hello", conversation: BackendConversationId | None = None) -> Question:
    return Question(text=text, user=USER, conversation=conversation)


async def collect(backend: Backend, question: Question, into: list[BackendEvent] | None = None) -> list[BackendEvent]:
    """Everything of one answer. `into` keeps what came before an error."""
    events = [] if into is None else into
    async with aclosing(backend.answer(question)) as stream:
        async for event in stream:
            events.append(event)  # a comprehension would lose what came before an error
    return events


def text_of(events: Sequence[BackendEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextDelta))


def ids_of(events: Sequence[BackendEvent]) -> BackendIds:
    return next(event.ids for event in reversed(events) if isinstance(event, AnswerStarted))


async def pass_over_if_alone(backend: Backend) -> None:
    """For what only apps with conversations can do."""
    if isinstance(backend, StandsAlone) and await backend.stands_alone():
        pytest.skip("each question stands alone")


async def pass_over_if_unrated(backend: Backend, ids: BackendIds) -> None:
    """What cannot be rated says so beforehand, and refuses it for good."""
    if not isinstance(backend, LimitsRatings) or backend.rates(ids):
        return
    with pytest.raises(BackendError) as caught:
        await backend.rate(ids, USER, Rating.LIKE, "")
    assert not caught.value.may_retry
    pytest.skip("its answers cannot be rated")


class BackendContract:
    async def test_an_answer_starts_with_its_ids_and_ends_with_completion(self, stage: BackendStage) -> None:
        stage.say(["one ", "two ", "three"])

        events = await collect(stage.backend, ask())

        assert isinstance(events[0], AnswerStarted)
        assert isinstance(events[-1], AnswerCompleted)
        assert [type(event) for event in events].count(AnswerCompleted) == 1
        assert text_of(events) == "one two three"

    async def test_text_comes_while_it_is_generated(self, stage: BackendStage) -> None:
        stage.say(["first ", "second "], pause=0.3)
        loop = asyncio.get_running_loop()

        async with aclosing(stage.backend.answer(ask())) as stream:
            seen = [loop.time() async for event in stream if isinstance(event, TextDelta)]

        assert len(seen) == 2
        assert seen[1] - seen[0] > 0.1

    async def test_no_text_event_is_empty(self, stage: BackendStage) -> None:
        stage.say(["", "a", "", "b", ""])

        events = await collect(stage.backend, ask())

        assert [event.text for event in events if isinstance(event, TextDelta)] == ["a", "b"]

    async def test_characters_of_every_width_arrive_whole(self, stage: BackendStage) -> None:
        tokens = ["Grüße ", "日本", "語 ", "\U0001f468\u200d", "\U0001f469\u200d\U0001f467 ", '\\ " \u2028 end']
        stage.say(tokens)

        assert text_of(await collect(stage.backend, ask())) == "".join(tokens)

    async def test_an_empty_answer_completes(self, stage: BackendStage) -> None:
        stage.say([""])

        events = await collect(stage.backend, ask())

        assert isinstance(events[0], AnswerStarted)
        assert isinstance(events[-1], AnswerCompleted)
        assert text_of(events) == ""

    async def test_a_later_question_continues_the_conversation(self, stage: BackendStage) -> None:
        await pass_over_if_alone(stage.backend)
        stage.say(["ok"])
        first = ids_of(await collect(stage.backend, ask()))
        assert first.conversation

        second = ids_of(await collect(stage.backend, ask("more", first.conversation)))

        assert second.conversation == first.conversation
        assert second.message != first.message

    async def test_a_broken_connection_is_raised_after_what_came(self, stage: BackendStage) -> None:
        stage.say(["kept ", "kept too ", "never"], breaks_after=2)
        events: list[BackendEvent] = []

        with pytest.raises(BackendCut):
            await collect(stage.backend, ask(), events)

        assert text_of(events) == "kept kept too "
        assert not any(isinstance(event, AnswerCompleted) for event in events)
        assert stage.asked() == 1

    async def test_an_abandoned_answer_closes_its_connection(self, stage: BackendStage) -> None:
        stage.say(["word "] * 1000, pause=0.02)

        async with aclosing(stage.backend.answer(ask())) as stream:
            async for event in stream:
                if isinstance(event, TextDelta):
                    break

        await asyncio.wait_for(stage.noticed_departure(), PATIENCE)

    async def test_a_cancelled_answer_closes_its_connection_and_frees_its_place(self, stage: BackendStage) -> None:
        stage.say(["word "] * 1000, pause=0.02)
        started = asyncio.Event()

        async def consume() -> None:
            async with aclosing(stage.backend.answer(ask())) as stream:
                async for _ in stream:
                    started.set()

        # More than the places there are, one after the other: a place that leaks would block the later ones.
        for _ in range(10):
            started.clear()
            task = asyncio.create_task(consume())
            await asyncio.wait_for(started.wait(), PATIENCE)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await asyncio.wait_for(stage.noticed_departure(), PATIENCE)

    async def test_a_stopped_answer_ends_by_itself_with_what_came(self, stage: BackendStage) -> None:
        stage.say(["word "] * 1000, pause=0.02)
        events: list[BackendEvent] = []

        async with asyncio.timeout(PATIENCE), aclosing(stage.backend.answer(ask())) as stream:
            async for event in stream:
                events.append(event)
                if isinstance(event, TextDelta) and text_of(events) == "word ":
                    await stage.backend.stop(ids_of(events), USER)

        assert isinstance(events[-1], AnswerCompleted)
        assert 0 < len(text_of(events)) < 5 * 1000
        await asyncio.wait_for(stage.all_ended(), PATIENCE)

    async def test_a_rating_is_set_changed_and_taken_away(self, stage: BackendStage) -> None:
        stage.say(["ok"])
        ids = ids_of(await collect(stage.backend, ask()))

        await pass_over_if_unrated(stage.backend, ids)
        await stage.backend.rate(ids, USER, Rating.LIKE, "Ada: good")
        assert stage.rating_of(ids) == "like"
        await stage.backend.rate(ids, USER, Rating.DISLIKE, "")
        assert stage.rating_of(ids) == "dislike"
        await stage.backend.rate(ids, USER, None, "")
        assert stage.rating_of(ids) is None

    async def test_taking_away_a_rating_that_is_not_there_is_success(self, stage: BackendStage) -> None:
        stage.say(["ok"])
        ids = ids_of(await collect(stage.backend, ask()))

        await pass_over_if_unrated(stage.backend, ids)
        await stage.backend.rate(ids, USER, None, "")

        assert stage.rating_of(ids) is None

    async def test_words_without_a_rating_are_no_failure_and_no_rating(self, stage: BackendStage) -> None:
        stage.say(["ok"])
        ids = ids_of(await collect(stage.backend, ask()))

        await pass_over_if_unrated(stage.backend, ids)
        await stage.backend.rate(ids, USER, None, "Ada: not sure")
        assert stage.rating_of(ids) is None
        await stage.backend.rate(ids, USER, Rating.DISLIKE, "Ada: not sure")
        assert stage.rating_of(ids) == "dislike"
        await stage.backend.rate(ids, USER, None, "Ada: not sure")
        assert stage.rating_of(ids) is None

    async def test_rating_what_does_not_exist_can_never_be_delivered(self, stage: BackendStage) -> None:
        stage.say(["ok"])
        ids = ids_of(await collect(stage.backend, ask()))

        with pytest.raises(BackendError) as caught:
            await stage.backend.rate(ids, BackendUser("somebody else"), Rating.LIKE, "")

        assert not caught.value.may_retry

    async def test_ratings_and_stop_get_through_while_every_place_is_taken(self, stage: BackendStage) -> None:
        stage.say(["ok"])
        ids = ids_of(await collect(stage.backend, ask()))
        await pass_over_if_unrated(stage.backend, ids)
        stage.say(["word "] * 1000, pause=0.02)
        started: list[asyncio.Event] = [asyncio.Event() for _ in range(8)]

        async def consume(event: asyncio.Event) -> None:
            async with aclosing(stage.backend.answer(ask())) as stream:
                async for _ in stream:
                    event.set()

        tasks = [asyncio.create_task(consume(event)) for event in started]
        try:
            async with asyncio.timeout(PATIENCE):
                for event in started:
                    await event.wait()
                await stage.backend.rate(ids, USER, Rating.LIKE, "")
                await stage.backend.stop(ids, USER)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        assert stage.rating_of(ids) == "like"

    async def test_stopping_what_has_ended_or_is_somebody_elses_changes_nothing(self, stage: BackendStage) -> None:
        stage.say(["ok"])
        ended = ids_of(await collect(stage.backend, ask()))
        await stage.backend.stop(ended, USER)
        await stage.backend.stop(ended, USER)
        stage.say(["word "] * 5, pause=0.02)
        events: list[BackendEvent] = []

        async with asyncio.timeout(PATIENCE), aclosing(stage.backend.answer(ask())) as stream:
            async for event in stream:
                events.append(event)
                if isinstance(event, TextDelta) and text_of(events) == "word ":
                    await stage.backend.stop(ended, USER)

        assert text_of(events) == "word " * 5

    async def test_apps_of_one_server_share_its_name(self, stage: BackendStage) -> None:
        assert stage.backend.server
        assert stage.backend.server == stage.backend.server.strip()
        assert stage.backend.capacity > 0

    async def test_an_answer_that_was_given_is_recovered_whole(self, stage: BackendStage) -> None:
        stage.say(["<think>hm</think>", "one ", "two ", "three"])
        events = await collect(stage.backend, ask())

        found = await stage.backend.recover(ask(), ids_of(events), None)

        assert found.fate in (Fate.ANSWERED, Fate.UNKNOWN)
        if found.fate is Fate.ANSWERED:
            assert found.text == text_of(events) == "one two three"
        assert found.ids == ids_of(events)
        assert stage.asked() == 1

    async def test_a_question_is_found_without_its_ids(self, stage: BackendStage) -> None:
        stage.say(["found"])
        first = ids_of(await collect(stage.backend, ask("a first question")))
        alone = await stage.backend.recover(ask("a first question"), BackendIds(), None)
        await stage.another_second()
        second = ids_of(await collect(stage.backend, ask("a second question", first.conversation)))
        later = await stage.backend.recover(
            ask("a second question", first.conversation), BackendIds(conversation=first.conversation), first.message
        )

        for found, ids in ((alone, first), (later, second)):
            assert found.fate in (Fate.ANSWERED, Fate.UNKNOWN)
            if found.fate is Fate.ANSWERED:
                assert (found.text, found.ids.conversation, found.ids.message) == (
                    "found",
                    ids.conversation,
                    ids.message,
                )
        assert stage.asked() == 2

    async def test_a_question_that_never_arrived_is_not_mistaken_for_an_earlier_one(self, stage: BackendStage) -> None:
        stage.say(["an old answer"])
        new = await stage.backend.recover(ask("never asked"), BackendIds(), None)
        ids = ids_of(await collect(stage.backend, ask("hi")))
        await stage.another_second()
        again = await stage.backend.recover(ask("hi", ids.conversation), BackendIds(), ids.message)
        later = ids_of(await collect(stage.backend, ask("something else", ids.conversation)))
        older = await stage.backend.recover(ask("hi", ids.conversation), BackendIds(), later.message)

        for found in (new, again, older):
            assert found.fate in (Fate.ABSENT, Fate.UNKNOWN)
            assert (found.text, found.ids.message) == ("", None)
        assert stage.asked() == 2

    async def test_an_equal_question_of_somebody_else_is_not_found(self, stage: BackendStage) -> None:
        stage.say(["not yours"])
        await collect(stage.backend, ask("hi"))
        other = Question(text="hi", user=BackendUser("contract:thread:2"))

        assert (await stage.backend.recover(other, BackendIds(), None)).fate in (Fate.ABSENT, Fate.UNKNOWN)

    async def test_an_abandoned_answer_is_never_called_absent(self, stage: BackendStage) -> None:
        stage.say(["word "] * 1000, pause=0.02)
        events: list[BackendEvent] = []
        async with aclosing(stage.backend.answer(ask())) as stream:
            async for event in stream:
                events.append(event)
                if isinstance(event, TextDelta):
                    break
        await asyncio.wait_for(stage.noticed_departure(), PATIENCE)

        known = await stage.backend.recover(ask(), ids_of(events), None)
        unknown = await stage.backend.recover(ask(), BackendIds(), None)

        assert known.fate in (Fate.UNSURE, Fate.RUNNING, Fate.UNKNOWN)
        assert unknown.fate in (Fate.UNSURE, Fate.RUNNING, Fate.UNKNOWN)
        assert known.ids == ids_of(events)
        assert known.text == unknown.text == ""

    async def test_nothing_is_said_about_a_question_when_nobody_can_be_asked(self, stage: BackendStage) -> None:
        stage.say(["ok"])
        ids = ids_of(await collect(stage.backend, ask()))
        await stage.go_down()

        found: Recovered | BackendError
        try:
            found = await stage.backend.recover(ask(), ids, None)
        except BackendError as error:
            found = error
        assert found.may_retry if isinstance(found, BackendError) else found.fate is Fate.UNKNOWN

    async def test_a_server_that_is_gone_is_unreachable_and_was_asked_nothing(self, stage: BackendStage) -> None:
        await stage.go_down()

        with pytest.raises(BackendUnreachable) as caught:
            await collect(stage.backend, ask())

        assert not caught.value.accepted
        assert caught.value.may_retry

    async def test_check_finds_nothing_wrong_with_a_good_server_and_never_raises_for_a_bad_one(
        self, stage: BackendStage
    ) -> None:
        assert all(finding.severity is not Severity.ERROR for finding in await stage.backend.check())

        await stage.go_down()

        problems = [finding for finding in await stage.backend.check() if finding.severity is Severity.ERROR]
        assert problems
        assert all(finding.problem and finding.fix for finding in problems)
