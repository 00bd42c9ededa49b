"""Takes links to Dify's own files out of a growing answer. Chatflows write them there: signed, so that whoever reads one can have
the file without a key, and dead after five minutes. The files themselves are passed on (`files`), the links never.

A link is cut anywhere by the stream, so the filter holds back what may become one. Code is no exception: whoever reads an address
there can follow it as well.
"""

import html
import re
from collections.abc import Iterable
from mimetypes import guess_type
from pathlib import PurePosixPath
from typing import Final, Literal
from urllib.parse import unquote, urlsplit

from bridge.backends.dify.producing import MOST_FILES, name_file
from bridge.messages import ProducedFile

LONGEST_ADDRESS = 4_000
"""Characters of an address that is read to its end before anything of it is shown. Dify's have some 250."""

LONGEST_LABEL = 1_000
"""Characters between the brackets of a link. File names end at 255, yet a label may be a picture with an address of its own."""

_START = re.compile(r"!?\[|<?https?://|/files/", re.IGNORECASE | re.ASCII)
_STARTS = ("![", "<https://", "<http://", "https://", "http://", "/files/")
_LONGEST_START = max(map(len, _STARTS))
_BEGINNINGS = "|".join(re.escape(one[:length]) for one in _STARTS for length in range(len(one) - 1, 0, -1))
_BEGINNING = re.compile(rf"(?:{_BEGINNINGS})\Z", re.IGNORECASE | re.ASCII)
"""The end of a text that may become what `_START` finds."""
_SCHEME = re.compile(r"https?://", re.IGNORECASE | re.ASCII)
_ADDRESS = re.compile(r"[A-Za-z0-9!#$%&+,\-./:;=?@^_~\\]*")
"""What an address in plain text is made of, quoted by a model perhaps (`\\_`). Dify's are ASCII: what follows in another script
is no part of one."""
_AFTER = ".,;:!?"
"""Ends a sentence rather than an address."""
_MARK = re.compile(r"(?:^|[&;?])(timestamp|nonce|sign)=")

_More = Literal["more"]
_MORE: Final[_More] = "more"
"""What has come so far does not tell yet."""


class OwnFiles:
    """Tells addresses of Dify's files from others. `servers` are the addresses under which Dify is known here."""

    def __init__(self, servers: Iterable[str]) -> None:
        self._hosts = {urlsplit(server).hostname for server in servers if server}

    def owns(self, address: str, *, linked: bool) -> bool:
        """`linked`: it is a link's. One without a host leads nowhere from a chat, whether or not it is signed."""
        try:
            parts = urlsplit(address)
            host = parts.hostname
        except ValueError:
            return False
        path = unquote(parts.path)
        if "/files/" not in path:
            return False
        marks = set(_MARK.findall(unquote(parts.query)))
        if marks >= {"timestamp", "nonce", "sign"}:
            # Nobody else signs like this. Dify's FILES_URL may be one that nobody has told us.
            return True
        if host is None and not parts.scheme:
            return linked and path.startswith("/files/")
        return "sign" in marks and host in self._hosts


