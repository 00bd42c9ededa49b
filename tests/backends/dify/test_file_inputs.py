"""Input variables that are files: what members attach goes into them by itself."""

import pytest

from bridge.backend_api import FileRules, UploadedFile
from bridge.backends.dify.file_inputs import find_unfilled, place_files
from bridge.backends.dify.parameters import read_parameters

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
