"""Every document of the corpus, as a person sees it on Slack, in Slack's fallback and on Discord, whole and in parts."""

import re
from collections import Counter
from collections.abc import Mapping
from functools import cache

import pytest
from adapters.discord.dialect import DIALECT as DISCORD
from adapters.discord.dialect import DiscordDialect
from adapters.slack.dialect import DIALECT as SLACK
from adapters.slack.dialect import SlackDialect
from bridge.markdown.dialect import Dialect

from bridge.splitting import Splitter, split
from tests.markdown.corpus import DOCUMENTS
from tests.markdown.corpus.document import PLACES, Document, Place
from tests.markdown.discord_sight import discord_counts, see_discord
from tests.markdown.mrkdwn_sight import see_mrkdwn
from tests.markdown.seen import Run, Seen, letters_of, unprintable
from tests.markdown.slack_sight import see_slack, slack_counts

WHOLE = pytest.mark.parametrize(
    ("name", "place"), [(document.name, place) for document in DOCUMENTS for place in PLACES]
)
BY_NAME = {document.name: document for document in DOCUMENTS}


def payload(source: str, place: Place, people: Mapping[str, str]) -> dict[str, object]:
    if place == "discord":
        return DISCORD.payload(source, people)
    return SLACK.payload(source, people, fallback=place == "fallback")


def see(sent: dict[str, object], place: Place) -> Seen:
    match place:
        case "slack":
            return see_slack(sent)
        case "fallback":
            text = sent["text"]
            assert isinstance(text, str)
            assert "blocks" not in sent
            return see_mrkdwn(text)
        case "discord":
            return see_discord(sent)


@cache
def whole(name: str, place: Place) -> tuple[Document, Seen]:
    document = BY_NAME[name].at(place)
    return document, see(payload(document.source, place, document.people), place)


def one_space(text: str) -> str:
    return " ".join(text.split())


def test_the_corpus_is_large_and_names_are_unique() -> None:
    assert len(DOCUMENTS) >= 130
    assert len(BY_NAME) == len(DOCUMENTS)


@WHOLE
def test_everything_that_was_written_is_seen_in_order(name: str, place: Place) -> None:
    document, seen = whole(name, place)
    text, at = one_space(seen.text), 0
    for words in map(one_space, document.see):
        found = text.find(words, at)
        assert found >= 0, f"{words!r} is missing after {text[:at]!r} in {text!r}"
        at = found + len(words)
    for words in document.unseen:
        assert words not in text


@WHOLE
def test_styles_cover_what_they_were_put_around_and_nothing_else(name: str, place: Place) -> None:
    document, seen = whole(name, place)
    drawn = (
        bool(document.table) or document.table is None
    )  # as a code block, or with bold labels, where there are no tables
    for style in ("bold", "italic", "strike"):
        if place != "slack" and drawn:
            continue
        runs = [
            run for run in seen.runs if not run.mark and not (style == "bold" and _is_bold_title(run, document, place))
        ]
        styled = letters_of("".join(run.text for run in runs if getattr(run, style)))
        wanted = [
            words for words in getattr(document, style) if not (style == "bold" and _in_title(words, document, place))
        ]
        assert styled == letters_of("".join(wanted)), style


def _titles(document: Document, place: Place) -> list[str]:
    """Headings that are bold lines, because the platform has none like them."""
    return [text for level, text in document.headings if place == "fallback" or (place == "discord" and level > 3)]


def _in_title(words: str, document: Document, place: Place) -> bool:
    return any(letters_of(words) in letters_of(title) for title in _titles(document, place))


def _is_bold_title(run: Run, document: Document, place: Place) -> bool:
    return run.bold and bool(letters_of(run.text)) and _in_title(run.text, document, place)


@WHOLE
def test_code_is_shown_to_the_letter(name: str, place: Place) -> None:
    document, seen = whole(name, place)
    drawn = (bool(document.table) or document.table is None) and place != "slack"
    if document.code is not None and not drawn:
        assert [plain(run.text) for run in seen.runs if run.code and not run.fence] == list(document.code)
    if document.fences is None:
        return
    wanted = [("" if place == "fallback" else info, text) for info, text in document.fences]
    fences = [(fence.info.split(" ")[0], plain(fence.text)) for fence in seen.fences]
    if not drawn:
        assert fences == wanted


def plain(text: str) -> str:
    return re.sub("[\u200b\u2060]", "", text)


@WHOLE
def test_links_lead_where_they_were_meant_to(name: str, place: Place) -> None:
    document, seen = whole(name, place)
    drawn = (bool(document.table) or document.table is None) and place != "slack"
    if document.links is None or drawn:
        return
    links: list[tuple[str, str]] = []
    before: Run | None = None
    for run in seen.runs:
        if run.link is not None and before is not None and before.link == run.link and links:
            links[-1] = (links[-1][0] + run.text, run.link)
        elif run.link is not None:
            links.append((run.text, run.link))
        before = run
    assert [(plain(label), target) for label, target in links] == list(document.links)


@WHOLE
def test_headings_stand_out(name: str, place: Place) -> None:
    document, seen = whole(name, place)
    headings: dict[int, str] = {}
    for run in seen.runs:
        if run.heading:
            headings[run.heading] = headings.get(run.heading, "") + letters_of(run.text)
    wanted: dict[int, str] = {}
    for level, text in document.headings:
        if text not in _titles(document, place):
            wanted[level] = wanted.get(level, "") + letters_of(text)
    assert headings == wanted
    for title in _titles(document, place):
        bold = letters_of("".join(run.text for run in seen.runs if run.bold or run.code))
        assert letters_of(title) in bold


