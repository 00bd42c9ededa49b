"""Slack's part of the configuration: environment variables `SLACK_...`, checked for what people get wrong."""

from enum import StrEnum
from typing import Self

from pydantic import Field, SecretStr, ValidationInfo, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class Mode(StrEnum):
    """How Slack's events come in."""

    SOCKET = "socket"
    HTTP = "http"


_KINDS = {
    "xoxb-": "a bot token",
    "xoxe.xoxb-": "a bot token",
    "xoxp-": "a user token",
    "xoxe.xoxp-": "a user token",
    "xapp-": "an app-level token",
}


def _kind_of(token: str) -> str:
    return next((kind for prefix, kind in _KINDS.items() if token.startswith(prefix)), "")


class Settings(BaseSettings):
    model_config = SettingsConfigDict(extra="ignore", env_ignore_empty=True, hide_input_in_errors=True)

    slack_bot_token: SecretStr | None = Field(
        default=None,
        description="Bot token (xoxb-...) of your Slack app: OAuth & Permissions > Bot User OAuth Token. Empty: Slack is off.",
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

    @property
    def enabled(self) -> bool:
        return self.slack_bot_token is not None

    @property
    def mode(self) -> Mode:
        return Mode.SOCKET if self.slack_app_token is not None else Mode.HTTP

    @field_validator("slack_bot_token", "slack_app_token", "slack_signing_secret", mode="before")
    @classmethod
    def _drop_blank(cls, value: object) -> object:
        """A line that was left empty in .env means "not set"."""
        return (value.strip() or None) if isinstance(value, str) else value

    @field_validator("slack_bot_token", "slack_app_token", "slack_signing_secret")
    @classmethod
    def _check_token(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if value is None:
            return None
        wanted, where = {
            "slack_bot_token": ("a bot token", "copy the Bot User OAuth Token (xoxb-...) from OAuth & Permissions"),
            "slack_app_token": ("an app-level token", "make one (xapp-...) under Basic Information > App-Level Tokens"),
        }.get(info.field_name or "", ("", "copy the Signing Secret from Basic Information > App Credentials"))
        name = (info.field_name or "").upper()
        token = value.get_secret_value()
        if not token.isascii() or any(letter.isspace() for letter in token):
            raise ValueError(f"{name} has a space or another odd character in it: {where}, without quotes")
        if (kind := _kind_of(token)) != wanted:
            looks = f"looks like {kind}" if kind else f"does not look like {wanted}"
            raise ValueError(f"{name} {looks}: {where}")
        return value

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
        if self.slack_bot_token is None:
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
