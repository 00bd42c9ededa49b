"""What the rate limit headers say, and how long progress waits for that."""

from adapters.discord.rest.quotas import MARGIN, Quotas
from bridge.messages import PaceGroup
from tests.fakes.clock import FakeClock

EDIT = "/api/v10/channels/12/messages/34"
HERE = PaceGroup("12")


def told(limit: int, left: int, seconds: float) -> dict[str, str]:
    return {
        "X-RateLimit-Limit": str(limit),
        "X-RateLimit-Remaining": str(left),
        "X-RateLimit-Reset-After": str(seconds),
    }


def test_nothing_waits_where_nothing_was_said() -> None:
    quotas = Quotas(FakeClock())
    assert quotas.wait_for_room(HERE, 2) == 0
    quotas.note("POST", "/api/v10/channels/12/messages", told(5, 0, 4))
    quotas.note("PATCH", "/api/v10/channels/12", told(5, 0, 4))
    quotas.note("PATCH", EDIT, {"X-RateLimit-Limit": "five"})
    quotas.note("PATCH", EDIT, {})
    assert quotas.wait_for_room(HERE, 2) == 0


async def test_progress_waits_when_no_more_is_left_than_the_ends_need() -> None:
    clock = FakeClock()
    quotas = Quotas(clock)
    quotas.note("PATCH", EDIT, told(5, 2, 4))
    assert quotas.wait_for_room(HERE, 2) == 0
    assert quotas.wait_for_room(HERE, 3) == 4 + MARGIN
    quotas.note("PATCH", EDIT, told(5, 1, 3))
    assert quotas.wait_for_room(HERE, 2) == 3 + MARGIN
    assert quotas.wait_for_room(PaceGroup("13"), 2) == 0
    await clock.advance(3 + MARGIN)
    assert quotas.wait_for_room(HERE, 2) == 0


def test_of_a_budget_that_is_smaller_than_wanted_all_must_be_left() -> None:
    quotas = Quotas(FakeClock())
    quotas.note("PATCH", EDIT, told(2, 2, 4))
    assert quotas.wait_for_room(HERE, 6) == 0
    quotas.note("PATCH", EDIT, told(2, 1, 4))
    assert quotas.wait_for_room(HERE, 6) == 4 + MARGIN


async def test_a_single_edit_is_for_the_end() -> None:
    clock = FakeClock()
    quotas = Quotas(clock)
    quotas.note("PATCH", EDIT, told(1, 0, 4))
    assert quotas.wait_for_room(HERE, 2) > 0
    await clock.advance(60)
    assert quotas.wait_for_room(HERE, 2) > 0
    assert quotas.wait_for_room(HERE, 1) == 0


def test_edits_by_an_interactions_token_count_for_the_interaction() -> None:
    quotas = Quotas(FakeClock())
    quotas.name(PaceGroup("hook/7"), "secret")
    quotas.note("PATCH", "/api/v10/webhooks/1/secret/messages/@original", told(5, 1, 4))
    assert quotas.wait_for_room(PaceGroup("hook/7"), 2) == 4 + MARGIN
    assert quotas.wait_for_room(PaceGroup("hook/8"), 2) == 0
