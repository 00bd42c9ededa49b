"""What the messages of an answer say: the text, our lines below it, and a file for what is too much."""

from collections.abc import Sequence

import pytest

from adapters.discord.dialect import DiscordDialect
from bridge.composing import ATTACHED, FILE_COMMENT, WRITING, Composer, Message

PARAGRAPHS = [f"{number} " + "x" * 280 for number in range(7)]
LONG = "\n\n".join(PARAGRAPHS)


def composer(most: int | None = 2, limit: int = 300) -> Composer:
    return Composer(DiscordDialect(limit), {}, most_messages=most)


def compose(
    made: Composer, text: str, notes: Sequence[str] = (), *, ended: bool = True, complete: bool = True
) -> list[Message]:
    return made.compose(text, notes, ended=ended, complete=complete)


def texts(messages: Sequence[Message]) -> list[str]:
    return [message.text for message in messages]


def test_notes_are_for_the_end() -> None:
    made = composer()
    assert texts(compose(made, "Text", ["A note."], ended=False)) == ["Text"]
    assert texts(compose(made, "Text", ["A note.", "Another."])) == ["Text\n\nA note.\n\nAnother."]
    assert texts(compose(made, "", ["A note."])) == ["A note."]


def test_a_note_that_does_not_fit_below_the_text_gets_a_message_of_its_own() -> None:
    assert texts(compose(composer(), "x" * 295, ["A note."])) == ["x" * 295, "A note."]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("This is **important", "This is **important**"),
        ("This is *", "This is"),
        ("This is [a link](http", "This is [a link](http"),
        ("This is `code", "This is `code"),
        ("```py\nprint(", "```py\nprint(\n```"),
        ("- a **b\n", "- a **b**"),
        ("Complete.\n\n", "Complete."),
        ("| a |\n|---|\n| b **c", "| a |\n|---|\n| b **c"),
    ],
)
def test_an_answer_that_was_cut_off_is_closed_and_loses_no_letter(text: str, shown: str) -> None:
    (message,) = compose(composer(), text, ["(Stopped.)"], complete=False)
    assert message.text == f"{shown}\n\n(Stopped.)"


def test_a_complete_answer_is_shown_as_it_is() -> None:
    assert texts(compose(composer(), "2 ** 8 [1", complete=True)) == ["2 ** 8 [1"]


def test_where_nothing_can_be_shown_of_a_cut_off_answer_the_note_stands_alone() -> None:
    assert texts(compose(composer(), "**", ["(Stopped.)"], complete=False)) == ["(Stopped.)"]


def test_a_text_that_overflows_is_announced_and_ends_in_a_file() -> None:
    made = composer()
    assert texts(compose(made, LONG[:400], ended=False)) == [PARAGRAPHS[0], LONG[284:400]]
    growing = compose(made, LONG, ended=False)
    assert texts(growing) == [*PARAGRAPHS[:2], WRITING]
    assert [message.announces for message in growing] == [False, False, True]
    made.announced = True
    first, second, about, comment = compose(made, LONG, ["(Stopped.)"])
    assert (first.text, second.text, about.text, about.file) == (*PARAGRAPHS[:2], WRITING, None)
    assert comment.text == FILE_COMMENT
    assert comment.file is not None
    rest = "\n\n".join(PARAGRAPHS[2:])
    assert comment.file.content.decode() == rest
    assert (comment.file.plain_name, comment.file.media_type) == ("answer.md", "text/markdown; charset=utf-8")
    made.attached = True
    *_, about, comment = compose(made, LONG, ["(Stopped.)"])
    assert about.text == ATTACHED.format(count=f"{len(rest):,}") + "\n\n(Stopped.)"
    assert comment.text == FILE_COMMENT


def test_a_text_that_was_never_announced_has_its_file_with_the_message_that_says_so() -> None:
    messages = compose(composer(), LONG, ["A note."])
    assert len(messages) == 3
    assert messages[-1].file is not None
    assert messages[-1].text.startswith("📄 The rest")
    assert messages[-1].text.endswith("\n\nA note.")


def test_a_rest_that_fits_in_one_more_message_is_shown() -> None:
    made = composer()
    assert texts(compose(made, "\n\n".join(PARAGRAPHS[:3]) + "\n\n", ended=False))[-1] in (WRITING, PARAGRAPHS[2])
    assert texts(compose(made, "\n\n".join(PARAGRAPHS[:3]))) == PARAGRAPHS[:3]


@pytest.mark.parametrize("most", [None, 20])
def test_without_files_or_need_all_of_it_is_messages(most: int | None) -> None:
    assert texts(compose(composer(most), LONG)) == PARAGRAPHS


def test_files_that_were_refused_become_messages() -> None:
    made = composer()
    made.announced = True
    assert len(compose(made, LONG)) == 4
    made.refuse_files()
    assert texts(compose(made, LONG)) == PARAGRAPHS


def test_the_file_has_nothing_that_must_not_leave_and_opens_what_was_cut() -> None:
    code = "```python\n" + "\n".join(f"line {number}\u202e" for number in range(200)) + "\n```"
    *_, last = compose(composer(), code)
    assert last.file is not None
    content = last.file.content.decode()
    assert content.startswith("```python\nline ")
    assert "\u202e" not in content


def test_cutting_smaller_has_an_end() -> None:
    made = composer(None, limit=1000)
    assert len(compose(made, LONG)) == 3
    assert made.shrink()
    assert made.limit == 500
    assert len(compose(made, LONG)) > 3
    assert made.shrink()
    assert not made.shrink()
    assert made.limit == 250


def test_the_work_to_be_done_is_what_is_not_frozen_yet() -> None:
    made = composer()
    assert made.work(LONG) == len(LONG)
    compose(made, LONG, ended=False)
    assert made.work(LONG + "more") < 600
    assert made.work("Replaced. " + LONG) > len(LONG)


@pytest.mark.parametrize("ended", [True, False])
def test_what_was_composed_can_be_sent_without_being_parsed_again(ended: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    dialect = DiscordDialect(300)
    messages = Composer(dialect, {}, most_messages=None).compose(LONG + "\n\n", ["A note."], ended=ended, complete=True)
    written: list[object] = []
    monkeypatch.setattr(DiscordDialect, "write", lambda *arguments: written.append(arguments))
    assert len([dialect.payload(message.text) for message in messages]) == 7
    assert written == []
