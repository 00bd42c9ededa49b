"""`dify-chat-bridge render`: exactly what would be sent, counted as it is counted, and one line for whatever is wrong."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, cast

import pytest
from typer.testing import CliRunner

from adapters.discord.dialect import DIALECT as DISCORD
from adapters.slack.dialect import DIALECT as SLACK
from adapters.slack.dialect import PLAIN_BYTES
from bridge.cli import cli
from bridge.markdown.dialect import Dialect
from bridge.splitting import Splitter, split

DIALECTS: dict[str, Dialect] = {"slack": SLACK, "discord": DISCORD}

ANSWER = (
    "# Title\n\nSome **bold** text with `code` & <!channel>.\n\n- one\n- two\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n"
)

Write = Callable[[str, str | bytes], str]


class Part(NamedTuple):
    length: int
    limit: int
    payload: dict[str, object]


class Outcome(NamedTuple):
    code: int
    out: str
    err: str


def render(*arguments: str, given: str | bytes = b"") -> Outcome:
    result = CliRunner().invoke(cli, ["render", *arguments], input=given)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return Outcome(result.exit_code, result.stdout, result.stderr)


def lines(outcome: Outcome) -> list[dict[str, object]]:
    assert outcome.code == 0, outcome.err
    return [cast("dict[str, object]", json.loads(line)) for line in outcome.out.splitlines()]


def parts(line: dict[str, object]) -> list[Part]:
    return [Part(**one) for one in cast("list[dict[str, object]]", line["parts"])]  # type: ignore[arg-type]  # JSON


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def save(name: str, content: str | bytes) -> str:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return str(path)

    return save


@pytest.mark.parametrize("platform", DIALECTS)
def test_json_has_one_line_per_file_with_what_is_sent(platform: str, write: Write) -> None:
    dialect = DIALECTS[platform]
    long, short = write("long.md", ANSWER * 120), write("short.md", "Hello.")
    first, second = lines(render("--platform", platform, "--json", long, short))
    assert (first["file"], second["file"]) == (long, short)
    expected = split(ANSWER * 120, dialect)
    assert len(expected) > 3
    assert parts(first) == [
        Part(dialect.render(one).length, dialect.limit, json.loads(json.dumps(dialect.payload(one))))
        for one in expected
    ]
    assert len(parts(second)) == 1
    assert set(first) == {"file", "parts"}


def test_a_payload_holds_the_text_fields_and_nothing_else(write: Write) -> None:
    file = write("answer.md", ANSWER)
    (slack,) = parts(lines(render("--platform", "slack", "--json", file))[0])
    assert set(slack.payload) == {"text", "blocks"}
    (discord,) = parts(lines(render("--platform", "discord", "--json", file))[0])
    assert set(discord.payload) == {"content"}
    assert discord.length == len(str(discord.payload["content"]))
    (plain,) = parts(lines(render("--platform", "slack", "--json", "--fallback", file))[0])
    assert set(plain.payload) == {"text"}
    assert plain.length == len(str(plain.payload["text"]).encode())


@pytest.mark.parametrize("platform", DIALECTS)
def test_a_smaller_limit_is_kept_and_told(platform: str, write: Write) -> None:
    found = parts(lines(render("--platform", platform, "--json", "--limit", "300", write("a.md", ANSWER * 12)))[0])
    assert len(found) > 3
    assert all(part.length <= part.limit == 300 for part in found)


@pytest.mark.parametrize(
    "text",
    [
        ANSWER * 60,
        "*literal* \\* stars \\_ " * 500,
        "<&>" * 3_000,
        "| " + "a long head | " * 6 + "\n" + "|---" * 6 + "|\n" + ("| x " * 6 + "|\n") * 300,
        "```\n" + "<&>" * 2_000 + "\n```",
        "\\*" * 3_000,
    ],
    ids=["answer", "stars", "entities", "table", "code", "escapes"],
)
def test_every_message_of_the_fallback_fits_slacks_bytes(text: str, write: Write) -> None:
    found = parts(lines(render("--platform", "slack", "--json", "--fallback", write("a.md", text)))[0])
    assert len(found) > 1
    for part in found:
        assert part.length == len(str(part.payload["text"]).encode())
        assert part.length <= part.limit == PLAIN_BYTES


def test_the_fallback_keeps_every_letter_when_it_is_cut_again(write: Write) -> None:
    words = " ".join(f"word{number}<&>" for number in range(1_500))
    found = parts(lines(render("--platform", "slack", "--json", "--fallback", write("a.md", words)))[0])
    shown = " ".join(str(part.payload["text"]) for part in found)
    assert shown.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&").split() == words.split()


def test_a_smaller_limit_holds_for_the_fallback_too(write: Write) -> None:
    arguments = ("--platform", "slack", "--json", "--fallback", "--limit", "500")
    found = parts(lines(render(*arguments, write("a.md", "a <&> b\n\n" * 200)))[0])
    assert all(part.length <= part.limit == 500 for part in found)


@pytest.mark.parametrize("platform", DIALECTS)
def test_a_stream_shows_every_step_and_marks_the_last(platform: str, write: Write) -> None:
    deltas = ["# Ti", "tle\n\nSome **bo", "ld** te", "xt \ud83d", "\ude00 [li", "nk](https://a.example/x"]
    file = write("s.jsonl", "\ufeff" + "\r\n".join(map(json.dumps, deltas)) + "\n")
    found = lines(render("--platform", platform, "--json", "--stream", file))
    assert [line["delta"] for line in found] == list(range(1, len(deltas) + 1))
    assert [line.get("final") for line in found] == [None] * (len(deltas) - 1) + [True]
    splitter = Splitter(DIALECTS[platform])
    for number, line in enumerate(found, 1):
        sources = splitter.feed("".join(deltas[:number]), final=number == len(deltas))
        assert [part.payload for part in parts(line)] == [
            json.loads(json.dumps(DIALECTS[platform].payload(one))) for one in sources
        ]
    # What is half open is shown closed, or not yet; a character in two pieces is one.
    assert "**bo**" in json.dumps(found[1])
    assert "😀" in json.dumps(found[-1], ensure_ascii=False)


def test_an_empty_stream_has_one_step_without_messages(write: Write) -> None:
    (line,) = lines(render("--platform", "slack", "--json", "--stream", write("s.jsonl", "")))
    assert (line["delta"], line["parts"], line["final"]) == (0, [], True)


def test_an_empty_file_is_no_message(write: Write) -> None:
    (line,) = lines(render("--platform", "discord", "--json", write("a.md", " \n\n")))
    assert line["parts"] == []


def test_standard_input_is_read_for_a_dash(write: Write) -> None:
    first, second = lines(render("--platform", "discord", "--json", "-", write("a.md", "two"), given="\ufeff**one**\n"))
    assert first["file"] == "-"
    assert parts(first)[0].payload == {"content": "**one**"}
    assert parts(second)[0].payload == {"content": "two"}


def test_people_see_each_text_exactly_as_it_is_sent(write: Write) -> None:
    file = write("a.md", "```\n\tdeep [red]x[/red] :smile:\n" + "wide " * 60 + "\n```\n\n" + "more words " * 300)
    outcome = render("--platform", "discord", file)
    assert outcome.code == 0
    sources = split(Path(file).read_text(), DISCORD)
    assert len(sources) == 2
    for number, source in enumerate(sources, 1):
        text = str(DISCORD.payload(source)["content"])
        assert f"--- {number} of 2, {DISCORD.render(source).length}/{DISCORD.limit}\n{text}\n" in outcome.out
    assert outcome.out.startswith(f"{file}: 2 messages on discord\n")
    assert "\x1b" not in outcome.out


def test_the_text_beside_slacks_blocks_is_shown_apart(write: Write) -> None:
    outcome = render("--platform", "slack", write("a.md", "**bold** & more"))
    assert "\n**bold** & more\n--- 1 of 1, text for notifications\nbold &amp; more\n" in outcome.out


def test_every_step_of_a_stream_can_be_read(write: Write) -> None:
    outcome = render("--platform", "discord", "--stream", write("s.jsonl", '"one **tw"\n"o**"\n'))
    assert ", after delta 1: 1 message on discord\n--- 1 of 1, 10/1990\none **tw**\n" in outcome.out
    assert ", after delta 2 (the last): 1 message on discord\n--- 1 of 1, 11/1990\none **two**\n" in outcome.out


def test_an_output_without_these_letters_is_no_reason_to_fail(write: Write) -> None:
    result = CliRunner(charset="latin-1").invoke(cli, ["render", "--platform", "slack", write("a.md", "漢字")])
    assert result.exit_code == 0
    assert "\\u6f22" in result.stdout


def expect_error(outcome: Outcome, *words: str) -> None:
    assert outcome.code == 2
    assert outcome.out == ""
    (line,) = outcome.err.splitlines()
    assert line.startswith("Error: ")
    assert [word for word in words if word not in line] == []


def test_an_unknown_platform_is_told_which_there_are(write: Write) -> None:
    expect_error(render("--platform", "teams", write("a.md", "x")), "'teams'", "discord", "slack")


def test_a_tiny_limit_is_refused(write: Write) -> None:
    expect_error(render("--platform", "slack", "--limit", "59", write("a.md", "x")), "--limit", "59", "60")


def test_a_platform_with_one_form_says_so(write: Write) -> None:
    expect_error(render("--platform", "discord", "--fallback", write("a.md", "x")), "--fallback", "discord")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    expect_error(render("--platform", "slack", str(tmp_path / "none.md")), "none.md", "No such file")


def test_a_directory_is_no_file(tmp_path: Path) -> None:
    expect_error(render("--platform", "slack", str(tmp_path)), tmp_path.name, "is a directory")


def test_a_name_that_no_file_can_have_is_one_line() -> None:
    expect_error(render("--platform", "slack", "a\nb\0"), r"'a\nb\x00'")


def test_bytes_that_are_no_utf_8_are_named_with_their_place(write: Write) -> None:
    expect_error(render("--platform", "slack", write("a.md", b"\xc3\xa4bc\xff!")), "a.md", "byte 4")


@pytest.mark.parametrize("bad", ["{}", "12", "word", '"open', "[" * 100_000, "null"], ids=lambda bad: bad[:5])
def test_a_bad_line_of_a_stream_is_named(bad: str, write: Write) -> None:
    file = write("s.jsonl", f'"one"\n\n{bad}\n"two"\n')
    expect_error(render("--platform", "slack", "--stream", file), "s.jsonl, line 3")


def test_standard_input_cannot_be_read_twice() -> None:
    expect_error(render("--platform", "slack", "-", "-", given="x"), "only once")


def test_all_that_is_wrong_is_told_at_once_and_nothing_is_printed(tmp_path: Path, write: Write) -> None:
    outcome = render("--platform", "slack", write("fine.md", "fine"), str(tmp_path), write("a.md", b"\xff"))
    assert (outcome.code, outcome.out) == (2, "")
    assert len(outcome.err.splitlines()) == 2
