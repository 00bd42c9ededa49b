"""Compares what a person sees with what a document says must be seen. Complaints come as sentences."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from urllib.parse import unquote

from tests.markdown.corpus.document import Document, Place
from tests.markdown.seen import Run, Seen, letters_of

_INVISIBLE = re.compile("[\u200b\u2060]")


def plain(text: str) -> str:
    """Without the characters that only break what must not be read as markup."""
    return _INVISIBLE.sub("", text)


def one_space(text: str) -> str:
    return " ".join(text.split())


def complaints(document: Document, seen: Seen, place: Place) -> Iterator[str]:
    """`document` is the one for this place (`Document.at`)."""
    yield from _words(document, seen)
    yield from _markers(document, seen)
    yield from _headings(document, seen, place)
    if not _draws_tables(document, place):
        yield from _styles(document, seen, place)
        yield from _code(document, seen, place)
        yield from _links(document, seen)
        yield from _marks(document, seen, place)
    if document.table and place == "slack":
        yield from _different("table", seen_table(seen), [[list(row) for row in document.table]])
    elif document.table:
        yield from _drawn_table(document, seen, place)
    if document.quote is not None:
        quoted = letters_of("".join(run.text for run in seen.runs if run.quote and not run.mark))
        yield from _different("quote", quoted, letters_of("".join(document.quote)))
    yield from _different("mentions", sorted(seen.mentions), sorted(document.mentions))


def surplus_markers(document: Document, seen: Seen) -> Counter[str]:
    """Markers that a person sees although the document does not show them on purpose."""
    return Counter(seen.markers) - Counter(document.literal)


def _different(what: str, got: object, wanted: object) -> Iterator[str]:
    if got != wanted:
        yield f"{what}: saw {got!r}, wanted {wanted!r}"


def _draws_tables(document: Document, place: Place) -> bool:
    """Where there are no tables they are code blocks or bold labels, which no document lists."""
    return place != "slack" and (document.table is None or bool(document.table))


def _words(document: Document, seen: Seen) -> Iterator[str]:
    text, at = one_space(seen.text), 0
    for words in map(one_space, document.see):
        found = text.find(words, at)
        if found < 0:
            yield f"{words!r} is missing in {text[at : at + 200]!r}"
        else:
            at = found + len(words)
    yield from (f"{words!r} is visible" for words in document.unseen if words in text)


def _markers(document: Document, seen: Seen) -> Iterator[str]:
    if surplus := surplus_markers(document, seen):
        yield f"markers stand in the open: {dict(surplus)} in {one_space(seen.text)[:200]!r}"


def _bold_titles(document: Document, place: Place) -> list[str]:
    """Headings that are bold lines, because the platform has none like them."""
    texts = [text for level, text in document.headings if place == "fallback" or (place == "discord" and level > 3)]
    return [letters_of(text) for text in texts]


def _styles(document: Document, seen: Seen, place: Place) -> Iterator[str]:
    titles = [_without(title, [letters_of(c) for c in document.code or ()]) for title in _bold_titles(document, place)]
    for style in ("bold", "italic", "strike"):
        runs = [run for run in seen.runs if getattr(run, style) and not run.code and not run.mark]
        words = getattr(document, style)
        if style == "bold":
            # A heading is heavy anyway, so bold words inside one may stay or go.
            runs = [run for run in runs if not run.heading]
            words = [word for word in words if not _in_heading(word, document)]
        got = letters_of("".join(run.text for run in runs))
        yield from _different(style, _without(got, titles), _without(letters_of("".join(words)), titles))


def _in_heading(words: str, document: Document) -> bool:
    return any(letters_of(words) in letters_of(text) for _, text in document.headings)


def _without(letters: str, titles: list[str]) -> str:
    for title in titles:
        letters = letters.replace(title, "", 1)
    return letters


def _headings(document: Document, seen: Seen, place: Place) -> Iterator[str]:
    shown = [(run.heading, letters_of(run.text)) for run in seen.runs if run.heading and letters_of(run.text)]
    titles = [(level, letters_of(text)) for level, text in document.headings]
    wanted = [] if place == "fallback" else [(level, text) for level, text in titles if place == "slack" or level <= 3]
    yield from _different("headings", _by_level(shown), _by_level(wanted))
    heavy = letters_of("".join(run.text for run in seen.runs if run.bold or run.code))
    yield from (f"title {title!r} is not bold" for title in _bold_titles(document, place) if title not in heavy)


def _by_level(titles: list[tuple[int, str]]) -> dict[int, str]:
    texts: dict[int, str] = {}
    for level, text in titles:
        texts[level] = texts.get(level, "") + text
    return texts


def _code(document: Document, seen: Seen, place: Place) -> Iterator[str]:
    if document.code is not None:
        yield from _different("code", [plain(r.text) for r in seen.runs if r.code and not r.fence], list(document.code))
    if document.fences is not None:
        got = [(fence.info.split(" ")[0], plain(fence.text)) for fence in seen.fences]
        wanted = [("" if place == "fallback" else info, text) for info, text in document.fences]
        yield from _different("fences", got, wanted)


def _links(document: Document, seen: Seen) -> Iterator[str]:
    if document.links is not None:
        got, wanted = (
            [(label, unquote(target)) for label, target in links] for links in (links_of(seen), document.links)
        )
        yield from _different("links", got, wanted)


def links_of(seen: Seen) -> list[tuple[str, str]]:
    """Label and target of each link; a label in several styles is one label."""
    links: list[tuple[str, str]] = []
    before: Run | None = None
    for run in seen.runs:
        if run.link is not None and before is not None and before.link == run.link:
            links[-1] = (links[-1][0] + plain(run.text), run.link)
        elif run.link is not None:
            links.append((plain(run.text), run.link))
        before = run
    return links


def _marks(document: Document, seen: Seen, place: Place) -> Iterator[str]:
    if document.marks is not None:
        marks = re.sub(r"\s", "", "".join(run.text for run in seen.runs if run.mark))
        yield from _different("marks", re.sub("[◦▪▫‣●○-]", "•", marks).replace(")", "."), document.marks)
    if document.depths and place != "fallback":
        depths = tuple(run.depth for run in seen.runs if run.mark and run.text.strip() not in "☐☑")
        yield from _different("depths", depths, document.depths)


def seen_table(seen: Seen) -> list[list[list[str]]]:
    return [[[plain(cell).strip() for cell in row] for row in table] for table in seen.tables]


_MOST_COLUMNS = 42
"""What a phone shows of a code block on Discord."""


def columns_of(text: str) -> int:
    """Columns of a fixed-width font: full-width letters and emoji take two, what joins the letter before takes none."""
    count = 0
    for before, letter in pairwise("\u0000" + plain(text)):
        if before == "\u200d" or letter in "\u200d\ufe0f" or unicodedata.combining(letter):
            continue
        count += 2 if unicodedata.east_asian_width(letter) in "WF" else 1
    return count


def _columns(seen: Seen, rows: tuple[tuple[str, ...], ...]) -> Iterator[str]:
    """A table in a code block is narrow, and its columns stand below each other."""
    for line in (line for fence in seen.fences for line in fence.text.split("\n")):
        if columns_of(line) > _MOST_COLUMNS:
            yield f"a table is {columns_of(line)} columns wide"
    if any("|" in cell for row in rows for cell in row):
        return
    places = {
        tuple(columns_of(line[:at]) for at, letter in enumerate(line) if letter in "|+│┼")
        for fence in seen.fences
        for line in fence.text.split("\n")
    }
    if len(places) > 1:
        yield f"columns do not stand below each other: {places}"


def _drawn_table(document: Document, seen: Seen, place: Place) -> Iterator[str]:
    rows = document.table or ()
    text, at = one_space(plain(seen.text)), 0
    for cell in (cell for row in rows[1 if document.wide else 0 :] for cell in row):
        found = text.find(one_space(cell), at)
        if found < 0:
            yield f"cell {cell!r} is missing in {text[at : at + 200]!r}"
        else:
            at = found + len(one_space(cell))
    if place == "discord":
        yield from _columns(seen, rows)
        yield from _different("drawn as code", bool(seen.fences), not document.wide)
        if document.wide:
            yield from (
                f"label {label!r} is not bold" for label in rows[0][1:] if letters_of(label) not in seen.bold_letters
            )
