"""Puts the parts of this folder together, as the settings say."""

from collections.abc import Callable
from typing import NamedTuple

from pydantic import SecretStr
from slack_sdk.web.async_client import AsyncWebClient

from adapters.slack.installs.oauth import INSTALL_PATH, OAuth
from adapters.slack.installs.tokens import Tokens
from adapters.slack.installs.workspaces import ManyWorkspaces, OneWorkspace
from adapters.slack.settings import Settings
from bridge.clock import Clock
from bridge.platform_api import Installations


class Many(NamedTuple):
    workspaces: ManyWorkspaces
    oauth: OAuth


def open_one(settings: Settings, client: Callable[[], AsyncWebClient], clock: Clock) -> OneWorkspace:
    """For the token that was configured. `client` sends every request once."""
    return OneWorkspace(_plain(settings.slack_bot_token), client, clock, longest_pause=settings.slack_reconnect_longest)


def open_many(
    settings: Settings, installations: Installations, client: Callable[[], AsyncWebClient], clock: Clock
) -> Many:
    """For what is installed by OAuth. `client` sends every request once, and has no token of its own."""
    client_id, client_secret = settings.slack_client_id or "", _plain(settings.slack_client_secret)
    install_url = settings.slack_public_url + INSTALL_PATH
    tokens = Tokens(
        installations, client, clock, client_id=client_id, client_secret=client_secret, install_url=install_url
    )
    return Many(
        ManyWorkspaces(
            tokens, installations, clock, longest_pause=settings.slack_reconnect_longest, install_url=install_url
        ),
        OAuth(
            tokens,
            installations,
            client,
            clock,
            client_id=client_id,
            client_secret=client_secret,
            public_url=settings.slack_public_url,
            api_url=settings.slack_api_url,
            features=settings.slack_features,
        ),
    )


def _plain(secret: SecretStr | None) -> str:
    return secret.get_secret_value() if secret is not None else ""
