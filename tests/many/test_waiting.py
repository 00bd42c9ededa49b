"""An answer that waits for people waits in no process: whichever hears what somebody answers goes on with it."""

from pathlib import Path

import pytest

from bridge.playground.dify.people import PeopleForm
from bridge.playground.dify.script import Reply, split_tokens
from tests.integration.seats import Seat
from tests.many.fleet import Fleet, fleet
from tests.recovery import looking
from tests.recovery.test_orders import PLATFORMS
from tests.storage.postgres_server import migrated_template, migrated_url

__all__ = ["migrated_template", "migrated_url"]

pytestmark = pytest.mark.process

FORM = PeopleForm(
    content="Order 12 chairs?", then=lambda action, values: Reply(tokens=split_tokens(f"\n\nIt was {action}."))
)


def wait_for_people(on: Fleet) -> None:
    on.dify.first_token = on.dify.per_token = 0.0
    on.dify.features.asks_people = True
    on.dify.script = lambda query: (
        Reply(tokens=["Well."], form=FORM) if "order" in query else Reply(tokens=split_tokens(f"re: {query}"))
    )


async def asked(on: Fleet, seat: Seat) -> str:
    thread = await seat.ask("Please order chairs")
    await on.until(lambda: bool(looking.offering(seat, thread, "input")), "the form stands there")
    await on.until(lambda: all(number > 0 for number in on.unfinished()), "nobody works on it")
    return thread


async def answered(on: Fleet, seat: Seat, thread: str) -> None:
    await on.until(lambda: "It was approve." in "".join(seat.answers(thread)), "it went on")
    await on.until(lambda: on.unfinished() == [], "nothing is left")
    assert len(seat.answers(thread)) == 1
    assert len(on.dify.requests) == 1


@PLATFORMS
async def test_a_form_is_answered_in_another_process_than_the_one_that_asked(
    platform: str, migrated_url: str, tmp_path: Path
) -> None:
    async with fleet(tmp_path, migrated_url, "advanced-chat", over_http=True) as on:
        wait_for_people(on)
        seat = on.seats[platform]
        first = await on.start()
        thread = await asked(on, seat)
        await on.start()
        await first.kill()
        if on.balancer is not None:
            on.balancer.ports = [on.members[-1].port]
        await on.until(lambda: on.members[-1].worker > 0, "the other one is there")
        if platform == "discord":
            await on.until(lambda: bool(on.members[-1].logged("gateway_session_began")), "and hears Discord", 30)
        await looking.press(seat, thread, "input")
        await answered(on, seat, thread)


@PLATFORMS
async def test_two_processes_are_there_and_each_press_counts_once(
    platform: str, migrated_url: str, tmp_path: Path
) -> None:
    async with fleet(tmp_path, migrated_url, "advanced-chat", over_http=True) as on:
        wait_for_people(on)
        seat = on.seats[platform]
        await on.start_many(2)
        thread = await asked(on, seat)
        await looking.press(seat, thread, "input")
        await answered(on, seat, thread)
        assert len(on.logged("input_handed_in")) == 1
        await on.end_gently()
