"""Input variables that are files: what members attach goes into them by itself."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bridge.backend_api import FileRules, UploadedFile
from bridge.backends.dify.backend import DifyBackend
from bridge.backends.dify.file_inputs import find_unfilled, place_files
from bridge.backends.dify.parameters import read_parameters
from bridge.clock import SystemClock
from bridge.errors import QuestionRefused
from bridge.messages import BackendUser
from bridge.platform_api import Severity
from bridge.playground.dify import DifyServer
from bridge.playground.dify.features import FileInput
from tests.backends.dify.asking import ask, hear, make_backend

IMAGE = UploadedFile(id="i-1", kind="image")
OTHER_IMAGE = UploadedFile(id="i-2", kind="image")
PAPER = UploadedFile(id="d-1", kind="document")
SOUND = UploadedFile(id="a-1", kind="audio")

MIB = 1024 * 1024


def a_file(name: str, *types: str, **more: object) -> dict[str, object]:
    return {"file": {"variable": name, "label": name, "required": True, "allowed_file_types": list(types), **more}}


def a_list(name: str, *types: str, **more: object) -> dict[str, object]:
    return {"file-list": {"variable": name, "required": False, "allowed_file_types": list(types), **more}}


def parameters(*form: dict[str, object], uploads: bool = False, **system: int) -> dict[str, object]:
    upload = {"enabled": uploads, "allowed_file_types": ["image"], "number_limits": 3}
    return {"user_input_form": list(form), "file_upload": upload, "system_parameters": system}


def test_an_app_without_uploads_takes_what_its_variables_take() -> None:
    rules = read_parameters(
        parameters(a_file("doc", "document"), a_list("pictures", "image", max_length=4), file_size_limit=7)
    ).files

    assert rules.most == 5
    assert rules.kinds["pdf"] == "document"
    assert rules.kinds["png"] == "image"
    assert rules.largest == {"document": 7 * MIB, "image": 10 * MIB}
    assert "mp3" not in rules.kinds


def test_what_goes_with_the_question_comes_on_top() -> None:
    told = read_parameters(parameters(a_file("doc", "document"), uploads=True))

    assert (told.files.most, told.with_question.most) == (4, 3)
    assert set(told.with_question.largest) == {"image"}
    assert set(told.files.largest) == {"image", "document"}


def test_a_custom_kind_is_known_by_its_extensions_and_yields_to_a_kind_of_its_own() -> None:
    rules = read_parameters(
        parameters(a_file("any", "custom", allowed_file_extensions=[".LOG", ".pdf"]), a_file("doc", "document"))
    ).files

    assert (rules.kinds["log"], rules.kinds["pdf"]) == ("custom", "document")


@pytest.mark.parametrize(
    "form",
    [
        [{"file": {"label": "nameless"}}],
        [{"file": "x"}, "y", {"text-input": {"variable": "a"}}],
        [a_file("hidden", "image", hide=True)],
        [a_file("linked", "image", allowed_file_upload_methods=["remote_url"])],
    ],
)
def test_what_no_member_can_fill_takes_no_files(form: list[object]) -> None:
    assert not read_parameters({"user_input_form": form}).files.most


def test_a_file_goes_where_it_fits() -> None:
    told = read_parameters(parameters(a_file("doc", "document"), a_list("pictures", "image", max_length=2)))

    placed = place_files((IMAGE, PAPER, OTHER_IMAGE), told.file_variables, told.with_question)

    assert placed.inputs == {
        "doc": {"type": "document", "transfer_method": "local_file", "upload_file_id": "d-1"},
        "pictures": [
            {"type": "image", "transfer_method": "local_file", "upload_file_id": "i-1"},
            {"type": "image", "transfer_method": "local_file", "upload_file_id": "i-2"},
        ],
    }
    assert placed.files == []


def test_required_variables_are_filled_before_optional_ones() -> None:
    told = read_parameters(parameters(a_list("any", "image"), a_file("needed", "image")))

    placed = place_files((IMAGE,), told.file_variables, told.with_question)

    assert list(placed.inputs) == ["needed"]


def test_where_the_app_takes_files_with_the_question_only_required_variables_come_first() -> None:
    told = read_parameters(parameters(a_list("any", "image"), a_file("needed", "image"), uploads=True))

    placed = place_files((IMAGE, OTHER_IMAGE), told.file_variables, told.with_question)

    assert list(placed.inputs) == ["needed"]
    assert [one["upload_file_id"] for one in placed.files] == ["i-2"]


def test_what_fits_nowhere_is_not_lost() -> None:
    told = read_parameters(parameters(a_file("doc", "document")))

    placed = place_files((SOUND,), told.file_variables, told.with_question)

    assert placed.inputs == {}
    assert [one["upload_file_id"] for one in placed.files] == ["a-1"]
    assert find_unfilled(told.file_variables, placed.inputs) == told.file_variables[0]


def test_without_variables_all_go_with_the_question() -> None:
    placed = place_files((IMAGE, PAPER), (), FileRules())

    assert [one["upload_file_id"] for one in placed.files] == ["i-1", "d-1"]
    assert find_unfilled((), {}) is None


ME = BackendUser("thread-1")


@pytest.fixture(params=["chat", "advanced-chat", "workflow", "completion"])
async def server(request: pytest.FixtureRequest) -> AsyncIterator[DifyServer]:
    server = DifyServer(SystemClock(), mode=request.param)
    server.first_token = server.per_token = 0
    server.features.file_inputs = [
        FileInput(name="doc"),
        FileInput(name="extra", kinds=("image",), required=False, most=2),
    ]
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def backend(server: DifyServer) -> AsyncIterator[DifyBackend]:
    backend = make_backend(server.base_url, dify_api_key=server.api_key)
    yield backend
    await backend.close()


async def upload(backend: DifyBackend, tmp_path: Path, name: str) -> UploadedFile:
    (tmp_path / name).write_bytes(b"content")
    rules = await backend.file_rules()
    kind = rules.kinds[name.rpartition(".")[2]]
    return await backend.upload(tmp_path / name, name, "", kind, ME)


async def test_attached_files_fill_the_inputs_of_every_kind_of_app(
    server: DifyServer, backend: DifyBackend, tmp_path: Path
) -> None:
    files = [await upload(backend, tmp_path, name) for name in ("a.png", "b.pdf", "c.png")]

    outcome = await hear(backend.answer(replace(ask(), files=tuple(files))))

    assert outcome.ending == "completed"
    request = server.requests[-1]
    inputs = request.body["inputs"]
    assert isinstance(inputs, dict)
    assert inputs["doc"]["upload_file_id"] == files[1].id
    assert [one["upload_file_id"] for one in inputs["extra"]] == [files[0].id, files[2].id]
    assert "files" not in request.body


async def test_a_question_without_the_file_that_the_app_needs_is_refused_in_plain_words(
    server: DifyServer, backend: DifyBackend, tmp_path: Path
) -> None:
    picture = await upload(backend, tmp_path, "a.png")

    for question in (ask(), replace(ask(), files=(picture,))):
        outcome = await hear(backend.answer(question))
        assert isinstance(outcome.error, QuestionRefused)
        assert "with the file attached" in outcome.error.user_message


async def test_check_says_which_inputs_are_files(server: DifyServer, backend: DifyBackend) -> None:
    findings = await backend.check()

    (told,) = [finding for finding in findings if finding.subject == "Dify files"]
    assert told.severity is Severity.OK
    assert "the input doc must have one" in told.problem
