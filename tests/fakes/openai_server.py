"""A stand-in for servers with OpenAI's API, as strict as they are, and spelled as one of three kinds.

It keeps what it was asked, answers from a script, and fails on request. It runs no model. Shapes are those of OpenAI's reference,
of DB-GPT's model API (its source) and, for HolySheep, of a gateway that sends as little as a client can live with.
"""

import asyncio
import base64
import binascii
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from aiohttp import web

Json = dict[str, object]

_KNOWN = {
    *(
        "model",
        "messages",
        "stream",
        "stream_options",
        "temperature",
        "max_tokens",
        "max_completion_tokens",
        "user",
        "n",
    ),
    *("stop", "top_p"),
}


class Kind(StrEnum):
    OPENAI = "openai"
    DBGPT = "dbgpt"
    """DB-GPT's model API: fields that nobody set are left out, every refusal is a 400 with a number, usage on every event."""
    HOLYSHEEP = "holysheep"
    """Neither ids nor reasons, a space less after `data:`, and no list of models."""


class Trouble(StrEnum):
    CUT = "cut"
    """The connection breaks after `at` tokens."""
    EVENT = "event"
    """An error in the stream, as this kind of server spells it."""
    SILENT = "silent"
    """Headers, and nothing more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A refusal of the next question."""

    status: int
    body: object = field(default_factory=dict)
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    tokens: Sequence[str] = ("ok",)
    pause: float = 0.0
    thoughts: Sequence[str] = ()
    """Said as `reasoning_content` before the tokens."""
    finish: str = "stop"
    trouble: Trouble | None = None
    at: int = 0


@dataclass(slots=True, kw_only=True)
class Asked:
    body: Json
    ended: str = "running"
    """ "finished", "client_closed" or "broken" after that."""

    @property
    def said(self) -> list[tuple[str, str]]:
        """Role and text of each message."""
        messages = self.body["messages"]
        assert isinstance(messages, list)
        return [(one["role"], one["content"]) for one in messages]


class _Refused(Exception):
    def __init__(self, response: web.Response) -> None:
        super().__init__(response.status)
        self.response = response


