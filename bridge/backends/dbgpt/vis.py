"""DB-GPT's "vis" markup, told in plain Markdown.

Agents, charts and references come as fenced blocks of JSON (```` ```agent-messages ````, ```` ```vis-db-chart ````) and as tags
with JSON in an attribute (`<chart-view content="...">`), made for DB-GPT's own web pages. JSON stands in one line, so a block
ends at the next line that is nothing but its fence, whatever is nested in it.
"""

import html
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from bridge.backends.dbgpt.charts import fence, tell_chart, tell_dashboard
from bridge.messages import Step, StepState
from bridge.remote.framing import Json, text_of
from bridge.remote.plain import make_plain

MOST_SOURCES = 20
MOST_STEPS = 50
DEEPEST = 6
"""Blocks within blocks. Plans hold messages, which hold what a tool showed."""
MOST_UNKNOWN = 2000
"""Characters of a block that nobody here knows."""

_TAGS = r"vis-[\w-]+|agent-(?:plans|messages)|dbgpts-(?:flow|result)"
_BLOCK = re.compile(
    rf"^(?P<fence>`{{3,}})(?P<tag>{_TAGS})[ \t]*\n(?P<body>.*?)(?:\n(?P=fence)[ \t]*$|\Z)", re.DOTALL | re.MULTILINE
)
_VIEW = re.compile(r"<(?P<tag>chart-view|dbgpt-view|references)\b(?P<attributes>[^>]*?)/?>(?:\s*</(?P=tag)>)?")
_CALL = re.compile(r"<api-call>.*?(?:</api-call>|\Z)", re.DOTALL)
_ATTRIBUTE = re.compile(r'([\w-]+)\s*=\s*"([^"]*)"')

MARKUP = re.compile(rf"^`{{3,}}(?:{_TAGS})|<(?:chart-view|dbgpt-view|references|api-call)\b", re.MULTILINE)
"""Where some begins."""
LONGEST_START = 40
"""Characters in which it is decided whether markup begins."""
BEGINNINGS = ("`", "<")

_HUMAN = "Human"
_ANYBODY = "?"
"""To whom an agent speaks while it is still writing; DB-GPT then names the person as the one who speaks (measured on 0.8.2)."""


@dataclass(slots=True)
class Told:
    """What was found in a text."""

    text: str = ""
    sources: list[str] = field(default_factory=list)
    """Names of documents, each once."""
    steps: list[Step] = field(default_factory=list)
    aside: str = ""
    """What only stands in for `text` where there is none: how far the agents' plan has come."""


def tell(text: str) -> Told:
    told = Told()
    told.text = _tell(text, told, DEEPEST)
    if not told.text.strip() and told.aside.strip():
        told.text = told.aside
    return told


def _tell(text: str, told: Told, depth: int) -> str:
    if not MARKUP.search(text):
        return text
    text = _replace(_BLOCK, text, lambda found: _tell_block(found["tag"], found["body"], told, depth))
    text = _replace(_VIEW, text, lambda found: _tell_view(found["tag"], found["attributes"], told))
    return _replace(_CALL, text, lambda found: "")


def _replace(pattern: re.Pattern[str], text: str, teller: Callable[[re.Match[str]], str]) -> str:
    """With what is told for each match in a paragraph of its own."""
    parts: list[str] = []
    done = 0
    for found in pattern.finditer(text):
        parts += [text[done : found.start()], teller(found)]
        done = found.end()
    if not done:
        return text
    parts.append(text[done:])
    return "\n\n".join(part.strip("\n") for part in parts if part.strip())


def _tell_block(tag: str, body: str, told: Told, depth: int) -> str:
    if tag == "vis-thinking" or depth <= 0:
        return ""
    value = _read(body)
    if value is None:
        # A block that is still being written, or that is no JSON at all: an agent's words, then.
        return "" if body.lstrip()[:1] in ("{", "[", "") else body.strip()
    if tag == "agent-messages":
        return _tell_messages(_objects(value), told, depth)
    if tag == "agent-plans":
        return _tell_plans(_objects(value), told, depth)
    one = value if isinstance(value, dict) else {}
    teller = _TELLERS.get(tag)
    return teller(one) if teller is not None else _tell_unknown(value, told, depth)


