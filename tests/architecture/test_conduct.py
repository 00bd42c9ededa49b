"""What code of ours may not do, wherever it stands."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.architecture.sources import called, modules, place, tree

OURS = modules("bridge", "adapters")
SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)


def nodes(*kinds: type[ast.AST]) -> Iterator[tuple[Path, ast.AST]]:
    for path in OURS:
        for node in ast.walk(tree(path)):
            if isinstance(node, kinds):
                yield path, node


def caught(handler: ast.ExceptHandler) -> set[str]:
    if handler.type is None:
        return {"BaseException"}
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return {ast.unparse(kind) for kind in kinds}


def test_only_a_turn_catches_every_exception() -> None:
    found = [
        place(path)
        for path, node in nodes(ast.ExceptHandler)
        if isinstance(node, ast.ExceptHandler) and "Exception" in caught(node)
    ]
    assert found == ["bridge/turns.py"]


def test_who_catches_a_cancellation_passes_it_on() -> None:
    # Undoing half a start is fine; swallowing a cancellation is not.
    found = [
        place(path, node)
        for path, node in nodes(ast.ExceptHandler)
        if isinstance(node, ast.ExceptHandler)
        and "BaseException" in caught(node)
        and not (isinstance(node.body[-1], ast.Raise) and node.body[-1].exc is None)
    ]
    assert found == []


def test_only_the_clock_sleeps() -> None:
    found = []
    for path, node in nodes(ast.Call):
        assert isinstance(node, ast.Call)
        # sleep(0) gives way to other tasks and takes no time, so no test can be slow or unsteady for it.
        gives_way = [ast.unparse(argument) for argument in node.args] == ["0"]
        if called(node) in {"time.sleep", "asyncio.sleep"} and not gives_way and place(path) != "bridge/clock.py":
            found.append(place(path, node))
    assert found == []


def test_sleeping_is_not_imported_under_another_name() -> None:
    found = [
        place(path, node)
        for path, node in nodes(ast.ImportFrom)
        if isinstance(node, ast.ImportFrom)
        and node.module in {"time", "asyncio"}
        and any(name.name in {"sleep", "create_task", "ensure_future"} for name in node.names)
    ]
    assert found == []


EDGES = ("adapters/", "bridge/backends/", "bridge/remote/", "bridge/storage/", "bridge/playground/")
"""They wait for sockets, which know no clock but the real one."""

TICKING = {
    *("asyncio.timeout", "asyncio.timeout_at", "asyncio.wait_for", "time.time", "time.monotonic", "datetime.now"),
    *("call_later", "call_at"),
}


def test_the_rooms_between_the_edges_know_no_time_but_the_clock_s() -> None:
    found = []
    for path, node in nodes(ast.Call):
        assert isinstance(node, ast.Call)
        if place(path).startswith(EDGES) or place(path) == "bridge/clock.py":
            continue
        names = {called(node), called(node).rpartition(".")[2]}
        bounded = called(node) == "asyncio.wait" and any(one.arg == "timeout" for one in node.keywords)
        if names & TICKING or bounded or called(node).endswith("loop().time"):
            found.append(place(path, node))
    assert found == []


def task_groups(module: ast.Module) -> set[str]:
    """Names that a file gives to task groups; what they start, they await."""
    names = set()
    for node in ast.walk(module):
        if isinstance(node, ast.withitem) and called(node.context_expr) == "asyncio.TaskGroup" and node.optional_vars:
            names.add(ast.unparse(node.optional_vars))
        if isinstance(node, ast.arg) and node.annotation and ast.unparse(node.annotation) == "asyncio.TaskGroup":
            names.add(node.arg)
    return names


def test_every_task_has_an_owner() -> None:
    found = []
    for path, node in nodes(ast.Expr):
        assert isinstance(node, ast.Expr)
        owner, _, verb = called(node.value).rpartition(".")
        if verb in {"create_task", "ensure_future"} and owner not in task_groups(tree(path)):
            found.append(place(path, node))
    assert found == []


def inside(node: ast.AST) -> Iterator[ast.AST]:
    """What runs as part of `node`, without the functions that are defined there."""
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, SCOPES):
            yield child
            yield from inside(child)


def test_no_generator_yields_from_within_a_task_group_or_a_timeout() -> None:
    # The consumer may never come back, or come back in another task, and the scope would then cancel the wrong one.
    found = []
    for path, function in nodes(ast.AsyncFunctionDef):
        assert isinstance(function, ast.AsyncFunctionDef)
        if any("contextmanager" in ast.unparse(one) for one in function.decorator_list):
            continue
        for node in inside(function):
            if isinstance(node, ast.AsyncWith) and any(
                called(item.context_expr) in {"asyncio.TaskGroup", "asyncio.timeout", "asyncio.timeout_at"}
                for item in node.items
            ):
                found += [place(path, one) for one in inside(node) if isinstance(one, ast.Yield)]
    assert found == []


def test_no_stream_is_waited_for_one_item_at_a_time() -> None:
    # A timeout around anext() cancels the generator in the middle, and with it the stream.
    found = [
        place(path, node)
        for path, node in nodes(ast.Call)
        if isinstance(node, ast.Call)
        and called(node) in {"asyncio.wait_for", "wait_for"}
        and any(called(argument) in {"anext"} or called(argument).endswith(".__anext__") for argument in node.args)
    ]
    assert found == []
