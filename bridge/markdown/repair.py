"""What may be shown of a text that is still being written: what is half open at its end is closed, or not shown yet. Pure.

A link, an inline code, an address is shown when it is complete. Emphasis is shown from its first letter on, closed.
"""

import re
from collections.abc import Sequence

from markdown_it.token import Token

from bridge.markdown.inline import InlineMap
from bridge.markdown.parser import locate_tokens, map_inline

LONGEST_LABEL = 200
"""Characters for which an opening bracket or backtick may keep its line waiting; after that it is taken for a character."""

LONGEST_ADDRESS = 2_100
"""Characters that an address may have before its link is given up. Browsers take about 2,000."""

_OPENINGS_TRIED = 8
"""Opening brackets looked at from the end of a line backwards."""

_PREFIX = r"[ \t>]*(?:(?:[-+*]|[0-9]{1,9}[.)])[ \t]+)*"
_ONLY_MARKER = re.compile(
    rf"^{_PREFIX}(?:#{{1,6}}|[-+]|[0-9]{{1,9}}[.)]?|>|=+|-+|\*{{1,3}}|_{{1,3}}|`{{1,2}}|~{{1,3}}|\||!|<|\\|\$"
    r"|\[(?:[ xX]?\]?)?)?[ \t]*$"
)
_PIPES = re.compile(r"^[ \t>]*(?:(?:[-+*]|[0-9]{1,9}[.)])[ \t]+)*\|")
_DELIMITER = re.compile(r"^[ \t>]*[|:-][-:| \t]*$")
_LABEL = rf"(?:[^\[\]]|\[[^\[\]]{{0,{LONGEST_LABEL}}}\]){{0,{LONGEST_LABEL}}}"
_LINK = re.compile(
    rf"\[(?:{_LABEL}|{_LABEL}\](?:\((?:[^()\s]|\([^()\s]{{0,{LONGEST_ADDRESS}}}\)?|\s){{0,{LONGEST_ADDRESS}}}"
    rf"|\[[^\[\]]{{0,{LONGEST_LABEL}}})?)$"
)
_OPEN_ANGLE = re.compile(rf"<(?:[@#!/:?a-zA-Z][^<>\s]{{0,{LONGEST_ADDRESS}}})?$")
_OPEN_ENTITY = re.compile(r"&[#a-zA-Z0-9]{0,32}$")
_OPEN_SCHEME = re.compile(r"(?<![A-Za-z0-9])h(?:t(?:t(?:ps?(?::/{0,2})?)?)?)?$", re.IGNORECASE)
_OPEN_MENTION = re.compile(r"(?<![A-Za-z0-9._-])@[^\s@]{0,64}$")
"""`@Ann` may become `@Anna`, who is somebody else."""

_LAST_MARKERS = re.compile(r"[*_~]+$")
_ROUNDS = 6
"""How often a line may be taken back before the rest is shown as it is: a table's head, a rule, a marker, one below the other."""


def close(source: str) -> str:
    """`source` with the code block closed that it leaves open, if it does. What follows is then not code."""
    located = locate_tokens(source)
    if not located:
        return source
    lines = source.split("\n")
    fence = open_fence(lines, located[-1])
    return source if fence is None else close_fence(source, lines, fence)


def mend(source: str) -> str:
    """The end of a text that was cut off: nothing is left out, but what goes on after it is neither code nor bold."""
    located = locate_tokens(source)
    if not located:
        return source
    tokens, lines = located[-1], source.split("\n")
    fence = open_fence(lines, tokens)
    if fence is not None:
        return close_fence(source, lines, fence)
    leaf = next((token for token in reversed(tokens) if token.nesting == 0), None)
    bare = source.rstrip()
    if (
        leaf is None
        or leaf.type != "inline"
        or source.endswith("\n\n")
        or any(one.type == "table_open" for one in tokens)
    ):
        return source
    if not bare.endswith(leaf.content.rsplit("\n", 1)[-1]):
        return source
    kept = (
        _LAST_MARKERS.sub("", leaf.content).rstrip()
        if _dangling(leaf.content, map_inline(leaf.content, {}))
        else leaf.content
    )
    closers = "".join(marker for _, marker in reversed(map_inline(kept, {}).openers))
    return _cut_source(bare, leaf.content, len(kept)).rstrip() + closers if closers or kept != leaf.content else source


def repair(source: str, tokens: Sequence[Token] | None = None, line: int = 0) -> str:
    """The part of a live source that can be shown, balanced. Everything before the last top-level block is left alone.

    `tokens`: of that block, if `source` is only that and they are known already; it begins in their line `line`.
    """
    for _ in range(_ROUNDS):
        first = line
        if tokens is None:
            located = locate_tokens(source)
            if not located:
                return source if source.strip() else ""
            tokens = located[-1]
            first = (tokens[0].map or [0])[0]
        lines = [""] * line + source.split("\n")
        shown = _repair_last(source, lines, first, tokens)
        if shown is not None:
            return shown
        tokens, line = None, 0
        source = source[: -len(lines[-1])].rstrip(" \t") if lines[-1] else source
    return source


def open_fence(lines: Sequence[str], tokens: Sequence[Token]) -> Token | None:
    """The code fence among `tokens` that is still open at the end of `lines`."""
    last = next((token for token in reversed(tokens) if token.nesting == 0), None)
    if last is None or last.type != "fence" or last.map is None:
        return None
    start, end = last.map
    behind = lines[end:]
    if any(line.strip() for line in behind):
        return None  # it ended with the list or quote that it stood in
    closing = lines[end - 1].lstrip(" \t>").rstrip()
    closed = end - 1 > start and len(closing) >= len(last.markup) and set(closing) == {last.markup[0]}
    return None if closed else last


