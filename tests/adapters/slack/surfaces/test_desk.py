"""What holds for everything that people use besides messages: who is believed, who is not, what is offered at all."""

import asyncio

import pytest

from adapters.slack.installs.scopes import AppFeature
from adapters.slack.surfaces.forms import SHORTCUT
from bridge.events import ButtonPressed
from bridge.platform_api import NamesWays
from tests.adapters.slack.surfaces.conftest import Opening
from tests.adapters.slack.surfaces.hall import RATINGS

GENERAL = "C0GENERAL"


@pytest.mark.parametrize("opening", ["http"], indirect=True)
async def test_what_slack_has_not_signed_is_neither_believed_nor_answered(opening: Opening, root: str) -> None:
    async with opening() as hall:
        ref = await hall.answer(root, *RATINGS)
        ts = ref.address.rpartition("/")[2]
        await hall.server.press("U0GRACE", GENERAL, ts, "bridge:feedback", "dislike")
        view = await hall.shown_modal()
        await hall.settle()
        heard = len(hall.inbox.events)
        hall.server.calls.clear()
        hall.server.faults.bad_signature = True
        acts = [
            await hall.submit(view, "forged words"),
            await hall.server.command("U0GRACE", GENERAL, "/ask", "forged?"),
            await hall.server.command("U0GRACE", GENERAL, "/ask"),
            await hall.server.shortcut("U0GRACE", SHORTCUT, GENERAL, root),
            await hall.server.press("U0GRACE", GENERAL, ts, "bridge:feedback", "like"),
        ]
        await hall.settle()
        assert {act.outcome for act in acts} == {"failed"}
        assert len(hall.inbox.events) == heard
        assert (hall.server.calls, hall.server.ephemerals) == ([], [])


async def test_interactions_before_and_after_running_are_not_acknowledged(opening: Opening, root: str) -> None:
    async with opening() as hall:
        ref = await hall.answer(root, *RATINGS)
    act = await hall.server.press("U0GRACE", GENERAL, ref.address.rpartition("/")[2], "bridge:feedback", "like")
    await hall.settle()
    assert (act.outcome, hall.heard(ButtonPressed)) == ("failed", [])


async def test_a_form_that_is_being_opened_when_the_bridge_ends_does_not_outlive_it(
    opening: Opening, root: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.slack.surfaces.desk.GRACE", 0.05)
    async with opening() as hall:
        ref = await hall.answer(root, *RATINGS)
        hall.server.faults.latency = 0.4
        await hall.server.press("U0GRACE", GENERAL, ref.address.rpartition("/")[2], "bridge:feedback", "dislike")
        await hall.next(ButtonPressed)
        assert "slack-comment_form" in {task.get_name() for task in asyncio.all_tasks()}
        await hall.bridge.cancel()
        assert "slack-comment_form" not in {task.get_name() for task in asyncio.all_tasks()}


async def test_the_ways_to_ask_that_are_switched_on_are_named_with_the_names_that_they_have(opening: Opening) -> None:
    async with opening(slack_command_prefix="dify-") as hall:
        assert isinstance(hall.platform, NamesWays)
        command, shortcut = hall.platform.name_ways()
        assert "`/dify-ask`" in command
        assert "Ask about this" in shortcut


async def test_ways_that_are_switched_off_are_not_named(opening: Opening) -> None:
    async with opening(slack_features=frozenset({AppFeature.SHORTCUT})) as hall:
        assert len(hall.platform.name_ways()) == 1
        assert "command" not in hall.platform.name_ways()[0]
