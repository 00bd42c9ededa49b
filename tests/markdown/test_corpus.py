"""Every document of the corpus, as a person sees it on Slack, in Slack's fallback and on Discord, whole and in parts."""

from functools import cache

import pytest

from bridge.splitting import Splitter, split
from tests.markdown.corpus import DOCUMENTS
from tests.markdown.corpus.checks import complaints, plain, surplus_markers
from tests.markdown.corpus.document import PLACES, Document, Place
from tests.markdown.seen import Seen, letters_of, unprintable
from tests.markdown.sending import dialect_of, payload_of, problems, see, wire

BY_NAME = {document.name: document for document in DOCUMENTS}
PLATFORMS: tuple[Place, ...] = ("slack", "discord")


@cache
def whole(name: str, place: Place) -> tuple[Document, Seen]:
    document = BY_NAME[name].at(place)
    return document, see(payload_of(document.source, place, document.people), place)


def test_the_corpus_is_large_and_names_are_unique() -> None:
    assert len(DOCUMENTS) >= 130
    assert len(BY_NAME) == len(DOCUMENTS)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", list(BY_NAME))
def test_a_person_sees_what_was_meant(name: str, place: Place) -> None:
    document, seen = whole(name, place)
    assert not list(complaints(document, seen, place))
    assert not unprintable(wire(payload_of(document.source, place, document.people)))


def comparable(letters: str, document: Document) -> str:
    """Without those of table headers, which are repeated where a table goes on in the next message."""
    labels = [letters_of(cell) for row in (document.table or ())[:1] for cell in row]
    for label in sorted(filter(None, labels), key=len, reverse=True):
        letters = letters.replace(label, "")
    return letters


def _worth_splitting() -> list[tuple[str, int | None]]:
    """The real limit only for what it splits."""
    least = {120: 0, 400: 100, None: 1_200}
    return [(one.name, limit) for one in DOCUMENTS for limit, size in least.items() if len(one.source) > size]


@pytest.mark.parametrize("place", PLATFORMS)
@pytest.mark.parametrize(("name", "limit"), _worth_splitting())
def test_every_part_is_whole_in_itself_and_none_loses_a_letter(name: str, place: Place, limit: int | None) -> None:
    document, seen = whole(name, place)
    dialect = dialect_of(place, limit)
    letters = ""
    for part in split(document.source, dialect, document.people):
        sent = dialect.payload(part, document.people)
        view = see(sent, place)
        letters += view.letters
        assert dialect.render(part, document.people).length <= dialect.limit
        assert not problems(sent, place)
        assert not surplus_markers(document, view), part
        assert view.mentions <= document.mentions
        if place == "slack":
            fallback = see(dialect.payload(part, document.people, fallback=True), "fallback")
            assert not surplus_markers(BY_NAME[name].at("fallback"), fallback), part
            assert fallback.mentions <= document.mentions
    assert comparable(letters, document) == comparable(seen.letters, document)


@pytest.mark.parametrize("place", PLATFORMS)
@pytest.mark.parametrize(
    "name", [document.name for document in DOCUMENTS if len(document.source) < 300 and not document.resolved_late]
)
def test_nothing_flickers_while_it_arrives(name: str, place: Place) -> None:
    """Each prefix is shown without half-open markup and without a mention in the making."""
    document = BY_NAME[name].at(place)
    dialect = dialect_of(place)
    splitter = Splitter(dialect, document.people)
    for end in range(1, len(document.source) + 1, 1 + len(document.source) // 80):
        for part in splitter.feed(document.source[:end]):
            view = see(dialect.payload(part, document.people), place)
            assert view.mentions <= document.mentions
            left = [marker for marker in surplus_markers(document, view) if not _may_become(marker, document)]
            if plain(view.text).rstrip()[-1:] in "_|":
                left = [
                    marker for marker in left if marker.strip("_|")
                ]  # `snake_` may become `snake_case`, `a |` a choice
            assert not left, f"{document.source[:end]!r} shows {view.text!r}"


def _may_become(marker: str, document: Document) -> bool:
    """The first half of a marker that the document shows on purpose."""
    return any(literal.startswith(marker) for literal in document.literal)