def close_fence(source: str, lines: Sequence[str], fence: Token) -> str:
    """`source`, which is `lines`, with `fence` closed."""
    opener = lines[fence.map[0] if fence.map else 0]
    prefix = re.sub(r"[^ \t>]", " ", opener[: opener.find(fence.markup)])
    return f"{source}{'' if source.endswith(chr(10)) else chr(10)}{prefix}{fence.markup}"


def _repair_last(source: str, lines: Sequence[str], first: int, tokens: Sequence[Token]) -> str | None:
    """What can be shown, or None when the last line must be taken back first."""
    last_line = lines[-1]
    fence = open_fence(lines, tokens)
    if fence is not None:
        if fence.map and fence.map[0] == len(lines) - 1:
            return None  # its language is still being written
        mark = last_line.strip(" \t>")
        if mark and set(mark) == {fence.markup[0]}:
            source = source[: -len(last_line)]
        return close_fence(source, lines, fence)
    if not last_line.strip():
        return source if len(lines) > 1 and not lines[-2].strip() else _without_table_head(source, lines, first, tokens)
    if _ONLY_MARKER.match(last_line):
        return None
    leaf = next((token for token in reversed(tokens) if token.type == "inline"), None)
    if leaf is None or any(token.type == "table_open" and token.map and token.map[1] == len(lines) for token in tokens):
        # A row is shown when it is complete.
        return None if leaf is not None else source
    if _PIPES.match(last_line) or (len(lines) - first > 1 and _DELIMITER.match(last_line) and "|" in lines[-2]):
        return None
    return _repair_line(source, leaf.content)


def _without_table_head(source: str, lines: Sequence[str], first: int, tokens: Sequence[Token]) -> str | None:
    """Complete lines: rows that wait for the line below the head are not shown; emphasis may go on in the next line."""
    if any(token.type == "table_open" for token in tokens):
        return source
    end = len(lines) - 1
    while end > first and _PIPES.match(lines[end - 1]):
        end -= 1
    if end < len(lines) - 1:
        count = len(lines) - end
        shown = source.rsplit("\n", count)[0] if source.count("\n") >= count else ""
        return shown and repair(shown + "\n") if end > first else shown
    leaf = next((token for token in reversed(tokens) if token.type == "inline"), None)
    return source if leaf is None else _repair_line(source, leaf.content)


def _repair_line(source: str, content: str) -> str:
    """The last paragraph, whose inline source is `content`."""
    bare = source.rstrip()
    if not bare.endswith(content.rsplit("\n", 1)[-1]):
        return source  # a heading with closing marks
    found = map_inline(content, {})
    shown = withhold(content, found)
    kept = _LAST_MARKERS.sub("", shown).rstrip() if _dangling(shown, found) else shown
    if kept != content:
        found = map_inline(kept, {})
    closers = "".join(marker for _, marker in reversed(found.openers))
    if kept == content:
        return bare + closers if closers else source
    out = _cut_source(bare, content, len(kept)).rstrip() + closers
    # What is left of the line may be only what a heading or an item begins with.
    return repair(out) if _ONLY_MARKER.match(out.rsplit("\n", 1)[-1]) else out


def _cut_source(bare: str, content: str, keep: int) -> str:
    """`bare`, which ends with the lines of `content`, up to where the first `keep` characters of `content` end."""
    later = content.count("\n", keep)
    lines = bare.split("\n")
    lines = lines[: len(lines) - later]
    end = content.find("\n", keep)
    cut = (len(content) if end < 0 else end) - keep
    last = lines[-1].rstrip() if later else lines[-1]
    lines[-1] = last[: len(last) - cut]
    return "\n".join(lines)


def _dangling(shown: str, found: InlineMap) -> bool:
    """Whether the markers at the end are half a closing marker or an opening one with nothing behind it."""
    run = _LAST_MARKERS.search(shown)
    return run is not None and (bool(found.openers) or not any(pair.end == len(shown) for pair in found.pairs))


def withhold(content: str, found: InlineMap) -> str:
    """`content` up to where something begins that is not complete yet."""
    line = content.rfind("\n") + 1
    end = len(content)
    for start, stop in found.loose_ticks:
        if start >= line and len(content) - stop <= LONGEST_LABEL:
            end = min(end, start)
    if found.atoms and found.atoms[-1].kind == "bare_url" and not content[found.atoms[-1].end :].strip(".,;:!?'*_~…)]"):
        end = min(end, found.atoms[-1].start)
    inside = {at for atom in found.atoms for at in range(atom.start, atom.end)} if found.atoms else set()
    at = end
    for _ in range(_OPENINGS_TRIED):
        at = content.rfind("[", 0, at)
        if at < 0 or end - at > LONGEST_LABEL + LONGEST_ADDRESS:
            break
        if at not in inside and _LINK.match(content, at, end):
            end = at - 1 if at > 0 and content[at - 1] == "!" else at
    for pattern in (_OPEN_ANGLE, _OPEN_ENTITY, _OPEN_SCHEME, _OPEN_MENTION):
        if (
            tail := pattern.search(content, max(line, end - LONGEST_ADDRESS), end)
        ) is not None and tail.start() not in inside:
            end = tail.start()
    shown = content[:end]
    # A backslash, an exclamation mark: what they are depends on the next character.
    return shown if end == 0 else re.sub(r"(?:(?<!\\)\\|!)$", "", shown)
