"""Texts for the engine's figures: answers as models write them, and inputs that only an attacker writes. The same every time."""

from collections.abc import Callable, Iterator
from itertools import count

SIZE = 20_000
"""Characters of a long answer."""

_ENGLISH = """
the answer depends on how often a value changes because every reader sees an older one until it is told so that caches stay
small and most requests never wait for another machine to agree with what was written before
"""
_WORDS = _ENGLISH.split()
_CHINESE = (
    "缓存的大小取决于数据变化的频率因为每个读者在收到通知之前看到的都是旧的值所以大多数请求不需要等待其他机器确认"
)


def _words(at: int, number: int) -> str:
    return " ".join(_WORDS[(at * 7 + index) % len(_WORDS)] for index in range(number))


def _prose(at: int) -> str:
    return (
        f"## {at}. {_words(at, 4).capitalize()}\n\n"
        f"{_words(at, 30).capitalize()}, which is **{_words(at, 3)}**. See [the manual](https://docs.example/{at}), "
        f"`cache.get(key_{at})` and *{_words(at + 1, 2)}*; {_words(at + 2, 40)}.\n\n"
        f"- **First:** {_words(at, 12)}\n- {_words(at + 3, 9)}\n  - {_words(at, 6)}\n  - `value_{at}` {_words(at, 5)}\n\n"
        f"1. {_words(at + 4, 8)}\n2. {_words(at + 5, 8)}\n\n> {_words(at, 14)}\n\n"
    )


def _code(at: int) -> str:
    lines = "".join(
        f"    if key_{line} not in cache and limit > {line * at}:  # {_words(line, 4)}\n"
        f"        cache[key_{line}] = await fetch(f'https://api.example/{{key_{line}}}?page={line}&size={at}')\n"
        for line in range(14)
    )
    return (
        f"### Step {at}\n\n{_words(at, 18).capitalize()}:\n\n```python\nasync def load_{at}(cache, limit):\n{lines}"
        f"    return cache\n```\n\nThen run `make step-{at}`.\n\n"
    )


def _table(at: int) -> str:
    rows = "".join(
        f"| `row_{row}` | {_words(row, 3)} | **{row * at}** | [{_words(row, 1)}](https://data.example/{at}/{row}) | {at} ms |\n"
        for row in range(14)
    )
    head = "| Name | What it says | Count | Source | Time |\n|---|:--|--:|:-:|---|\n"
    return f"**Table {at}**\n\n{head}{rows}\n{_words(at, 12)}.\n\n"


def _chinese(at: int) -> str:
    def some(start: int, number: int) -> str:
        return "".join(_CHINESE[(start * 5 + index) % len(_CHINESE)] for index in range(number))

    return (
        f"## {at}、{some(at, 8)}\n\n{some(at, 60)}，**注意：**{some(at + 1, 30)}。{some(at + 2, 40)}「**{some(at, 6)}**」，"
        f"请看[手册](https://docs.example/{at})和`cache.get({at})`。\n\n- **{some(at, 4)}：**{some(at + 3, 24)}\n"
        f"- {some(at + 4, 20)}\n\n| 名称 | 数值 |\n|---|---|\n| {some(at, 5)} | {at} |\n| {some(at + 1, 5)} | {at * 2} |\n\n"
    )


def _fill(part: Callable[[int], str]) -> str:
    text = ""
    for at in count(1):
        text += part(at)
        if len(text) >= SIZE:
            return text[:SIZE]
    raise AssertionError


ANSWERS: dict[str, str] = {
    "prose": _fill(_prose),
    "code": _fill(_code),
    "tables": _fill(_table),
    "Chinese": _fill(_chinese),
}

_HOSTILE: dict[str, str] = {
    "[": "[",
    "![": "![",
    "_a": "_a",
    "*a ": "*a ",
    "|": "|",
    "| a ": "| a ",
    "> ": "> ",
    "- ": "- ",
    "`": "`",
    "` a ": "` a ",
    "<@": "<@",
    "&": "&",
    "[a](": "[a](",
    "family emoji": "👨\u200d👩\u200d👧\u200d👦",
    "joined emoji": "👨\u200d",
    "combining marks": "\u0301",
    "a": "a",
    "a ": "a ",
    "漢": "漢",
}

_MANY_LINES: dict[str, str] = {
    "x\\n": "x\n",
    "- a\\n": "- a\n",
    "|-|\\n": "|-|\n",
    "# a\\n": "# a\n",
    "a\\n\\n": "a\n\n",
}


def _repeat(pattern: str, size: int) -> str:
    return (pattern * (size // len(pattern) + 1))[:size]


def hostile(size: int = SIZE) -> Iterator[tuple[str, str]]:
    """One pattern again and again, in a single line. With `size` characters."""
    for name, pattern in _HOSTILE.items():
        yield name, _repeat(pattern, size)


def many_lines(size: int = SIZE) -> Iterator[tuple[str, str]]:
    """Thousands of tiny blocks, lines or rows: slow, because there is much to write, but in proportion to the length."""
    for name, pattern in _MANY_LINES.items():
        yield name, _repeat(pattern, size)
