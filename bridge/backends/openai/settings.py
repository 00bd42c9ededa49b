"""The part of the configuration that is about servers with OpenAI's API: environment variables `OPENAI_...`."""

from pathlib import Path
from typing import Self

from pydantic import (
    Field,
    SecretStr,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

from bridge.remote.configuring import check_range, check_waits, read_base_url, read_ca_file, read_key

OPENAI_URL = "https://api.openai.com/v1"
LONGEST_MODEL_NAME = 200


class Settings(BaseSettings):
    """Every wait of the backend is bounded by one of these; all times are seconds."""

    model_config = SettingsConfigDict(extra="ignore", env_ignore_empty=True, hide_input_in_errors=True)

    openai_model: str = Field(
        default="",
        description="Name of the model that answers, as the server spells it (`check` lists what it has). Empty: none does.",
    )
    openai_api_key: SecretStr | None = Field(
        default=None,
        description="API key of the server. Servers of your own (Ollama, vLLM, DB-GPT's model API) mostly need none.",
    )
    openai_base_url: str = Field(
        default=OPENAI_URL,
        description="Address of an API like OpenAI's; what comes before /chat/completions. Ollama: http://localhost:11434/v1, "
        "vLLM: http://localhost:8000/v1, DB-GPT's model API: http://localhost:8100/api/v1.",
    )
    openai_system_prompt: str = Field(
        default="",
        description="What the model is told before every conversation. {name} stands for the app's input of that name.",
    )
    openai_temperature: float | None = Field(
        default=None, ge=0, le=2, description="0 (always the likeliest word) to 2. Empty: the server's own choice."
    )
    openai_max_tokens: int | None = Field(
        default=None,
        ge=1,
        le=1_000_000,
        description="Longest answer, in tokens. Empty: the server's own limit.",
    )
    # Ollama gives a model 4096 tokens in all unless told otherwise, and silently drops the beginning of what is more.
    openai_history_tokens: int = Field(
        default=3000,
        ge=0,
        le=2_000_000,
        description="How much of a conversation is told to the model again with each question, in tokens, counted roughly (four "
        "bytes each); the oldest is left out first. Raise it for models that take much.",
    )
    openai_history_turns: int = Field(
        default=20,
        ge=0,
        le=200,
        description="The most questions and answers of a conversation that are told again. 0: each question stands alone.",
    )
    openai_most_images: int = Field(
        default=0, ge=0, le=10, description="Images that the model takes with one question. 0: it sees none."
    )
    openai_largest_image: int = Field(
        default=5_000_000, ge=1000, le=20_000_000, description="Bytes of the largest image that is sent to the model."
    )
    openai_report_usage: bool = Field(
        default=True,
        description="Ask the server to say how many tokens an answer took. A server that refuses to is not asked again.",
    )
    openai_ca_file: Path | None = Field(
        default=None,
        description="PEM file with the certificate authority that signed the server's certificate, if it is a private one. It "
        "is trusted besides the well-known ones.",
    )
    openai_max_concurrent: int = Field(default=8, ge=1, le=1000, description="Answers generated at the same time.")
    openai_connect_timeout: float = Field(
        default=10, gt=0, le=120, description="Seconds that connecting to the server may take."
    )
    # These servers send no pings, and models that think do so in silence.
    openai_idle_timeout: float = Field(
        default=180,
        gt=0,
        le=3600,
        description="Seconds without any byte from the server before an answer is given up.",
    )
    openai_progress_timeout: float = Field(
        default=300,
        gt=0,
        le=86400,
        description="Seconds without anything but signs of life before an answer is given up.",
    )
    openai_control_timeout: float = Field(
        default=20, gt=0, le=300, description="Seconds that looking for the server's models may take."
    )
    openai_max_event_bytes: int = Field(
        default=16 * 1024 * 1024,
        ge=1024,
        le=1024 * 1024 * 1024,
        description="Largest single event accepted from the server, in bytes, and the longest answer.",
    )

    @property
    def enabled(self) -> bool:
        return bool(self.openai_model)

    @property
    def api_key(self) -> str:
        """The key itself, for the Authorization header and nothing else."""
        return self.openai_api_key.get_secret_value() if self.openai_api_key else ""

    @property
    def needs(self) -> str:
        """What an app of `bridge.toml` has to say at least."""
        return 'model = "..."'

    @field_validator(
        "openai_temperature",
        "openai_max_tokens",
        "openai_history_tokens",
        "openai_history_turns",
        "openai_most_images",
        "openai_largest_image",
        "openai_max_concurrent",
        "openai_connect_timeout",
        "openai_idle_timeout",
        "openai_progress_timeout",
        "openai_control_timeout",
        "openai_max_event_bytes",
        mode="wrap",
    )
    @classmethod
    def _say_the_range(cls, value: object, check: ValidatorFunctionWrapHandler, info: ValidationInfo) -> object:
        return check_range(cls, str(info.field_name), value, check)

    @field_validator("openai_model")
    @classmethod
    def _is_a_name(cls, name: str) -> str:
        name = name.strip()
        if len(name) > LONGEST_MODEL_NAME or not name.isprintable():
            raise ValueError(f"OPENAI_MODEL must be the name of a model, such as gpt-4o-mini, but it is {name[:40]!r}.")
        return name

    @field_validator("openai_api_key")
    @classmethod
    def _is_a_key(cls, key: SecretStr | None) -> SecretStr | None:
        value = read_key(key.get_secret_value(), "OPENAI_API_KEY") if key is not None else ""
        return SecretStr(value) if value else None

    @field_validator("openai_base_url")
    @classmethod
    def _is_an_address(cls, url: str) -> str:
        endpoints = ("/chat/completions", "/completions", "/models", "/responses", "/embeddings")
        return read_base_url(
            url, "OPENAI_BASE_URL", example=OPENAI_URL, endpoints=endpoints, key_variable="OPENAI_API_KEY"
        )

    @field_validator("openai_ca_file")
    @classmethod
    def _is_a_certificate_file(cls, path: Path | None) -> Path | None:
        return read_ca_file(path, "OPENAI_CA_FILE")

    @model_validator(mode="after")
    def _wait_longer_for_progress(self) -> Self:
        check_waits("OPENAI", progress=self.openai_progress_timeout, idle=self.openai_idle_timeout)
        return self
