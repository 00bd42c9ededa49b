"""Acts of people, workspaces and installations under `/control/`, for other processes. JSON in, JSON out. Not Slack's.

Every act is a POST with an object of the fields below. What a Slack client would not let a person do is a 400 with `error`.
What became of an act that is told to the app stands in `/control/deliveries`, under `acts`.

    command          user, channel, name, text?, thread_ts?          -> {}
    shortcut         user, callback_id, channel, ts                  -> {}
    view_press       user, view_id, action_id, value?                -> {}
    submit           user, view_id, values                           -> {}
    close            user, view_id                                   -> {"told": whether the app is told}
    home             user, tab?, entities?                           -> {}
    dm               user, entities?                                 -> {"channel"}
    context          user, entities                                  -> {}
    stop_session     user, channel, thread_ts                        -> {"stopped": timestamps of streams}
    invite, kick     user, channel                                   -> {}
    stranger         channel, name, team_id?                         -> {"id"}
    workspace        team_id, name, enterprise_id?, installed?, org_wide?  -> {"bot_user_id", "bot_token", "people", "channels"}
    install          authorize_url, user, team_id                    -> {"location": where the browser is sent, with the code}
    uninstall        team_id?                                        -> {}
    app              commands?, shortcuts?, subscriptions?, redirect_urls?, token_rotation?
                                                                     -> all of them, client_id, authorize_url

`values` of a submission: action_id to text or option, or block_id to such an object. `app` changes only what is named.
"""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from aiohttp import web
from pydantic import BaseModel, ConfigDict

from bridge.playground.slack.model import JsonObject

if TYPE_CHECKING:
    from bridge.playground.slack.server import SlackServer

Route = Callable[[web.Request], Awaitable[JsonObject]]
Reporting = Callable[[Route], Callable[[web.Request], Awaitable[web.StreamResponse]]]


