"""Settings of the core, and how every folder's settings are read: environment first, then `.env`.

Each platform and backend owns its settings class; this module knows none of them. A wrong setting is a sentence for the operator.
"""

import re
from itertools import combinations
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import (
    BaseModel,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from bridge.errors import SettingsError
from bridge.quotas import Quota, read_quota
from bridge.routing import External, Recover
from bridge.words import bare

SettingsT = TypeVar("SettingsT", bound=BaseSettings)

_LONGEST_WORD = 40
_SKIN_TONE = re.compile("[\U0001f3fb-\U0001f3ff\ufe0f]|::skin-tone-[2-6]")


class Settings(BaseSettings):
    """What belongs to no platform and no backend."""

    model_config = SettingsConfigDict(extra="ignore", env_ignore_empty=True)

    http_host: str = Field("127.0.0.1", description="Address that health checks and platform callbacks are served on.")
    http_port: int = Field(8080, ge=0, le=65535, description="Port for the same. 0 takes a free one.")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="How much is logged. Message text is never logged."
    )
    log_format: Literal["console", "json"] = Field(
        "console", description="`console` for people, `json` for log collectors."
    )
    feedback_like_emoji: Annotated[frozenset[str], NoDecode] = Field(
        frozenset({"👍", "+1", "thumbsup"}),
        description="Reactions that mean a thumbs up: Slack short names and Unicode characters, separated by commas.",
    )
    feedback_dislike_emoji: Annotated[frozenset[str], NoDecode] = Field(
        frozenset({"👎", "-1", "thumbsdown"}), description="Reactions that mean a thumbs down."
    )
    stop_emoji: Annotated[frozenset[str], NoDecode] = Field(
        frozenset({"🛑", "octagonal_sign", "stop_sign"}),
        description="Reactions on a growing answer that stop it.",
    )
    retry_emoji: Annotated[frozenset[str], NoDecode] = Field(
        frozenset({"🔁", "repeat", "🔄", "arrows_counterclockwise"}),
        description="Reactions on a failed or stopped answer that have its question asked again.",
    )
    speak_emoji: Annotated[frozenset[str], NoDecode] = Field(
        frozenset({"🔊", "loud_sound", "speaker"}),
        description="Reactions on an answer that have it read aloud, where the app has text to speech switched on.",
    )
    follow_edits_waiting: bool = Field(
        default=True, description="A question that waits is replaced when its author edits it."
    )
    follow_edits_running: bool = Field(
        default=True,
        description="An answer that is being generated is stopped and begun anew when its question is edited.",
    )
    follow_deletions: bool = Field(
        default=True, description="A question that is deleted is not answered, and its answer is stopped."
    )
    mute_words: Annotated[frozenset[str], NoDecode] = Field(
        frozenset({"mute"}),
        description="Words that, said alone in a thread, have the bot answer there only when it is mentioned; separated "
        "by commas.",
    )
    unmute_words: Annotated[frozenset[str], NoDecode] = Field(
        frozenset({"unmute"}), description="Words that, said alone in such a thread, end that."
    )
    external_channels: External = Field(
        External.DENY,
        description="What is answered in channels shared with other organisations (Slack Connect): `deny` nothing, `mention` "
        "what mentions the bot, `on` the same as elsewhere. Routes in bridge.toml may each have their own.",
    )
    allowed_bots: Annotated[frozenset[str], NoDecode] = Field(
        frozenset(),
        description="Ids of other bots that are answered when they mention this one or write in a thread in which it was asked, "
        "separated by commas. Routes in bridge.toml may each have their own.",
    )
    bot_turns: int = Field(
        3, ge=1, le=50, description="Questions by such bots that are answered in a row; then a person must ask first."
    )
    questions_per_person: Annotated[Quota | None, NoDecode] = Field(
        None,
        description="So many questions in a while are taken from one person, such as 20/10m (s, m, h, d); one more is politely "
        "refused. Unset: any number. Routes in bridge.toml may each have their own.",
    )
    questions_per_channel: Annotated[Quota | None, NoDecode] = Field(
        None, description="The same for everybody in one channel and its threads together."
    )
    recover: Recover = Field(
        Recover.REASK,
        description="What is done about an answer whose process died: `fetch` looks for it at the app, `reask` also asks once "
        "more when it is lost, `apologise` only says so. Apps in bridge.toml may each have their own.",
    )
    human_input: Literal["asker", "anyone", "people"] = Field(
        "asker",
        description="Who may answer the forms of an app that waits for people in the middle of an answer: whoever `asker` was, "
        "`anyone` who may use the bot there, or only the `people` of HUMAN_INPUT_PEOPLE. Apps in bridge.toml may each have their "
        "own.",
    )
    human_input_people: Annotated[frozenset[str], NoDecode] = Field(
        frozenset(),
        description="Ids of people (Slack, Discord) and of Discord roles who may answer such forms too, separated by commas.",
    )
    human_input_reminder: float = Field(
        60.0,
        ge=0,
        le=100_000,
        description="Minutes after which people are reminded, once, that a form still waits. 0 never does.",
    )
    context_turns: int = Field(
        0,
        ge=0,
        le=20,
        description="Past questions and answers that the app is told when its conversation had to be started anew.",
    )
    history_days: int = Field(
        30,
        ge=1,
        le=3650,
        description="Days for which questions and answers are kept where they are all that an app knows of a conversation, since "
        "its server remembers nothing (OPENAI_MODEL). Of other apps they are removed after a day.",
    )
    most_waiting: int = Field(
        20, ge=1, le=1000, description="Questions that may wait in one conversation; one more is politely refused."
    )
    most_queued: int = Field(
        200, ge=1, le=100_000, description="Questions of all conversations that may wait for a place at one app."
    )
    busy_patience: float = Field(
        60.0,
        ge=0,
        le=3600,
        description="Seconds that a question is tried again while the app is busy or unreachable and did not take it.",
    )
    recover_patience: float = Field(
        120.0,
        ge=0,
        le=3600,
        description="Seconds that an answer is waited for that outlived the process which asked for it.",
    )
    stop_patience: float = Field(10.0, ge=1, le=300, description="Seconds that a stopped answer may take to end.")
    form_patience: float = Field(
        600.0,
        ge=60,
        le=86_400,
        description="Seconds that a member has to fill in what an app must know before it can be asked. The question waits "
        "that long, and those after it in the same thread do too.",
    )
    wait_notice: float = Field(
        3.0, ge=0, le=600, description="Seconds after which a member is told that the question waits for its turn."
    )
    bridge_config: Path | None = Field(
        None,
        description="File with apps and routes (see bridge.toml.example). Unset: `bridge.toml` in the working directory, if any.",
    )
    answer_messages: int = Field(
        4,
        ge=1,
        le=20,
        description="Messages that show a long answer before the rest of it is attached as a file.",
    )
    most_file_mb: int = Field(
        25,
        ge=1,
        le=200,
        description="Megabytes of one file, a member's or the app's; larger ones are left out, and named. The app may take less.",
    )
    file_patience: float = Field(
        180,
        gt=0,
        le=3600,
        description="Seconds that one file may take in all, from a member to the app or from the app to here; then it is left "
        "out, and named.",
    )
    context_messages: int = Field(
        30,
        ge=0,
        le=200,
        description="Messages above a question that the app is told when it is asked in a thread for the first time; 0: none.",
    )
    suggestions_wait: float = Field(
        3.0,
        ge=0,
        le=30,
        description="Seconds that the end of a complete answer waits for the app's suggestions of what to ask next; 0: none.",
    )
    shutdown_grace: float = Field(
        60.0, ge=0, le=3600, description="Seconds that running answers may take to finish after SIGTERM."
    )

    @field_validator(
        "feedback_like_emoji", "feedback_dislike_emoji", "stop_emoji", "retry_emoji", "speak_emoji", mode="before"
    )
    @classmethod
    def _split(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        # People copy names as Slack shows them, and emoji with a skin tone or the invisible "show in colour" mark.
        names = (_SKIN_TONE.sub("", part).strip().strip(":") for part in value.split(","))
        return frozenset(name for name in names if name)

    @field_validator("mute_words", "unmute_words", "allowed_bots", "human_input_people", mode="before")
    @classmethod
    def _split_words(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        return frozenset(part.strip() for part in value.split(",") if part.strip())

    @field_validator("questions_per_person", "questions_per_channel", mode="before")
    @classmethod
    def _read_quota(cls, value: object) -> object:
        return read_quota(value) if isinstance(value, str) else value

    @field_validator("log_level", "log_format", "recover", "external_channels", "human_input", mode="before")
    @classmethod
    def _accept_any_case(cls, value: object, info: ValidationInfo) -> object:
        if not isinstance(value, str):
            return value
        return value.strip().upper() if info.field_name == "log_level" else value.strip().lower()

    @model_validator(mode="after")
    def _refuse_two_meanings(self) -> "Settings":
        meanings = {"MUTE_WORDS": self.mute_words, "UNMUTE_WORDS": self.unmute_words}
        wordless = [
            f"{name} contains {word!r}, which is no word: write letters, at most 40 of them."
            for name, words in meanings.items()
            for word in sorted(words)
            if not bare(word) or len(word) > _LONGEST_WORD
        ]
        muting, unmuting = ({bare(word) for word in words} for words in meanings.values())
        both = [
            f"MUTE_WORDS and UNMUTE_WORDS both contain {word}: remove it from one of them."
            for word in sorted(muting & unmuting)
        ]
        taken = (
            ["MUTE_WORDS and UNMUTE_WORDS cannot contain stop, which stops an answer."]
            if "stop" in muting | unmuting
            else []
        )
        problems = [*wordless, *both, *taken]
        if problems:
            raise ValueError(" ".join(problems))
        return self

    @model_validator(mode="after")
    def _refuse_nobody(self) -> "Settings":
        if self.human_input == "people" and not self.human_input_people:
            raise ValueError("HUMAN_INPUT is people, but HUMAN_INPUT_PEOPLE names nobody: write their ids there.")
        return self

    @model_validator(mode="after")
    def _refuse_overlap(self) -> "Settings":
        meanings = {
            "FEEDBACK_LIKE_EMOJI": self.feedback_like_emoji,
            "FEEDBACK_DISLIKE_EMOJI": self.feedback_dislike_emoji,
            "STOP_EMOJI": self.stop_emoji,
            "RETRY_EMOJI": self.retry_emoji,
            "SPEAK_EMOJI": self.speak_emoji,
        }
        overlaps = [
            f"{one} and {other} both contain {', '.join(sorted(both))}: remove it from one of them."
            for (one, these), (other, those) in combinations(meanings.items(), 2)
            if (both := these & those)
        ]
        if overlaps:
            raise ValueError(" ".join(overlaps))
        return self


def read(kind: type[SettingsT], env_file: Path | None) -> SettingsT:
    """Reads one settings class. Raises `SettingsError` with one sentence per wrong setting."""
    try:
        return kind(_env_file=env_file)
    except UnicodeDecodeError as error:
        raise SettingsError([f"{env_file} is not UTF-8 text; save it again with the encoding UTF-8."]) from error
    except ValidationError as error:
        raise SettingsError([sentence for _, sentence in explain(kind, error)]) from error


def isolated(kind: type[SettingsT], **values: object) -> SettingsT:
    """Settings made of the given values and defaults alone: neither the environment nor `.env` is read."""

    class Isolated(kind):  # type: ignore[valid-type, misc]  # a subclass per call is the library's way to choose sources
        @classmethod
        def settings_customise_sources(
            cls, settings_cls: type[BaseSettings], init_settings: PydanticBaseSettingsSource, **_others: object
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            return (init_settings,)

    made: SettingsT = Isolated(**values)
    return made


def explain(kind: type[BaseModel], error: ValidationError) -> list[tuple[str | None, str]]:
    """Of each problem the field (None: it is about several) and a sentence in which no secret stands."""
    return [(str(problem["loc"][0]) if problem["loc"] else None, _explain(kind, problem)) for problem in error.errors()]


def _explain(kind: type[BaseModel], problem: object) -> str:
    assert isinstance(problem, dict)  # noqa: S101  # pydantic's ErrorDetails is a TypedDict
    message = str(problem["msg"]).removeprefix("Value error, ").removeprefix("Assertion failed, ")
    location = [str(part) for part in problem["loc"]]
    if not location:
        return message
    name = location[0].upper()
    field = kind.model_fields.get(location[0])
    secret = field is not None and SecretStr.__name__ in str(field.annotation)
    shown = "" if secret or problem["type"] == "missing" else f" (it is {problem['input']!r})"
    if name in message:
        return message
    if field is not None and field.annotation in (int, float):
        whole = "whole " if field.annotation is int else ""
        return f"{name} must be a {whole}number {_range_of(field)}, but it is {str(problem['input'])[:40]!r}."
    return f"{name}: {message[:1].lower()}{message[1:]}{shown}"


def _range_of(field: FieldInfo) -> str:
    """The limits of a number in words, as its field declares them."""
    words = {"Ge": "from {} on", "Gt": "above {}", "Le": "up to {}", "Lt": "below {}"}
    found = [
        words[type(limit).__name__].format(getattr(limit, type(limit).__name__.lower()))
        for limit in field.metadata
        if type(limit).__name__ in words
    ]
    return " and ".join(found)


def describe(kinds: dict[str, list[type[BaseSettings]]]) -> str:
    """The text of `.env.example`: every variable of the given classes, by section, with its default and meaning."""
    lines = [
        "# Copy this file to .env and fill in what you need. Lines that start with # are defaults.",
        "# Made from the settings classes by `make env-example`; a test keeps it fresh.",
    ]
    for section, classes in kinds.items():
        lines += ["", f"# --- {section}"]
        for kind in classes:
            for name, field in kind.model_fields.items():
                lines += ["", f"# {field.description}", f"#{name.upper()}={_default(field.get_default())}"]
    return "\n".join(lines) + "\n"


def _default(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case SecretStr():
            return value.get_secret_value()  # a default is no secret
        case frozenset():
            return ",".join(sorted(str(part) for part in value))
        case _:
            return str(value)
