"""How DB-GPT spells what it sends: its envelope, the frames of a stream, and its markup for its own pages."""

import json
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence

from aiohttp import web

from bridge.playground.dbgpt.records import Json

PAGE = '<!DOCTYPE html><html lang="en"><head><title>404: This page could not be found</title></head></html>'


class Refused(Exception):
    def __init__(self, response: web.Response) -> None:
        super().__init__()
        self.response = response


def succeed(data: object) -> web.Response:
    return web.json_response({"success": True, "err_code": None, "err_msg": None, "data": data})


def fail(code: str, message: str, *, status: int = 400) -> web.Response:
    envelope = {"success": False, "err_code": code, "err_msg": message, "data": None}
    return web.json_response(envelope, status=status)


def refuse(code: str, message: str, *, status: int = 400) -> Refused:
    return Refused(fail(code, message, status=status))


def refuse_with_detail(status: int, code: str, message: str) -> Refused:
    """An HTTPException, whose detail arrives as Python writes it."""
    detail = {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": code}}
    return refuse(str(status), repr(detail), status=status)


def frame(value: object) -> bytes:
    return f"data: {json.dumps(value, ensure_ascii=False)}\n\n".encode()


DONE = b"data: [DONE]\n\n"


def piece(ident: str, model: str, content: str | None, reasoning: str | None = None) -> bytes:
    delta = {"role": "assistant", "content": content, "reasoning_content": reasoning}
    return frame({"id": ident, "model": model, "choices": [{"index": 0, "delta": delta}]})


def whole(ident: str, model: str, content: str) -> bytes:
    """A frame of a stream that is not incremental."""
    choice = {"index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": None}
    return frame({"id": ident, "object": "chat.completion", "model": model, "choices": [choice], "usage": {}})


def messages_block(*said: tuple[str, str], receiver: str = "Human") -> str:
    """What agents said: pairs of sender and Markdown."""
    messages = [
        {"sender": sender, "receiver": receiver, "model": "fake", "markdown": words, "resource": None}
        for sender, words in said
    ]
    return _block("agent-messages", messages)


def plans_block(*steps: tuple[str, str]) -> str:
    """How far agents came: pairs of agent and what is nested in its step."""
    plans = [
        {"name": "what was asked", "num": number, "status": "complete", "agent": agent, "markdown": nested}
        for number, (agent, nested) in enumerate(steps, 2)
    ]
    return _block("agent-plans", plans)


def chart_view(content: Json) -> str:
    return _tag("chart-view", {"content": json.dumps(content, ensure_ascii=False)})


def references_tag(documents: Mapping[str, Sequence[str]]) -> str:
    """Names of documents, each with its passages."""
    references = [
        {
            "name": name,
            "chunks": [
                {"index": index, "id": index, "content": passage, "meta_info": "{}", "recall_score": 0.9}
                for index, passage in enumerate(passages, 1)
            ],
        }
        for name, passages in documents.items()
    ]
    return _tag("references", {"title": "References", "references": json.dumps(references, ensure_ascii=False)})


def _block(tag: str, value: object) -> str:
    return f"```{tag}\n{json.dumps(value, ensure_ascii=False)}\n```"


def _tag(name: str, attributes: dict[str, str]) -> str:
    written: bytes = ET.tostring(ET.Element(name, attributes), encoding="utf-8")
    return written.decode()
