"""The eleven invariants of everything that is shown, as functions of what one stream showed.

Each raises an AssertionError that begins with its name.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cached_property
from itertools import pairwise

from bridge.markdown.dialect import Dialect
from bridge.splitting import Splitter, split
from tests.markdown.corpus.checks import links_of, plain
from tests.markdown.corpus.document import Place
from tests.markdown.generators import CLUSTERS, LITERAL, Stream
from tests.markdown.seen import Seen, letters_of, unprintable
from tests.markdown.sending import dialect_of, payload_of, problems, see, wire

_CYRILLIC = re.compile("[\u0400-\u04ff]+")
"""Of table headers, which are repeated."""


class Showing:
    """What one stream showed, moment by moment."""

    def __init__(self, stream: Stream, place: Place, limit: int | None = None) -> None:
        self.text = stream.text
        self.place = place
        self.dialect: Dialect = dialect_of(place, limit)
        self.splitter = Splitter(self.dialect)
        self._views: dict[str, Seen] = {}
        self.moments: list[list[str]] = [self.splitter.feed(stream.text[:end]) for end in stream.ends]
        self.final = self.splitter.feed(stream.text, final=True)

    def view(self, part: str) -> Seen:
        if part not in self._views:
            self._views[part] = see(self.dialect.payload(part), self.place)
        return self._views[part]

    @cached_property
    def whole(self) -> Seen:
        """The text in one piece, however long."""
        return see(payload_of(self.text, self.place, {}), self.place)

    @property
    def parts(self) -> list[str]:
        """Every part that was ever shown."""
        return list(dict.fromkeys(part for moment in (*self.moments, self.final) for part in moment))

    def final_views(self) -> Iterator[Seen]:
        return map(self.view, self.final)


Invariant = Callable[[Showing], None]


def without_headers(letters: str) -> str:
    return _CYRILLIC.sub("", letters)


def limit(showing: Showing) -> None:
    """1: no message is longer than the platform takes, by its own count."""
    for part in showing.parts:
        sent = showing.dialect.payload(part)
        assert not problems(sent, showing.place), f"limit: {part!r}"
        assert showing.dialect.render(part).length <= showing.dialect.limit, f"limit: {part!r}"
        if showing.place == "discord":
            size = len(str(sent["content"]))
        else:
            (block,) = (block["text"] for block in sent["blocks"])  # type: ignore[attr-defined]
            size = len(block.encode())
        assert size <= showing.dialect.limit, f"limit: {size} {part!r}"


def stable_prefix(showing: Showing) -> None:
    """2: a message that another one follows never changes again."""
    for before, after in pairwise((*showing.moments, showing.final)):
        frozen = before[:-1]
        assert after[: len(frozen)] == frozen, "stable prefix"


def schedule_independence(showing: Showing) -> None:
    """3: the same messages come out, however the text arrived, and they look the same to who has not seen it arrive."""
    assert showing.final == split(showing.text, showing.dialect), "schedule independence"
    fresh = dialect_of(showing.place, showing.dialect.limit)
    for part in (*showing.final, *(showing.moments[-1] if showing.moments else ())):
        assert showing.dialect.payload(part) == fresh.payload(part), f"schedule independence: {part!r} looks different"


def content(showing: Showing) -> None:
    """4: no letter is lost, doubled or moved."""
    letters = "".join(view.letters for view in showing.final_views())
    _same("content", without_headers(letters), without_headers(showing.whole.letters))
    extra = len("".join(_CYRILLIC.findall(letters))) - len("".join(_CYRILLIC.findall(showing.whole.letters)))
    assert extra >= 0, "content: a table header is missing"


def style(showing: Showing) -> None:
    """5: the same letters are code, and bold, and in a language."""
    for name in ("code", "bold", "italic", "strike"):
        letters = "".join(view.styled(name) for view in showing.final_views())
        _same(f"style {name}", without_headers(letters), without_headers(showing.whole.styled(name)))
    _same("style link", [link for view in showing.final_views() for link in links_of(view)], links_of(showing.whole))


_MEANT_STARS = re.compile(rf"\*(?=\W*$|{LITERAL[0]})|(?<={LITERAL[-1]})\*|\A\W*\*")
"""Of escaped words, also while they arrive, and where a cut goes through one."""


def balanced(showing: Showing) -> None:
    """6: nothing half open is seen in any message at any moment; a code block that goes on keeps its language."""
    for part in showing.parts:
        view = showing.view(part)
        meant = Counter({"*": len(_MEANT_STARS.findall(plain(view.text)))})
        assert not Counter(view.markers) - meant, f"balanced: {view.markers} in {part!r}"
    stars = [plain(showing.whole.text).count(f"*{LITERAL}*"), showing.text.count(f"\\*{LITERAL}\\*")]
    assert stars[0] == stars[1], f"balanced: {stars[0]} of {stars[1]} escaped words have their stars"
    for info in {fence.info for fence in showing.whole.fences}:
        texts = (fence.text for view in showing.final_views() for fence in view.fences if fence.info == info)
        wanted = (fence.text for fence in showing.whole.fences if fence.info == info)
        _same(
            f"balanced: language {info!r}",
            without_headers(letters_of("".join(texts))),
            without_headers(letters_of("".join(wanted))),
        )


def closed(showing: Showing) -> None:
    """6, for any text: no message leaves a code block open."""
    for part in showing.parts:
        assert all(fence.closed for fence in showing.view(part).fences), f"closed: {part!r}"


# What joins the letter before it.
_MUST_FOLLOW = re.compile(
    "[\u0300-\u036f\u0e31\u0e34-\u0e3a\u0e47-\u0e4e\u200d\ufe0e\ufe0f\u20e3\U0001f3fb-\U0001f3ff]"
)


def atoms(showing: Showing) -> None:
    """7: clusters, entities, links and inline code stay in one piece."""
    if not _MUST_FOLLOW.match(showing.text.strip()):
        for part in showing.parts:
            text = plain(showing.view(part).text)
            assert not _MUST_FOLLOW.match(text) or _follows_nothing(showing.text, text), f"atoms: {part!r}"
    for cluster in CLUSTERS:
        count = sum(plain(view.text).count(cluster) for view in showing.final_views())
        assert count == plain(showing.whole.text).count(cluster), f"atoms: {cluster!r}"
    codes = [plain(run.text) for view in showing.final_views() for run in view.runs if run.code and not run.fence]
    _same("atoms: code", codes, [plain(run.text) for run in showing.whole.runs if run.code and not run.fence])


def _follows_nothing(source: str, text: str) -> bool:
    """A mark that stands alone in the source, at the start of a line or behind markup, joins nothing."""
    return not re.search(r"[\w\U0001f000-\U0001ffff]" + re.escape(text[:1]), source)


def idempotent(showing: Showing) -> None:
    """8: the end may be told twice."""
    assert showing.splitter.feed(showing.text, final=True) == showing.final, "idempotent"


def no_ping(showing: Showing) -> None:
    """9: nobody is called, in any message at any moment."""
    for part in showing.parts:
        assert not showing.view(part).mentions, f"no ping: {part!r}"
        if showing.place == "slack":
            fallback = see(showing.dialect.payload(part, fallback=True), "fallback")
            assert not fallback.mentions, f"no ping: {part!r}"


def monotone(showing: Showing) -> None:
    """10: in each message the visible text only grows, so nothing moves on to the next one."""
    for before, after in pairwise((*showing.moments, showing.final)):
        assert len(after) >= len(before), "monotone: a message is gone"
        for old, new in zip(before, after, strict=False):
            old_letters, new_letters = (without_headers(letters_of(showing.view(part).text)) for part in (old, new))
            assert new_letters.startswith(old_letters), f"monotone: {old!r} became {new!r}"


def clean(showing: Showing) -> None:
    """11: nothing unprintable is sent."""
    for part in showing.parts:
        assert not unprintable(wire(showing.dialect.payload(part))), f"clean: {part!r}"
        if showing.place == "slack":
            assert not unprintable(wire(showing.dialect.payload(part, fallback=True))), f"clean: {part!r}"


def _same(name: str, got: object, wanted: object) -> None:
    if got != wanted:
        raise AssertionError(f"{name}: {_first_difference(got, wanted)}")


def _first_difference(got: object, wanted: object) -> str:
    if not isinstance(got, str | list) or not isinstance(wanted, str | list):
        return f"{got!r} instead of {wanted!r}"
    at = next(
        (at for at, (one, two) in enumerate(zip(got, wanted, strict=False)) if one != two), min(len(got), len(wanted))
    )
    return (
        f"at {at} of {len(wanted)}: {got[max(0, at - 20) : at + 20]!r} instead of {wanted[max(0, at - 20) : at + 20]!r}"
    )


EVERY: tuple[Invariant, ...] = (
    limit, stable_prefix, schedule_independence, content, style, balanced, closed, atoms, idempotent, no_ping, monotone, clean,
)  # fmt: skip
ALWAYS: tuple[Invariant, ...] = (limit, stable_prefix, schedule_independence, closed, idempotent, no_ping, clean)
"""What holds for text that is no document at all."""
