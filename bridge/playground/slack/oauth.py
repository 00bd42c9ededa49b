"""OAuth: asking somebody to let the app in, exchanging the code, renewing and revoking tokens.

Slack's pages on installing with OAuth, oauth.v2.access and token rotation. Only bot scopes: the stand-in has no user tokens.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode, urlsplit

from aiohttp import web

from bridge.clock import Clock
from bridge.playground.slack import limits
from bridge.playground.slack.arguments import Arguments
from bridge.playground.slack.consent import consent_page, refusal_page
from bridge.playground.slack.events import APP_ID
from bridge.playground.slack.installs import CLIENT_ID, CLIENT_SECRET, Installs
from bridge.playground.slack.methods import Method
from bridge.playground.slack.model import JsonObject, Refusal, Team
from bridge.playground.slack.workspace import Workspace
from bridge.playground.slack.workspaces import Workspaces

KNOWN_SCOPES = frozenset(
    {
        *(
            "app_mentions:read",
            "assistant:write",
            "chat:write",
            "chat:write.customize",
            "chat:write.public",
            "commands",
        ),
        *(
            "channels:history",
            "groups:history",
            "im:history",
            "mpim:history",
            "channels:read",
            "groups:read",
            "im:read",
        ),
        *("mpim:read", "channels:join", "im:write", "mpim:write", "reactions:read", "reactions:write", "files:read"),
        *("files:write", "users:read", "users:read.email", "team:read"),
    }
)
"""Bot scopes that an app like this one may ask for. Slack has more; what it has not is refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wish:
    """What a consent page was asked for."""

    scopes: tuple[str, ...]
    redirect_uri: str
    state: str
    team: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Code:
    """A yes that waits for its exchange."""

    wish: _Wish
    workspaces: tuple[Workspace, ...]
    person: str
    made_at: float
    """Monotonic time."""


