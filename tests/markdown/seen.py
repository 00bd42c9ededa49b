"""What a person sees of one message: styled runs of text, code blocks, and what looks broken or would ping.

Nothing here knows the engine. Each platform's sight module turns a payload into a `Seen`.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from itertools import pairwise
from operator import attrgetter


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Text in one style. `mark` is a bullet, number or task box: drawn, but no part of what was written."""

    text: str
    bold: bool = False
    italic: bool = False
    strike: bool = False
    code: bool = False
    heading: int = 0
    link: str | None = None
    quote: bool = False
    fence: bool = False
    underline: bool = False
    spoiler: bool = False
    small: bool = False
    card: bool = False
    """A link under which the platform would put a preview."""
    mark: bool = False
    depth: int = 0
    """Nesting of the list, 0 outside lists."""
    cell: str = ""
    """"head" or "body" inside a table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fence:
    info: str
    text: str
    quote: bool = False
    closed: bool = True


Table = tuple[tuple[str, ...], ...]

# What a person calls broken when it stands in prose. Bullets, code and addresses are taken out before.
_BROKEN = re.compile(
    r"""
      (?P<escape>\\(?=[*_~`\[\]()\#>|<!]))          # an escape that leaked
    | (?P<ticks>`+)
    | (?P<stars>(?<![\s*])\*++|(?<!\*)\*++(?!\s|$)|(?m:^)\*++(?=[ ]))
    | (?P<score>(?<![\w])_+(?=\S)|(?<=\S)_+(?![\w]))
    | (?P<tilde>~~+|(?m:^)~+)
    | (?P<image>!\[)
    | (?P<link>\]\()
    | (?P<angle><(?=https?:|\ufffc))
    | (?P<entity>&(?:lt|gt|amp|quot|nbsp|\#x?[0-9a-fA-F]+);)
    | (?P<heading>(?m:^)[ ]{0,3}\#{1,6}(?=[ \n]|$))
    | (?P<quote>(?m:^)[ ]{0,3}>+)
    | (?P<bullet>(?m:^)[ ]{0,3}[-+](?=[ ]))
    | (?P<rule>(?m:^)[ ]{0,3}(?:={2,}|-{2,})[ ]*(?m:$))
    | (?P<box>(?m:^)\[[ xX]\](?=[ ]))
    | (?P<pipe>(?m:^)[ ]{0,3}\||\|[ ]*(?m:$)|\|[ ]*:?--+)
    | (?P<spoiler>\|\|)
    """,
    re.VERBOSE,
)
_ADDRESS = re.compile(r"https?://[^\s()<>\[\]*`~|]+")
_HIDDEN = re.compile("[\u200b\u2060]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    runs: tuple[Run, ...]
    mentions: frozenset[str]
    """Who would be called, spelled without angle brackets: "@U1", "!channel", "#C1", "@everyone"."""
    fences: tuple[Fence, ...]
    tables: tuple[Table, ...] = ()

    @property
    def text(self) -> str:
        """All that is visible, bullets and numbers included, without zero-width characters."""
        return _HIDDEN.sub("", "".join(run.text for run in self.runs))

    @property
    def letters(self) -> str:
        """Letters and digits that were written, in order; list numbers are not."""
        return letters_of("".join(run.text for run in self.runs if not run.mark))

    @property
    def bold_letters(self) -> str:
        return self.styled("bold")

    @property
    def code_letters(self) -> str:
        """Of inline code and of code blocks."""
        return self.styled("code")

    def styled(self, style: str) -> str:
        return letters_of("".join(run.text for run in self.runs if getattr(run, style) and not run.mark))

    @property
    def markers(self) -> tuple[str, ...]:
        """Raw markers that stand visible in prose, in order, and styles that nobody asks for."""
        found = [_name(match) for match in _BROKEN.finditer(self._prose())]
        found += [
            "![" for run, link in pairwise(self.runs) if run.text.endswith("!") and link.link and link.text != link.link
        ]
        found += ["```" for fence in self.fences if not fence.closed]
        for style, marker in (
            ("spoiler", "|| hidden"),
            ("underline", "__ underlined"),
            ("small", "-# small"),
            ("card", "preview card"),
        ):
            if any(getattr(run, style) for run in self.runs):
                found.append(marker)
        return tuple(found)

    def _prose(self) -> str:
        """One character stands for each piece of code, and one for each address."""
        parts = ["" if run.mark else "\ue000" if run.code else run.text for run in self.runs]
        return _ADDRESS.sub("\ufffc", _HIDDEN.sub("", "".join(parts)))


def _name(match: re.Match[str]) -> str:
    return match[0].strip()


def letters_of(text: str) -> str:
    return "".join(letter for letter in text if unicodedata.category(letter)[0] in "LN")


_STYLE = attrgetter(*(one.name for one in fields(Run) if one.name not in ("text", "mark")))


def joined(runs: Iterable[Run]) -> tuple[Run, ...]:
    """Neighbours of the same style in one run, so that tests can ask for whole words."""
    groups: list[tuple[Run, list[str]]] = []
    for run in runs:
        if not run.text:
            continue
        if groups and not run.mark and not groups[-1][0].mark and _STYLE(groups[-1][0]) == _STYLE(run):
            groups[-1][1].append(run.text)
        else:
            groups.append((run, [run.text]))
    return tuple(run if len(texts) == 1 else replace(run, text="".join(texts)) for run, texts in groups)


_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\ufeff]"  # controls, lone surrogates, overriding directions
)


def unprintable(text: str) -> list[str]:
    """Characters that must never reach the wire."""
    return _UNPRINTABLE.findall(text)
