"""What an app says about itself: files, suggestions, opening. Shapes as real servers gave them, and as the source has them."""

from collections.abc import AsyncIterator

import pytest

from bridge.backend_api import FileRules
from bridge.backends.dify.backend import DifyBackend
from bridge.backends.dify.parameters import read_parameters
from bridge.clock import SystemClock
from bridge.errors import BackendError, BackendTimeout
from bridge.messages import BackendIds, BackendMessageId, BackendUser
from bridge.platform_api import Severity
from bridge.playground.dify import DifyServer, everything_on
from tests.backends.dify.asking import make_backend, make_settings
from tests.backends.dify.scripted import ScriptedServer
from tests.contracts.backend_suite import ask, collect, ids_of
from tests.fakes.clock import FakeClock

MIB = 1024 * 1024
SYSTEM = {"image_file_size_limit": 10, "video_file_size_limit": 100, "audio_file_size_limit": 50, "file_size_limit": 15}
PATH = "/v1/parameters"

# Recorded on 0.15.3 and 1.12.1, where both say the same.
RECORDED: dict[str, object] = {
    "opening_statement": "Hello {{nickname}}! I am the **lab** bot.",
    "suggested_questions": ["What can you do?", "Tell me a story", "Show a table"],
    "suggested_questions_after_answer": {"enabled": True},
    "retriever_resource": {"enabled": True},
    "user_input_form": [
        {"text-input": {"default": "friend", "label": "Nickname", "required": False, "variable": "nickname"}}
    ],
    "file_upload": {
        "allowed_file_extensions": [],
        "allowed_file_types": ["image", "document"],
        "allowed_file_upload_methods": ["local_file", "remote_url"],
        "enabled": True,
        "image": {"detail": "high", "enabled": True, "number_limits": 3, "transfer_methods": ["remote_url", "local_file"]},
        "number_limits": 3,
    },
    "system_parameters": {**SYSTEM, "workflow_file_upload_limit": 10},
}  # fmt: skip


def rules_of(upload: dict[str, object], **system: object) -> FileRules:
    return read_parameters({"file_upload": upload, "system_parameters": {**SYSTEM, **system}}).files


def test_a_recorded_app_is_understood() -> None:
    told = read_parameters(RECORDED)

    assert told.opening.text == "Hello friend! I am the **lab** bot."
    assert told.opening.questions == ("What can you do?", "Tell me a story", "Show a table")
    assert (told.suggests, told.cites) == (True, True)
    assert (told.files.most, dict(told.files.largest)) == (3, {"image": 10 * MIB, "document": 15 * MIB})
    assert (told.files.kinds["png"], told.files.kinds["pdf"]) == ("image", "document")
    assert "mp3" not in told.files.kinds
    assert (told.files.media_types["image/jpeg"], told.files.media_types["text/plain"]) == ("image", "document")
    assert "audio/mpeg" not in told.files.media_types


@pytest.mark.parametrize(
    "upload",
    [
        {},
        {"enabled": False, "allowed_file_types": ["image"]},
        {"image": {"detail": "high", "enabled": False, "number_limits": 3, "transfer_methods": ["local_file"]}},
        {"image": {"enabled": True, "transfer_methods": ["remote_url"]}},
        {"enabled": True, "allowed_file_types": ["image"], "allowed_file_upload_methods": ["remote_url"]},
        {"enabled": True, "allowed_file_types": ["custom"], "allowed_file_extensions": []},
        {"enabled": "yes"},
    ],
)
def test_an_app_that_takes_no_files_has_no_rules(upload: dict[str, object]) -> None:
    assert rules_of(upload) == FileRules()


def test_the_old_shape_takes_images_alone() -> None:
    rules = rules_of({"image": {"enabled": True, "number_limits": 2, "transfer_methods": ["local_file"]}})

    assert (rules.most, dict(rules.largest), set(rules.kinds.values())) == (2, {"image": 10 * MIB}, {"image"})


def test_custom_files_are_known_by_their_extension_alone() -> None:
    rules = rules_of(
        {
            "enabled": True,
            "allowed_file_types": ["custom", "image"],
            "allowed_file_extensions": [".LOG", "zip", ".png", ".", 5],
        }
    )

    assert (rules.kinds["log"], rules.kinds["zip"], rules.kinds["png"]) == ("custom", "custom", "image")
    assert set(rules.media_types.values()) == {"image"}
    assert rules.largest["custom"] == 15 * MIB
    assert rules.most == 3


