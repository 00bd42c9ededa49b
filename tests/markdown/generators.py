"""Documents and streams for the properties.

Tame documents hide bugs: there must be fences longer than several messages, long runs of clusters without a space, and lines
that no message holds. `documents` are well formed, and none of their markers is meant to be seen; table headers are written in
Cyrillic and nothing else is, so that repeated ones can be told from text. `noise` is anything.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from hypothesis import strategies as st

FAMILY = "👨‍👩‍👧‍👦"
CLUSTERS = (FAMILY, "👍🏽", "🇩🇪", "e\u0301", "ก็", "❤️", "1️⃣", "🧑🏿‍🚀")

LITERAL = "lit"
"""Stands between escaped stars, which are seen."""

MENTIONS = (
    "<!channel>", "<!here|here>", "<!subteam^S01AB>", "<@U01ABC>", "<#C01ABC>", "@channel", "@everyone", "@here", "<@12345678>",
    "<@!12345678>", "<@&12345678>", "<#12345678>", "&lt;!channel&gt;", "&#60;@U01ABC&#62;", "\\<@12345678>", "&commat;everyone",
    "&amp;lt;!here&amp;gt;",
)  # fmt: skip
"""The last one shows an entity, on purpose."""

_LATIN = (
    "alpha",
    "beta",
    "gamma",
    "x1",
    "delta",
    "epsilon",
    "Zeta",
    "eta",
    "2026",
    "a.b",
    "it's",
    "R&D",
    "50%",
    "a<b",
    "C#",
)
_CJK = ("重要な点", "说明", "テスト", "漢字", "한국어", "确认")
_CODE = ("f(x)", "a * b", "**kw", "x_y_z", "<T>", "&amp;", "a|b", "#x", "漢字", "$a[0]")
_CODE_LINES = (
    "def f(x):",
    "    return x * 2 ** 3",
    "",
    "# not a heading",
    "> not a quote",
    "- not a list",
    "| a | b |",
    "if a && b || !c:",
    "<div class='x'>&amp;</div>",
    "print(`y`)",
    "**not bold** _x_ [a](b)",
    "<!channel> @everyone <@U01ABC> <@12345678>",
    "\tx = 漢字",
    "1. not a number",
    "~~~",
    "---",
    "e = 'e\u0301👍🏽'",
)
_LANGUAGES = ("", "python", "sh", "c++", "js", "objective-c")
_HEADERS = ("Ключ", "Смысл", "Дата", "Число")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """A text and where it was at each moment."""

    text: str
    ends: tuple[int, ...]


def _word() -> st.SearchStrategy[str]:
    return st.sampled_from(_LATIN)


def _words(most: int = 12) -> st.SearchStrategy[str]:
    return st.lists(_word(), min_size=1, max_size=most).map(" ".join)


def _plain_words() -> st.SearchStrategy[str]:
    """Letters only: they may stand inside any emphasis."""
    return st.lists(st.sampled_from(("alpha", "beta", "gamma", "x1", "2026")), min_size=1, max_size=5).map(" ".join)


def _styled() -> st.SearchStrategy[str]:
    """One inline piece, to be set between spaces."""
    words = _plain_words()
    return st.one_of(
        words.map("**{}**".format),
        words.map("*{}*".format),
        words.map("_{}_".format),
        words.map("__{}__".format),
        words.map("~~{}~~".format),
        words.map("***{}***".format),
        st.tuples(words, words).map(lambda two: f"**{two[0]} *{two[1]}* end**"),
        st.sampled_from(_CODE).map("`{}`".format),
        st.tuples(_word(), st.integers(0, 99)).map(lambda two: f"[{two[0]}](https://a.io/{two[1]})"),
        st.integers(0, 99).map("https://a.io/x_{}_y".format),
        st.sampled_from(MENTIONS[:-1]),
        st.just(f"\\*{LITERAL}\\*"),
        st.sampled_from(("&lt;b&gt;", "&amp;", "&copy;", "1 < 2", "2 * 3 * 4", "snake_case_x")),
    )


def _cjk() -> st.SearchStrategy[str]:
    """Emphasis between letters that have no space around them, with and without punctuation inside."""
    one = st.sampled_from(_CJK)
    return st.lists(
        st.one_of(
            one,
            one.map("**{}：**".format),
            one.map("**{}**".format),
            one.map("**「{}」**".format),
            one.map("*{}。*".format),
            one.map("~~{}~~".format),
        ),
        min_size=1,
        max_size=8,
    ).map("和".join)


def _line() -> st.SearchStrategy[str]:
    mixed = st.lists(st.one_of(_words(), _styled(), _cjk()), min_size=1, max_size=6).map(" ".join)
    return mixed.filter(lambda line: line[0] not in "0123456789#<>&")


def _paragraph() -> st.SearchStrategy[str]:
    return st.lists(_line(), min_size=1, max_size=4).map("\n".join)


def _huge_line() -> st.SearchStrategy[str]:
    return st.one_of(
        st.tuples(_words(), st.integers(10, 60)).map(lambda two: " ".join([two[0]] * two[1])),
        st.tuples(st.sampled_from(_CJK), st.integers(40, 200)).map(lambda two: two[0] * two[1]),
        st.tuples(st.sampled_from(CLUSTERS), st.integers(30, 250)).map(lambda two: two[0] * two[1]),
        st.lists(st.sampled_from(CLUSTERS), min_size=40, max_size=150).map("".join),
        st.integers(100, 1_500).map(lambda size: "x" * size),
        st.tuples(_words(40), st.integers(2, 12)).map(
            lambda two: "**" + " ".join([two[0].replace("a<b", "ab")] * two[1]) + "**"
        ),
        st.integers(20, 90).map(lambda size: " ".join(f"[label{n}](https://a.io/{n})" for n in range(size))),
        st.integers(20, 90).map(lambda size: " ".join(f"`code_{n}`" for n in range(size))),
        st.integers(30, 200).map(lambda size: "a &amp; b &lt; c " * (size // 3) + "end"),
    )


def _heading() -> st.SearchStrategy[str]:
    return st.tuples(st.integers(1, 6), st.one_of(_words(6), _cjk())).map(lambda two: "#" * two[0] + " T " + two[1])


def _list() -> st.SearchStrategy[str]:
    def items(three: tuple[Sequence[str], str, Sequence[int]]) -> str:
        texts, kind, depths = three
        out: list[str] = []
        depth, counts = 0, [0] * 5
        for text, step in zip(texts, depths, strict=False):
            depth = max(0, min(depth + step, 3)) if out else 0
            counts[depth] += 1
            counts[depth + 1 :] = [0] * (4 - depth)
            mark = {"bullet": "- ", "number": f"{counts[depth]}. ", "task": "- [x] "}[kind]
            indent = 4 if kind == "number" else 2
            out.append(" " * indent * depth + mark + text)
        return "\n".join(out)

    texts = st.lists(_line(), min_size=1, max_size=25)
    steps = st.lists(st.sampled_from((0, 0, 1, -1, -2)), min_size=25, max_size=25)
    return st.tuples(texts, st.sampled_from(("bullet", "number", "task")), steps).map(items)


def _fence(most: int = 80) -> st.SearchStrategy[str]:
    lines = st.one_of(
        st.lists(st.sampled_from(_CODE_LINES), min_size=1, max_size=12),
        st.integers(5, most).map(lambda size: [f"    line_{n} = f(x[{n}])  # {n} ** 2 & <T>" for n in range(size)]),
        st.just(["y" * 700, "漢" * 300]),
    )
    fenced = st.tuples(st.sampled_from(_LANGUAGES), lines).map(
        lambda two: f"```{two[0]}\n" + "\n".join(two[1]) + "\n```"
    )
    return fenced.filter(lambda fence: bool(fence.split("\n", 1)[1].removesuffix("```").strip()))


def _inside(block: st.SearchStrategy[str], prefix: str, first: str = "") -> st.SearchStrategy[str]:
    return block.map(
        lambda text: "\n".join([first or prefix] * bool(first) + [prefix + line for line in text.split("\n")])
    )


def tables(room: int) -> st.SearchStrategy[str]:
    """Tables of which a message of `room` holds the head and a row."""

    def rows(columns: int, times: int) -> st.SearchStrategy[str]:
        cell = st.sampled_from(("alpha", "x1", "漢字", "**beta**", "`a * b`", "1 < 2", "gamma", "@everyone", "<!here>"))
        head = [name * times for name in _HEADERS[:columns]]
        return st.lists(st.lists(cell, min_size=columns, max_size=columns), min_size=1, max_size=30).map(
            lambda body: "\n".join("| " + " | ".join(row) + " |" for row in [head, ["---"] * columns, *body])
        )

    narrow, wide = rows(2, 1), rows(3, 3)  # 13 columns, and 45: too wide for a table on Discord
    return st.one_of(narrow, wide) if room >= 400 else narrow


def _block(room: int) -> st.SearchStrategy[str]:
    return st.one_of(
        _paragraph(),
        _paragraph(),
        _heading(),
        _list(),
        _fence(),
        _fence(),
        _inside(_fence(20), "> "),
        _inside(_fence(20), "  ", first="- item"),
        _inside(_paragraph(), "> "),
        _inside(_list(), "> "),
        tables(room) if room >= 200 else _paragraph(),
        _huge_line(),
        st.just("---"),
    )


def documents(room: int, most: int = 7) -> st.SearchStrategy[str]:
    """Well-formed documents for messages of `room`. An unfinished code block may stand at the end."""
    body = st.lists(_block(room), min_size=1, max_size=most).map("\n\n".join)
    unfinished = st.one_of(st.just(""), st.just(""), _fence(20).map(lambda fence: "\n\n" + fence.removesuffix("\n```")))
    return st.tuples(body, unfinished).map("".join)


_NOISE = (
    *"*_`~[]()<>#+-!\\&;\n\n  a1x漢@:.",
    "**",
    "```",
    "\n\n",
    "> ",
    "- ",
    "1. ",
    "](",
    "&lt;",
    "https://",
    "\u0301",
    "\u200d",
    "😀",
    "\r",
)


def noise(most: int = 400) -> st.SearchStrategy[str]:
    """Anything but tables, whose repeated headers could not be told from text."""
    return st.lists(
        st.one_of(st.sampled_from(_NOISE), st.sampled_from(_NOISE), st.sampled_from(MENTIONS)), max_size=most
    ).map("".join)


def anything() -> st.SearchStrategy[str]:
    """Also pipes, control characters and lone surrogates."""
    return st.one_of(
        st.lists(
            st.sampled_from((*_NOISE, "|", "| - |\n", "\x00", "\x1b", "\u202e", "\ud83d", "\ufeff", "\t")), max_size=300
        ).map("".join),
        st.text(max_size=300),
    )


@st.composite
def streams(draw: st.DrawFn, texts: st.SearchStrategy[str], moments: int = 12) -> Stream:
    """A text that arrives in random deltas."""
    text = draw(texts)
    ends = draw(st.lists(st.integers(1, max(1, len(text))), max_size=moments, unique=True))
    return Stream(text=text, ends=(*sorted(end for end in ends if end < len(text)), len(text)))


def limits(real: int) -> st.SearchStrategy[int]:
    return st.one_of(st.sampled_from((60, 100, 200, 500, real)), st.integers(60, real))
