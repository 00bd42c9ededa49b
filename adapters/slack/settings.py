"""Slack's part of the configuration: environment variables `SLACK_...`, checked for what people get wrong."""

import re
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, SecretStr, ValidationInfo, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from yarl import URL

from adapters.slack.installs.scopes import AppFeature


class Mode(StrEnum):
    """How Slack's events come in."""

    SOCKET = "socket"
    HTTP = "http"


class DmSessions(StrEnum):
    """What is one conversation in direct messages."""

    THREAD = "thread"
    """Each message outside of a thread begins one."""
    SINGLE = "single"
    """Everything that one person says there."""


_KINDS = {
    "xoxb-": "a bot token",
    "xoxe.xoxb-": "a bot token",
    "xoxp-": "a user token",
    "xoxe.xoxp-": "a user token",
    "xapp-": "an app-level token",
}


def _kind_of(token: str) -> str:
    return next((kind for prefix, kind in _KINDS.items() if token.startswith(prefix)), "")


_PREFIX = re.compile(r"[a-z0-9-]{0,20}")
"""Slack's page on slash commands: lower case, no spaces, 32 characters with the slash. Underscores were refused to some."""

_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})


class AppSettings(BaseSettings):
    """What the app is like at Slack. Enough to print its manifest, before there is any token."""

    model_config = SettingsConfigDict(extra="ignore", env_ignore_empty=True, hide_input_in_errors=True)

    slack_app_name: str = Field(
        default="Dify",
        min_length=1,
        max_length=35,
        description="Name of the app in the manifest that `dify-chat-bridge manifest slack` prints.",
    )
    slack_features: Annotated[frozenset[AppFeature], NoDecode] = Field(
        default=frozenset(AppFeature),
        description="What the app asks of Slack besides being mentioned, for its manifest, its scopes and `check`, separated by "
        "commas: agent (and with it direct), threads, direct, reactions, files, names, commands, shortcut, home.",
    )
    slack_command_prefix: str = Field(
        default="",
        description="Put before the names of the slash commands (ask, reset, help), which all apps of a workspace share: with "
        "`dify-` they are /dify-ask and so on.",
    )
    slack_public_url: str = Field(
        default="",
        description="Where the bridge is reached from outside, such as https://bot.example.com, for an app that is installed in "
        "many workspaces: people begin at <this>/slack/install and come back to <this>/slack/oauth_redirect.",
    )

    @field_validator("slack_features", mode="before")
    @classmethod
    def _split_features(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        names = {part.strip().lower() for part in value.split(",")} - {""}
        unknown = sorted(names - set(AppFeature))
        if unknown:
            known = ", ".join(AppFeature)
            raise ValueError(f"SLACK_FEATURES has {', '.join(unknown)} in it, but there are only {known}")
        return names

    @field_validator("slack_command_prefix")
    @classmethod
    def _check_prefix(cls, value: str) -> str:
        prefix = value.strip().removeprefix("/")
        if _PREFIX.fullmatch(prefix) is None:
            raise ValueError(
                "SLACK_COMMAND_PREFIX may hold up to 20 lower-case letters, digits and -, such as `dify-` for /dify-ask"
            )
        return prefix

    @field_validator("slack_public_url")
    @classmethod
    def _check_public_url(cls, value: str) -> str:
        return check_public_url("SLACK_PUBLIC_URL", value) if value.strip() else ""


def check_public_url(name: str, value: str) -> str:
    """The address without the slash at its end. Raises ValueError with a sentence about `name`."""
    wanted = f"{name} must be an address such as https://bot.example.com, without anything behind ? or #"
    try:
        url = URL(value.strip())
    except ValueError:
        raise ValueError(wanted) from None
    if (
        url.scheme not in {"http", "https"}
        or not url.host
        or url.query_string
        or url.fragment
        or url.user
        or url.password
    ):
        raise ValueError(wanted)
    if url.scheme == "http" and url.host not in _LOCAL:
        raise ValueError(f"{name} must begin with https://, for Slack calls and sends people nowhere else")
    return str(url).rstrip("/")


class Settings(AppSettings):
    slack_bot_token: SecretStr | None = Field(
        default=None,
        description="Bot token (xoxb-...) of your Slack app: OAuth & Permissions > Bot User OAuth Token. Empty, and no "
        "SLACK_CLIENT_ID either: Slack is off.",
    )
    slack_app_token: SecretStr | None = Field(
        default=None,
        description="App-level token (xapp-...) with connections:write: Basic Information > App-Level Tokens. "
        "With it Slack is heard by Socket Mode and needs no public address.",
    )
    slack_signing_secret: SecretStr | None = Field(
        default=None,
        description="Signing secret: Basic Information > App Credentials. Without an app token Slack is heard over HTTP: "
        "set https://<your host>/slack/events as the Request URL under Event Subscriptions and under Interactivity & Shortcuts.",
    )
    slack_client_id: str | None = Field(
        default=None,
        description="Client ID: Basic Information > App Credentials. With SLACK_CLIENT_SECRET, SLACK_PUBLIC_URL and "
        "ENCRYPTION_KEY, and without SLACK_BOT_TOKEN, the app can be installed in many workspaces. One workspace needs none "
        "of them.",
    )
    slack_client_secret: SecretStr | None = Field(
        default=None, description="Client secret: Basic Information > App Credentials. Only with SLACK_CLIENT_ID."
    )
    slack_api_url: str = Field(
        default="https://slack.com/api/", description="Where Slack's Web API is. Only for proxies and stand-ins."
    )
    slack_call_timeout: float = Field(
        default=20, gt=0, le=120, description="Seconds that one call of Slack's Web API may take."
    )
    slack_accept_timeout: float = Field(
        default=10,
        gt=0,
        le=60,
        description="Seconds within which an event must be stored. After that it is not acknowledged, and Slack sends it again.",
    )
    slack_name_wait: float = Field(
        default=1,
        ge=0,
        le=2.5,
        description="Seconds that a message may wait for the names of the people mentioned in it. Slack wants its "
        "acknowledgement within 3.",
    )
    slack_file_wait: float = Field(
        default=8,
        ge=0,
        le=60,
        description="Seconds to wait until a file that Slack accepted shows up in its thread; without it the text comes as "
        "messages. 0: do not look.",
    )
    slack_sockets: int = Field(
        default=2,
        ge=1,
        le=10,
        description="Socket Mode connections that are kept at once, so that one hears while another is renewed. Slack allows an "
        "app ten in all its processes; where they run short, one fewer is kept.",
    )
    slack_ping_interval: float = Field(
        default=10, gt=0, le=60, description="Seconds between two heartbeats on the Socket Mode connection."
    )
    slack_reconnect_longest: float = Field(
        default=60, gt=0, le=600, description="Longest pause, in seconds, between two attempts to reach Slack."
    )

    slack_dm_sessions: DmSessions = Field(
        default=DmSessions.THREAD,
        description="thread: in direct messages each message outside of a thread begins a new conversation. single: all direct "
        "messages of one person are one conversation, until they say /reset.",
    )
    slack_stream_longest: float = Field(
        default=240,
        gt=0,
        le=280,
        description="Seconds for which one message may grow before the answer goes on in another one. Slack ends a stream after "
        "about 300.",
    )
    slack_retry_features: float = Field(
        default=3_600,
        gt=0,
        le=86_400,
        description="Seconds after which something that a workspace did not have (native streams, agent sessions, task lists) is "
        "tried again.",
    )
    slack_loading_messages: str = Field(
        default="Reading your question…|Looking into it…|Putting an answer together…",
        description="Lines that take turns while an answer is being worked on, separated by |, at most 10; none: Slack's "
        "own.",
    )
    slack_working_emoji: str = Field(
        default="eyes",
        description="Reaction on a question that is being worked on, where Slack shows neither an agent's state nor a status "
        "line. Its short name; none: no reaction.",
    )

    @property
    def loading_messages(self) -> tuple[str, ...]:
        """Empty: Slack's own."""
        lines = tuple(line for one in self.slack_loading_messages.split("|") if (line := one.strip()))
        return () if lines == ("none",) else lines

    @property
    def working_emoji(self) -> str:
        """Empty: none."""
        return "" if self.slack_working_emoji == "none" else self.slack_working_emoji

    @property
    def enabled(self) -> bool:
        return self.slack_bot_token is not None or self.many

    @property
    def many(self) -> bool:
        """The app is installed by OAuth, in as many workspaces as like it."""
        return self.slack_client_id is not None

    @property
    def needs_encryption(self) -> bool:
        """Tokens are kept in the database."""
        return self.many

    @property
    def mode(self) -> Mode:
        return Mode.SOCKET if self.slack_app_token is not None else Mode.HTTP

    @field_validator(
        "slack_bot_token",
        "slack_app_token",
        "slack_signing_secret",
        "slack_client_id",
        "slack_client_secret",
        mode="before",
    )
    @classmethod
    def _drop_blank(cls, value: object) -> object:
        """A line that was left empty in .env means "not set"."""
        return (value.strip() or None) if isinstance(value, str) else value

    @field_validator("slack_dm_sessions", mode="before")
    @classmethod
    def _accept_any_case(cls, value: object) -> object:
        return value.strip().lower() if isinstance(value, str) else value

    @field_validator("slack_bot_token", "slack_app_token", "slack_signing_secret", "slack_client_secret")
    @classmethod
    def _check_token(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if value is None:
            return None
        wanted, where = {
            "slack_bot_token": ("a bot token", "copy the Bot User OAuth Token (xoxb-...) from OAuth & Permissions"),
            "slack_app_token": ("an app-level token", "make one (xapp-...) under Basic Information > App-Level Tokens"),
            "slack_client_secret": ("", "copy the Client Secret from Basic Information > App Credentials"),
        }.get(info.field_name or "", ("", "copy the Signing Secret from Basic Information > App Credentials"))
        name = (info.field_name or "").upper()
        token = value.get_secret_value()
        if not token.isascii() or any(letter.isspace() for letter in token):
            raise ValueError(f"{name} has a space or another odd character in it: {where}, without quotes")
        if (kind := _kind_of(token)) != wanted:
            looks = f"looks like {kind}" if kind else f"does not look like {wanted}"
            raise ValueError(f"{name} {looks}: {where}")
        return value

    @field_validator("slack_client_id")
    @classmethod
    def _check_client_id(cls, value: str | None) -> str | None:
        # Slack's page on oauth.v2.access: two numbers with a point between them.
        if value is not None and re.fullmatch(r"[0-9]+\.[0-9]+", value) is None:
            raise ValueError(
                "SLACK_CLIENT_ID must be two numbers with a point between them: copy the Client ID from Basic Information > "
                "App Credentials"
            )
        return value

    @field_validator("slack_loading_messages")
    @classmethod
    def _check_loading(cls, value: str) -> str:
        if sum(bool(one.strip()) for one in value.split("|")) > 10:
            raise ValueError("SLACK_LOADING_MESSAGES has more than 10 lines: Slack shows at most 10, remove some")
        return value

    @field_validator("slack_working_emoji")
    @classmethod
    def _check_emoji(cls, value: str) -> str:
        name = value.strip().strip(":")
        if not re.fullmatch(r"[a-z0-9_+'-]{1,100}", name):
            raise ValueError(
                "SLACK_WORKING_EMOJI is not the short name of an emoji: write eyes, or none for no reaction"
            )
        return name

    @field_validator("slack_api_url")
    @classmethod
    def _check_url(cls, value: str) -> str:
        if not value.startswith(("https://", "http://")):
            raise ValueError(
                "SLACK_API_URL must begin with https:// (or http:// for a stand-in): remove it for Slack itself"
            )
        return value.rstrip("/") + "/"

    @model_validator(mode="after")
    def _check_together(self) -> Self:
        if self.slack_client_id is not None or self.slack_client_secret is not None:
            self._check_many()
        elif self.slack_bot_token is None:
            if self.slack_app_token is not None:
                raise ValueError(
                    "SLACK_APP_TOKEN is set but SLACK_BOT_TOKEN is not: set SLACK_BOT_TOKEN (xoxb-..., under OAuth & "
                    "Permissions), or remove SLACK_APP_TOKEN to leave Slack off"
                )
        elif self.slack_app_token is None and self.slack_signing_secret is None:
            raise ValueError(
                "SLACK_BOT_TOKEN is set, but nothing says how to hear Slack: set SLACK_APP_TOKEN (xapp-..., Socket Mode, "
                "no public address needed) or SLACK_SIGNING_SECRET (HTTP mode)"
            )
        return self

    def _check_many(self) -> None:
        if self.slack_client_id is None:
            raise ValueError(
                "SLACK_CLIENT_SECRET is set but SLACK_CLIENT_ID is not: set both to install the app in many workspaces, or "
                "neither for one"
            )
        if self.slack_client_secret is None:
            raise ValueError(
                "SLACK_CLIENT_ID is set but SLACK_CLIENT_SECRET is not: copy the Client Secret from Basic Information > App "
                "Credentials, or remove SLACK_CLIENT_ID for one workspace alone"
            )
        if self.slack_bot_token is not None:
            raise ValueError(
                "SLACK_BOT_TOKEN is for one workspace and SLACK_CLIENT_ID for many: remove SLACK_BOT_TOKEN (that workspace then "
                "installs the app like any other), or remove SLACK_CLIENT_ID and SLACK_CLIENT_SECRET"
            )
        if not self.slack_public_url:
            raise ValueError(
                "SLACK_CLIENT_ID is set but SLACK_PUBLIC_URL is not: set it to the https address under which people reach the "
                "bridge, for they install the app at <that address>/slack/install"
            )
        if self.slack_app_token is None and self.slack_signing_secret is None:
            raise ValueError(
                "SLACK_CLIENT_ID is set, but nothing says how to hear Slack: set SLACK_SIGNING_SECRET (HTTP mode) or "
                "SLACK_APP_TOKEN (xapp-..., Socket Mode)"
            )
