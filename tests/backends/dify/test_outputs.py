"""What a workflow ends with, as a member reads it."""

import pytest

from bridge.backends.dify.linking import OwnFiles
from bridge.backends.dify.outputs import show_outputs

OWN = OwnFiles(("https://dify.example.com/v1",))


def file(name: str = "a.png", **more: object) -> dict[str, object]:
    return {
        "dify_model_identity": "__dify__file__",
        "type": "image",
        "transfer_method": "tool_file",
        "filename": name,
        "mime_type": "image/png",
        "size": 7,
        "url": f"https://dify.example.com/files/tools/{name}?timestamp=1&nonce=2&sign=SECRET",
        **more,
    }


def show(**outputs: object) -> str:
    return show_outputs(outputs, OWN).text


@pytest.mark.parametrize(
    ("outputs", "text"),
    [
        pytest.param({"result": "The **answer**."}, "The **answer**.", id="one stands for itself"),
        pytest.param(
            {"result": "a", "style": None, "more": "", "list": []}, "a", id="the only one with anything in it"
        ),
        pytest.param({}, "", id="none"),
        pytest.param({"result": None}, "", id="nothing"),
        pytest.param({"result": "  \n"}, "", id="white space"),
        pytest.param({"title": "T", "score": 3}, "**title**: T\n\n**score**: 3", id="several, by name"),
        pytest.param({"a": "one\ntwo\n", "b": True}, "**a**\n\none\ntwo\n\n**b**: true", id="lines"),
        pytest.param({"a": "# Head", "b": 0.5}, "**a**\n\n# Head\n\n**b**: 0.5", id="a block needs its own line"),
        pytest.param({"a_*b": "x", "c": "y"}, "**a\\_\\*b**: x\n\n**c**: y", id="names are no Markdown"),
        pytest.param({"items": ["one", "two", ""]}, "- one\n- two", id="a list of lines"),
        pytest.param({"items": ["a\nb"]}, '```json\n[\n  "a\\nb"\n]\n```', id="a list of texts"),
        pytest.param({"data": {"ä": [1, None]}}, '```json\n{\n  "ä": [\n    1,\n    null\n  ]\n}\n```', id="an object"),
        pytest.param({"data": {"a": "```"}}, '````json\n{\n  "a": "```"\n}\n````', id="code in code"),
        pytest.param({"a": "<think>hidden</think>shown", "b": "<think>x"}, "shown", id="thoughts stay where they are"),
        pytest.param({"a": "nul\0 and \ud800"}, "nul and \ufffd", id="what nobody can keep"),
    ],
)
def test_outputs_are_written_for_people(outputs: dict[str, object], text: str) -> None:
    assert show(**outputs) == text


def test_files_are_shown_as_files_wherever_they_are_and_no_address_of_theirs_is_read() -> None:
    outputs: dict[str, object] = {
        "one": file("a.png"),
        "several": [file("b.png"), file("c.png"), file("a.png")],
        "deep": {"found": [{"picture": file("d.png"), "score": 1}]},
        "linked": "see https://dify.example.com/files/tools/e.png?timestamp=1&nonce=2&sign=SECRET",
        "theirs": file("f.png", transfer_method="local_file"),
    }

    shown = show_outputs(outputs, OWN)

    assert [one.name for one in shown.files] == ["a.png", "b.png", "c.png", "d.png", "e.png"]
    assert "SECRET" not in shown.text
    assert '"picture": "d.png"' in shown.text
    assert "**one**" not in shown.text
    assert "**theirs**" not in shown.text


def test_an_endless_depth_ends() -> None:
    deep: object = "x"
    for _ in range(500):
        deep = [deep]

    assert len(show(deep=deep)) < 10_000
