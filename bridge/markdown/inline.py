"""Inside a line: emphasis that works in scripts without spaces, bare addresses, formulas left alone; and where it all stands.

CommonMark's rules for `*` look at punctuation and white space only, so `**注意：**请` never closes. Here punctuation next to a
letter of a script without spaces counts as a letter (the rule proposed in the CommonMark forum as "CJK-friendly emphasis").
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from markdown_it import MarkdownIt
from markdown_it.parser_inline import ParserInline
from markdown_it.rules_inline import StateInline, image, link
from markdown_it.rules_inline.state_inline import Scanned
from markdown_it.token import Token
from markdown_it.utils import EnvType

from bridge.markdown.characters import is_cjk, is_punctuation, is_space

URL = re.compile(r"[^\s<>\"`\\^{|}\[\]\u3000-\u303f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3\uff00-\uffef]{1,4096}")
"""What may follow `http://`; ends at scripts that stand without spaces, so that `见https://a.example。` ends well."""

_SCHEME = re.compile(r"(?<![A-Za-z0-9])https?$", re.IGNORECASE)
_BREAK_TAG = re.compile(r"<br[ \t]{0,8}/?>", re.IGNORECASE)
_FORMULA = re.compile(r"\$(?!\s)[^$\n]{0,500}?(?:[\\^_={}][^$\n]{0,500}?)?(?<!\s)\$(?![0-9$])")
_DISPLAY = re.compile(r"\$\$[^$]{1,2000}\$\$")
_BRACKETED_DISPLAY = re.compile(r"\\\[[^`]{1,2000}?\\\]")
_LIKE_FORMULA = re.compile(r"[\\^_={}]")
_LINK_GOES_ON = re.compile(r"[(\[]")
_BRACKETED = re.compile(r"\\\(([^\n`]{1,500}?)\\\)")


DENSE = 300
"""Markup characters in one paragraph beyond which, if they are also almost half of it, all of it is taken for text. A
long paragraph of prose has fifty."""


def is_dense(text: str) -> bool:
    """Whether a paragraph is no prose but an attack, or a drawing."""
    if len(text) <= DENSE:
        return False
    count = sum(map(text.count, "\\*_`~[]<&!$"))
    return count > DENSE and count * 9 > len(text) * 4


MOST_OPEN = 12
"""Markers that may wait for their partners at once. People nest three; with more, all of them are taken for characters."""

_SHORT = 200
_KEPT = 2_000
"""Longest paragraph that is remembered, in characters, and how many of those."""


class Atom(NamedTuple):
    """A piece of source that means nothing when it is cut in two."""

    start: int
    end: int
    kind: str


class Pair(NamedTuple):
    """Emphasis: the marker, where it opens (start and end of the marker) and where it closes."""

    marker: str
    start: int
    inner: int
    close: int
    end: int


@dataclass(slots=True)
class InlineMap:
    """Where things stand in the source of one paragraph."""

    atoms: list[Atom] = field(default_factory=list)
    pairs: list[Pair] = field(default_factory=list)
    openers: list[tuple[int, str]] = field(default_factory=list)
    """Markers that could open emphasis and are not closed: position and marker, in order."""
    loose_ticks: list[tuple[int, int]] = field(default_factory=list)
    """Runs of backticks without a partner: start and end."""


class _State(StateInline):
    def __init__(self, src: str, md: MarkdownIt, env: EnvType, out: list[Token]) -> None:
        super().__init__(src, md, env, out)
        self.atoms: list[Atom] = []
        self.ticks: list[tuple[int, int]] = []
        self.places: dict[int, int] = {}

    def push(self, ttype: str, tag: str, nesting: Literal[-1, 0, 1]) -> Token:
        token = super().push(ttype, tag, nesting)
        self.places[len(self.tokens) - 1] = self.pos
        return token

    def scanDelims(self, start: int, canSplitWord: bool) -> Scanned:  # noqa: N802, N803, FBT001  overrides
        pos = start
        while pos < self.posMax and self.src[pos] == self.src[start]:
            pos += 1
        before = self.src[start - 1] if start > 0 else ""
        after = self.src[pos] if pos < self.posMax else ""
        opens, closes = flanks(before, after)
        if not canSplitWord:
            opens, closes = (
                opens and (not closes or is_punctuation(before)),
                closes and (not opens or is_punctuation(after)),
            )
        return Scanned(opens, closes, pos - start)


def flanks(before: str, after: str, *, lenient: bool = True) -> tuple[bool, bool]:
    """Whether a run of `*` between these two characters may open and may close emphasis. Empty at an end of the text.

    `lenient`: as for a script without spaces; else as CommonMark has it.
    """
    space_before, space_after = is_space(before), is_space(after)
    stop_before, stop_after = is_punctuation(before), is_punctuation(after)
    cjk_before, cjk_after = lenient and is_cjk(before), lenient and is_cjk(after)
    opens = not space_after and (not stop_after or cjk_after or space_before or stop_before or cjk_before)
    closes = not space_before and (not stop_before or cjk_before or space_after or stop_after or cjk_after)
    return opens, closes


class Inline(ParserInline):
    """markdown-it's inline parser with the state above, which also remembers where atoms stand."""

    _RULES = (
        "text",
        "newline",
        "bracketed",
        "escape",
        "backticks",
        "strikethrough",
        "emphasis",
        "link",
        "image",
        "break_tag",
        "autolink",
        "formula",
        "bare_url",
        "entity",
    )
    _ATOMS = frozenset(
        {"bracketed", "escape", "backticks", "link", "image", "autolink", "entity", "bare_url", "formula"}
    )

    def __init__(self) -> None:
        super().__init__()
        self._known: dict[str, list[Token]] = {}
        """Cells and items, which are read again with every edit of the table or list that they stand in."""
        self.ruler.at("link", _only_if_closed(link))
        self.ruler.at("image", _only_if_closed(image))
        self.ruler.before("escape", "bracketed", _bracketed)
        self.ruler.before("autolink", "break_tag", _break_tag)
        self.ruler.push("formula", _formula)
        self.ruler.push("bare_url", _bare_url)
        self.ruler.enableOnly(self._RULES)
        self.ruler2.enableOnly(["balance_pairs", "strikethrough", "emphasis", "fragments_join"])

    def parse(self, src: str, md: MarkdownIt, env: EnvType, tokens: list[Token]) -> list[Token]:
        if len(src) > _SHORT or env.get("references"):
            return self._parse(src, md, env, tokens)
        known = self._known.get(src)
        if known is None:
            known = self._parse(src, md, env, [])
            # The parser joins these with what stands beside them, in place.
            if not any(token.type == "text_special" for token in known):
                if len(self._known) >= _KEPT:
                    self._known.clear()
                self._known[src] = known
        tokens.extend(known)
        return tokens

    def _parse(self, src: str, md: MarkdownIt, env: EnvType, tokens: list[Token]) -> list[Token]:
        state = _State(src, md, env, tokens)
        if is_dense(src):
            return _as_text(state)
        self.tokenize(state)
        for rule in self.ruler2.getRules(""):
            rule(state)
        return state.tokens

    def map(self, src: str, md: MarkdownIt, env: EnvType) -> InlineMap:
        """Where atoms and emphasis stand in `src`."""
        if is_dense(src):
            return InlineMap()
        state = _State(src, md, env, [])
        names = self.ruler.get_active_rules()
        rules = list(zip(names, self.ruler.getRules(""), strict=True))
        # The loop of `tokenize` once more, at the top level only, since the original does not tell which rule matched.
        while state.pos < state.posMax:
            start = state.pos
            for name, rule in rules:
                count = len(state.tokens)
                if rule(state, False):  # noqa: FBT003  the signature of a rule
                    if name in self._ATOMS:
                        if name == "backticks" and len(state.tokens) == count:
                            state.ticks.append((start, state.pos))
                        else:
                            # An address begins with its scheme, which is behind the position.
                            state.atoms.append(Atom(start - _scheme_length(src, start, name), state.pos, name))
                    break
            else:
                state.append_pending(src[state.pos])
                state.pos += 1
        if state.pending:
            state.pushPending()
        for rule2 in self.ruler2.getRules("")[:1]:
            rule2(state)
        return self._map(state)

    @staticmethod
    def _map(state: _State) -> InlineMap:
        found = InlineMap(atoms=state.atoms, loose_ticks=state.ticks)
        places: list[int] = []
        for one in state.delimiters:
            # All markers of one run are pushed while the position still stands at its start.
            token, at = one.token, state.places[one.token]
            while token > 0 and state.places.get(token - 1) == at:
                token -= 1
                at += len(state.tokens[token].content)
            places.append(at)
        for index, one in enumerate(state.delimiters):
            marker = state.tokens[one.token].content
            if one.end >= 0:
                close = places[one.end]
                found.pairs.append(Pair(marker, places[index], places[index] + len(marker), close, close + len(marker)))
            elif one.open:
                found.openers.append((places[index], marker))
        # What stands between two partners has lost its chance.
        if len(found.openers) <= MOST_OPEN * 10:
            taken = [(pair.inner, pair.close) for pair in found.pairs]
            found.openers = [one for one in found.openers if not any(start <= one[0] < end for start, end in taken)]
        if len(found.openers) > MOST_OPEN:
            found.openers = []
        return found


