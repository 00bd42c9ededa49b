"""What Slack shows of mrkdwn in `text`: *bold*, _italic_, ~strike~, code, <address|label>, quotes. No lists, no headings.

A style begins and ends at the edge of a word, inside one line. A zero-width space is such an edge, and like other white space
it may not stand directly inside a marker.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from tests.markdown.seen import Fence, Run, Seen, joined
from tests.markdown.slack_sight import slack_mentions

_FENCE = re.compile(r"```\n?([\s\S]*?[^\n][\s\S]*?)\n?```")
_QUOTE = re.compile(r"(?:>|&gt;)[ ]?")
_MARK = re.compile(r"[ \u00a0\u2003]*(?:[•◦▪▫‣●○-]|\d{1,9}[.)])[ \u00a0]+(?:[☐☑][ ]+)?")
_LINK = re.compile(r"<((?:https?|mailto|tel):[^|>\n]*)(?:\|([^>\n]*))?>")
_TOKEN = re.compile(r"<([@#!][^>\n]*)>")
_CODE = re.compile(r"(`)([^`\n]+)`(?!`)")
_ENTITY = re.compile("&(?:amp|lt|gt);")
_SPACE = re.compile(r"[\s\u200b\u2060]")
_STYLES = {"*": "bold", "_": "italic", "~": "strike"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Atom:
    """One character, or one piece that styles do not look into."""

    text: str
    code: bool = False
    link: str | None = None
    token: bool = False


def see_mrkdwn(source: str) -> Seen:
    runs: list[Run] = []
    fences: list[Fence] = []
    at = 0
    for found in _FENCE.finditer(source):
        _lines(source[at : found.start()], runs, line_start=at == 0 or source[at - 1] == "\n")
        text = _decode(found[1])
        quote = bool(re.search(r"(?:^|\n)(?:>|&gt;)[^\n]*$", source[: found.start()]))
        fences.append(Fence(info="", text=text, quote=quote))
        runs.append(Run(text=text, code=True, fence=True, quote=quote))
        runs.append(Run(text="\n"))
        at = found.end()
    _lines(source[at:], runs, line_start=at == 0)
    return Seen(runs=joined(runs), mentions=slack_mentions(source), fences=tuple(fences))


def _lines(text: str, runs: list[Run], *, line_start: bool) -> None:
    for index, line in enumerate(text.split("\n")):
        if index:
            runs.append(Run(text="\n"))
        style = Run(text="")
        at = 0
        if (index or line_start) and (quoted := _QUOTE.match(line)):
            style = Run(text="", quote=True)
            at = quoted.end()
        if (index or line_start) and (mark := _MARK.match(line, at)):
            indent = len(mark[0]) - len(mark[0].lstrip())
            runs.append(replace(style, text=mark[0], mark=True, depth=1 + indent // 2))
            at = mark.end()
        _inline(_atoms(line[at:]), style, runs)


def _atoms(line: str) -> list[_Atom]:
    out: list[_Atom] = []
    at = 0
    while at < len(line):
        if code := _CODE.match(line, at):
            out.append(_Atom(text=_decode(code[2]), code=True))
            at = code.end()
        elif link := _LINK.match(line, at):
            url = _decode(link[1])
            out.append(_Atom(text=_decode(link[2]) if link[2] is not None else url, link=url))
            at = link.end()
        elif token := _TOKEN.match(line, at):
            out.append(_Atom(text=token[1], token=True))
            at = token.end()
        elif entity := _ENTITY.match(line, at):
            out.append(_Atom(text=_decode(entity[0])))
            at = entity.end()
        else:
            out.append(_Atom(text=line[at]))
            at += 1
    return out


def _inline(atoms: Sequence[_Atom], style: Run, runs: list[Run]) -> None:
    at = 0
    plain: list[str] = []
    while at < len(atoms):
        atom = atoms[at]
        name = _STYLES.get(atom.text, "")
        end = None
        if name and _opens(atoms, at) and not getattr(style, name):
            end = next((end for end in range(at + 2, len(atoms)) if _closes(atoms, end, atom.text)), None)
        if end is None and _plain(atom):
            plain.append(atom.text)
            at += 1
            continue
        runs.append(replace(style, text="".join(plain)))
        plain.clear()
        if end is not None:
            _inline(atoms[at + 1 : end], _in_style(style, name), runs)
            at = end + 1
        else:
            runs.append(replace(style, text=atom.text, code=atom.code, link=atom.link))  # a label shows its markers
            at += 1
    runs.append(replace(style, text="".join(plain)))


def _in_style(style: Run, name: str) -> Run:
    match name:
        case "bold":
            return replace(style, bold=True)
        case "italic":
            return replace(style, italic=True)
        case _:
            return replace(style, strike=True)


def _plain(atom: _Atom) -> bool:
    return not atom.code and atom.link is None and not atom.token


def _opens(atoms: Sequence[_Atom], at: int) -> bool:
    if not _plain(atoms[at]) or at + 1 >= len(atoms):
        return False
    after = atoms[at + 1]
    return (at == 0 or _edge(atoms[at - 1])) and not _SPACE.match(after.text) and after.text != atoms[at].text


def _closes(atoms: Sequence[_Atom], at: int, marker: str) -> bool:
    if not _plain(atoms[at]) or atoms[at].text != marker:
        return False
    inside = atoms[at - 1]
    if _plain(inside) and (_SPACE.match(inside.text) or inside.text == marker):
        return False
    return at + 1 == len(atoms) or _edge(atoms[at + 1])


def _edge(atom: _Atom) -> bool:
    """White space or punctuation, so no letter or digit of any script, and no code or link that touches the marker."""
    return _plain(atom) and not (atom.text[:1].isalnum())


def _decode(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
