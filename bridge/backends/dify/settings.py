"""Dify's part of the configuration: environment variables `DIFY_...`, checked for what people get wrong."""

import re
import ssl
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit, urlunsplit

from pydantic import (
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

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
        """pydantic's own words name neither the variable nor the way out."""
        try:
            return check(value)
        except ValidationError as problem:
            name = str(info.field_name)
            whole = "whole " if cls.model_fields[name].annotation is int else ""
            raise ValueError(
                f"{name.upper()} must be a {whole}number {_range_of(cls, name)}, but it is {str(value)[:40]!r}."
            ) from problem

    @field_validator("dify_api_key")
    @classmethod
    def _is_an_app_key(cls, key: SecretStr | None) -> SecretStr | None:
        if key is None:
            return None
        value = key.get_secret_value().strip()
        if not value:
            return None
        if not (value.isascii() and value.isprintable()) or " " in value or value[0] in "\"'":
            raise ValueError("DIFY_API_KEY must be the key alone, without 'Bearer', spaces or quotes around it.")
        if value.startswith("dataset-"):
            raise ValueError(
                "DIFY_API_KEY is a key for knowledge (dataset-...); use the app's own key (app-...) from API Access."
            )
        return SecretStr(value)

    @field_validator("dify_base_url")
    @classmethod
    def _is_a_service_address(cls, url: str) -> str:
        example = f"for example {CLOUD_URL}"
        try:
            parts = urlsplit(url.strip())
            usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            usable = False
        if not usable:
            raise ValueError(
                f"DIFY_BASE_URL must be an http:// or https:// address, {example}, but it is {_without_password(url)!r}."
            )
        if parts.username is not None or parts.password is not None:
            raise ValueError("DIFY_BASE_URL must not contain a user name or password; the key goes into DIFY_API_KEY.")
        if parts.query or parts.fragment:
            raise ValueError(f"DIFY_BASE_URL must not contain '?' or '#': use the address up to /v1, {example}.")
        path = parts.path.rstrip("/")
        for endpoint in ("/chat-messages", "/info", "/parameters", "/messages"):
            if path.endswith(endpoint):
                raise ValueError(
                    f"DIFY_BASE_URL must end in /v1, not in {endpoint}: use {url.strip().rstrip('/')[: -len(endpoint)]}."
                )
        # Nothing of Dify answers at the bare host, so there is only one thing that an address without a path can mean.
        return urlunsplit((parts.scheme, parts.netloc, path or "/v1", "", ""))

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
                f"for example https://files.example.com, but it is {_without_password(url)[:80]!r}."
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
                    f"cdn.example.com,files.example.com:8443, but one is {_without_password(host)[:80]!r}."
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
        if path is None:
            return None
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=path)
        except ssl.SSLError as problem:
            raise ValueError(
                f"DIFY_CA_FILE ({path}) is not a PEM file of certificates; it must contain BEGIN CERTIFICATE lines."
            ) from problem
        except OSError as problem:
            raise ValueError(
                f"DIFY_CA_FILE ({path}) cannot be read ({problem.strerror}); name a readable PEM file or leave it empty."
            ) from problem
        return path

    @model_validator(mode="after")
    def _wait_longer_for_progress(self) -> Self:
        if self.dify_progress_timeout < self.dify_idle_timeout:
            raise ValueError(
                f"DIFY_PROGRESS_TIMEOUT ({self.dify_progress_timeout:g}) must not be shorter than DIFY_IDLE_TIMEOUT "
                f"({self.dify_idle_timeout:g}): raise the one or lower the other."
            )
        return self


def _without_password(url: str) -> str:
    return re.sub(r"(?<=//)[^/]*@", "...@", url)


def _range_of(settings: type[Settings], name: str) -> str:
    low, high = "", ""
    for limit in settings.model_fields[name].metadata:
        for attribute, words in (("ge", "from {:g}"), ("gt", "above {:g}"), ("le", "up to {:g}")):
            if (number := getattr(limit, attribute, None)) is not None:
                if attribute == "le":
                    high = words.format(number)
                else:
                    low = words.format(number)
    return f"{low} {high}".strip()
