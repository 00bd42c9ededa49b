"""What the bot says of itself: only what holds where it says so."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from bridge.backend_api import FileRules, UploadedFile
from bridge.events import Command
from bridge.helping import Guide, describe_usage
from bridge.messages import AppName, Attachment, BackendUser, ReplyTarget
from bridge.routing import DEFAULT_APP, AppPolicy, External, Follow, Guests, Resolution
from bridge.store import Usage
from bridge.words import MuteWords
from tests.core import doings
from tests.core.hall import POLICY
from tests.fakes import values
from tests.fakes.backend import FakeBackend
from tests.fakes.clock import FakeClock
from tests.fakes.platform import FAKE, FakePlatform

HERE = Resolution(app=AppPolicy(name=AppName("support")))
HELP = doings.command(Command.HELP)


@dataclass
class RichPlatform(FakePlatform):
    """Has commands and takes files."""

    def name_ways(self) -> Sequence[str]:
        return ["Type `/ask` and your question."]

    async def fetch_file(self, target: ReplyTarget, file: Attachment, into: Path, most: int) -> str:
        raise NotImplementedError


@dataclass
class TakingBackend(FakeBackend):
    async def file_rules(self) -> FileRules:
        raise NotImplementedError

    async def upload(self, content: Path, name: str, media_type: str, kind: str, user: BackendUser) -> UploadedFile:
        raise NotImplementedError


def guide(platform: FakePlatform | None = None, backend: FakeBackend | None = None) -> Guide:
    clock = FakeClock()
    return Guide(
        policy=POLICY,
        platforms={FAKE: platform or FakePlatform(clock)},
        backends={AppName("support"): backend or FakeBackend(clock)},
    )


def test_an_app_with_a_name_is_named_and_the_one_of_the_environment_is_not() -> None:
    assert "`support` answers here" in guide().explain(HELP, HERE)
    default = Resolution(app=AppPolicy(name=DEFAULT_APP))
    assert "default" not in guide().explain(HELP, default)


def test_files_are_told_of_where_the_platform_gives_and_the_app_takes_them() -> None:
    clock = FakeClock()
    rich, taking = RichPlatform(clock), TakingBackend(clock)
    assert "Attach files" in guide(rich, taking).explain(HELP, HERE)
    assert "Attach files" in guide(rich, taking).explain_all(FAKE, HERE)
    assert "Attach files" not in guide(rich).explain(HELP, HERE)
    assert "Attach files" not in guide(None, taking).explain(HELP, HERE)


def test_the_platforms_own_ways_and_buttons_are_told_of_where_there_are_any() -> None:
    clock = FakeClock()
    assert "- Type `/ask` and your question." in guide(RichPlatform(clock)).explain(HELP, HERE)
    assert "/ask" not in guide().explain(HELP, HERE)
    assert "press Stop" in guide(FakePlatform(clock, buttons=True)).explain(HELP, HERE)
    assert "press Stop" not in guide().explain(HELP, HERE)


def test_edits_are_told_of_where_they_are_followed() -> None:
    assert "Edit your question" in guide().explain(HELP, HERE)
    stubborn = replace(guide(), policy=replace(POLICY, follow_edits_running=False))
    assert "Edit your question" not in stubborn.explain(HELP, HERE)


def test_the_operators_words_are_told_and_the_commands_where_there_are_none() -> None:
    own = replace(POLICY, words=MuteWords(mute=frozenset({"ruhe"}), unmute=frozenset({"weiter"})))
    assert "say `ruhe`" in replace(guide(), policy=own).explain(HELP, HERE)
    none = replace(POLICY, words=MuteWords(mute=frozenset(), unmute=frozenset()))
    assert "`/mute`" in replace(guide(), policy=none).explain(HELP, HERE)


def test_where_others_read_along_following_is_not_promised() -> None:
    everything = replace(HERE, follow=Follow.EVERYTHING, guests=Guests(external=External.MENTION))
    assert "Every message here" in guide().explain(HELP, everything)
    assert "Every message here" not in guide().explain(replace(HELP, is_external=True), everything)
    assert "Every message here" not in guide().explain(replace(HELP, author=doings.outsider()), everything)


def test_help_is_short_and_shows_no_ids() -> None:
    clock = FakeClock()
    for text in (
        guide(RichPlatform(clock), TakingBackend(clock)).explain(HELP, HERE),
        guide(RichPlatform(clock), TakingBackend(clock)).explain_all(
            FAKE, Resolution(app=AppPolicy(name=AppName("support")))
        ),
    ):
        assert len(text) < 900
        assert values.key().channel not in text


@pytest.mark.parametrize(
    ("usage", "words"),
    [
        (Usage(), "You have not asked anything here yet."),
        (Usage(questions=1, answered=1), "You have asked 1 question here; 1 got a whole answer."),
        (
            Usage(questions=3, answered=2, votes=1),
            "You have asked 3 questions here; 2 got a whole answer. You rated 1 answer.",
        ),
        (Usage(questions=3, votes=2), "You have asked 3 questions here; 0 got a whole answer. You rated 2 answers."),
    ],
)
def test_usage_is_told_in_words(usage: Usage, words: str) -> None:
    assert describe_usage(usage) == words
