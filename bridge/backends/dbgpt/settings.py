"""DB-GPT's part of the configuration: environment variables `DBGPT_...`, checked for what people get wrong."""

from pathlib import Path
from typing import Annotated, ClassVar, Self
from urllib.parse import urlsplit, urlunsplit

from pydantic import (
    Field,
    SecretStr,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from bridge.backends.dbgpt.modes import NEEDS, ChatMode, Kind, Target
from bridge.remote.configuring import check_range, check_waits, read_ca_file, read_key, without_password

_EXAMPLE = "http://localhost:5670"


class Settings(BaseSettings):
    """Every wait of the backend is bounded by one of these; all times are seconds."""

    model_config = SettingsConfigDict(extra="ignore", env_ignore_empty=True, hide_input_in_errors=True)

    needs: ClassVar[str] = f'base_url = "{_EXAMPLE}" (the address of DB-GPT\'s web server)'

    dbgpt_base_url: str | None = Field(
        default=None,
        description=f"Address of DB-GPT's web server, for example {_EXAMPLE}. Empty: no DB-GPT.",
    )
    dbgpt_api_key: SecretStr | None = Field(
        default=None,
        description="One of the api_keys under [system] in DB-GPT's configuration; empty where it has none.",
    )
    dbgpt_chat_mode: ChatMode = Field(
        default=ChatMode.NORMAL,
        description="What questions are put to: chat_normal (the model), chat_knowledge (a knowledge space), chat_data, "
        "chat_with_db_qa or chat_dashboard (a data source), chat_app (an app of agents), chat_flow (an AWEL flow).",
    )
    dbgpt_chat_param: str = Field(
        default="",
        description="Which one: the name of the knowledge space or of the data source, the code of the app, the uid of the flow.",
    )
    dbgpt_model: str = Field(default="", description="Name of a model of DB-GPT. Empty: its default.")
    dbgpt_temperature: float | None = Field(
        default=None, ge=0, le=2, description="How freely the model chooses its words. Empty: as DB-GPT has it."
    )
    dbgpt_max_tokens: int | None = Field(
        default=None, ge=1, le=1_000_000, description="Longest answer of the model, in tokens. Empty: as DB-GPT has it."
    )
    dbgpt_choices: Annotated[frozenset[Kind], NoDecode] = Field(
        default=frozenset(),
        description="What members may choose with /app instead, separated by commas: knowledge, datasources, apps, flows, "
        "models. All that DB-GPT lists of these is offered to everybody whom the app answers. Empty: nothing.",
    )
    dbgpt_ca_file: Path | None = Field(
        default=None,
        description="PEM file with the certificate authority that signed your DB-GPT server's certificate, if it is a private "
        "one. It is trusted besides the well-known ones.",
    )
    dbgpt_max_concurrent: int = Field(default=5, ge=1, le=1000, description="Answers generated at the same time.")
    dbgpt_connect_timeout: float = Field(
        default=10, gt=0, le=120, description="Seconds that connecting to DB-GPT may take."
    )
    # It sends no signs of life: agents at work, a slow query and a dead server all look the same.
    dbgpt_idle_timeout: float = Field(
        default=300, gt=0, le=86400, description="Seconds without any byte from DB-GPT before an answer is given up."
    )
    dbgpt_progress_timeout: float = Field(
        default=600,
        gt=0,
        le=86400,
        description="Seconds without anything new from DB-GPT before an answer is given up.",
    )
    dbgpt_control_timeout: float = Field(
        default=20, gt=0, le=300, description="Seconds that one rating, list, look into the history or check may take."
    )
    dbgpt_max_event_bytes: int = Field(
        default=16 * 1024 * 1024,
        ge=1024,
        le=1024 * 1024 * 1024,
        description="Largest single event accepted from DB-GPT, and largest history, in bytes. Events of agents hold the whole "
        "answer so far.",
    )
    dbgpt_listing_age: float = Field(
        default=60, ge=0, le=86400, description="Seconds after which DB-GPT is asked anew what there is to choose from."
    )

    @property
    def enabled(self) -> bool:
        return self.dbgpt_base_url is not None

    @property
    def base_url(self) -> str:
        return self.dbgpt_base_url or _EXAMPLE

    @property
    def api_key(self) -> str:
        """The key itself, for the Authorization header and nothing else."""
        return self.dbgpt_api_key.get_secret_value() if self.dbgpt_api_key else ""

    @property
    def target(self) -> Target:
        """What questions are put to unless a member chose something else."""
        return Target(mode=self.dbgpt_chat_mode, param=self.dbgpt_chat_param, model=self.dbgpt_model)

    @field_validator(
        "dbgpt_temperature",
        "dbgpt_max_tokens",
        "dbgpt_max_concurrent",
        "dbgpt_connect_timeout",
        "dbgpt_idle_timeout",
        "dbgpt_progress_timeout",
        "dbgpt_control_timeout",
        "dbgpt_max_event_bytes",
        "dbgpt_listing_age",
        mode="wrap",
    )
    @classmethod
    def _say_the_range(cls, value: object, check: ValidatorFunctionWrapHandler, info: ValidationInfo) -> object:
        return check_range(cls, str(info.field_name), value, check)

    @field_validator("dbgpt_api_key")
    @classmethod
    def _is_a_key(cls, key: SecretStr | None) -> SecretStr | None:
        value = read_key(key.get_secret_value(), "DBGPT_API_KEY") if key is not None else ""
        return SecretStr(value) if value else None

    @field_validator("dbgpt_base_url")
    @classmethod
    def _is_an_address(cls, url: str | None) -> str | None:
        if url is None or not url.strip():
            return None
        try:
            parts = urlsplit(url.strip())
            usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            usable = False
        if not usable:
            raise ValueError(
                f"DBGPT_BASE_URL must be an http:// or https:// address, for example {_EXAMPLE}, but it is "
                f"{without_password(url)!r}."
            )
        if parts.username is not None or parts.password is not None:
            raise ValueError(
                "DBGPT_BASE_URL must not contain a user name or password; the key goes into DBGPT_API_KEY."
            )
        if parts.query or parts.fragment:
            raise ValueError(
                f"DBGPT_BASE_URL must not contain '?' or '#': use the address alone, for example {_EXAMPLE}."
            )
        if parts.port == 8100:
            raise ValueError(
                "DBGPT_BASE_URL names port 8100, which is that of DB-GPT's model API: use its web server, mostly port 5670, "
                "or set the model API up as an OpenAI-compatible server."
            )
        path = parts.path.rstrip("/")
        for api in ("/api/v2/chat/completions", "/api/v2", "/api/v1", "/api"):
            path = path.removesuffix(api)
        return urlunsplit((parts.scheme, parts.netloc, path, "", ""))

    @field_validator("dbgpt_chat_mode", mode="before")
    @classmethod
    def _is_a_known_mode(cls, value: object) -> object:
        word = str(value).strip().lower()
        if word in list(ChatMode):
            return ChatMode(word)
        raise ValueError(f"DBGPT_CHAT_MODE must be one of {', '.join(ChatMode)}, but it is {str(value)[:40]!r}.")

    @field_validator("dbgpt_choices", mode="before")
    @classmethod
    def _are_known_kinds(cls, value: object) -> object:
        words = (
            value.split(",")
            if isinstance(value, str)
            else list(value)
            if isinstance(value, list | frozenset)
            else [value]
        )
        kinds = [str(word).strip().lower() for word in words if str(word).strip()]
        for kind in kinds:
            if kind not in list(Kind):
                raise ValueError(
                    f"DBGPT_CHOICES may name {', '.join(Kind)}, separated by commas, but it has {kind[:40]!r}."
                )
        return frozenset(Kind(kind) for kind in kinds)

    @field_validator("dbgpt_chat_param", "dbgpt_model")
    @classmethod
    def _without_spaces_around(cls, value: str) -> str:
        return value.strip()

    @field_validator("dbgpt_ca_file")
    @classmethod
    def _is_a_certificate_file(cls, path: Path | None) -> Path | None:
        return read_ca_file(path, "DBGPT_CA_FILE")

    @model_validator(mode="after")
    def _names_what_to_ask(self) -> Self:
        if not self.enabled:
            return self
        kind = NEEDS.get(self.dbgpt_chat_mode)
        if kind is not None and not self.dbgpt_chat_param:
            what = {
                Kind.KNOWLEDGE: "the name of the knowledge space",
                Kind.DATASOURCE: "the name of the data source",
                Kind.APP: "the code of the app",
                Kind.FLOW: "the uid of the flow",
            }[kind]
            raise ValueError(
                f"DBGPT_CHAT_PARAM must be {what}, because DBGPT_CHAT_MODE is {self.dbgpt_chat_mode.value}."
            )
        if kind is None and self.dbgpt_chat_param:
            raise ValueError(
                "DBGPT_CHAT_PARAM is set, but chat_normal asks nothing but the model: choose a DBGPT_CHAT_MODE or remove it."
            )
        check_waits("DBGPT", progress=self.dbgpt_progress_timeout, idle=self.dbgpt_idle_timeout)
        return self