class _Wanted(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Command(_Wanted):
    user: str
    channel: str
    name: str
    text: str = ""
    thread_ts: str | None = None


class _Shortcut(_Wanted):
    user: str
    callback_id: str
    channel: str
    ts: str


class _ViewPress(_Wanted):
    user: str
    view_id: str
    action_id: str
    value: str | None = None


class _Submit(_Wanted):
    user: str
    view_id: str
    values: dict[str, str | dict[str, str]]


class _Close(_Wanted):
    user: str
    view_id: str


class _Home(_Wanted):
    user: str
    tab: str = "home"
    entities: list[JsonObject] = []


class _Look(_Wanted):
    user: str
    entities: list[JsonObject] = []


class _Stop(_Wanted):
    user: str
    channel: str
    thread_ts: str


class _Membership(_Wanted):
    user: str
    channel: str


class _Stranger(_Wanted):
    channel: str
    name: str
    team_id: str = "T0ELSEWHERE"


class _NewWorkspace(_Wanted):
    team_id: str
    name: str
    enterprise_id: str | None = None
    installed: bool = True
    org_wide: bool = False


class _Install(_Wanted):
    authorize_url: str
    user: str
    team_id: str


class _Uninstall(_Wanted):
    team_id: str | None = None


class _App(_Wanted):
    commands: dict[str, bool] | None = None
    shortcuts: set[str] | None = None
    subscriptions: set[str] | None = None
    redirect_urls: list[str] | None = None
    token_rotation: bool | None = None


def act_routes(server: "SlackServer", reporting: Reporting) -> list[web.RouteDef]:
    acts = _Acts(server)
    routes: dict[str, Route] = {
        "command": acts.command,
        "shortcut": acts.shortcut,
        "view_press": acts.press_in_view,
        "submit": acts.submit,
        "close": acts.close,
        "home": acts.open_home,
        "dm": acts.open_dm,
        "context": acts.change_context,
        "stop_session": acts.stop_session,
        "invite": acts.invite,
        "kick": acts.kick,
        "stranger": acts.add_stranger,
        "workspace": acts.add_workspace,
        "install": acts.install,
        "uninstall": acts.uninstall,
        "app": acts.set_app,
    }
    return [web.post(f"/control/{name}", reporting(route)) for name, route in routes.items()]


class _Acts:
    def __init__(self, server: "SlackServer") -> None:
        self._server = server

    async def command(self, request: web.Request) -> JsonObject:
        wanted = _Command.model_validate_json(await request.read())
        await self._server.command(wanted.user, wanted.channel, wanted.name, wanted.text, wanted.thread_ts)
        return {}

    async def shortcut(self, request: web.Request) -> JsonObject:
        wanted = _Shortcut.model_validate_json(await request.read())
        await self._server.shortcut(wanted.user, wanted.callback_id, wanted.channel, wanted.ts)
        return {}

    async def press_in_view(self, request: web.Request) -> JsonObject:
        wanted = _ViewPress.model_validate_json(await request.read())
        await self._server.press_in_view(wanted.user, wanted.view_id, wanted.action_id, wanted.value)
        return {}

    async def submit(self, request: web.Request) -> JsonObject:
        wanted = _Submit.model_validate_json(await request.read())
        await self._server.submit_view(wanted.user, wanted.view_id, wanted.values)
        return {}

    async def close(self, request: web.Request) -> JsonObject:
        wanted = _Close.model_validate_json(await request.read())
        return {"told": await self._server.close_view(wanted.user, wanted.view_id) is not None}

    async def open_home(self, request: web.Request) -> JsonObject:
        wanted = _Home.model_validate_json(await request.read())
        await self._server.open_home(wanted.user, wanted.tab, wanted.entities)
        return {}

    async def open_dm(self, request: web.Request) -> JsonObject:
        wanted = _Look.model_validate_json(await request.read())
        return {"channel": await self._server.open_dm(wanted.user, wanted.entities)}

    async def change_context(self, request: web.Request) -> JsonObject:
        wanted = _Look.model_validate_json(await request.read())
        await self._server.change_context(wanted.user, wanted.entities)
        return {}

    async def stop_session(self, request: web.Request) -> JsonObject:
        wanted = _Stop.model_validate_json(await request.read())
        return {"stopped": await self._server.stop_session(wanted.user, wanted.channel, wanted.thread_ts)}

    async def invite(self, request: web.Request) -> JsonObject:
        wanted = _Membership.model_validate_json(await request.read())
        await self._server.invite_bot(wanted.user, wanted.channel)
        return {}

    async def kick(self, request: web.Request) -> JsonObject:
        wanted = _Membership.model_validate_json(await request.read())
        await self._server.kick_bot(wanted.user, wanted.channel)
        return {}

    async def add_stranger(self, request: web.Request) -> JsonObject:
        wanted = _Stranger.model_validate_json(await request.read())
        return {"id": self._server.add_stranger(wanted.channel, wanted.name, wanted.team_id).id}

    async def add_workspace(self, request: web.Request) -> JsonObject:
        wanted = _NewWorkspace.model_validate_json(await request.read())
        made = self._server.add_workspace(
            wanted.team_id, wanted.name, wanted.enterprise_id, installed=wanted.installed, org_wide=wanted.org_wide
        )
        return {
            "bot_user_id": made.bot_user_id,
            "bot_token": made.bot_token,
            "people": list(made.people),
            "channels": list(made.channels),
        }

    async def install(self, request: web.Request) -> JsonObject:
        wanted = _Install.model_validate_json(await request.read())
        return {"location": await self._server.install(wanted.authorize_url, wanted.user, wanted.team_id)}

    async def uninstall(self, request: web.Request) -> JsonObject:
        wanted = _Uninstall.model_validate_json(await request.read())
        await self._server.uninstall(wanted.team_id)
        return {}

    async def set_app(self, request: web.Request) -> JsonObject:
        wanted, server = _App.model_validate_json(await request.read()), self._server
        for name in sorted(wanted.model_fields_set):
            value = getattr(wanted, name)
            if value is None:
                raise ValueError(f"{name} may be left out but not null")
            setattr(server, name, value)
        return {
            "commands": server.commands,
            "shortcuts": sorted(server.shortcuts),
            "subscriptions": sorted(server.subscriptions),
            "redirect_urls": server.redirect_urls,
            "token_rotation": server.token_rotation,
            "client_id": server.client_id,
            "authorize_url": server.authorize_url,
        }
