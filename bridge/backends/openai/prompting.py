"""What the model is told with a question: the system prompt, as much of the conversation as it may have, the question. Pure."""

import re
from collections.abc import Sequence
from dataclasses import replace

from bridge.backend_api import Question
from bridge.history_api import Exchange
from bridge.messages import Inputs
from bridge.remote.framing import Json

BYTES_PER_TOKEN = 4
"""Roughly. English has four letters to a token, other scripts fewer letters, but more bytes to each."""
_TOKENS_PER_MESSAGE = 4
"""For the role and what parts it from the next."""
_PLACEHOLDER = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")
_LEFT_OUT = "\n[...]\n"


def count_tokens(text: str) -> int:
    """An estimate: no two models count alike, and most do not tell how."""
    return -(-len(text.encode("utf-8", "replace")) // BYTES_PER_TOKEN) + _TOKENS_PER_MESSAGE


def fill_in(prompt: str, inputs: Inputs) -> str:
    """The system prompt with the inputs in their places. Braces that are no input's name stay as they are."""

    def value_of(found: re.Match[str]) -> str:
        value = inputs.get(found[1])
        if value is None:
            return found[0]
        return str(value).lower() if isinstance(value, bool) else str(value)

    return _PLACEHOLDER.sub(value_of, prompt)


def find_placeholders(prompt: str) -> tuple[str, ...]:
    """What in the system prompt may stand for an input, each once, in order."""
    return tuple(dict.fromkeys(_PLACEHOLDER.findall(prompt)))


def trim(history: Sequence[Exchange], tokens: int) -> Sequence[Exchange]:
    """The newest of it that fit into so many tokens. Of the last answer, at least its beginning and its end, if it can be."""
    kept: list[Exchange] = []
    for exchange in reversed(history):
        cost = count_tokens(exchange.question) + count_tokens(exchange.answer)
        if cost > tokens:
            if not kept and (shorter := _squeeze(exchange, tokens)) is not None:
                kept.append(shorter)
            break
        tokens -= cost
        kept.append(exchange)
    return kept[::-1]


def compose(question: Question, system_prompt: str, history_tokens: int) -> list[Json]:
    """The messages of a request."""
    messages: list[Json] = []
    if prompt := fill_in(system_prompt, question.inputs).strip():
        messages.append({"role": "system", "content": prompt})
    for exchange in trim(question.history, history_tokens):
        messages.append({"role": "user", "content": _content_of(exchange.question, exchange.files)})
        messages.append({"role": "assistant", "content": exchange.answer})
    files = [file.id for file in question.files]
    messages.append({"role": "user", "content": _content_of(question.text, files)})
    return messages


def _content_of(text: str, images: Sequence[str]) -> str | list[Json]:
    """A text alone where there is nothing else: many servers take no other."""
    if not images:
        return text
    parts: list[Json] = [{"type": "text", "text": text}]
    parts += [{"type": "image_url", "image_url": {"url": image}} for image in images]
    return parts


def _squeeze(exchange: Exchange, tokens: int) -> Exchange | None:
    """The exchange with the middle of its answer left out. None: not even the question fits."""
    room = tokens - count_tokens(exchange.question) - count_tokens(_LEFT_OUT)
    raw = exchange.answer.encode("utf-8", "replace")
    half = room * BYTES_PER_TOKEN // 2
    if half <= 0:
        return None
    beginning, end = raw[:half].decode("utf-8", "ignore"), raw[-half:].decode("utf-8", "ignore")
    return replace(exchange, answer=beginning + _LEFT_OUT + end)
