"""Conversations that Dify keeps are listed and deleted; answers are read aloud, or it is said why not."""

from collections.abc import AsyncIterator

import pytest

from bridge.backends.dify.backend import DifyBackend
from bridge.clock import SystemClock
from bridge.errors import BackendError, BackendFailed, BackendMisconfigured, QuestionRefused
from bridge.messages import BackendConversationId, BackendIds, BackendUser
from bridge.past_api import DeletesConversations, ListsConversations, Speaks
from bridge.playground.dify import DifyServer
from bridge.playground.dify.records import DeleteCall, SpeechCall
from tests.backends.dify.asking import ask, make_backend
from tests.backends.dify.scripted import ScriptedServer
from tests.contracts.backend_suite import collect, ids_of

ME = BackendUser("thread-1")
GONE = BackendConversationId("6a1f1d2e-0000-4000-8000-0123456789ab")
MOST = 1000


@pytest.fixture(params=["0.15.3", "1.12.1"])
async def server(request: pytest.FixtureRequest) -> AsyncIterator[DifyServer]:
    server = DifyServer(SystemClock(), version=request.param)
    server.first_token = server.per_token = 0
    server.features.speaks = True
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def backend(server: DifyServer) -> AsyncIterator[DifyBackend]:
    backend = make_backend(server.base_url, dify_api_key=server.api_key, dify_control_timeout=2)
    assert isinstance(backend, ListsConversations)
    assert isinstance(backend, DeletesConversations)
    assert isinstance(backend, Speaks)
    yield backend
    await backend.close()


async def begun(backend: DifyBackend, text: str = "Why?") -> BackendIds:
    return ids_of(await collect(backend, ask(text)))


async def test_only_the_users_own_conversations_are_listed_by_their_titles(
    server: DifyServer, backend: DifyBackend
) -> None:
    ids = await begun(backend)
    assert ids.conversation
    server.conversations[ids.conversation].name = "<think>hm</think> **Skies**"
    (kept,) = await backend.conversations(ME, 10)
    assert (kept.id, kept.title) == (ids.conversation, "Skies")
    assert await backend.conversations(BackendUser("somebody else"), 10) == []


async def test_a_conversation_is_deleted_and_one_that_is_gone_is_no_trouble(
    server: DifyServer, backend: DifyBackend
) -> None:
    ids = await begun(backend)
    assert ids.conversation
    await backend.delete_conversation(ids.conversation, ME)
    assert server.conversations == {}
    assert server.delete_log == [DeleteCall(conversation_id=ids.conversation, user=ME)]
    await backend.delete_conversation(ids.conversation, ME)
    await backend.delete_conversation(GONE, ME)


async def test_a_deletion_that_failed_is_told_and_may_be_tried_again(server: DifyServer, backend: DifyBackend) -> None:
    ids = await begun(backend)
    assert ids.conversation
    server.faults.refuse_deletions = 1
    with pytest.raises(BackendError) as caught:
        await backend.delete_conversation(ids.conversation, ME)
    assert caught.value.may_retry
    await backend.delete_conversation(ids.conversation, ME)


async def test_a_server_that_is_like_dify_and_keeps_nothing_lists_nothing_and_says_so_of_deletions() -> None:
    async with ScriptedServer() as scripted:
        backend = make_backend(scripted.base_url)
        try:
            assert await backend.conversations(ME, 10) == ()
            with pytest.raises(QuestionRefused) as caught:
                await backend.delete_conversation(GONE, ME)
        finally:
            await backend.close()
    assert caught.value.code == "cannot_delete"


async def test_an_answer_is_read_aloud_as_it_was_shown(server: DifyServer, backend: DifyBackend) -> None:
    ids = await begun(backend)
    assert await backend.speaks()
    speech = await backend.speak(ids, "What was shown.", ME, MOST)
    assert (speech.content, speech.media_type) == (server.features.sound, "audio/mpeg")
    assert server.speech_log == [SpeechCall(user=ME, text="What was shown.")]


async def test_what_is_not_kept_any_more_is_read_from_the_apps_own_record(
    server: DifyServer, backend: DifyBackend
) -> None:
    ids = await begun(backend)
    await backend.speak(ids, "", ME, MOST)
    (message,) = [one for kept in server.conversations.values() for one in kept.messages]
    assert [one.text for one in server.speech_log] == [message.answer]


async def test_what_cannot_be_read_aloud_is_said_in_a_sentence(server: DifyServer, backend: DifyBackend) -> None:
    ids = await begun(backend)
    server.features.sound = b"x" * (MOST + 1)
    with pytest.raises(QuestionRefused) as too_large:
        await backend.speak(ids, "x", ME, MOST)
    assert "too long" in too_large.value.user_message
    server.conversations.clear()
    with pytest.raises(BackendFailed) as gone:
        await backend.speak(ids, "", ME, MOST)
    assert "nothing in this answer" in gone.value.user_message
    server.features.speech_model = False
    with pytest.raises(BackendMisconfigured) as voiceless:
        await backend.speak(ids, "x", ME, MOST)
    assert "no model that reads aloud" in voiceless.value.user_message
    with pytest.raises(QuestionRefused):
        await backend.speak(BackendIds(), "", ME, MOST)


async def test_an_app_without_a_voice_says_so(server: DifyServer, backend: DifyBackend) -> None:
    server.features.speaks = False
    assert not await backend.speaks()
