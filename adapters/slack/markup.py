"""Text in and out of Slack's dialects. Pure.

Out: the model's Markdown goes into a `markdown` block as it is, except that nothing in it can call anybody. Beside it stands a
short plain `text` for notifications. In: Slack's entity-escaped mrkdwn becomes readable text.
"""

import re
from collections.abc import Mapping

JOINER = "\u2060"
"""Word joiner: invisible, never breaks a line, and a mention with it inside is not a mention."""

ITEM_EXTRA = 100
"""What a heading or divider costs beyond its own letters (slackapi/bolt-js issue 2509, measured)."""

ITEM_SHARE = 410
"""The share of a full message that one heading, divider or table takes. Slack expands each into a block, and the text after it
into another, and refuses more than 50 blocks (`invalid_blocks`); 24 items make 49 blocks and measure 9,840."""

FALLBACK_CHARS = 1_000
"""Notifications show far less; nobody reads the rest of `text` when blocks are shown."""

PLAIN_BYTES = 3_800
"""Most bytes of `text`, escaped. chat.update refuses more than 4,000 bytes (openclaw pull 115027, measured)."""

_NEWLINE = re.compile(r"\r\n?|[\u2028\u2029]")
# C0 and C1 but tab and newline, bidirectional overrides, byte order mark, interlinear marks.
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\ufeff\ufff9-\ufffb]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
# "<" in every spelling that a Markdown parser turns into one, before what makes it a mention, escaped or not.
_MENTION = re.compile(r"(<|&lt;?|&#0*60;?|&#x0*3c;?)(?=\\*(?:[!@#]|&(?:excl|commat|num|#)))", re.IGNORECASE)
_BROADCAST = re.compile(
    r"(@|\uff20|&commat;|&#0*64;?|&#x0*40;?)(?=\\*(?:channel|here|everyone)(?![A-Za-z0-9]))", re.IGNORECASE
)
_LINE_THAT_COUNTS = re.compile(
    r"^[ \t>]*(?:(`{3,}|~{3,})([^\n]*)|#{1,6}(?:[ \t]|$)|(?:-[ \t]*){3,}$|(?:\*[ \t]*){3,}$|(?:_[ \t]*){3,}$|=+[ \t]*$"
    r"|\|?[ \t]*:?-+:?[ \t]*\|[|:\- \t]*$)",
    re.MULTILINE,
)


def neutralise(text: str) -> str:
    """The same text to the eye, in which no mention is live and no control character is left. Idempotent.

    Inside code too: Slack resolves mentions before it thinks of code. Whether an entity stays inert in a `markdown` block is
    not documented, so it is treated as if it did not.
    """
    text = _SURROGATE.sub("\ufffd", _NEWLINE.sub("\n", text))
    text = _UNPRINTABLE.sub("", text)
    text = _MENTION.sub(rf"\1{JOINER}", text)
    return _BROADCAST.sub(rf"\1{JOINER}", text)


def escape(text: str) -> str:
    """For `text`, where Slack asks for these three as entities."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def measure(text: str) -> int:
    """UTF-8 bytes of the block that `text` becomes, with entities for & < > and `ITEM_EXTRA` for each heading; or, if that is
    more, the share of Slack's 50 blocks that it takes."""
    text = neutralise(text)
    entities = 4 * text.count("&") + 3 * (text.count("<") + text.count(">"))
    items = count_items(text)
    return max(len(text.encode()) + entities + ITEM_EXTRA * items, ITEM_SHARE * items)


def count_items(text: str) -> int:
    """Headings, dividers and tables outside code fences: Slack expands each into a block of its own."""
    items = 0
    fence = ""
    for line in _LINE_THAT_COUNTS.finditer(text):
        mark, rest = line[1] or "", line[2] or ""
        if fence:
            if mark.startswith(fence) and not rest.strip():
                fence = ""
        elif mark:
            fence = mark
        else:
            items += 1
    return items


def fallback(text: str) -> str:
    """Beginning of `text` for the notification: escaped, inert, within `FALLBACK_CHARS` and `PLAIN_BYTES`."""
    start = neutralise(text).strip()[:FALLBACK_CHARS]
    size = 0
    for index, letter in enumerate(start):
        size += len(escape(letter).encode())
        if size > PLAIN_BYTES:
            return escape(start[:index])
    return escape(start)


def plain(text: str) -> str | None:
    """All of `text` for the field `text`, or None when that field cannot hold it."""
    whole = escape(neutralise(text))
    return whole if len(whole.encode()) <= PLAIN_BYTES else None


# In

_TOKEN = re.compile(r"<([^<>\n]*)>")


def unescape(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def mentioned(text: str) -> tuple[str, ...]:
    """Ids of the people mentioned in raw Slack text, each once, in order."""
    ids = (token[1].partition("|")[0][1:] for token in _TOKEN.finditer(text) if token[1].startswith("@"))
    return tuple(dict.fromkeys(person for person in ids if person))


def readable(text: str, *, bot_user: str, names: Mapping[str, str]) -> str:
    """Raw Slack text as a person reads it, without our own mention in front.

    `names` spells people by id; who is missing there is spelled by the mention's own label, else by the id.
    """
    text = _SURROGATE.sub("\ufffd", text)
    if bot_user:
        # "@bot: question" and "@bot, question" are common; a colon that begins an emoji stays.
        lead = re.compile(rf"(?:\s*<@{re.escape(bot_user)}(?:\|[^<>]*)?>(?:[:,](?=\s|$))?\s*)+")
        if leading := lead.match(text):
            text = text[leading.end() :]
    out: list[str] = []
    at = 0
    for token in _TOKEN.finditer(text):
        out += (unescape(text[at : token.start()]), _spell(token[1], names))
        at = token.end()
    out.append(unescape(text[at:]))
    return "".join(out).strip()


def _spell(token: str, names: Mapping[str, str]) -> str:
    target, _, label = token.partition("|")
    target, label = unescape(target), unescape(label)
    match target[:1]:
        case "@":
            return "@" + (names.get(target[1:]) or label.removeprefix("@") or target[1:])
        case "#":
            return "#" + (label.removeprefix("#") or target[1:])
        case "!":
            return _spell_special(target[1:], label)
        case _:
            return _spell_link(target, label)


def _spell_special(target: str, label: str) -> str:
    kind, *rest = target.split("^")
    if kind == "date":
        return label or (rest[0] if rest else "")
    return "@" + (label.removeprefix("@") or (rest[0] if rest else kind))


def _spell_link(url: str, label: str) -> str:
    bare = url.removeprefix("mailto:").removeprefix("tel:")
    if not label or label == bare:
        return bare
    # Slack links a bare "example.com" by itself and keeps what was typed as the label.
    if url.rstrip("/") in (f"http://{label}", f"https://{label}"):
        return label
    return f"{label} ({bare})"
