"""The stand-in's lists. They tell as much as the real ones: where a database is, and with which password it is opened."""

from collections.abc import Sequence

from aiohttp import web

from bridge.playground.dbgpt.records import NATIVE_APPS, DbgptState, Json
from bridge.playground.dbgpt.spelling import succeed


async def datasources(state: DbgptState, request: web.Request) -> web.StreamResponse:
    found = [
        {
            "type": "mysql",
            "params": {"host": "10.0.0.7", "port": 3306, "user": "root", "password": "a-password-of-a-database"},
            "description": "",
            "id": number,
            "db_name": name,
            "gmt_created": None,
            "gmt_modified": None,
        }
        for number, name in enumerate(state.listings.datasources, 1)
    ]
    return succeed(found)


async def spaces(state: DbgptState, request: web.Request) -> web.StreamResponse:
    found: list[Json] = [
        {"id": number, "name": name, "vector_type": "chroma", "desc": "", "context": None, "owner": "dbgpt"}
        for number, name in enumerate(state.listings.spaces, 1)
    ]
    return succeed(_page(found, request))


async def apps(state: DbgptState, request: web.Request) -> web.StreamResponse:
    both = [(NATIVE_APPS, "native_app"), (state.listings.apps, "single_agent")]
    found: list[Json] = [
        {"app_code": code, "app_name": name, "team_mode": mode, "published": "true", "details": []}
        for some, mode in both
        for code, name in some.items()
    ]
    return succeed({"total_count": len(found), "total_page": 1, "current_page": 1, "app_list": found})


async def flows(state: DbgptState, request: web.Request) -> web.StreamResponse:
    found: list[Json] = [
        {"uid": uid, "name": uid, "label": label, "state": "running", "flow_data": {"nodes": []}}
        for uid, label in state.listings.flows.items()
    ]
    return succeed(_page(found, request))


async def models(state: DbgptState, request: web.Request) -> web.StreamResponse:
    found = [
        {"model_name": name, "worker_type": kind, "host": "127.0.0.1", "port": 5670, "healthy": True}
        for name, kind in [*((name, "llm") for name in state.listings.models), ("embedder", "text2vec")]
    ]
    return succeed(found)


def _page(found: Sequence[Json], request: web.Request) -> Json:
    size = int(request.query.get("page_size", "20"))
    start = (int(request.query.get("page", "1")) - 1) * size
    pages = -(-len(found) // size)
    return {
        "items": list(found[start : start + size]),
        "total_count": len(found),
        "total_pages": pages,
        "page": start // size + 1,
        "page_size": size,
    }
