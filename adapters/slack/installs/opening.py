"""Puts the parts of this folder together, as the settings say."""

from collections.abc import Callable
from typing import NamedTuple

from pydantic import SecretStr
from slack_sdk.web.async_client import AsyncWebClient

from adapters.slack.installs.credentials import Credentials
from adapters.slack.installs.kept import Kept
from adapters.slack.installs.oauth import INSTALL_PATH, OAuth
from adapters.slack.installs.tokens import Tokens
from adapters.slack.installs.workspaces import ManyWorkspaces, OneWorkspace
from adapters.slack.settings import Settings
from bridge.clock import Clock


class Many(NamedTuple):
    kept: Kept
    """To be told where installations are kept, before anybody is heard."""
    workspaces: ManyWorkspaces
    oauth: OAuth


def open_one(settings: Settings, client: Callable[[], AsyncWebClient], clock: Clock) -> OneWorkspace:
    """For the token that was configured. `client` sends every request once."""
    token = settings.slack_bot_token.get_secret_value() if settings.slack_bot_token else ""
    return OneWorkspace(token, client, clock, longest_pause=settings.slack_reconnect_longest)


def open_many(settings: Settings, client: Callable[[], AsyncWebClient], clock: Clock) -> Many:
    """For what is installed by OAuth. `client` sends every request once, and has no token of its own."""
    installations = Kept()
    credentials = Credentials(settings.slack_client_id or "", settings.slack_client_secret or SecretStr(""))
    install_url = settings.slack_public_url + INSTALL_PATH
    tokens = Tokens(installations, client, clock, credentials=credentials, install_url=install_url)
    return Many(
        installations,
        ManyWorkspaces(
            tokens, installations, clock, longest_pause=settings.slack_reconnect_longest, install_url=install_url
        ),
        OAuth(
            tokens,
            installations,
            client,
            clock,
            credentials=credentials,
            public_url=settings.slack_public_url,
            api_url=settings.slack_api_url,
            features=settings.slack_features,
        ),
    )
