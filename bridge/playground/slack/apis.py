"""One address for the Web API of all workspaces: which of them a call is about, by its token and its arguments."""

from collections.abc import Callable, Mapping

from aiohttp import web

from bridge.clock import Clock
from bridge.playground.slack.arguments import Arguments, read_arguments, with_caller
from bridge.playground.slack.installs import Installs
from bridge.playground.slack.methods import Method
from bridge.playground.slack.model import Faults, Refusal
from bridge.playground.slack.web_api import WebApi
from bridge.playground.slack.workspace import Workspace
from bridge.playground.slack.workspaces import Workspaces

_UPLOADS_EACH = 1_000
"""How far apart the numbers of two workspaces' files begin."""


class Apis:
    """The Web API of each workspace, and the addresses of files, which all share."""

    def __init__(
        self,
        workspaces: Workspaces,
        installs: Installs,
        faults: Faults,
        clock: Clock,
        open_connection: Callable[[], str],
        further: Mapping[str, Method],
    ) -> None:
        self._workspaces = workspaces
        self._installs = installs
        self._faults = faults
        self._clock = clock
        self._open_connection = open_connection
        self._further = further
        self.first = WebApi(workspaces.first, faults, clock, open_connection, installs, further)
        self.all: dict[str, WebApi] = {workspaces.first.team_id: self.first}

    def add(self, workspace: Workspace) -> None:
        """The first one is there already."""
        if workspace.team_id in self.all:
            return
        api = WebApi(
            workspace, self._faults, self._clock, self._open_connection, self._installs, self._further, self.first
        )
        api.uploads.number_from(len(self.all) * _UPLOADS_EACH)
        api.uploads.address = self.first.uploads.address
        self.all[workspace.team_id] = api

    def add_to(self, app: web.Application) -> None:
        app.router.add_route("*", "/api/{method}", self._respond)
        app.router.add_route("*", "/upload/v1/{ticket}", self._receive)
        app.router.add_get("/control/files/{file_id}/{name}", self._download)
        self.first.downloads.add_to(app)

    def listen_at(self, address: str) -> None:
        """`address`: "http://host:port"."""
        self.first.downloads.address = address
        for api in self.all.values():
            api.uploads.address = address

    async def stop(self) -> None:
        for api in self.all.values():
            await api.uploads.stop()

    async def _respond(self, request: web.Request) -> web.StreamResponse:
        try:
            args = with_caller(await read_arguments(request, accepts_json=True), request)
        except Refusal:
            # Whatever is wrong with it is told by the API that reads it again.
            args = Arguments()
        return await self._about(args).respond(request)

    def _about(self, args: Arguments) -> WebApi:
        """Who tells what is wrong with a token is the first one's affair."""
        try:
            members = self._installs.of_token(args.token)
        except Refusal:
            return self.first
        meant = next((one for one in members if _is_about(one, args)), members[0])
        return self.all[meant.team_id]

    async def _receive(self, request: web.Request) -> web.StreamResponse:
        return await self._with_file(request.match_info["ticket"]).uploads.receive(request)

    async def _download(self, request: web.Request) -> web.StreamResponse:
        return await self._with_file(request.match_info["file_id"]).uploads.download(request)

    def _with_file(self, file_id: str) -> WebApi:
        return next((api for api in self.all.values() if api.uploads.knows(file_id)), self.first)


def _is_about(workspace: Workspace, args: Arguments) -> bool:
    """Of the workspaces of an organisation, the one that an argument names or that has what an argument names."""
    named = {name: value for name, value in args.values.items() if isinstance(value, str)}
    channels = {named.get(name, "") for name in ("channel", "channel_id")}
    people = {named.get(name, "").split(",")[0] for name in ("user", "user_id", "users")}
    people.add(workspace.triggers.person(named.get("trigger_id", "")))
    views = {*workspace.views.opened, *(home.id for home in workspace.views.homes.values())}
    return (
        bool(channels & set(workspace.channels))
        or named.get("team_id") == workspace.team_id
        or bool(people & set(workspace.people))
        or named.get("view_id") in views
    )