@WHOLE
def test_quotes_are_set_apart(name: str, place: Place) -> None:
    document, seen = whole(name, place)
    if document.quote is not None and not any("quote" in words for words in document.literal):
        assert letters_of("".join(run.text for run in seen.runs if run.quote and not run.mark)) == letters_of(
            "".join(document.quote)
        )


@WHOLE
def test_list_items_have_their_marks(name: str, place: Place) -> None:
    document, seen = whole(name, place)
    marks = re.sub(r"\s", "", "".join(run.text for run in seen.runs if run.mark))
    drawn = (bool(document.table) or document.table is None) and place != "slack"
    if document.marks is not None and not drawn and name != "list-empty-item":
        assert re.sub("[◦▪▫‣●○-]", "•", marks).replace(")", ".") == document.marks
    if document.depths and place != "fallback":
        assert tuple(run.depth for run in seen.runs if run.mark and run.text.strip() not in "☐☑") == document.depths


@WHOLE
def test_tables_are_shown_cell_by_cell(name: str, place: Place) -> None:
    document, seen = whole(name, place)
    if not document.table:
        return
    if place == "slack":
        shown = [[[plain(cell).strip() for cell in row] for row in table] for table in seen.tables]
        assert shown == [[list(row) for row in document.table]]
        return
    text, at = one_space(plain(seen.text)), 0
    for row in document.table[0 if not document.wide else 1 :]:
        for cell in row:
            found = text.find(one_space(cell), at)
            assert found >= 0, f"{cell!r} is missing after {text[:at]!r}"
            at = found + len(one_space(cell))
    if place == "discord":
        assert bool(seen.fences) != document.wide
    if document.wide:
        for label in document.table[0][1:]:
            assert letters_of(label) in letters_of("".join(run.text for run in seen.runs if run.bold or run.code))


@WHOLE
def test_no_marker_stands_in_the_open(name: str, place: Place) -> None:
    document, seen = whole(name, place)
    assert not Counter(seen.markers) - Counter(document.literal)


@WHOLE
def test_nobody_is_called_but_those_whom_the_asker_named(name: str, place: Place) -> None:
    document, seen = whole(name, place)
    assert seen.mentions == document.mentions


@WHOLE
def test_no_control_character_is_sent(name: str, place: Place) -> None:
    document = BY_NAME[name]
    assert not unprintable(_wire(payload(document.source, place, document.people)))


def _wire(value: object) -> str:
    match value:
        case str():
            return value
        case dict():
            return "".join(map(_wire, value.values()))
        case list():
            return "".join(map(_wire, value))
        case _:
            raise AssertionError(f"{value!r} in a payload")


def _dialect(place: Place, limit: int) -> Dialect:
    if not limit:
        return DISCORD if place == "discord" else SLACK
    return DiscordDialect(limit=limit) if place == "discord" else SlackDialect(limit=limit)


def _comparable(seen_letters: str, document: Document) -> str:
    """Letters without those of table headers, which are repeated where a table goes on in the next message."""
    labels = [cell for row in (document.table or ())[:1] for cell in row]
    for label in sorted((letters_of(label) for label in labels), key=len, reverse=True):
        seen_letters = seen_letters.replace(label, "") if label else seen_letters
    return seen_letters


@pytest.mark.parametrize("limit", [120, 400, 0])
@pytest.mark.parametrize("place", ["slack", "discord"])
@pytest.mark.parametrize("name", list(BY_NAME))
def test_every_part_is_whole_in_itself_and_none_loses_a_letter(name: str, place: Place, limit: int) -> None:
    document, seen = whole(name, place)
    dialect = _dialect(place, limit)
    parts = split(document.source, dialect, document.people)
    sent = [dialect.payload(part, document.people) for part in parts]
    views = [see(each, place) for each in sent]
    for part, each, view in zip(parts, sent, views, strict=True):
        assert dialect.render(part, document.people).length <= dialect.limit
        assert not (slack_counts(each) if place == "slack" else discord_counts(each)).problems
        assert not Counter(view.markers) - Counter(document.literal), part
        assert view.mentions <= document.mentions
    letters = "".join(view.letters for view in views)
    assert _comparable(letters, document) == _comparable(seen.letters, document)
    if place == "slack":
        for part in parts:
            fallback = see(dialect.payload(part, document.people, fallback=True), "fallback")
            assert not Counter(fallback.markers) - Counter(document.literal), part
            assert fallback.mentions <= document.mentions


@pytest.mark.parametrize("place", ["slack", "discord"])
@pytest.mark.parametrize("name", [document.name for document in DOCUMENTS if len(document.source) < 400])
def test_nothing_flickers_while_it_arrives(name: str, place: Place) -> None:
    """Each prefix is shown without half-open markup and without a mention in the making."""
    document = BY_NAME[name].at(place)
    dialect = _dialect(place, 0)
    splitter = Splitter(dialect, document.people)
    for end in range(1, len(document.source) + 1):
        for part in splitter.feed(document.source[:end]):
            view = see(dialect.payload(part, document.people), place)
            assert view.mentions <= document.mentions
            left = Counter(view.markers) - Counter(document.literal)
            if plain(view.text).rstrip()[-1:] == "_":
                left -= Counter(["_", "__"])  # the end of a word such as `snake_` may yet become `snake_case`
            assert not left, document.source[:end]
