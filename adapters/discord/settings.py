"""What an operator may set about Discord, and how each wrong value is explained. No I/O."""

from typing import Annotated, Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from yarl import URL

Seconds = Annotated[float, Field(gt=0)]


class AppSettings(BaseSettings):
    """What the app is like at Discord: enough to say how it is set up there."""

    model_config = SettingsConfigDict(extra="ignore", env_ignore_empty=True, hide_input_in_errors=True)

    discord_token: SecretStr | None = Field(
        default=None,
        description="Token of the bot (developer portal > your application > Bot > Reset Token). Unset: Discord is off.",
    )
    discord_message_content: bool = Field(
        default=True,
        description="Ask for the privileged Message Content intent. Without it, follow-ups in threads need a mention.",
    )
    discord_commands: bool = Field(
        default=True,
        description="Offer /ask, /reset, /stop and /help, and 'Ask about this message' in the menu of every message.",
    )
    discord_user_install: bool = Field(
        default=True,
        description="People may add the app to their own account and ask where the bot is no member. Needs DISCORD_COMMANDS.",
    )
    discord_solved_tag: str = Field(
        default="",
        description="Name of a forum's tag that a post gets when its asker likes the answer. Empty: none. Needs Manage Threads.",
    )

    @property
    def enabled(self) -> bool:
        return self.discord_token is not None

    @property
    def token(self) -> str:
        """The plain token. Only for handing it to the SDK; empty when there is none."""
        return self.discord_token.get_secret_value() if self.discord_token else ""

    @property
    def installs_for_people(self) -> bool:
        """Whether people may ask where the bot is no member: they do so by commands."""
        return self.discord_commands and self.discord_user_install

    @field_validator("discord_token")
    @classmethod
    def _look_at_token(cls, token: SecretStr | None) -> SecretStr | None:
        if token is None:
            return None
        text = token.get_secret_value()
        if not text.strip():
            return None
        if text.lower().startswith(("bot ", "bearer ")):
            raise ValueError('DISCORD_TOKEN starts with a scheme; remove the word "Bot" and give the token alone.')
        if any(character.isspace() for character in text) or text[0] in "\"'":
            raise ValueError(
                "DISCORD_TOKEN contains spaces or quotes; copy the token again from the developer portal (page Bot)."
            )
        if text.count(".") != 2:  # id, time and signature
            raise ValueError(
                "DISCORD_TOKEN is not a bot token (those have three parts with dots between them); it may be the client "
                "secret or the public key. Copy the token from the developer portal, page Bot."
            )
        return token


class Settings(AppSettings):
    """Environment variables that start with `DISCORD_`; an empty one counts as unset."""

    discord_api_url: str = Field(
        default="https://discord.com/api/v10",
        description="Address of Discord's REST API. Only for proxies and stand-ins.",
    )
    discord_gateway_url: str | None = Field(
        default=None,
        description="Address of Discord's gateway, used instead of whatever Discord says. Only for proxies and stand-ins.",
    )
    discord_cdn_url: str | None = Field(
        default=None,
        description="Address that attachments come from, besides Discord's own. Only for proxies and stand-ins.",
    )
    discord_tables: Literal["fit", "code", "list"] = Field(
        default="fit",
        description="Tables as aligned text where they are narrow, else as lists (`fit`); or always `code` or `list`.",
    )
    discord_call_timeout: Seconds = Field(
        default=120.0,
        description="Most seconds that one REST call may take, waits for rate limits and retries included.",
    )
    discord_ratelimit_timeout: float = Field(
        default=30.0,
        ge=30.0,
        description="Rate limits longer than these seconds are reported instead of waited for (at least 30).",
    )
    discord_thread_timeout: Seconds = Field(
        default=8.0, description="Seconds that opening a thread may take before the bot replies in the channel instead."
    )
    discord_lookup_timeout: Seconds = Field(
        default=2.0,
        description="Seconds to look up a replied-to message or an unknown channel before going on without.",
    )
    discord_activity_timeout: Seconds = Field(
        default=3.0, description="Seconds that showing the typing indicator may take."
    )
    discord_reconnect_first: Seconds = Field(
        default=1.0,
        description="Seconds before the first new connection after one was lost for good; doubles each time.",
    )
    discord_reconnect_max: Seconds = Field(
        default=120.0,
        description="Most seconds between two new connections. Discord allows 1,000 a day and then resets the token.",
    )
    discord_identify_gap: float = Field(
        default=5.0, ge=0, description="Seconds between two logins to the gateway. Discord allows one per 5 seconds."
    )
    discord_intent_recheck: Seconds = Field(
        default=300.0,
        description="Seconds between two looks whether a Message Content intent that was refused is switched on by now.",
    )
    discord_deaf_timeout: Seconds = Field(
        default=120.0, description="Seconds without a living gateway connection before a new one is made from scratch."
    )
    discord_close_timeout: Seconds = Field(
        default=5.0, description="Seconds that closing a gateway connection may take, and handing in what was heard."
    )
    discord_store_patience: Seconds = Field(
        default=60.0,
        description="Seconds to keep offering an event to a store that is down. Discord does not deliver it again.",
    )
    discord_store_retry_max: Seconds = Field(
        default=5.0, description="Most seconds between two such offers; the first pause is a tenth of a second."
    )
    discord_press_patience: Seconds = Field(
        default=2.0,
        lt=3.0,
        description="Seconds to keep offering a pressed button to a store that is down. Discord waits three for an answer.",
    )
    discord_catch_up_hours: float = Field(
        default=24.0,
        ge=0,
        description="What was said while the bot was away is read afterwards, if it is no older than these hours. 0: never.",
    )
    discord_catch_up_messages: int = Field(
        default=500, ge=1, description="Most messages read afterwards in one channel or thread, the newest ones."
    )
    discord_catch_up_total: int = Field(
        default=5_000, ge=1, description="Most messages read afterwards in all, conversations with the bot first."
    )
    discord_catch_up_retry: Seconds = Field(
        default=30.0,
        description="Seconds before a channel that could not be read afterwards is tried again; doubles up to ten times that.",
    )
    discord_inbox_limit: int = Field(
        default=2_000, ge=1, description="Events that may wait to be stored before further ones are dropped."
    )

    @field_validator("discord_tables", mode="before")
    @classmethod
    def _accept_any_case(cls, value: object) -> object:
        return value.strip().lower() if isinstance(value, str) else value

    @field_validator("discord_api_url")
    @classmethod
    def _look_at_api_url(cls, text: str) -> str:
        url = _parse(text)
        if url is None or url.scheme not in ("http", "https") or not url.host:
            raise ValueError(
                f"DISCORD_API_URL is {text!r}; give an http or https address such as https://discord.com/api/v10."
            )
        return text.rstrip("/")

    @field_validator("discord_gateway_url")
    @classmethod
    def _look_at_gateway_url(cls, text: str | None) -> str | None:
        if text is None:
            return None
        url = _parse(text)
        if url is None or url.scheme not in ("ws", "wss") or not url.host:
            raise ValueError(
                f"DISCORD_GATEWAY_URL is {text!r}; give a ws or wss address such as wss://gateway.discord.gg/."
            )
        return text

    @model_validator(mode="after")
    def _look_at_pauses(self) -> Self:
        if self.discord_reconnect_first > self.discord_reconnect_max:
            raise ValueError(
                "DISCORD_RECONNECT_FIRST is larger than DISCORD_RECONNECT_MAX; make it smaller or leave both unset."
            )
        return self


def _parse(text: str) -> URL | None:
    try:
        return URL(text)
    except ValueError:
        return None
