"""What those do who set the app up and let it in: its manifest, workspaces, installations."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence

from bridge.playground.slack.acts import Acts
from bridge.playground.slack.installs import CLIENT_ID, CLIENT_SECRET, Installs
from bridge.playground.slack.oauth import OAuth
from bridge.playground.slack.workspace import Workspace


class Admins(Acts, ABC):
    client_id = CLIENT_ID
    client_secret = CLIENT_SECRET
    workspace: Workspace
    _installs: Installs
    _oauth: OAuth
    _address: str

    @abstractmethod
    def _join(self, workspace: Workspace) -> None:
        """Puts a workspace into operation."""

    def add_workspace(
        self,
        team_id: str,
        name: str,
        enterprise_id: str | None = None,
        *,
        installed: bool = True,
        org_wide: bool = False,
    ) -> Workspace:
        """Another workspace, with people and channels of its own; of an organisation where `enterprise_id` names one.

        `org_wide`: it takes part in the organisation's installation. Raises `ValueError`.
        """
        workspace = self._workspaces.add(team_id, name, enterprise_id, installed=installed, org_wide=org_wide)
        self._join(workspace)
        return workspace

    async def install(self, authorize_url: str, user_id: str, team_id: str) -> str:
        """Somebody is sent to `authorize_url` and allows the app in. Returns where Slack sends them back to, with the code.

        `team_id` may be an organisation's id. Raises `ValueError` where Slack shows no consent page.
        """
        return self._oauth.allow(authorize_url, user_id, team_id)

    async def uninstall(self, team_id: str | None = None) -> None:
        """Somebody removes the app from a workspace, or from the organisation that has it as a whole."""
        workspace = self._workspace(team_id)
        if not workspace.installed:
            raise ValueError(f"the app is not in {workspace.team_id}")
        self._oauth.uninstall(workspace)

    @property
    def workspaces(self) -> dict[str, Workspace]:
        """By team id; the first one is `workspace`."""
        return self._workspaces.all

    @property
    def redirect_urls(self) -> list[str]:
        """What a redirect_uri must begin with; none is accepted until one stands here."""
        return self._oauth.redirect_urls

    @redirect_urls.setter
    def redirect_urls(self, urls: Sequence[str]) -> None:
        self._oauth.redirect_urls = list(urls)

    @property
    def authorize_url(self) -> str:
        """The consent page, without its query."""
        return f"http://{self._address}/oauth/v2/authorize"

    @property
    def token_rotation(self) -> bool:
        """Whether tokens that OAuth gives out expire and are renewed."""
        return self._installs.rotation

    @token_rotation.setter
    def token_rotation(self, rotation: bool) -> None:
        self._installs.rotation = rotation

    @property
    def subscriptions(self) -> set[str]:
        """Events that the app hears of, as its manifest names them ("message.channels"). The same in every workspace."""
        return self.workspace.subscriptions

    @subscriptions.setter
    def subscriptions(self, names: Iterable[str]) -> None:
        wanted = set(names)
        self.workspace.subscriptions.clear()
        self.workspace.subscriptions.update(wanted)