def test_limits_are_found_wherever_a_version_puts_them_and_missing_ones_are_difys_own() -> None:
    upload: dict[str, object] = {
        "enabled": True,
        "fileUploadConfig": {"file_size_limit": 7, "image_file_size_limit": 1},
    }

    told = read_parameters({"file_upload": upload, "system_parameters": {"image_file_size_limit": 4}}).files

    assert dict(told.largest) == {"image": 4 * MIB, "video": 100 * MIB, "audio": 50 * MIB, "document": 7 * MIB}


def test_an_opening_leaves_out_what_nobody_has_filled_in() -> None:
    told = read_parameters(
        {"opening_statement": "Hello {{ name }}!", "suggested_questions": [5, " ", "a\nb", "x" * 201]}
    )

    assert (told.opening.text, told.opening.questions) == ("Hello!", ("a b",))


async def test_parameters_are_kept_for_a_while_and_then_asked_for_anew() -> None:
    clock = FakeClock()
    async with ScriptedServer(others={PATH: (200, RECORDED)}) as server:
        backend = DifyBackend(make_settings(server.base_url, dify_parameters_age=300), clock)
        assert (await backend.opening()).text
        assert (await backend.file_rules()).most == 3
        assert len(server.called) == 1
        server.others[PATH] = (200, {**RECORDED, "file_upload": {}})
        await clock.advance(301)
        assert (await backend.file_rules()).most == 0
        await backend.close()
    assert len(server.called) == 2


class TestSuggestions:
    @pytest.fixture
    async def server(self) -> AsyncIterator[DifyServer]:
        server = DifyServer(SystemClock())
        server.first_token = server.per_token = 0
        server.features = everything_on()
        server.features.suggest_seconds = 0
        await server.start()
        yield server
        await server.stop()

    async def test_they_are_asked_for_only_where_the_app_gives_them(self, server: DifyServer) -> None:
        backend = make_backend(server.base_url, dify_api_key=server.api_key, dify_parameters_age=0)
        question = ask()
        ids = ids_of(await collect(backend, question))
        given = await backend.suggestions(ids, question.user)
        other = await backend.suggestions(ids, BackendUser("somebody else"))
        server.features.suggests = False
        none = await backend.suggestions(ids, question.user)
        nothing = await backend.suggestions(BackendIds(), question.user)
        await backend.close()

        assert len(given) == 3
        assert not other
        assert not none
        assert not nothing

    async def test_an_app_that_thinks_for_too_long_about_them_is_not_waited_for(self, server: DifyServer) -> None:
        server.features.suggest_seconds = 30
        backend = make_backend(server.base_url, dify_api_key=server.api_key, dify_suggestions_wait=0.1)
        question = ask()
        ids = ids_of(await collect(backend, question))
        with pytest.raises(BackendTimeout):
            await backend.suggestions(ids, question.user)
        await backend.close()

    async def test_check_tells_what_the_app_does_besides_text(self, server: DifyServer) -> None:
        backend = make_backend(server.base_url, dify_api_key=server.api_key)
        findings = {finding.subject: finding for finding in await backend.check()}
        await backend.close()

        assert "up to 3 files with a question (audio, document, image)" in findings["Dify files"].problem
        assert "suggested after an answer" in findings["Dify follow-up questions"].problem
        assert {finding.severity for finding in findings.values()} == {Severity.OK}


async def test_at_most_five_plain_suggestions_are_passed_on() -> None:
    told = ["a\nb", "x" * 201, "c", "c", *"defgh"]
    others: dict[str, tuple[int, dict[str, object]]] = {
        PATH: (200, RECORDED),
        "/v1/messages/m-1/suggested": (200, {"result": "success", "data": told}),
    }
    async with ScriptedServer(others=others) as server:
        backend = make_backend(server.base_url)
        found = await backend.suggestions(BackendIds(message=BackendMessageId("m-1")), BackendUser("u"))
        others["/v1/messages/m-1/suggested"] = (500, {"code": "internal_server_error", "message": "no"})
        with pytest.raises(BackendError):
            await backend.suggestions(BackendIds(message=BackendMessageId("m-1")), BackendUser("u"))
        await backend.close()

    assert list(found) == ["a b", "c", "d", "e", "f"]
