"""Dify's part of the configuration: environment variables `DIFY_...`, checked for what people get wrong."""

import re
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Self
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

from bridge.remote.configuring import check_range, check_waits, read_base_url, read_ca_file, read_key, without_password

CLOUD_URL = "https://api.dify.ai/v1"


_HOST = re.compile(
    r"(?!\d+(?:\.\d+)*(?::|$))[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*(?::\d{1,5})?"
)
"""A name, with a port perhaps. An address in numbers would be one that nobody has to vouch for."""


class AppType(StrEnum):
    """Kinds of Dify app, spelled as `GET /info` spells them. The last two hold no conversation: each question stands alone."""

    CHAT = "chat"
    AGENT = "agent-chat"
    CHATFLOW = "advanced-chat"
    COMPLETION = "completion"
    WORKFLOW = "workflow"


_SPELLINGS = {kind.value: kind for kind in AppType} | {"agent": AppType.AGENT, "chatflow": AppType.CHATFLOW}


def find_app_type(word: str) -> AppType | None:
    """The type that this word names; None for apps that cannot be asked."""
    return _SPELLINGS.get(word)


class Settings(BaseSettings):
    """Every wait of the backend is bounded by one of these; all times are seconds."""

    model_config = SettingsConfigDict(extra="ignore", env_ignore_empty=True, hide_input_in_errors=True)

    dify_api_key: SecretStr | None = Field(
        default=None,
        description="API key (app-...) of your Dify app: open the app in Dify, then API Access > API Key. Empty: no Dify.",
    )
    dify_base_url: str = Field(
        default=CLOUD_URL,
        description="Address of Dify's Service API; it ends in /v1. Shown in Dify under API Access.",
    )
    dify_app_type: AppType | None = Field(
        default=None,
        description="chat, agent-chat, advanced-chat (a chatflow), completion or workflow. Not needed: Dify tells it since 1.0, "
        "and before that it is found out by trial.",
    )
    dify_query_input: str = Field(
        default="",
        max_length=100,
        description="For workflow and completion apps: the input variable that a question goes into. Empty: the only text input "
        "that the app requires (of a completion app, `query` if it has that).",
    )
    dify_ca_file: Path | None = Field(
        default=None,
        description="PEM file with the certificate authority that signed your Dify server's certificate, if it is a private "
        "one. It is trusted besides the well-known ones.",
    )
    # Upstream's container serves 10 connections in all (1 worker of 10); what is left over is for stop and feedback.
    dify_max_concurrent: int = Field(
        default=8,
        ge=1,
        le=1000,
        description="Answers generated at the same time. A stock Dify serves ten connections in all, Stop and feedback included.",
    )
    dify_connect_timeout: float = Field(
        default=10, gt=0, le=120, description="Seconds that connecting to Dify may take."
    )
    # Pings come every 10 s, and headers only with the first event: 11.4 s were measured with a silent model.
    dify_idle_timeout: float = Field(
        default=60,
        gt=0,
        le=3600,
        description="Seconds without any byte from Dify before an answer is given up. Below 15, healthy answers are cut.",
    )
    dify_progress_timeout: float = Field(
        default=180,
        gt=0,
        le=86400,
        description="Seconds without anything but keep-alive pings before an answer is given up.",
    )
    dify_finish_grace: float = Field(
        default=2,
        ge=0,
        le=60,
        description="Seconds that a finished chatflow is given to say how it ended.",
    )
    dify_control_timeout: float = Field(
        default=20, gt=0, le=300, description="Seconds that one Stop, rating, title or check may take."
    )
    dify_max_event_bytes: int = Field(
        default=16 * 1024 * 1024,
        ge=1024,
        le=1024 * 1024 * 1024,
        description="Largest single event accepted from Dify, in bytes. Events can hold whole documents and spoken audio.",
    )

    dify_files_url: str | None = Field(
        default=None,
        description="FILES_URL of your Dify deployment, if it is set there to another address than DIFY_BASE_URL's. Files that "
        "an app makes are fetched from these two places and nowhere else.",
    )
    dify_file_hosts: Annotated[frozenset[str], NoDecode] = Field(
        default=frozenset(),
        description="Other hosts that files of answers may be fetched from, separated by commas, for example cdn.example.com. "
        "Only public addresses are fetched, whatever these names lead to.",
    )
    dify_file_timeout: float = Field(
        default=120,
        gt=0,
        le=3600,
        description="Seconds that handing one file to Dify, fetching one, or having one recording turned into text may take.",
    )
    dify_suggestions_wait: float = Field(
        default=4,
        gt=0,
        le=60,
        description="Seconds that Dify is given, after an answer, to think of questions that could come next.",
    )
    dify_parameters_age: float = Field(
        default=300,
        ge=0,
        le=86400,
        description="Seconds after which an app is asked anew which files it takes and how it introduces itself.",
    )

    @property
    def enabled(self) -> bool:
        return self.dify_api_key is not None

    @property
    def api_key(self) -> str:
        """The key itself, for the Authorization header and nothing else."""
        return self.dify_api_key.get_secret_value() if self.dify_api_key else ""

    @field_validator(
        "dify_max_concurrent",
        "dify_connect_timeout",
        "dify_idle_timeout",
        "dify_progress_timeout",
        "dify_finish_grace",
        "dify_control_timeout",
        "dify_max_event_bytes",
        "dify_file_timeout",
        "dify_suggestions_wait",
        "dify_parameters_age",
        mode="wrap",
    )
    @classmethod
    def _say_the_range(cls, value: object, check: ValidatorFunctionWrapHandler, info: ValidationInfo) -> object:
        return check_range(cls, str(info.field_name), value, check)

    @field_validator("dify_api_key")
    @classmethod
    def _is_an_app_key(cls, key: SecretStr | None) -> SecretStr | None:
        if key is None:
            return None
        value = read_key(key.get_secret_value(), "DIFY_API_KEY")
        if not value:
            return None
        if value.startswith("dataset-"):
            raise ValueError(
                "DIFY_API_KEY is a key for knowledge (dataset-...); use the app's own key (app-...) from API Access."
            )
        return SecretStr(value)

    @field_validator("dify_base_url")
    @classmethod
    def _is_a_service_address(cls, url: str) -> str:
        endpoints = ("/chat-messages", "/info", "/parameters", "/messages")
        return read_base_url(url, "DIFY_BASE_URL", example=CLOUD_URL, endpoints=endpoints, key_variable="DIFY_API_KEY")

    @field_validator("dify_files_url")
    @classmethod
    def _is_an_origin(cls, url: str | None) -> str | None:
        if url is None or not url.strip():
            return None
        try:
            parts = urlsplit(url.strip())
            usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            usable = False
        if not usable or parts.username is not None or parts.password is not None or parts.query or parts.fragment:
            raise ValueError(
                "DIFY_FILES_URL must be an http:// or https:// address without anything secret, as FILES_URL is in Dify, "
                f"for example https://files.example.com, but it is {without_password(url)[:80]!r}."
            )
        return urlunsplit((parts.scheme, parts.netloc, parts.path.rstrip("/"), "", ""))

    @field_validator("dify_file_hosts", mode="before")
    @classmethod
    def _are_hosts(cls, value: object) -> object:
        words = value.split(",") if isinstance(value, str) else value
        if not isinstance(words, Iterable):
            return value
        hosts = {str(word).strip().lower() for word in words} - {""}
        for host in sorted(hosts):
            if _HOST.fullmatch(host) is None:
                raise ValueError(
                    "DIFY_FILE_HOSTS must be names of hosts alone, separated by commas, for example "
                    f"cdn.example.com,files.example.com:8443, but one is {without_password(host)[:80]!r}."
                )
        return frozenset(hosts)

    @field_validator("dify_app_type", mode="before")
    @classmethod
    def _is_a_known_type(cls, value: object) -> object:
        if value is None or isinstance(value, AppType):
            return value
        word = str(value).strip().lower()
        if not word:
            return None
        if (known := find_app_type(word)) is not None:
            return known
        raise ValueError(
            "DIFY_APP_TYPE must be chat, agent-chat, advanced-chat, completion or workflow (or empty), "
            f"but it is {str(value)[:40]!r}."
        )

    @field_validator("dify_query_input")
    @classmethod
    def _is_a_variable(cls, name: str) -> str:
        name = name.strip().removeprefix("{{").removesuffix("}}").strip()
        if not re.fullmatch(r"([A-Za-z_]\w*)?", name, re.ASCII):
            raise ValueError(
                "DIFY_QUERY_INPUT must be the name of one input variable as the app's Start node has it, such as text, "
                f"but it is {name[:40]!r}."
            )
        return name

    @field_validator("dify_ca_file")
    @classmethod
    def _is_a_certificate_file(cls, path: Path | None) -> Path | None:
        return read_ca_file(path, "DIFY_CA_FILE")

    @model_validator(mode="after")
    def _wait_longer_for_progress(self) -> Self:
        check_waits("DIFY", progress=self.dify_progress_timeout, idle=self.dify_idle_timeout)
        return self
