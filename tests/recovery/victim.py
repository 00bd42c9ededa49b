"""The bridge as a process of its own, started just as the command line starts it, that may be told where to die.

`main` runs in a freshly forked process (see `world`). Calls between the rooms go through thin wrappers around the methods of the
real store, platforms and backends; at the point that was named, the process sends itself a signal that cannot be caught.
"""

import functools
import inspect
import os
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from pathlib import Path

import typer

import adapters.discord.adapter  # imported once, before the processes are forked
import adapters.slack.adapter  # noqa: F401  # as above
import bridge.app
import bridge.registry
import bridge.storage.store
from bridge.backends.dify import backend as _dify  # noqa: F401  # as above
from bridge.cli import run
from bridge.store import Store
from tests.recovery.points import SIGNALS, Point, When

_PLATFORM = ("send", "edit", "send_file", "open_thread", "find_sent", "read_back", "show_activity")
_BACKEND = ("stop", "recover", "rate")
_STORE = tuple(name for name in vars(Store) if not name.startswith("_"))

Method = Callable[..., Awaitable[object]]


class Trap:
    """Counts calls and springs at the one that was named."""

    def __init__(self, point: Point) -> None:
        self._point = point
        self._seen = 0

    def pass_by(self, where: str, when: When, *what: object) -> None:
        if where != self._point.where or when != self._point.when or self._point.needle not in repr(what):
            return
        self._seen += 1
        if self._seen == self._point.nth:
            os.kill(os.getpid(), SIGNALS[self._point.how])


def _watch(kind: type, seam: str, names: tuple[str, ...], trap: Trap) -> None:
    for name in names:
        method = getattr(kind, name, None)
        if inspect.iscoroutinefunction(method):
            setattr(kind, name, _watched(method, f"{seam}.{name}", trap))


def _watched(method: Method, where: str, trap: Trap) -> Method:
    @functools.wraps(method)
    async def call(*args: object, **more: object) -> object:
        trap.pass_by(where, "before", args[1:], more)
        result = await method(*args, **more)
        trap.pass_by(where, "after", args[1:], more, result)
        return result

    return call


def _watch_answers(kind: type, trap: Trap) -> None:
    """`answer` is a generator: "backend.answer" is its start and its end, "backend.event" each of its events."""
    answer = getattr(kind, "answer")  # noqa: B009  # a type knows no `answer`

    @functools.wraps(answer)
    async def watched(self: object, question: object) -> AsyncGenerator[object, None]:
        trap.pass_by("backend.answer", "before", question)
        async with aclosing(answer(self, question)) as events:
            async for event in events:
                trap.pass_by("backend.event", "before", question, event)
                yield event
                trap.pass_by("backend.event", "after", question, event)
        trap.pass_by("backend.answer", "after", question)

    setattr(kind, "answer", watched)  # noqa: B010  # mypy refuses to assign to a method


def arm(point: Point) -> None:
    """Wraps whatever the composition root will make."""
    trap = Trap(point)
    watched: set[type] = set()
    open_store = bridge.storage.store.open_store
    create = bridge.registry.Part.create

    @functools.wraps(open_store)
    async def open_watched(*args: object, **more: object) -> object:
        store: object = await open_store(*args, **more)  # type: ignore[arg-type]  # whatever it takes is passed on
        _watch(type(store), "store", _STORE, trap)
        return store

    @functools.wraps(create)
    def create_watched(*args: object, **more: object) -> object:
        made: object = create(*args, **more)  # type: ignore[arg-type]
        if type(made) not in watched:
            watched.add(type(made))
            if hasattr(made, "answer"):
                _watch(type(made), "backend", _BACKEND, trap)
                _watch_answers(type(made), trap)
            else:
                _watch(type(made), "platform", _PLATFORM, trap)
        return made

    setattr(bridge.app, "open_store", open_watched)  # noqa: B010  # it is what `build` calls, not what the module offers
    bridge.registry.Part.create = create_watched  # type: ignore[assignment,method-assign]


def main(folder: str, environment: Mapping[str, str], point: str) -> None:
    """Runs `dify-chat-bridge run` in `folder` with exactly this environment; `point` is JSON, or empty for a long life."""
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    log = os.open(Path(folder) / "bridge.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(log, 1)
    os.dup2(log, 2)
    sys.stdout = open(1, "w", buffering=1, closefd=False)  # noqa: SIM115  # as long as the process lives
    sys.stderr = open(2, "w", buffering=1, closefd=False)  # noqa: SIM115  # as above
    if point:
        arm(Point.from_json(point))
    try:
        run()
    except typer.Exit as end:
        sys.exit(end.exit_code)
