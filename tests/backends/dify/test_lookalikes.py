"""Servers that only speak like Dify, and lack a part of what it has: that part is switched off, and nothing else."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bridge.backend_api import Fate, FileRules, Opening
from bridge.backends.dify.backend import DifyBackend
from bridge.backends.dify.lacking import LOOK_AGAIN_SECONDS
from bridge.clock import SystemClock
from bridge.errors import BackendError, QuestionRefused
from bridge.messages import BackendIds, BackendUser, Rating
from bridge.platform_api import Finding, Severity
from bridge.playground.dify import DifyServer, Reply, everything_on
from bridge.playground.dify.records import Ended
from tests.backends.dify.asking import ask, hear, make_settings
from tests.contracts.backend_suite import ids_of
from tests.contracts.dialects import PROXY_PAGE
from tests.contracts.wire import PAGE, Said, WireServer, listening

EVERYTHING = ("feedback", "files", "audio", "suggested", "parameters", "stop", "conversations", "info", "names")
USER = BackendUser("thread-1")
SPOKEN = b"RIFF\x24\x00\x00\x00WAVEfmt and so on"


class HandSet(SystemClock):
    """The real time, and so many seconds more."""

    ahead = 0.0

    def monotonic(self) -> float:
        return super().monotonic() + self.ahead


@pytest.fixture
def clock() -> HandSet:
    return HandSet()


@pytest.fixture
async def server() -> AsyncIterator[DifyServer]:
    server = DifyServer(SystemClock())
    server.features = everything_on()
    server.features.speaks = True
    server.features.suggest_seconds = server.features.hear_seconds = server.features.name_seconds = 0
    server.script = lambda query: Reply(tokens=["ok"], first_token=0, per_token=0, suggestions=("And then?",))
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def backend(server: DifyServer, clock: HandSet) -> AsyncIterator[DifyBackend]:
    settings = make_settings(server.base_url, dify_api_key=server.api_key)
    backend = DifyBackend(settings, clock, linger=0.01, look_again=0)
    yield backend
    await backend.close()


async def answered(backend: DifyBackend) -> BackendIds:
    outcome = await hear(backend.answer(ask()))
    assert (outcome.ending, outcome.text) == ("completed", "ok")
    return ids_of(outcome.events)


@pytest.mark.parametrize("status", [404, 405])
async def test_questions_are_answered_where_nothing_else_is_there(
    server: DifyServer, backend: DifyBackend, tmp_path: Path, status: int
) -> None:
    server.imitate(**dict.fromkeys(EVERYTHING, status))
    (tmp_path / "in").write_bytes(SPOKEN)

    ids = await answered(backend)

    assert not backend.rates(ids)
    assert await backend.file_rules() == FileRules()
    assert await backend.opening() == Opening()
    assert await backend.suggestions(ids, USER) == ()
    assert not await backend.transcribes()
    assert ids.conversation
    assert await backend.name_of(ids.conversation, USER) == ""
    assert (await backend.recover(ask(), ids, None)).fate is Fate.UNKNOWN
    with pytest.raises(BackendError):
        await backend.stop(ids, USER)
    for refused in (
        backend.upload(tmp_path / "in", "a.png", "image/png", "image", USER),
        backend.transcribe(tmp_path / "in", "a.wav", "audio/wav", USER),
        backend.speak(ids, "ok", USER, 1000),
    ):
        with pytest.raises(QuestionRefused) as caught:
            await refused
        assert caught.value.user_message.startswith("The app ")
        assert not caught.value.may_retry


@pytest.mark.parametrize("missing", EVERYTHING)
async def test_what_is_missing_takes_nothing_else_away(server: DifyServer, backend: DifyBackend, missing: str) -> None:
    server.imitate(**{missing: 404})

    ids = await answered(backend)
    await backend.check()

    described = missing != "parameters"
    assert backend.rates(ids) is (missing != "feedback")
    assert bool((await backend.file_rules()).most) is (described and missing != "files")
    assert bool((await backend.opening()).text) is described
    assert bool(await backend.suggestions(ids, USER)) is (described and missing != "suggested")
    assert await backend.transcribes() is (described and missing != "audio")
    assert await backend.speaks() is (described and missing != "audio")
    found = await backend.recover(ask(), ids, None)
    assert found.fate is (Fate.UNKNOWN if missing == "conversations" else Fate.ANSWERED)


async def test_a_server_that_lacks_nothing_gets_its_ratings(server: DifyServer, backend: DifyBackend) -> None:
    server.imitate()

    ids = await answered(backend)

    assert backend.rates(ids)
    await backend.rate(ids, USER, Rating.LIKE, "")
    assert server.ratings[ids.message or ""].rating == "like"


async def test_dify_itself_is_never_looked_over(server: DifyServer, backend: DifyBackend) -> None:
    for _ in range(2):
        assert backend.rates(await answered(backend))

    assert server.rating_log == []


async def test_ratings_are_looked_for_once_in_a_while_and_found_when_they_come(
    server: DifyServer, backend: DifyBackend, clock: HandSet
) -> None:
    server.imitate(feedback=404)
    for _ in range(3):
        assert not backend.rates(await answered(backend))
    server.imitate()
    assert not backend.rates(await answered(backend))
    assert server.rating_log == []

    clock.ahead += LOOK_AGAIN_SECONDS

    assert backend.rates(await answered(backend))
    assert backend.rates(await answered(backend))
    assert len(server.rating_log) == 1


async def test_a_rating_that_meets_a_page_once_is_delivered_later_and_then_no_more(
    server: DifyServer, backend: DifyBackend
) -> None:
    ids = await answered(backend)
    server.imitate(feedback=404)

    for may_retry in (True, False):
        with pytest.raises(QuestionRefused) as caught:
            await backend.rate(ids, USER, Rating.LIKE, "")
        assert caught.value.may_retry is may_retry


async def test_a_server_in_trouble_lacks_nothing(server: DifyServer, backend: DifyBackend) -> None:
    server.imitate()
    server.faults.refuse_feedback = 1

    assert backend.rates(await answered(backend))


def about(findings: list[Finding], subject: str) -> str:
    (found,) = [finding.problem for finding in findings if finding.subject == subject]
    return found


async def test_check_says_what_it_found(server: DifyServer, backend: DifyBackend) -> None:
    server.imitate(feedback=404, files=405, info=404)

    findings = list(await backend.check())

    assert all(finding.severity is not Severity.ERROR for finding in findings)
    assert "accepts the key" in about(findings, "Dify address and key")
    has = about(findings, "Dify look-alike").partition("has: ")[2].split(", ")
    assert {"questions", "stop", "parameters", "conversations"} <= set(has)
    assert not {"feedback", "files", "info"} & set(has)
    assert "no rating buttons" in about(findings, "Dify feedback")
    assert all(request.ended is Ended.REFUSED for request in server.requests)


async def test_check_finds_a_wrong_key_where_nothing_but_questions_is_there(server: DifyServer) -> None:
    server.imitate(**dict.fromkeys(EVERYTHING, 404))
    backend = DifyBackend(make_settings(server.base_url, dify_api_key="app-wrong"), SystemClock())

    findings = list(await backend.check())
    await backend.close()

    (problem,) = [finding for finding in findings if finding.severity is Severity.ERROR]
    assert problem.subject == "Dify key"


@pytest.mark.parametrize("status", [200, 404, 405])
async def test_check_takes_no_web_page_for_a_look_alike(status: int) -> None:
    page = Said(status=status, headers=PAGE, steps=[PROXY_PAGE])
    async with listening(WireServer("/v1/chat-messages", {"/v1/info": page})) as wire:
        wire.answer = page
        backend = DifyBackend(make_settings(f"{wire.origin}/v1"), SystemClock())
        findings = list(await backend.check())
        await backend.close()

    (problem,) = [finding for finding in findings if finding.severity is Severity.ERROR]
    assert "/v1" in problem.fix