class OAuth:
    """The pages under `/oauth/`, and the methods that are about installations rather than about one workspace."""

    def __init__(
        self, workspaces: Workspaces, installs: Installs, clock: Clock, told: Callable[[Team, JsonObject], None]
    ) -> None:
        """`told`: tells the app of something in a workspace that it is no longer in."""
        self.redirect_urls: list[str] = []
        """What a redirect_uri must begin with. None is accepted until one stands here."""
        self._workspaces = workspaces
        self._installs = installs
        self._clock = clock
        self._told = told
        self._codes: dict[str, _Code] = {}
        self._numbers = 0

    def add_to(self, app: web.Application) -> None:
        app.router.add_get("/oauth/v2/authorize", self._show)
        app.router.add_post("/oauth/v2/authorize", self._decide)

    def methods(self) -> Mapping[str, Method]:
        return {
            "oauth.v2.access": Method(run=self.access, token=""),
            "apps.uninstall": Method(run=self._uninstall_by_app, accepts_json=False),
            "auth.revoke": Method(run=self._revoke, accepts_json=False),
        }

    def allow(self, authorize_url: str, user_id: str, team_id: str) -> str:
        """What pressing "Allow" leads to: the redirect's address, with a code. `team_id` may be an organisation's.

        Raises `ValueError` where the page would not be shown, or this person could not do so.
        """
        query = dict(parse_qsl(urlsplit(authorize_url).query, keep_blank_values=True))
        try:
            return self._allow(self._read_wish(query), user_id, team_id)
        except Refusal as e:
            raise ValueError(f"Slack shows no consent page: {e.code}") from e

    def uninstall(self, workspace: Workspace) -> None:
        """Somebody removes the app: its tokens die, and it is told so."""
        self._end(workspace, "account_inactive", uninstalled=True)

    def access(self, args: Arguments) -> JsonObject:
        """oauth.v2.access. Raises `Refusal`."""
        self._check_client(args)
        match args.text("grant_type") or "authorization_code":
            case "authorization_code":
                return self._exchange(args)
            case "refresh_token":
                workspace, issued = self._installs.renew(args.required("refresh_token", "invalid_refresh_token"))
                return {"app_id": APP_ID, **self._installs.describe(workspace, issued)}
            case _:
                raise Refusal("invalid_grant_type")

    def _exchange(self, args: Arguments) -> JsonObject:
        code = self._codes.pop(args.required("code", "invalid_code"), None)
        if code is None or self._clock.monotonic() - code.made_at > limits.CODE_SECONDS:
            raise Refusal("invalid_code")
        if args.text("redirect_uri") != (code.wish.redirect_uri or None):
            raise Refusal("bad_redirect_uri")
        workspace = code.workspaces[0]
        if code.wish.team != workspace.team_id:
            self._workspaces.share_installation(code.wish.team)
        # Docs: scopes add up as long as the app stays installed.
        kept = workspace.scopes if workspace.installed else []
        granted = [*kept, *(scope for scope in code.wish.scopes if scope not in kept)]
        for member in code.workspaces:
            member.scopes = granted
        issued = self._installs.issue(workspace)
        self._installs.put_in(workspace)
        return {
            "app_id": APP_ID,
            "authed_user": {"id": code.person},
            **self._installs.describe(workspace, issued),
        }

    def _revoke(self, args: Arguments) -> JsonObject:
        if args.flag("test"):
            return {"revoked": False}
        self._end(self._installs.of_token(args.token)[0], "token_revoked", uninstalled=False)
        return {"revoked": True}

    def _uninstall_by_app(self, args: Arguments) -> JsonObject:
        self._check_client(args)
        self.uninstall(self._installs.of_token(args.token)[0])
        return {}

    def _end(self, workspace: Workspace, error: str, *, uninstalled: bool) -> None:
        team = workspace.team
        self._installs.take_out(workspace, error)
        happened: list[JsonObject] = [{"type": "tokens_revoked", "tokens": {"oauth": [], "bot": [team.bot_user_id]}}]
        if uninstalled:
            happened.append({"type": "app_uninstalled"})
            workspace.shuffle.shuffle(happened)
        for event in happened:
            self._told(team, event)

    def _check_client(self, args: Arguments) -> None:
        client_id, secret = args.client
        if client_id != CLIENT_ID:
            raise Refusal("invalid_client_id")
        if secret != CLIENT_SECRET:
            raise Refusal("bad_client_secret")

    # The pages

    async def _show(self, request: web.Request) -> web.StreamResponse:
        try:
            wish = self._read_wish(request.query)
        except Refusal as e:
            return web.Response(text=refusal_page(e.code), status=400, content_type="text/html")
        teams = {id_: one.team.name for id_, one in self._workspaces.all.items()}
        for one in self._workspaces.all.values():
            if one.team.enterprise_id is not None:
                teams[one.team.enterprise_id] = f"{one.team.enterprise_name} (whole organisation)"
        if wish.team in teams:
            teams = {wish.team: teams[wish.team]}
        people = {
            person.id: f"{person.name} ({one.team.name})"
            for one in self._workspaces.all.values()
            for person in one.people.values()
            if not person.team_id
        }
        return web.Response(text=consent_page(request.query, wish.scopes, teams, people), content_type="text/html")

    async def _decide(self, request: web.Request) -> web.StreamResponse:
        form = {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
        try:
            wish = self._read_wish(form)
            if form.get("decision") != "allow":
                raise web.HTTPFound(self._redirect(wish, {"error": "access_denied"}))
            raise web.HTTPFound(self._allow(wish, form.get("user", ""), form.get("team", "")))
        except Refusal as e:
            return web.Response(text=refusal_page(e.code), status=400, content_type="text/html")
        except ValueError as e:
            return web.Response(text=refusal_page(str(e)), status=400, content_type="text/html")

    def _read_wish(self, query: Mapping[str, str]) -> _Wish:
        if query.get("client_id") != CLIENT_ID:
            raise Refusal("invalid_client_id")
        if query.get("user_scope"):
            raise Refusal("invalid_scope")
        scopes = tuple(dict.fromkeys(scope for scope in query.get("scope", "").replace(" ", ",").split(",") if scope))
        if not scopes:
            raise Refusal("no_scopes")
        if not set(scopes) <= KNOWN_SCOPES:
            raise Refusal("invalid_scope")
        redirect_uri = query.get("redirect_uri", "")
        wanted = redirect_uri or next(iter(self.redirect_urls), "")
        if not any(wanted.startswith(known) for known in self.redirect_urls):
            raise Refusal("bad_redirect_uri")
        return _Wish(scopes=scopes, redirect_uri=redirect_uri, state=query.get("state", ""), team=query.get("team", ""))

    def _allow(self, wish: _Wish, user_id: str, team_id: str) -> str:
        members = [one for one in self._workspaces.all.values() if team_id in (one.team_id, one.team.enterprise_id)]
        if not members:
            raise ValueError(f"there is no workspace {team_id}")
        if all(user_id not in one.people for one in members):
            raise ValueError(f"{user_id} is not in {team_id}")
        self._numbers += 1
        code = f"made-up-code-{self._numbers}"
        wish = _Wish(scopes=wish.scopes, redirect_uri=wish.redirect_uri, state=wish.state, team=team_id)
        self._codes[code] = _Code(wish=wish, workspaces=tuple(members), person=user_id, made_at=self._clock.monotonic())
        return self._redirect(wish, {"code": code})

    def _redirect(self, wish: _Wish, answer: Mapping[str, str]) -> str:
        address = wish.redirect_uri or self.redirect_urls[0]
        return f"{address}{'&' if urlsplit(address).query else '?'}{urlencode({**answer, 'state': wish.state})}"
