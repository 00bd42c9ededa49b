"""An answer that comes piece by piece is shown as early as possible, and markup and errors never."""

import pytest

from bridge.backends.dbgpt.growing import GrowingText
from bridge.backends.dbgpt.trouble import is_failure, may_be_failure
from bridge.playground.dbgpt import chart_view, messages_block, references_tag

FAILURES = [
    "**LLMServer Generate Error, Please CheckErrorInfo.**: Error code: 500 - no",
    "**Claude Generate Stream Error, Please CheckErrorInfo.**: no",
    "**Ollama Response Error, Please CheckErrorInfo.**: no",
    "[SERVER_ERROR]no",
    "[LLM_ERROR]: llm server has no output, maybe your prompt template is wrong.",
    "Model server error!code=1, error msg is no",
    "<span style='color:red'>ERROR!</span> no",
    '<span style="color:red">ERROR!</span>no',
]
GOOD = ["**Bold** beginning", "[1] says so", "Model trains", "<span>x</span>", "**", "[", "plain", ""]


@pytest.mark.parametrize("text", FAILURES)
def test_an_error_is_known_from_its_first_character_on(text: str) -> None:
    assert is_failure(text)
    assert all(may_be_failure(text[:length]) for length in range(len(text) + 1))


@pytest.mark.parametrize("text", FAILURES)
def test_an_error_is_never_shown_however_it_is_cut(text: str) -> None:
    growing = GrowingText(has_markup=True)

    shown = "".join(growing.feed(char) for char in text) + growing.finish()

    assert shown == ""
    assert growing.is_failure
    assert growing.failure == text


@pytest.mark.parametrize("text", GOOD)
@pytest.mark.parametrize("has_markup", [True, False])
def test_what_only_begins_like_an_error_is_shown_whole(text: str, has_markup: bool) -> None:
    growing = GrowingText(has_markup=has_markup)

    shown = "".join(growing.feed(char) for char in text) + growing.finish()

    assert shown == text
    assert not growing.is_failure


def test_text_is_shown_at_once_when_nothing_speaks_against_it() -> None:
    growing = GrowingText(has_markup=True)

    assert growing.feed("Plain ") == "Plain "
    assert growing.feed("words `code` and a < b\n") == "words `code` and a < b\n"


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_markup_is_told_whole_wherever_it_was_cut(size: int) -> None:
    text = (
        f"Before `x` <y>.\n```python\ncode\n```\n{messages_block(('Helper', 'Said.'))}\n"
        f"{chart_view({'sql': 'select 1', 'data': [{'a': 1}]})}\nAfter.\n{references_tag({'A.pdf': ['p']})}"
    )
    growing = GrowingText(has_markup=True)

    shown = "".join(growing.feed(text[at : at + size]) for at in range(0, len(text), size)) + growing.finish()

    assert shown == (
        "Before `x` <y>.\n```python\ncode\n```\n\nSaid.\n\n| a |\n| --- |\n| 1 |\n\n```sql\nselect 1\n```\n\nAfter."
    )
    assert growing.told.sources == ["A.pdf"]


def test_thoughts_are_left_out_also_before_markup() -> None:
    growing = GrowingText(has_markup=True)

    shown = growing.feed("<think>hm") + growing.feed("</think>So: ") + growing.finish()

    assert shown == "So: "
