"""What a platform hands in when it wants to be called over HTTP."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from aiohttp import web

WebHandler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True, kw_only=True)
class WebRoute:
    method: str
    path: str
    """Starts with the platform's own name: "/slack/events"."""
    handler: WebHandler


@runtime_checkable
class HasWebRoutes(Protocol):
    """A platform that hears (also) over HTTP. Routes are served from start to stop; `run` still runs."""

    def web_routes(self) -> Sequence[WebRoute]: ...