def _as_text(state: _State) -> list[Token]:
    for index, line in enumerate(state.src.split("\n")):
        if index:
            state.push("softbreak", "br", 0)
        state.push("text", "", 0).content = line
    return state.tokens


def _scheme_length(src: str, start: int, name: str) -> int:
    if name != "bare_url":
        return 0
    found = _SCHEME.search(src, max(start - 5, 0), start)
    return len(found[0]) if found else 0


def _only_if_closed(
    rule: Callable[[StateInline, bool], bool],
) -> Callable[[StateInline, bool], bool]:
    """Without a closing bracket ahead there is nothing to look for; a run of opening ones would each look to the end."""

    def guarded(state: StateInline, silent: bool) -> bool:  # noqa: FBT001  the signature of a rule
        return state.src[state.pos] in "[!" and state.src.find("]", state.pos) >= 0 and rule(state, silent)

    return guarded


def _break_tag(state: StateInline, silent: bool) -> bool:  # noqa: FBT001  the signature of a rule
    found = _BREAK_TAG.match(state.src, state.pos, state.posMax)
    if found is None:
        return False
    if not silent:
        state.push("hardbreak", "br", 0)
    state.pos = found.end()
    return True


def _bracketed(state: StateInline, silent: bool) -> bool:  # noqa: FBT001  the signature of a rule
    r"""`\( formula \)` and `\[ formula \]`, which Markdown would rob of their backslashes."""
    display = _BRACKETED_DISPLAY.match(state.src, state.pos, state.posMax)
    if (
        display is not None
        and _LIKE_FORMULA.search(display[0], 2, len(display[0]) - 2)
        and not _LINK_GOES_ON.match(state.src, display.end())
    ):
        if not silent:
            for index, line in enumerate(display[0].split("\n")):
                if index:
                    state.push("softbreak", "br", 0)
                state.append_pending(line)
        state.pos = display.end()
        return True
    found = _BRACKETED.match(state.src, state.pos, state.posMax)
    if found is None or not found[1].strip():
        return False
    if not silent:
        token = state.push("code_inline", "code", 0)
        token.content = found[1].strip()
    state.pos = found.end()
    return True


