"""What every backend must do beyond text, as far as it does it: steps, sources, files both ways, suggestions, an opening,
titles, speech.

A backend that lacks one of the abilities passes over its tests; `BackendContract` is for all.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import pytest

from bridge.backend_api import (
    AcceptsFiles,
    AnswerCompleted,
    Fate,
    FileProduced,
    Introduces,
    ProducesFiles,
    Progress,
    Question,
    SourcesCited,
    SuggestsQuestions,
    Transcribes,
)
from bridge.errors import BackendError
from bridge.messages import BackendUser, ProducedFile, StepState
from bridge.past_api import NamesConversations, Speaks
from tests.contracts.backend_suite import USER, BackendStage, ask, collect, ids_of, pass_over_if_alone, text_of

SPOKEN = b"RIFF\x24\x00\x00\x00WAVEfmt and so on"
CONTENT = b"\x89PNG and so on"


class ExtrasStage(BackendStage, Protocol):
    def offer(
        self, *, steps: Sequence[str] = (), sources: Sequence[str] = (), made: bytes = b"", suggests: Sequence[str] = ()
    ) -> None:
        """What is answered from now on says "ok", and besides has these, as far as the app can."""
        ...

    def call_everything(self, title: str) -> None:
        """What the app's model calls every conversation from now on."""
        ...

    def hear(self, words: str | None) -> None:
        """What the app's model understands in every recording from now on; None: the app listens to none."""
        ...