class OpenAIServer:
    def __init__(
        self, kind: Kind = Kind.OPENAI, *, key: str = "sk-test-key", models: Sequence[str] = ("stand-in",)
    ) -> None:
        """`key` "": everybody is let in."""
        self.kind = kind
        self.key = key
        self.models = list(models)
        self.script: Callable[[str], Reply] = lambda text: Reply(tokens=("You said: ", text))
        """By the last message's text."""
        self.faults: list[Fault] = []
        """Each question takes the first."""
        self.context = 10_000
        """Tokens that the model takes, four characters each."""
        self.sees = True
        self.knows_usage = True
        """It takes `stream_options`; where not, it refuses them, as some do."""
        self.thinks = False
        """Its models want `max_completion_tokens`."""
        self.asked: list[Asked] = []
        self.called: list[str] = []
        self._runner: web.AppRunner | None = None
        self._port = 0
        self._changed = asyncio.Event()

    @property
    def prefix(self) -> str:
        return "/api/v1" if self.kind is Kind.DBGPT else "/v1"

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._port}{self.prefix}"

    async def start(self, port: int = 0) -> None:
        app = web.Application(client_max_size=100 * 1024 * 1024)
        app.router.add_route("*", "/{path:.*}", self._serve)
        self._runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", port).start()
        self._port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    async def __aenter__(self) -> "OpenAIServer":
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def until(self, condition: Callable[[], bool], timeout: float = 5.0) -> None:
        """Returns once `condition` holds. Raises `TimeoutError`."""
        async with asyncio.timeout(timeout):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    # Calls

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        self.called.append(f"{request.method} {request.path}")
        try:
            if self.key and request.headers.get("Authorization") != f"Bearer {self.key}":
                raise self._refuse(
                    401, "invalid_api_key", f"Incorrect API key provided: {request.headers.get('Authorization')}."
                )
            if request.path == self.prefix + "/models" and self.kind is not Kind.HOLYSHEEP:
                return self._list_models(request)
            if request.path == self.prefix + "/chat/completions":
                return await self._complete(request)
        except _Refused as refused:
            return refused.response
        if self.kind is Kind.OPENAI:
            return self._refuse(404, "", f"Invalid URL ({request.method} {request.path})").response
        return web.json_response({"detail": "Not Found"}, status=404)

    def _list_models(self, request: web.Request) -> web.Response:
        if request.method != "GET":
            raise self._refuse(405, "", "Method not allowed")
        return web.json_response({"object": "list", "data": [{"id": name, "object": "model"} for name in self.models]})

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        if request.method != "POST" or request.content_type != "application/json":
            raise self._refuse(400, "", "We could not parse the JSON body of your request.")
        body: Json = await request.json()
        asked = Asked(body=body)
        self.asked.append(asked)
        self._changed.set()
        if self.faults:
            fault = self.faults.pop(0)
            asked.ended = "finished"
            headers = dict(fault.headers)
            if isinstance(fault.body, str):
                return web.Response(text=fault.body, status=fault.status, content_type="text/html", headers=headers)
            return web.json_response(fault.body, status=fault.status, headers=headers)
        try:
            text = self._validate(body)
        except _Refused:
            asked.ended = "finished"
            raise
        try:
            response = await self._speak(request, body, self.script(text))
        except (asyncio.CancelledError, ConnectionError):
            asked.ended = "client_closed"
            raise
        else:
            asked.ended = "finished" if response is not None else "broken"
            return response or web.StreamResponse()
        finally:
            self._changed.set()

    # What it refuses

    def _validate(self, body: Json) -> str:
        """The text of the last message."""
        if body.get("model") not in self.models:
            names = "|".join(self.models)
            words = f"Only {names} allowed now, your model {body.get('model')}"
            if self.kind is Kind.OPENAI:
                words = f"The model `{body.get('model')}` does not exist or you do not have access to it."
            raise self._refuse(404, "model_not_found", words, number=40301)
        self._validate_settings(body)
        messages = body.get("messages")
        if not isinstance(messages, list) or not messages:
            raise self._refuse(400, "", "[] is too short - 'messages'", about="messages", number=40001)
        texts = [self._text_of(message) for message in messages]
        if messages[-1]["role"] != "user":
            raise self._refuse(400, "", "the last message must be the user's", about="messages", number=40001)
        tokens = sum(map(len, texts)) // 4
        if tokens > self.context:
            words = (
                f"This model's maximum context length is {self.context} tokens. However, you requested {tokens} tokens."
            )
            raise self._refuse(400, "context_length_exceeded", words, about="messages", number=40303)
        return texts[-1]

    def _validate_settings(self, body: Json) -> None:
        if self.kind is not Kind.DBGPT and (unknown := set(body) - _KNOWN):
            raise self._refuse(400, "unknown_parameter", f"Unrecognized request argument supplied: {min(unknown)}")
        if body.get("stream") is not True:
            raise self._refuse(400, "", "this stand-in only streams", about="stream")
        if "stream_options" in body and not self.knows_usage:
            raise self._refuse(400, "", "Unsupported parameter: stream_options", about="stream_options", number=40001)
        temperature = body.get("temperature", 1)
        if not isinstance(temperature, int | float) or not 0 <= temperature <= 2:
            raise self._refuse(
                400, "", f"{temperature} is greater than the maximum of 2", about="temperature", number=40302
            )
        if self.thinks and "max_tokens" in body:
            words = "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
            raise self._refuse(400, "unsupported_parameter", words, about="max_tokens")

    def _text_of(self, message: object) -> str:
        if not isinstance(message, dict) or message.get("role") not in ("system", "user", "assistant"):
            raise self._refuse(400, "", "Invalid role", about="messages", number=40001)
        content = message.get("content")
        if isinstance(content, str):
            return content
        if not isinstance(content, list) or not content or message["role"] != "user":
            raise self._refuse(400, "", "Invalid content", about="messages", number=40001)
        if not self.sees:
            raise self._refuse(400, "", "stand-in is not a multimodal model: it takes no image_url", number=40001)
        for part in content:
            if part["type"] == "image_url":
                self._look_at(part["image_url"]["url"])
        return "".join(part["text"] for part in content if part["type"] == "text")

    def _look_at(self, url: str) -> None:
        head, _, data = url.partition(",")
        try:
            raw = base64.b64decode(data, validate=True)
        except binascii.Error:
            raw = b""
        if not raw or head not in {f"data:image/{kind};base64" for kind in ("png", "jpeg", "gif", "webp")}:
            raise self._refuse(400, "invalid_image_url", "You uploaded an unsupported image.", about="messages")

    def _refuse(self, status: int, code: str, words: str, *, about: str = "", number: int = 50001) -> _Refused:
        if self.kind is not Kind.DBGPT:
            error = {"message": words, "type": "invalid_request_error", "param": about or None, "code": code or None}
            return _Refused(web.json_response({"error": error}, status=status))
        if status == 401:
            error = {"message": "", "type": "invalid_request_error", "param": None, "code": "invalid_api_key"}
            return _Refused(web.json_response({"detail": {"error": error}}, status=401))
        return _Refused(web.json_response({"object": "error", "message": words, "code": number}, status=400))

    # What it says

    async def _speak(self, request: web.Request, body: Json, reply: Reply) -> web.StreamResponse | None:
        """None: the connection was broken."""
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream; charset=utf-8"})
        await response.prepare(request)
        number = 0

        async def send(delta: Json, **more: object) -> None:
            await response.write(self._frame(body, [{"index": 0, "delta": delta, **more}], number))

        if reply.trouble is Trouble.SILENT:
            await asyncio.Event().wait()
        if self.kind is not Kind.HOLYSHEEP:
            first: Json = {"role": "assistant"}
            await send(first | ({"content": ""} if self.kind is Kind.OPENAI else {}))
        for thought in reply.thoughts:
            await send({"reasoning_content": thought})
        for number, token in enumerate(reply.tokens):
            if reply.trouble is not None and number == reply.at:
                return await self._break(request, response, reply.trouble)
            await asyncio.sleep(reply.pause)
            await send({"content": token})
        if self.kind is Kind.OPENAI or reply.finish != "stop":
            await send({}, finish_reason=reply.finish)
        if self.kind is Kind.OPENAI and "stream_options" in body:
            await response.write(self._frame(body, [], len(reply.tokens)))
        await response.write(b"data: [DONE]\n\n")
        return response

    async def _break(
        self, request: web.Request, response: web.StreamResponse, trouble: Trouble
    ) -> web.StreamResponse | None:
        if trouble is Trouble.CUT:
            assert request.transport is not None
            request.transport.close()
            return None
        error: Json = {"error": {"message": "the engine died", "type": "server_error", "code": None, "param": None}}
        if self.kind is Kind.DBGPT:
            # A model's output as it is, without `choices`.
            error = {
                "text": "**LLMServer Generate Error, Please CheckErrorInfo.**",
                "error_code": 1,
                "model_context": None,
            }
        await response.write(b"data: " + json.dumps(error).encode() + b"\n\ndata: [DONE]\n\n")
        return response

    def _frame(self, body: Json, choices: list[Json], tokens: int) -> bytes:
        usage = {"prompt_tokens": 7, "completion_tokens": tokens, "total_tokens": 7 + tokens}
        frame: Json = {"choices": choices}
        if self.kind is Kind.OPENAI:
            frame |= {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": body["model"]}
            frame["usage"] = None if choices else usage
            for choice in choices:
                choice.setdefault("finish_reason", None)
        elif self.kind is Kind.DBGPT:
            frame |= {"id": "chatcmpl-1", "model": body["model"], "usage": usage}
        space = b"" if self.kind is Kind.HOLYSHEEP else b" "
        return b"data:" + space + json.dumps(frame, ensure_ascii=False).encode() + b"\n\n"
