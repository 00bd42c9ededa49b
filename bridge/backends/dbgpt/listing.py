"""What DB-GPT lists of what can be asked: knowledge spaces, data sources, apps of agents, flows and models.

Its lists tell more than anybody here may see (where a database is, and with which password it is opened), so of each entry only
its name is read.
"""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from hashlib import sha256

from bridge.backend_api import Choice
from bridge.backends.dbgpt.client import DbgptClient
from bridge.backends.dbgpt.modes import NEEDS, ChatMode, Kind, Target
from bridge.clock import Clock
from bridge.remote.framing import Json, text_of
from bridge.remote.plain import make_plain

LONGEST_LABEL = 75
MOST = 100
"""Of one kind."""
LIST_BYTES = 4 * 1024 * 1024
"""A flow is listed with everything that is drawn in it."""

_PATHS = {
    Kind.KNOWLEDGE: "/api/v2/serve/knowledge/spaces",
    Kind.DATASOURCE: "/api/v2/serve/datasources",
    Kind.APP: "/api/v2/serve/apps",
    Kind.FLOW: "/api/v2/serve/awel/flows",
    Kind.MODEL: "/api/v2/serve/model/models",
}
GROUPS = {
    Kind.KNOWLEDGE: "Knowledge space",
    Kind.DATASOURCE: "Data source",
    Kind.APP: "App",
    Kind.FLOW: "Flow",
    Kind.MODEL: "Model",
}
_MODES = {
    Kind.KNOWLEDGE: ChatMode.KNOWLEDGE,
    Kind.DATASOURCE: ChatMode.DATA,
    Kind.APP: ChatMode.APP,
    Kind.FLOW: ChatMode.FLOW,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    choice: Choice
    param: str
    """What the API calls it."""
    kind: Kind


async def list_kind(client: DbgptClient, kind: Kind) -> Sequence[Listed]:
    """Those that can be asked. Raises `BackendError`."""
    query = {"page": "1", "page_size": str(MOST)} if kind in (Kind.KNOWLEDGE, Kind.APP, Kind.FLOW) else None
    data = await client.call("GET", _PATHS[kind], query=query, max_bytes=LIST_BYTES)
    found: dict[str, Listed] = {}
    for entry in _entries(data):
        param, label = _read(kind, entry)
        if param and param not in found:
            label = make_plain(label or param, LONGEST_LABEL) or param[:LONGEST_LABEL]
            choice = Choice(id=_name(kind, param), label=label, group=GROUPS[kind])
            found[param] = Listed(choice=choice, param=param, kind=kind)
    return list(found.values())[:MOST]


class KeptListing:
    """What members may choose from, asked for again after a while."""

    def __init__(self, client: DbgptClient, clock: Clock, kinds: Collection[Kind], max_age: float) -> None:
        self._client = client
        self._clock = clock
        self._kinds = [kind for kind in Kind if kind in kinds]
        self._max_age = max_age
        self._kept: tuple[Listed, ...] = ()
        self._until = float("-inf")
        self._asking = asyncio.Lock()

    async def get(self, *, fresh: bool = False) -> Sequence[Listed]:
        """Raises `BackendError`."""
        async with self._asking:
            if self._kinds and (fresh or self._clock.monotonic() >= self._until):
                self._kept = tuple([one for kind in self._kinds for one in await list_kind(self._client, kind)])
                self._until = self._clock.monotonic() + self._max_age
            return self._kept

    async def find(self, choice: str) -> Listed | None:
        """One that is missing may have come since the last look. Raises `BackendError`."""
        for fresh in (False, True):
            for one in await self.get(fresh=fresh):
                if one.choice.id == choice:
                    return one
        return None


def target_of(listed: Listed, usual: Target) -> Target:
    """What a question is put to after this choice. A data source is asked in the app's own way, where it has one."""
    if listed.kind is Kind.MODEL:
        return Target(mode=usual.mode, param=usual.param, model=listed.param)
    mode = usual.mode if NEEDS.get(usual.mode) is listed.kind else _MODES[listed.kind]
    return Target(mode=mode, param=listed.param, model=usual.model)


def _entries(data: object) -> Sequence[Json]:
    """Each list has its own envelope."""
    if isinstance(data, dict):
        data = data.get("items", data.get("app_list"))
    return [entry for entry in data if isinstance(entry, dict)] if isinstance(data, list) else []


def _read(kind: Kind, entry: Json) -> tuple[str, str]:
    """What the API calls it, and its name for people. "" for what cannot be asked."""
    match kind:
        case Kind.KNOWLEDGE:
            return text_of(entry, "name"), ""
        case Kind.DATASOURCE:
            return text_of(entry, "db_name"), ""
        case Kind.APP:
            # The built-in ones stand for the other chat modes, and say nothing when they are asked as apps (measured on 0.8.2).
            native = text_of(entry, "team_mode") == "native_app"
            return "" if native else text_of(entry, "app_code"), text_of(entry, "app_name")
        case Kind.FLOW:
            deployed = text_of(entry, "state") in ("deployed", "running", "")
            return text_of(entry, "uid") if deployed else "", text_of(entry, "label") or text_of(entry, "name")
        case Kind.MODEL:
            usable = text_of(entry, "worker_type") == "llm" and entry.get("healthy") is not False
            return text_of(entry, "model_name") if usable else "", ""


def _name(kind: Kind, param: str) -> str:
    return f"{kind.value}:{sha256(param.encode()).hexdigest()[:16]}"
