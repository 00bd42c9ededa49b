"""The stand-in's remote control: plain HTTP under /control/, for benchmarks and kill tests in other processes.

    POST /control/post      {"user", "channel", "text", "reply_to"?}      -> {"id"}
    POST /control/react     {"user", "channel", "message", "emoji", "remove"?}
    POST /control/edit      {"user", "channel", "message", "text"}
    POST /control/delete    {"user", "channel", "message"}
    POST /control/press     {"user", "channel", "message", "custom_id"}   -> {"id"}
    POST /control/gateway   {"forget"?}    cuts every connection; `forget`: sessions cannot be resumed
    POST /control/channel   {"name"}                                      -> {"id"}
    POST /control/thread    {"channel", "name", "user"?}                  -> {"id"}
    POST /control/faults    any fields of `Faults`, replacing their values
    (commands, forms, forums and files: see `control_acts`)
    GET  /control/snapshot  GET /control/calls
    GET  /control/growth?channel=&message=                                -> {"history": [[seconds, content], ...]}

`user` is a person's id or name. Mistakes are answered with 400 and a sentence.
"""

import dataclasses
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, get_args

from aiohttp import web

from bridge.playground.discord.control_acts import ACTIONS, Action
from bridge.playground.discord.control_bodies import find_person, read, text
from bridge.playground.discord.faults import Fault, FaultKind
from bridge.playground.discord.model import Json

if TYPE_CHECKING:
    from bridge.playground.discord.server import DiscordServer


def add_control(app: web.Application, server: "DiscordServer") -> None:
    for method, path, action in (*_ACTIONS, *ACTIONS):
        app.router.add_route(method, f"/control/{path}", _answer_with(server, action))


def _answer_with(server: "DiscordServer", action: Action) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def answer(request: web.Request) -> web.StreamResponse:
        try:
            return web.json_response(await action(server, request))
        except KeyError as error:
            return web.json_response({"error": f"there is no {error}"}, status=400)
        except (TypeError, ValueError) as error:
            return web.json_response({"error": str(error)}, status=400)

    return answer


async def _post(server: "DiscordServer", request: web.Request) -> Json:
    body = await read(request)
    reply_to = text(body, "reply_to") if body.get("reply_to") is not None else None
    return {
        "id": await server.post_as(
            find_person(server, body), text(body, "channel"), text(body, "text"), reply_to=reply_to
        )
    }


async def _react(server: "DiscordServer", request: web.Request) -> Json:
    body = await read(request)
    act = server.unreact if body.get("remove") else server.react
    await act(find_person(server, body), text(body, "channel"), text(body, "message"), text(body, "emoji"))
    return {}


async def _edit(server: "DiscordServer", request: web.Request) -> Json:
    body = await read(request)
    await server.edit_as(find_person(server, body), text(body, "channel"), text(body, "message"), text(body, "text"))
    return {}


async def _delete(server: "DiscordServer", request: web.Request) -> Json:
    body = await read(request)
    await server.delete_as(find_person(server, body), text(body, "channel"), text(body, "message"))
    return {}


async def _press(server: "DiscordServer", request: web.Request) -> Json:
    body = await read(request)
    message = text(body, "message")
    return {
        "id": await server.press(find_person(server, body), text(body, "channel"), message, text(body, "custom_id"))
    }


async def _gateway(server: "DiscordServer", request: web.Request) -> Json:
    await server.drop_gateways(forget=bool((await read(request)).get("forget")))
    return {}


async def _channel(server: "DiscordServer", request: web.Request) -> Json:
    return {"id": await server.add_channel(text(await read(request), "name"))}


async def _thread(server: "DiscordServer", request: web.Request) -> Json:
    body = await read(request)
    return {"id": await server.open_thread_as(find_person(server, body), text(body, "channel"), text(body, "name"))}


async def _faults(server: "DiscordServer", request: web.Request) -> Json:
    body = await read(request)
    known = {one.name for one in dataclasses.fields(server.faults)}
    if unknown := sorted(set(body) - known):
        raise ValueError(f"unknown switches: {unknown}; there are {sorted(known)}")
    changes: Json = {}
    for key, value in body.items():
        if key == "fail_next":
            changes[key] = _read_fail_next(value)
        elif key == "latency" and isinstance(value, int | float) and not isinstance(value, bool):
            changes[key] = float(value)
        elif key != "latency" and isinstance(value, bool):
            changes[key] = value
        else:
            raise TypeError(f"`{key}` has the wrong type")
    for key, value in changes.items():
        setattr(server.faults, key, value)
    return {}


def _read_fail_next(value: object) -> dict[str, list[Fault]]:
    if not isinstance(value, dict):
        raise TypeError("`fail_next` maps routes to lists of faults")
    return {str(route): [_read_fault(one) for one in faults] for route, faults in value.items()}


def _read_fault(value: object) -> Fault:
    if not isinstance(value, dict):
        raise TypeError("a fault is an object")
    usual = Fault()
    for key, given in value.items():
        wanted = type(getattr(usual, str(key), None))
        if not (isinstance(given, wanted) or (wanted is float and isinstance(given, int))):
            raise TypeError(f"`{key}` of a fault has the wrong type")
    if (kind := value.get("kind", usual.kind)) not in get_args(FaultKind):
        raise ValueError(f"there is no fault of kind {kind}")
    return Fault(**value)


async def _snapshot(server: "DiscordServer", request: web.Request) -> Json:
    return server.snapshot()


async def _calls(server: "DiscordServer", request: web.Request) -> Json:
    return {
        "now": server.clock.monotonic(),
        "rejected": server.rejected,
        "identifies": server.identifies,
        "resumes": server.resumes,
        "calls": [dataclasses.asdict(one) for one in server.calls],
    }


async def _growth(server: "DiscordServer", request: web.Request) -> Json:
    found = server.find_message(request.query["channel"], request.query["message"])
    if found is None:
        raise ValueError("there is no such message")
    return {"now": server.clock.monotonic(), "history": [[at, content] for at, content in found.history]}


_ACTIONS: list[tuple[str, str, Action]] = [
    ("POST", "post", _post),
    ("POST", "react", _react),
    ("POST", "edit", _edit),
    ("POST", "delete", _delete),
    ("POST", "press", _press),
    ("POST", "gateway", _gateway),
    ("POST", "channel", _channel),
    ("POST", "thread", _thread),
    ("POST", "faults", _faults),
    ("GET", "snapshot", _snapshot),
    ("GET", "calls", _calls),
    ("GET", "growth", _growth),
]
