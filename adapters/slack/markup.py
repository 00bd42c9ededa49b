"""Text in: Slack's entity-escaped mrkdwn becomes readable text. Pure. What goes out is written in `dialect`."""

import re
from collections.abc import Mapping

_SURROGATE = re.compile(r"[\ud800-\udfff]")
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
