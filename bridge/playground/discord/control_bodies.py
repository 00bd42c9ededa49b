"""Reads what is sent to the remote control. Mistakes raise TypeError or ValueError with a sentence."""

import json
from typing import TYPE_CHECKING

from aiohttp import web

from bridge.playground.discord.model import Json

if TYPE_CHECKING:
    from bridge.playground.discord.server import DiscordServer


async def read(request: web.Request) -> Json:
    # A page from elsewhere can post text but not JSON without asking first, so this keeps strangers out.
    if request.content_type != "application/json":
        raise ValueError("send application/json")
    body = json.loads(await request.read())
    if not isinstance(body, dict):
        raise TypeError("send a JSON object")
    return body


def text(body: Json, key: str, default: str | None = None) -> str:
    value = body.get(key, default)
    if not isinstance(value, str):
        raise TypeError(f"`{key}` must be text")
    return value


def read_texts(body: Json, key: str) -> list[str]:
    value = body.get(key, [])
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise TypeError(f"`{key}` must be a list of texts")
    return value


def find_person(server: "DiscordServer", body: Json) -> str:
    """`user` is a person's id or name; Ada when it is missing."""
    wanted = text(body, "user", "Ada")
    return next((one.id for one in server.people.values() if one.name.lower() == wanted.lower()), wanted)
