"""Reads a call's arguments out of every place where Slack looks for them: query string, form body, JSON body."""

import json
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from aiohttp import web

from bridge.playground.slack.model import JsonObject, Refusal

_TRUE = {"1", "true"}
_FALSE = {"0", "false", ""}


@dataclass(frozen=True, slots=True, kw_only=True)
class Arguments:
    """The arguments of one call. Reading one that has the wrong type raises `Refusal`."""

    values: JsonObject = field(default_factory=dict)
    body_token: str | None = None
    """A token sent as a form field. In the query string Slack takes none, in JSON neither."""
    token: str = ""
    """The token that the call came with, wherever it stood."""
    client: tuple[str, str] = ("", "")
    """Id and secret of the app, by basic authentication or as arguments."""

    def text(self, name: str) -> str | None:
        value = self.values.get(name)
        if value is None or isinstance(value, str):
            return value
        raise Refusal("invalid_arguments", response_metadata={"messages": [f"[ERROR] must be a string [{name}]"]})

    def required(self, name: str, error: str = "invalid_arguments") -> str:
        """Raises a refusal with `error` where the argument is missing or empty."""
        value = self.text(name)
        if not value:
            raise Refusal(error, response_metadata={"messages": [f"[ERROR] missing required field: {name}"]})
        return value

    def flag(self, name: str) -> bool:
        match self.values.get(name):
            case None:
                return False
            case bool(value):
                return value
            case str(value) if value.lower() in _TRUE | _FALSE:
                return value.lower() in _TRUE
            case _:
                raise Refusal("invalid_arguments")

    def count(self, name: str, *, default: int, most: int) -> int:
        value = self.values.get(name)
        if value is None:
            return default
        if isinstance(value, str) and value.isdecimal():
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise Refusal("invalid_limit")
        return min(value, most)

    def structure(self, name: str, error: str) -> object:
        """An argument that is itself JSON: a value in a JSON body, or JSON text wherever it was sent."""
        value = self.values.get(name)
        if not isinstance(value, str):
            return value
        try:
            parsed: object = json.loads(value)
        except ValueError as e:
            raise Refusal(error) from e
        return parsed

    def blocks(self) -> list[JsonObject] | None:
        """None where there is no such argument; an empty list takes the blocks away."""
        blocks = self.structure("blocks", "invalid_blocks_format")
        if blocks is None:
            return None
        if not isinstance(blocks, list) or not all(isinstance(block, dict) for block in blocks):
            raise Refusal("invalid_blocks_format")
        return blocks


def with_caller(args: Arguments, request: web.Request) -> Arguments:
    """The arguments, and who the call says it comes from."""
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    token = (value.strip() if scheme.lower() == "bearer" else args.body_token) or ""
    named = [args.values.get(name) for name in ("client_id", "client_secret")]
    client = (str(named[0] or ""), str(named[1] or ""))
    if scheme.lower() == "basic":
        try:
            login, _, password = b64decode(value.strip(), validate=True).decode().partition(":")
        except ValueError as e:
            raise Refusal("invalid_client_id") from e
        client = (login, password)
    return replace(args, token=token, client=client)


async def read_arguments(request: web.Request, *, accepts_json: bool) -> Arguments:
    """Raises a refusal when the body cannot be read. Methods that only read data ignore a JSON body, as the real ones do."""
    values: JsonObject = dict(request.query)
    values.pop("token", None)
    if request.method != "POST" or not request.body_exists:
        return Arguments(values=values)
    match request.content_type:
        case "application/json":
            if accepts_json:
                values |= _parse_json(await request.text())
            return Arguments(values=values)
        case "application/x-www-form-urlencoded" | "multipart/form-data":
            form = {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
            return _with_form(values, form)
        case _:
            raise Refusal("invalid_post_type")


def _parse_json(body: str) -> JsonObject:
    try:
        parsed: object = json.loads(body)
    except ValueError as e:
        raise Refusal("invalid_json") from e
    if not isinstance(parsed, dict):
        raise Refusal("json_not_object")
    parsed.pop("token", None)
    return parsed


def _with_form(values: JsonObject, form: Mapping[str, str]) -> Arguments:
    rest = {name: value for name, value in form.items() if name != "token"}
    return Arguments(values=values | rest, body_token=form.get("token"))
