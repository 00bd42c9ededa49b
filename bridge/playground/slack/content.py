"""Text of messages: escaping, what a person reads, what would ping somebody. Pure."""

import html
import re
from collections.abc import Iterator, Mapping, Sequence

_ENTITY = r"&(?:amp|lt|gt);"
_CONTROL = r"<(?:[@#!][^<>\s][^<>]*|(?:https?://|mailto:|tel:)[^<>]*)>"
_KEPT = re.compile(f"{_ENTITY}|{_CONTROL}")
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})

_MENTION = re.compile(r"<(?:!(?:channel|here|everyone|group)|!subteam\^[A-Z0-9]+|@[UW][A-Z0-9]+)(?:\|[^<>]*)?>")
_BACKSLASH = re.compile(r"\\(?=[!-/:-@\[-`{-~])")
_BARE = re.compile(r"(?<![\w@])@(?:channel|here|everyone)\b")


def escape_loose(text: str) -> str:
    """Escapes `& < >` as Slack itself does on arrival: entities, mentions and links stay as they are."""
    parts: list[str] = []
    end = 0
    for kept in _KEPT.finditer(text):
        parts += [text[end : kept.start()].translate(_ESCAPES), kept.group()]
        end = kept.end()
    parts.append(text[end:].translate(_ESCAPES))
    return "".join(parts)


def unescape(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def text_of(block: Mapping[str, object]) -> list[str]:
    """Readable texts of one block, as a person sees them."""
    match block:
        case {"type": "markdown", "text": str(text)}:
            return [text]
        case {"type": "section" | "header", **rest}:
            fields = rest.get("fields")
            return list(_texts([rest.get("text"), *(fields if isinstance(fields, list) else [])]))
        case {"type": "context", "elements": list(elements)}:
            return list(_texts(elements))
        case {"type": "rich_text", "elements": list(elements)}:
            return ["".join(str(leaf.get("text", "")) for leaf in leaves(elements))]
        case _:
            return []


def _texts(items: Sequence[object]) -> Iterator[str]:
    for item in items:
        match item:
            case {"type": "mrkdwn", "text": str(text)}:
                yield unescape(text)
            case {"type": "plain_text", "text": str(text)}:
                yield text
            case _:
                pass


def leaves(elements: Sequence[object]) -> Iterator[dict[str, object]]:
    """The innermost elements of a rich_text block."""
    for element in elements:
        if not isinstance(element, dict):
            continue
        inner = element.get("elements")
        if isinstance(inner, list):
            yield from leaves(inner)
        else:
            yield element


def visible_text(text: str, blocks: Sequence[Mapping[str, object]]) -> str:
    """What is on the screen: the texts of the blocks, a line break between them; without any, `text` unescaped."""
    shown = [part for block in blocks for part in text_of(block)]
    return "\n".join(shown) if shown else unescape(text)


def live_mentions(text: str, blocks: Sequence[Mapping[str, object]], *, link_names: bool) -> list[str]:
    """Everything in a message that would notify somebody, as it was written.

    Escaped forms are inert in `text`. In Markdown the control form and a bare `@channel` count as live inside code too,
    behind a backslash and spelled with entities: what Slack does there is not documented, and a bot must not rest on it.
    """
    found = [match.group() for match in _MENTION.finditer(text)]
    if link_names:
        found += [match.group() for match in _BARE.finditer(text)]
    for block in blocks:
        match block:
            case {"type": "markdown", "text": str(markdown)}:
                read = _BACKSLASH.sub("", html.unescape(markdown))
                found += [match.group() for pattern in (_MENTION, _BARE) for match in pattern.finditer(read)]
            case {"type": "rich_text", "elements": list(elements)}:
                found += [
                    str(leaf) for leaf in leaves(elements) if leaf.get("type") in {"user", "usergroup", "broadcast"}
                ]
            case {"type": "section", **rest}:
                fields = rest.get("fields")
                found += _in_mrkdwn([rest.get("text"), *(fields if isinstance(fields, list) else [])])
            case {"type": "context", "elements": list(elements)}:
                found += _in_mrkdwn(elements)
            case _:
                pass
    return found


def _in_mrkdwn(items: Sequence[object]) -> list[str]:
    found: list[str] = []
    for item in items:
        match item:
            case {"type": "mrkdwn", "text": str(text)}:
                found += [match.group() for match in _MENTION.finditer(text)]
            case _:
                pass
    return found


def mentions(text: str, user_id: str) -> bool:
    """Whether `text`, as on the wire, mentions this user."""
    return re.search(rf"<@{re.escape(user_id)}(?:\|[^<>]*)?>", text) is not None