class LinkFilter:
    """One per answer, and a fresh one after the answer was replaced."""

    def __init__(self, own: OwnFiles) -> None:
        self._own = own
        self._held = ""
        self._dropping = False
        """Within an endless address that is not shown."""
        self._files: list[ProducedFile] = []

    @property
    def files(self) -> tuple[ProducedFile, ...]:
        """Those whose links were taken out so far."""
        return tuple(self._files)

    def feed(self, text: str) -> str:
        """What may be shown now."""
        self._held += text
        return self._let_through(final=False)

    def flush(self) -> str:
        """What was held back when the answer ended."""
        return self._let_through(final=True)

    def _let_through(self, *, final: bool) -> str:
        shown: list[str] = []
        held, at = self._held, 0
        while at < len(held):
            if self._dropping:
                at = _end_of_address(held, at)
                self._dropping = at == len(held)
                continue
            found = _START.search(held, at)
            if found is None:
                beginning = None if final else _BEGINNING.search(held, max(at, len(held) - _LONGEST_START))
                end = beginning.start() if beginning else len(held)
                shown.append(held[at:end])
                at = end
                break
            shown.append(held[at : found.start()])
            at = found.start()
            read = (self._read_link if found[0][-1] == "[" else self._read_bare)(held, found, final=final)
            if read == _MORE:
                break
            text, at = read
            shown.append(text)
        self._held = held[at:]
        self._dropping = self._dropping and not final
        return "".join(shown)

    def _read_link(self, held: str, found: re.Match[str], *, final: bool) -> tuple[str, int] | _More:
        """What to show for what begins with a bracket, and where it ends."""
        nothing = found[0], found.end()
        close = _closing(held, found.end(), "[]", LONGEST_LABEL)
        if close is None:
            return nothing
        if close + 1 >= len(held):
            return nothing if final else _MORE
        if held[close + 1] != "(":
            return nothing
        end = _closing(held, close + 2, "()", LONGEST_ADDRESS)
        if end is None:
            return nothing
        if end >= len(held):
            return nothing if final else _MORE
        address = _destination(held[close + 2 : end])
        if not self._own.owns(address, linked=True):
            return nothing
        written = held[found.end() : close]
        label = self._within(written)
        image = found[0][0] == "!"
        file = self._note(address, label, image=image)
        # A link around a picture says nothing once the picture is out of it.
        return ("" if image else label if written else file.name), end + 1

    def _read_bare(self, held: str, found: re.Match[str], *, final: bool) -> tuple[str, int] | _More:
        start = found.end() - len(found[0].removeprefix("<"))
        end = _end_of_address(held, start)
        endless = end - start > LONGEST_ADDRESS
        if end == len(held) and not endless and not final:
            return _MORE
        token = held[start : min(end, start + LONGEST_ADDRESS)]
        if endless and self._own.owns(f"{token.partition('?')[0]}?sign=", linked=False):
            # Whether it is signed is not known yet; nobody can use one of that length.
            self._dropping = True
            return held[found.start() : start], start + len(token)
        token = token.rstrip(_AFTER)
        address = _clean(token)
        if not self._own.owns(address, linked=False):
            # Another address may stand within it.
            inner = _SCHEME.search(token, 1)
            shown = start + (inner.start() if inner else max(len(token), 1))
            return held[found.start() : shown], shown
        end = start + len(token)
        if start > found.start() and held[end : end + 1] == ">":
            end += 1
        elif start > found.start():
            return held[found.start() : start] + self._note(address, "", image=False).name, end
        return self._note(address, "", image=False).name, end

    def _within(self, label: str) -> str:
        """A label, which may be a link's picture, or the address once more."""
        inner = LinkFilter(self._own)
        text = inner.feed(label) + inner.flush()
        self._files += inner.files
        return text

    def _note(self, address: str, label: str, *, image: bool) -> ProducedFile:
        path = PurePosixPath(unquote(urlsplit(address).path))
        name = label.strip()
        if name and not guess_type(name)[0]:
            name += path.suffix
        media_type = guess_type(name or path.name)[0] or ""
        kind = media_type.partition("/")[0]
        if kind not in ("image", "audio", "video"):
            kind = "image" if image else "document" if media_type else "file"
        # What was uploaded is found at "/files/<id>/file-preview", which is no name.
        fallback = kind if path.name.endswith("-preview") else ""
        file = ProducedFile(name=name_file(name or fallback, address, kind), kind=kind, address=address)
        if len(self._files) < MOST_FILES:
            self._files.append(file)
        return file


def _closing(text: str, at: int, pair: str, longest: int) -> int | None:
    """Where the bracket that is open at `at` closes; the text's length when it has not yet; None when it does not."""
    opening, closing = pair[0], pair[1]
    depth = 1
    limit = at + longest
    end = min(len(text), limit)
    while at < end:
        letter = text[at]
        if letter == "\n":
            return None
        if letter == "\\":
            at += 2
            continue
        depth += (letter == opening) - (letter == closing)
        if not depth:
            return at
        at += 1
    return len(text) if len(text) < limit else None


def _destination(inside: str) -> str:
    """The address between a link's parentheses, without its title."""
    inside = inside.strip()
    if inside.startswith("<"):
        return _clean(inside[1:].partition(">")[0])
    words = inside.split(None, 1)
    return _clean(words[0]) if words else ""


def _clean(address: str) -> str:
    """As it would be followed: without what Markdown and HTML had to quote."""
    return html.unescape(address.replace("\\", ""))


def _end_of_address(text: str, at: int) -> int:
    found = _ADDRESS.match(text, at)
    return found.end() if found else at