def _tell_messages(messages: Iterable[Json], told: Told, depth: int) -> str:
    """What agents said to people and to each other; what the person asked is not said again."""
    said: list[tuple[str, str]] = []
    for message in messages:
        sender, receiver = text_of(message, "sender"), text_of(message, "receiver")
        if sender == _HUMAN and receiver != _ANYBODY:
            continue
        words = _tell(text_of(message, "markdown"), told, depth - 1).strip("\n")
        if words.strip():
            said.append(("" if sender in (_HUMAN, _ANYBODY) else make_plain(sender), words))
    if len({sender for sender, _ in said if sender}) < 2:
        return "\n\n".join(words for _, words in said)
    return "\n\n".join(f"**{sender}**\n\n{words}" if sender else words for sender, words in said)


def _tell_plans(plans: Iterable[Json], told: Told, depth: int) -> str:
    """Nothing of it stands in the answer: the last message is told again after the plan, and a goal repeats the question."""
    asides = []
    for index, plan in enumerate(plans):
        if (agent := make_plain(text_of(plan, "agent"))) and len(told.steps) < MOST_STEPS:
            state = StepState.FAILED if text_of(plan, "status") == "failed" else StepState.DONE
            told.steps.append(Step(id=f"plan-{index}", title=agent, state=state))
        asides.append(_tell(text_of(plan, "markdown"), told, depth - 1).strip())
    told.aside = "\n\n".join(aside for aside in asides if aside) or told.aside
    return ""


def _tell_code(block: Json) -> str:
    pieces = block.get("code")
    parts = [
        fence(piece[1], re.sub(r"\W", "", piece[0])[:20])
        for piece in (pieces if isinstance(pieces, list) else [])
        if isinstance(piece, list) and len(piece) == 2 and all(isinstance(one, str) for one in piece)
    ]
    if log := fence(text_of(block, "log")):
        parts += ["Output:" if block.get("exit_success", True) else "It failed:", log]
    return "\n\n".join(part for part in parts if part)


def _tell_tool(block: Json) -> str:
    if result := text_of(block, "result").strip():
        return result
    # Why it failed may repeat what it was given, which is not for everybody.
    name = make_plain(text_of(block, "name"))
    return f"({name} failed.)" if name and text_of(block, "status") == "failed" else ""


def _tell_nothing(block: Json) -> str:
    """Which app the question was handed to: the answer follows."""
    return ""


_TELLERS: Mapping[str, Callable[[Json], str]] = {
    "vis-db-chart": tell_chart,
    "vis-chart": tell_chart,
    "vis-dashboard": tell_dashboard,
    "vis-code": _tell_code,
    "vis-plugin": _tell_tool,
    "vis-api-response": _tell_tool,
    "vis-app-link": _tell_nothing,
    "dbgpts-flow": _tell_nothing,
}


def _tell_unknown(value: object, told: Told, depth: int) -> str:
    """A block of a newer DB-GPT, or of somebody's own."""
    if isinstance(value, dict):
        for key in ("markdown", "content", "text", "result", "answer"):
            if words := text_of(value, key).strip():
                return _tell(words, told, depth - 1)
    return fence(json.dumps(value, ensure_ascii=False, indent=2)[:MOST_UNKNOWN], "json")


def _tell_view(tag: str, attributes: str, told: Told) -> str:
    found = {name: html.unescape(value) for name, value in _ATTRIBUTE.findall(attributes)}
    if tag == "references":
        _note_sources(_read(found.get("references", "").strip("'")), told)
        return ""
    value = _read(found.get("content", ""))
    return tell_chart(value) if isinstance(value, dict) else ""


def _note_sources(value: object, told: Told) -> None:
    for document in _objects(value):
        name = make_plain(text_of(document, "name"))
        if name and name not in told.sources and len(told.sources) < MOST_SOURCES:
            told.sources.append(name)


def _objects(value: object) -> list[Json]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _read(text: str) -> object:
    try:
        value: object = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value
