"""What people do through the remote control beside writing: commands, forms, files, forums (see `control`).

POST /control/command       {"user", "channel", "name", "options"?}                 -> {"id"} of the interaction
POST /control/menu          {"user", "channel", "name", "message"}                  -> {"id"}
POST /control/submit        {"user", "interaction", "values"}                       -> {"id"}
POST /control/close         {"user", "interaction"}      puts a form away
POST /control/dismiss       {"user", "message"}          puts a message away that only they see
POST /control/install       {"user", "remove"?}          has the app for themselves, or not any more
POST /control/forward       {"user", "channel", "message", "to"}                    -> {"id"}
POST /control/voice         {"user", "channel", "seconds", "content"} (base64)      -> {"id"}
POST /control/forum         {"name", "tags"?, "tag_required"?}                      -> {"id"}
POST /control/forum_post    {"user", "channel", "name", "text", "tags"?}            -> {"id"}
POST /control/guilds        {"count", "channels"?, "roles"?}   many servers at once
GET  /control/interaction?id=                            what the bot made of one: answered when, with what
"""

import base64
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from aiohttp import web

from bridge.playground.discord.control_bodies import find_person, read, read_texts, text
from bridge.playground.discord.model import Json

if TYPE_CHECKING:
    from bridge.playground.discord.server import DiscordServer

Action = Callable[["DiscordServer", web.Request], Awaitable[Json]]


async def _command(server: "DiscordServer", request: web.Request) -> Json:
    body = await read(request)
    options = body.get("options", {})
    if not isinstance(options, dict) or not all(isinstance(one, str | int | float) for one in options.values()):
        raise TypeError("`options` maps names to texts, numbers, or true and false")
    number = await server.command(find_person(server, body), text(body, "channel"), text(body, "name"), options)
    return {"id": number}


async def _menu(server: "DiscordServer", request: web.Request) -> Json:
    body = await read(request)
    place, message = text(body, "channel"), text(body, "message")
    return {"id": await server.message_command(find_person(server, body), place, text(body, "name"), message)}


async def _submit(server: "DiscordServer", request: web.Request) -> Json:
    body = await read(request)
    values = body.get("values")
    if not isinstance(values, dict):
        raise TypeError("`values` maps custom ids to texts or lists of choices")
    return {"id": await server.submit_modal(find_person(server, body), text(body, "interaction"), values)}


async def _close(server: "DiscordServer", request: web.Request) -> Json:
    body = await read(request)
    await server.close_modal(find_person(server, body), text(body, "interaction"))
    return {}


async def _dismiss(server: "DiscordServer", request: web.Request) -> Json:
    body = await read(request)
    await server.dismiss(find_person(server, body), text(body, "message"))
    return {}


async def _install(server: "DiscordServer", request: web.Request) -> Json:
    body = await read(request)
    act = server.uninstall_for if body.get("remove") else server.install_for
    act(find_person(server, body))
    return {}


async def _forward(server: "DiscordServer", request: web.Request) -> Json:
    body = await read(request)
    source = text(body, "channel"), text(body, "message")
    return {"id": await server.forward_as(find_person(server, body), *source, text(body, "to"))}


async def _voice(server: "DiscordServer", request: web.Request) -> Json:
    body = await read(request)
    seconds = body.get("seconds")
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        raise TypeError("`seconds` must be a number")
    content = base64.b64decode(text(body, "content"), validate=True)
    return {"id": await server.post_voice_as(find_person(server, body), text(body, "channel"), content, seconds)}


async def _forum(server: "DiscordServer", request: web.Request) -> Json:
    body = await read(request)
    tags = read_texts(body, "tags")
    return {"id": await server.add_forum(text(body, "name"), tags, tag_required=bool(body.get("tag_required")))}


async def _forum_post(server: "DiscordServer", request: web.Request) -> Json:
    body = await read(request)
    number = await server.open_thread_as(
        find_person(server, body),
        text(body, "channel"),
        text(body, "name"),
        text=text(body, "text"),
        tags=read_texts(body, "tags"),
    )
    return {"id": number}


async def _guilds(server: "DiscordServer", request: web.Request) -> Json:
    body = await read(request)
    numbers = {key: body.get(key, usual) for key, usual in (("count", 1), ("channels", 20), ("roles", 10))}
    if any(isinstance(one, bool) or not isinstance(one, int) for one in numbers.values()):
        raise TypeError("`count`, `channels` and `roles` are whole numbers")
    count, channels, roles = (int(str(one)) for one in numbers.values())
    await server.add_guilds(count, channels=channels, roles=roles)
    return {}


async def _interaction(server: "DiscordServer", request: web.Request) -> Json:
    one = server.interactions[request.query["id"]]
    return {
        "answer": one.answer,
        "seconds": None if one.answered_at is None else one.answered_at - one.at,
        "failed": server.failed(one.id),
        "original": None if one.original is None else one.original.content,
        "follow_ups": [each.content for each in one.follow_ups],
        "ephemeral": one.ephemeral,
    }


ACTIONS: list[tuple[str, str, Action]] = [
    ("POST", "command", _command),
    ("POST", "menu", _menu),
    ("POST", "submit", _submit),
    ("POST", "close", _close),
    ("POST", "dismiss", _dismiss),
    ("POST", "install", _install),
    ("POST", "forward", _forward),
    ("POST", "voice", _voice),
    ("POST", "forum", _forum),
    ("POST", "forum_post", _forum_post),
    ("POST", "guilds", _guilds),
    ("GET", "interaction", _interaction),
]
