"""Titles of conversations: asked for with one call, made fit to be shown, and empty rather than wrong."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from bridge.backends.dify.backend import DifyBackend
from bridge.backends.dify.naming import LONGEST_TITLE, tidy_name
from bridge.clock import SystemClock
from bridge.errors import BackendError, BackendMisconfigured, BackendTimeout, ConversationMissing
from bridge.messages import BackendConversationId, BackendUser
from bridge.playground.dify import DifyServer, NameCall
from tests.backends.dify.asking import ask, make_backend
from tests.backends.dify.scripted import ScriptedServer
from tests.contracts.backend_suite import collect, ids_of

ME = BackendUser("thread-1")
CONVERSATION = BackendConversationId("6a1f1d2e-0000-4000-8000-0123456789ab")
PATH = f"/v1/conversations/{CONVERSATION}/name"


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("Lab conversation title", "Lab conversation title"),
        ("  Two\n lines\tand a \u202etrick ", "Two lines and a trick"),
        ("<think>\nThe user asks about holidays.\n</think>\n\nHolidays in 2026", "Holidays in 2026"),
        ("<think>\nOkay, the user wants a short title for what they ask, and...", ""),
        ('"Holidays in 2026"', "Holidays in 2026"),
        ("“Holidays” ", "Holidays"),
        ("「休暇」", "休暇"),
        ("## **Holidays**", "Holidays"),
        ("***`Holidays`***", "Holidays"),
        ("C# and #channels", "C# and #channels"),
        ('"A" and "B"', '"A" and "B"'),
        ("*a* or *b*", "*a* or *b*"),
        ("rock 'n' roll", "rock 'n' roll"),
        ("New conversation", ""),
        ("", ""),
        ("**", "**"),
        ("word " * 40, "word " * 19 + "word…"),
        ("休" * 120, "休" * 99 + "…"),
        ("a " + "b" * 120, "a " + "b" * 97 + "…"),
    ],
)
def test_a_title_is_plain_text_of_one_line(name: str, title: str) -> None:
    assert tidy_name(name) == title
    assert len(title) <= LONGEST_TITLE


class TestAtTheStandIn:
    @pytest.fixture(
        params=[("chat", "0.15.3"), ("chat", "1.12.1"), ("agent-chat", "1.12.1"), ("advanced-chat", "1.12.1")]
    )
    async def server(self, request: pytest.FixtureRequest) -> AsyncIterator[DifyServer]:
        mode, version = request.param
        server = DifyServer(SystemClock(), mode=mode, version=version)
        server.first_token = server.per_token = 0
        await server.start()
        yield server
        await server.stop()

    @pytest.fixture
    async def backend(self, server: DifyServer) -> AsyncIterator[DifyBackend]:
        backend = make_backend(server.base_url, dify_api_key=server.api_key, dify_control_timeout=1)
        yield backend
        await backend.close()

    async def test_a_title_costs_one_call_of_the_model_and_only_when_it_is_asked_for(
        self, server: DifyServer, backend: DifyBackend
    ) -> None:
        conversation = ids_of(await collect(backend, ask("When are my holidays? I forgot."))).conversation
        assert conversation
        assert [one.name for one in server.conversations.values()] == ["New conversation"]

        assert await backend.name_of(conversation, ME) == "About: When are my holidays? I forgot"

        named = NameCall(
            conversation_id=conversation, user=ME, name="About: When are my holidays? I forgot", thought_of=True
        )
        assert server.name_log == [named]

    async def test_a_model_that_fails_at_it_leaves_the_conversation_without_a_title(
        self, server: DifyServer, backend: DifyBackend
    ) -> None:
        server.features.names = False
        conversation = ids_of(await collect(backend, ask())).conversation
        assert conversation

        assert await backend.name_of(conversation, ME) == ""

    async def test_a_conversation_that_is_gone_or_somebody_elses_is_missing(
        self, server: DifyServer, backend: DifyBackend
    ) -> None:
        conversation = ids_of(await collect(backend, ask())).conversation
        assert conversation
        with pytest.raises(ConversationMissing):
            await backend.name_of(conversation, BackendUser("somebody else"))
        server.forget_conversations()
        with pytest.raises(ConversationMissing):
            await backend.name_of(conversation, ME)

    async def test_a_model_that_thinks_for_too_long_is_not_waited_for(
        self, server: DifyServer, backend: DifyBackend
    ) -> None:
        conversation = ids_of(await collect(backend, ask())).conversation
        assert conversation
        server.features.name_seconds = 60

        async with asyncio.timeout(8):
            with pytest.raises(BackendTimeout):
                await backend.name_of(conversation, ME)


async def name_at(status: int, body: dict[str, object]) -> str:
    async with ScriptedServer(others={PATH: (status, body)}) as server:
        backend = make_backend(server.base_url)
        try:
            return await backend.name_of(CONVERSATION, ME)
        finally:
            await backend.close()
            assert server.called == [f"POST {PATH}"]


async def test_a_server_that_names_nothing_has_no_title() -> None:
    assert await name_at(404, {}) == ""
    assert await name_at(200, {"id": CONVERSATION, "name": None}) == ""


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (401, {"code": "unauthorized", "message": "Access token is invalid", "status": 401}, BackendMisconfigured),
        (500, {"code": "internal_server_error", "message": "x", "status": 500}, BackendError),
        (400, {"code": "not_chat_app", "message": "x", "status": 400}, BackendMisconfigured),
    ],
)
async def test_what_goes_wrong_is_told(status: int, body: dict[str, object], error: type[BackendError]) -> None:
    with pytest.raises(error) as caught:
        await name_at(status, body)
    assert caught.value.code == body["code"]
