"""What may stand in `bridge.toml`. A field's description ends the sentence "... must be" that an operator reads."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from bridge.quotas import read_quota
from bridge.routing import Answers, External, Follow, Recover

APP_NAME = re.compile(r"[a-z][a-z0-9]*(?:[-_][a-z0-9]+)*")
LONGEST_APP_NAME = 40
APP_NAME_WORDS = (
    f"lower-case letters, digits, - and _, beginning with a letter, at most {LONGEST_APP_NAME} characters long, "
    "because it becomes part of every conversation's identity"
)
NO_QUOTA = "none"
_QUOTA_WORDS = 'so many questions in a while, in quotes, such as "20/10m" (s, m, h, d), or "none"'
_NOT_IN_IDS = re.compile(r"[\s#@<>/,]")


def _read_id(value: object) -> object:
    """Discord's ids are numbers, and people write them as such."""
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return str(value)
    if isinstance(value, str) and (not value or _NOT_IN_IDS.search(value)):
        raise ValueError("not an id")
    return value


def _refuse_false(value: bool) -> bool:  # noqa: FBT001  # a validator
    # It would read as "not in direct messages", and no route can say that.
    if not value:
        raise ValueError("not true")
    return value


def _read_quota(value: str) -> str:
    if value.strip().lower() != NO_QUOTA:
        read_quota(value)
    return value


Quota = Annotated[str, AfterValidator(_read_quota)]
Id = Annotated[str, BeforeValidator(_read_id)]


class AppTable(BaseModel):
    """`[apps.NAME]`, without what belongs to the backend, which is left in `model_extra`."""

    model_config = ConfigDict(strict=True, extra="allow", frozen=True)

    backend: str = Field("dify", description="the name of a backend in quotes")
    recover: Recover | None = Field(None, strict=False, description='"fetch", "reask" or "apologise"')
    human_input: Literal["asker", "anyone", "people"] | None = Field(None, description='"asker", "anyone" or "people"')
    human_input_people: list[Id] | None = Field(
        None, description='a list of ids of people or of Discord roles in quotes, such as ["U0123"], not their names'
    )
    context_turns: int | None = Field(None, ge=0, le=20, description="a whole number from 0 up to 20")
    most_waiting: int | None = Field(None, ge=1, le=1000, description="a whole number from 1 up to 1000")
    most_queued: int | None = Field(None, ge=1, le=100_000, description="a whole number from 1 up to 100000")
    inputs: dict[str, object] = Field(
        default_factory=dict, description='a table of texts, numbers and true or false, such as { language = "en" }'
    )
    """What stands in it is looked at in `inputs`."""


class RouteTable(BaseModel):
    """`[[routes]]`."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    app: str | None = Field(None, description="the name of an app in quotes")
    apps: list[str] = Field(
        default_factory=list,
        min_length=1,
        description='a list of names of apps in quotes, such as ["support", "sales"]',
    )
    platform: str | None = Field(None, description="the name of a platform in quotes")
    workspace: Id | None = Field(None, description='the id of a workspace in quotes, such as "T0123", not its name')
    server: Id | None = Field(None, description='the id of a server, such as "1059199", not its name')
    channel: Id | None = Field(None, description='the id of a channel in quotes, such as "C0123", not its name')
    category: Id | None = Field(None, description='the id of a category, such as "1059200", not its name')
    direct: Annotated[bool, AfterValidator(_refuse_false)] | None = Field(
        None, description="true, or left out (a route without it is about direct messages too)"
    )
    follow: Follow = Field(Follow.THREAD, strict=False, description='"mention", "thread" or "everything"')
    answers: Answers = Field(Answers.THREAD, strict=False, description='"thread" or "reply"')
    questions_per_person: Quota | None = Field(None, description=_QUOTA_WORDS)
    questions_per_channel: Quota | None = Field(None, description=_QUOTA_WORDS)
    users: list[Id] = Field(
        default_factory=list, min_length=1, description='a list of ids of people, such as ["U0123"], not their names'
    )
    roles: list[Id] = Field(
        default_factory=list, min_length=1, description='a list of ids of roles, such as ["1059201"], not their names'
    )
    external: External | None = Field(None, strict=False, description='"deny", "mention" or "on"')
    bots: list[Id] | None = Field(
        None, description='a list of ids of bots, such as ["B0123"], not their names; an empty one is for none'
    )
