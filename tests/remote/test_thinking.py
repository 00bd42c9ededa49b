"""Thoughts are taken out of an answer, however it is cut, and nothing else is."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.remote.thinking import ThinkFilter


def show(*pieces: str) -> str:
    thinking = ThinkFilter()
    return "".join(thinking.feed(piece) for piece in pieces) + thinking.flush()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<think>\nhm\n</think>\n\nAnswer", "Answer"),
        ("<think></think>Answer", "Answer"),
        ("First. <think>hm</think>Second.", "First. Second."),
        ("<think>a</think>One\n<think>b</think>Two", "One\nTwo"),
        ("\n<think>hm</think>\nAnswer", "\nAnswer"),
        ("    indented <b>code</b> & a < b", "    indented <b>code</b> & a < b"),
        (
            "<thinking> is no tag, <thin neither, </think> alone stays",
            "<thinking> is no tag, <thin neither, </think> alone stays",
        ),
        ("ends with <thi", "ends with <thi"),
        ("", ""),
    ],
)
def test_thoughts_go_and_the_rest_stays(text: str, shown: str) -> None:
    assert show(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "Models write `<think>` before they answer.",
        'The tag "<think>" opens and "</think>" closes.',
        "Like this:\n\n```xml\n<think>example</think>\n```\n\nThat was it.",
        "~~~\n<think>example</think>\n~~~",
    ],
)
def test_a_tag_that_is_talked_about_stays(text: str) -> None:
    assert show(text) == text
    assert show(*text) == text


def test_a_fence_that_has_closed_protects_nothing_any_more() -> None:
    assert show("```\ncode\n```\n<think>hm</think>Answer") == "```\ncode\n```\nAnswer"


def test_a_thought_that_never_ends_is_dropped_at_the_beginning() -> None:
    assert show("<think>I wonder whether", " and wonder") == ""


def test_half_an_answer_is_never_lost_to_a_tag_that_is_merely_mentioned() -> None:
    assert show("Write <think> first, ", "then the answer.") == "Write <think> first, then the answer."


def test_text_is_not_held_back_longer_than_a_tag_could_need() -> None:
    thinking = ThinkFilter()
    assert thinking.feed("a <thi") == "a "
    assert thinking.feed("s") == "<this"


PARTS = st.sampled_from(["<think>", "</think>", "<", "th", "ink>", "```\n", "\n", "`", " text ", "世", "/"])


@settings(deadline=None)
@given(st.lists(PARTS, max_size=25))
def test_the_result_does_not_depend_on_where_the_stream_was_cut(parts: list[str]) -> None:
    text = "".join(parts)
    pieces = re.findall(r"(?s).{1,3}", text)
    assert show(*pieces) == show(text)
    assert show(*text) == show(text)


@settings(deadline=None)
@given(st.lists(st.sampled_from(["word ", "<b>", "a < b ", "\n", "世界", "</p>"]), max_size=30))
def test_an_answer_without_the_tag_passes_unchanged(parts: list[str]) -> None:
    assert show(*parts) == "".join(parts)