class BackendExtrasContract:
    async def test_every_step_that_is_told_has_a_title_and_an_end(self, stage: ExtrasStage) -> None:
        stage.offer(steps=["Look it up", "Think it over"])

        events = await collect(stage.backend, ask())

        told = [event.step for event in events if isinstance(event, Progress)]
        assert all(step.title and step.title == " ".join(step.title.split()) for step in told)
        last = {step.id: step.state for step in told}
        assert set(last.values()) <= {StepState.DONE}
        assert isinstance(events[-1], AnswerCompleted)
        assert text_of(events) == "ok"

    async def test_sources_are_named_once_and_in_order_also_when_recovered(self, stage: ExtrasStage) -> None:
        stage.offer(sources=["B.pdf", "A.pdf", "B.pdf"])

        events = await collect(stage.backend, ask())
        found = await stage.backend.recover(ask(), ids_of(events), None)

        if not any(isinstance(event, SourcesCited) for event in events):
            await pass_over_if_alone(stage.backend)
        (cited,) = [event.names for event in events if isinstance(event, SourcesCited)][-1:]
        assert [name in label for name, label in zip(("B.pdf", "A.pdf"), cited, strict=True)] == [True, True]
        assert found.fate is Fate.UNKNOWN or found.sources == cited

    async def test_a_made_file_can_be_had_now_and_after_recovery(self, stage: ExtrasStage, tmp_path: Path) -> None:
        backend = stage.backend
        if not isinstance(backend, ProducesFiles):
            pytest.skip("makes no files")
        stage.offer(made=CONTENT)
        events = await collect(stage.backend, ask())
        (file,) = [event.file for event in events if isinstance(event, FileProduced)]
        found = await stage.backend.recover(ask(), ids_of(events), None)

        assert file.name.endswith(".png")
        for one in (file, *found.files):
            assert await backend.fetch(one, tmp_path / "out", len(CONTENT)) == "image/png"
            assert (tmp_path / "out").read_bytes() == CONTENT
        assert found.fate is Fate.UNKNOWN or len(found.files) == 1

    async def test_a_file_that_cannot_be_had_leaves_nothing_behind(self, stage: ExtrasStage, tmp_path: Path) -> None:
        backend = stage.backend
        if not isinstance(backend, ProducesFiles):
            pytest.skip("makes no files")
        stage.offer(made=CONTENT)
        events = await collect(stage.backend, ask())
        (file,) = [event.file for event in events if isinstance(event, FileProduced)]
        foreign = ProducedFile(name="a.png", kind="image", address="http://127.0.0.1:9/a.png")

        for one, most in ((file, len(CONTENT) - 1), (foreign, 1000)):
            with pytest.raises(BackendError) as caught:
                await backend.fetch(one, tmp_path / "out", most)
            assert not caught.value.may_retry
            assert not (tmp_path / "out").exists()

    async def test_what_the_rules_allow_can_be_handed_over_and_asked_about(
        self, stage: ExtrasStage, tmp_path: Path
    ) -> None:
        backend = stage.backend
        if not isinstance(backend, AcceptsFiles):
            pytest.skip("takes no files")
        stage.offer()
        rules = await backend.file_rules()
        assert rules.most > 0
        assert set(rules.kinds.values()) | set(rules.media_types.values()) <= set(rules.largest)
        (tmp_path / "in").write_bytes(CONTENT)

        kept = await backend.upload(tmp_path / "in", "ä name.png", "image/png", rules.kinds["png"], USER)
        events = await collect(stage.backend, Question(text="look", user=USER, files=(kept,)))

        assert text_of(events) == "ok"

    async def test_suggestions_are_few_short_lines(self, stage: ExtrasStage) -> None:
        backend = stage.backend
        if not isinstance(backend, SuggestsQuestions):
            pytest.skip("suggests nothing")
        await pass_over_if_alone(backend)
        stage.offer(suggests=["And then?", "x" * 500, "Why\nso?", *map(str, range(20))])
        events = await collect(stage.backend, ask())

        given = await backend.suggestions(ids_of(events), USER)

        assert list(given[:2]) == ["And then?", "Why so?"]
        assert len(given) <= 5
        assert all(0 < len(one) <= 200 and "\n" not in one for one in given)

    async def test_an_app_introduces_itself_unless_its_server_is_gone(self, stage: ExtrasStage) -> None:
        backend = stage.backend
        if not isinstance(backend, Introduces):
            pytest.skip("does not introduce itself")
        await stage.go_down()
        with pytest.raises(BackendError):
            await backend.opening()

    @pytest.mark.parametrize(
        ("thought_of", "title"),
        [("Holidays in 2026 \U0001f334", "Holidays in 2026 \U0001f334"), (" Two\n lines ", "Two lines"), ("", "")],
    )
    async def test_a_conversation_has_a_title_of_one_line(
        self, stage: ExtrasStage, thought_of: str, title: str
    ) -> None:
        backend = stage.backend
        if not isinstance(backend, NamesConversations):
            pytest.skip("thinks of no titles")
        await pass_over_if_alone(backend)
        stage.offer()
        conversation = ids_of(await collect(stage.backend, ask())).conversation
        assert conversation
        stage.call_everything(thought_of)

        assert await backend.name_of(conversation, USER) == title

    async def test_a_title_is_no_longer_than_a_hundred_characters(self, stage: ExtrasStage) -> None:
        backend = stage.backend
        if not isinstance(backend, NamesConversations):
            pytest.skip("thinks of no titles")
        await pass_over_if_alone(backend)
        stage.offer()
        conversation = ids_of(await collect(stage.backend, ask())).conversation
        assert conversation
        stage.call_everything("many words " * 30)

        assert 50 < len(await backend.name_of(conversation, USER)) <= 100

    async def test_a_conversation_of_somebody_else_has_no_title(self, stage: ExtrasStage) -> None:
        backend = stage.backend
        if not isinstance(backend, NamesConversations):
            pytest.skip("thinks of no titles")
        await pass_over_if_alone(backend)
        stage.offer()
        conversation = ids_of(await collect(stage.backend, ask())).conversation
        assert conversation

        with pytest.raises(BackendError):
            await backend.name_of(conversation, BackendUser("somebody else"))
        await stage.go_down()
        with pytest.raises(BackendError):
            await backend.name_of(conversation, USER)

    @pytest.mark.parametrize(("words", "text"), [("What is new?\nTell me. ", "What is new?\nTell me."), (" ", "")])
    async def test_a_recording_becomes_its_words(
        self, stage: ExtrasStage, tmp_path: Path, words: str, text: str
    ) -> None:
        backend = stage.backend
        if not isinstance(backend, Transcribes):
            pytest.skip("listens to nothing")
        stage.hear(words)
        (tmp_path / "in").write_bytes(SPOKEN)

        assert await backend.transcribes()
        assert await backend.transcribe(tmp_path / "in", "ä recording.wav", "audio/wav", USER) == text

    async def test_what_is_wrong_with_a_recording_is_said_in_a_sentence(
        self, stage: ExtrasStage, tmp_path: Path
    ) -> None:
        backend = stage.backend
        if not isinstance(backend, Transcribes):
            pytest.skip("listens to nothing")
        stage.hear("words")
        (tmp_path / "in").write_bytes(b"%PDF-1.7")

        with pytest.raises(BackendError) as caught:
            await backend.transcribe(tmp_path / "in", "a.pdf", "application/pdf", USER)

        assert not caught.value.may_retry
        assert caught.value.user_message != type(caught.value).user_message
        assert caught.value.user_message.endswith(".")

    async def test_what_was_answered_is_read_aloud(self, stage: ExtrasStage) -> None:
        backend = stage.backend
        if not isinstance(backend, Speaks):
            pytest.skip("reads nothing aloud")
        stage.offer()
        ids = ids_of(await collect(stage.backend, ask()))
        assert await backend.speaks()

        speech = await backend.speak(ids, "ok", USER, 1000)

        assert speech.content
        assert speech.media_type.startswith("audio/")
        with pytest.raises(BackendError) as caught:
            await backend.speak(ids, "ok", USER, len(speech.content) - 1)
        assert caught.value.user_message.endswith(".")

    async def test_an_app_that_does_not_listen_says_so(self, stage: ExtrasStage, tmp_path: Path) -> None:
        backend = stage.backend
        if not isinstance(backend, Transcribes):
            pytest.skip("listens to nothing")
        stage.hear(None)
        (tmp_path / "in").write_bytes(SPOKEN)

        assert not await backend.transcribes()
        with pytest.raises(BackendError) as caught:
            await backend.transcribe(tmp_path / "in", "a.wav", "audio/wav", USER)
        assert not caught.value.may_retry
        await stage.go_down()
        with pytest.raises(BackendError) as caught:
            await backend.transcribe(tmp_path / "in", "a.wav", "audio/wav", USER)
        assert caught.value.may_retry