def _formula(state: StateInline, silent: bool) -> bool:  # noqa: FBT001  the signature of a rule
    """`$x_1 * y$`: nothing inside is Markdown. A sum of money is no formula."""
    pos = state.pos
    if state.src[pos] != "$" or (pos > 0 and (state.src[pos - 1].isalnum() or state.src[pos - 1] == "$")):
        return False
    found = _DISPLAY.match(state.src, pos, state.posMax) or _FORMULA.match(state.src, pos, state.posMax)
    if found is None or not _LIKE_FORMULA.search(found[0]):
        return False
    if not silent:
        state.append_pending(found[0])
    state.pos = found.end()
    return True


def _bare_url(state: StateInline, silent: bool) -> bool:  # noqa: FBT001  the signature of a rule
    if state.linkLevel > 0 or not state.src.startswith("://", state.pos):
        return False
    scheme = _SCHEME.search(state.src, max(state.pos - 5, 0), state.pos)
    rest = URL.match(state.src, state.pos + 3, state.posMax)
    if scheme is None or rest is None or (not silent and not state.pending.endswith(scheme[0])):
        return False
    end = rest.start() + len(trim_url(rest[0]))
    if end == rest.start():
        return False
    if not silent:
        state.pending = state.pending[: -len(scheme[0])]
        address = state.src[scheme.start() : end]
        token = state.push("link_open", "a", 1)
        token.attrs = {"href": address}
        state.append_pending(address)
        state.push("link_close", "a", -1)
    state.pos = end
    return True


def trim_url(rest: str) -> str:
    """Without the punctuation that ends a sentence around the address, and without a bracket that it does not open."""
    while rest:
        last = rest[-1]
        if last in ".,;:!?'*_~…\u2019\u201d" or (last in ")]" and rest.count(last) > rest.count("(["[last == "]"])):
            rest = rest[:-1]
        else:
            break
    return rest
