"""Who has the app, and with which tokens: what is issued, renewed and revoked, and what a token is good for.

How people are asked and codes are exchanged is in `oauth`.
"""

from dataclasses import dataclass, replace

from bridge.clock import Clock
from bridge.playground.slack import limits
from bridge.playground.slack.methods import BOT_TOKEN
from bridge.playground.slack.model import JsonObject, Refusal
from bridge.playground.slack.workspace import Workspace
from bridge.playground.slack.workspaces import Workspaces

CLIENT_ID = "1111111111.2222222222"
CLIENT_SECRET = "made-up-client-secret"  # noqa: S105  # opens nothing but this stand-in


@dataclass(slots=True, kw_only=True)
class _Token:
    team_id: str
    """The workspace that it is good for; of an installation for an organisation, one of its workspaces."""
    expires_at: float | None = None
    """Unix time; None for one that does not expire."""
    dead: str = ""
    """The error that it is refused with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """What an app gets to keep."""

    access_token: str
    refresh_token: str = ""
    expires_in: int = 0
    """Seconds; 0: it does not expire and cannot be renewed."""


class Installs:
    """All installations of the app."""

    def __init__(self, workspaces: Workspaces, clock: Clock) -> None:
        self.rotation = False
        """Whether tokens that are issued from now on expire and are renewed."""
        self._workspaces = workspaces
        self._clock = clock
        self._tokens: dict[str, _Token] = {}
        self._refresh: dict[str, _Token] = {}
        self._numbers = 0

    def begin(self, workspace: Workspace) -> None:
        """Gives a workspace that comes with the app its first token."""
        shared = [one for one in self._shares(workspace) if one.bot_token]
        if workspace is self._workspaces.first:
            workspace.bot_token = BOT_TOKEN
        elif shared:
            workspace.bot_token = shared[0].bot_token
        else:
            workspace.bot_token = f"xoxb-playground-{workspace.team_id.lower()}"
        self._tokens[workspace.bot_token] = _Token(team_id=workspace.team_id)

    def of_token(self, token: str) -> list[Workspace]:
        """The workspaces that a bot token is good for. Raises `Refusal` for one that is not, or no longer, good for any."""
        known = self._tokens.get(token)
        if known is None:
            raise Refusal("invalid_auth")
        if known.dead:
            raise Refusal(known.dead)
        if known.expires_at is not None and self._clock.now().timestamp() >= known.expires_at:
            raise Refusal("token_expired")
        return self._shares(self._workspaces.all[known.team_id])

    def find(self, token: str) -> Workspace | None:
        """A workspace that a bot token is good for; None when it is good for none."""
        try:
            return self.of_token(token)[0]
        except Refusal:
            return None

    def issue(self, workspace: Workspace) -> Issued:
        """For a workspace, or for the organisation that it shares its installation with.

        Without rotation an installation that stands keeps its token. Docs: one that is rotated is not invalidated by the next.
        """
        members = self._shares(workspace)
        self._numbers += 1
        number = f"{workspace.team_id.lower()}-{self._numbers}"
        if not self.rotation:
            if workspace.installed and workspace.bot_token and self._tokens[workspace.bot_token].expires_at is None:
                return Issued(access_token=workspace.bot_token)
            return Issued(access_token=self._keep(members, f"xoxb-playground-{number}", None))
        expires_at = self._clock.now().timestamp() + limits.TOKEN_SECONDS
        access_token = self._keep(members, f"xoxe.xoxb-1-{number}", expires_at)
        refresh_token = f"xoxe-1-{number}"
        self._refresh[refresh_token] = _Token(team_id=workspace.team_id)
        return Issued(access_token=access_token, refresh_token=refresh_token, expires_in=limits.TOKEN_SECONDS)

    def renew(self, refresh_token: str) -> tuple[Workspace, Issued]:
        """Works once for each refresh token. Raises `Refusal`."""
        known = self._refresh.pop(refresh_token, None)
        if known is None or known.dead:
            raise Refusal("invalid_refresh_token")
        workspace = self._workspaces.all[known.team_id]
        return workspace, self.issue(workspace)

    def put_in(self, workspace: Workspace) -> None:
        """The app is there from now on. A bot that comes anew is in direct messages only, until somebody invites it."""
        for member in self._shares(workspace):
            if not member.installed:
                member.installed = True
                for channel in member.channels.values():
                    if channel.kind == "im":
                        channel.members.add(member.bot_user_id)
            member.changed()

    def take_out(self, workspace: Workspace, error: str) -> None:
        """The app is gone, and its tokens are refused with `error`."""
        members = self._shares(workspace)
        teams = {member.team_id for member in members}
        for token in (*self._tokens.values(), *self._refresh.values()):
            if token.team_id in teams and not token.dead:
                token.dead = error
        for member in members:
            member.installed = False
            member.bot_token = ""
            member.team = replace(member.team, org_wide=False)
            for channel in member.channels.values():
                channel.members.discard(member.bot_user_id)
            member.changed()

    def describe(self, workspace: Workspace, issued: Issued) -> JsonObject:
        """What oauth.v2.access says of an installation, whether it is new or renewed."""
        team = workspace.team
        answer: JsonObject = {
            "access_token": issued.access_token,
            "token_type": "bot",
            "scope": ",".join(workspace.scopes),
            "bot_user_id": team.bot_user_id,
            "team": None if team.org_wide else {"id": team.id, "name": team.name},
            "enterprise": team.enterprise,
            "is_enterprise_install": team.org_wide,
        }
        if issued.refresh_token:
            answer |= {"refresh_token": issued.refresh_token, "expires_in": issued.expires_in}
        return answer

    def _keep(self, members: list[Workspace], access_token: str, expires_at: float | None) -> str:
        self._tokens[access_token] = _Token(team_id=members[0].team_id, expires_at=expires_at)
        for member in members:
            member.bot_token = access_token
        return access_token

    def _shares(self, workspace: Workspace) -> list[Workspace]:
        """Who has the installation together."""
        if not workspace.team.org_wide:
            return [workspace]
        return [one for one in self._workspaces.relatives(workspace) if one.team.org_wide]
