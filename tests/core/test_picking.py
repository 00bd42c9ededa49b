"""Which app answers where members may choose, and that nobody pays for it where they may not."""

from collections.abc import Collection, Sequence
from dataclasses import replace

import pytest

from bridge.backend_api import Backend, Choice
from bridge.decisions import Ask, Stop
from bridge.events import Command
from bridge.feedback import aggregate
from bridge.messages import AppName, ButtonAction, ConversationId, ConversationKey, EventId, PersonId
from bridge.picking import Picking
from bridge.picks import Pick, own_scope
from bridge.routing import AppPolicy, Follow, Resolution
from tests.core import doings
from tests.fakes import values
from tests.fakes.backend import FakeBackend
from tests.fakes.clock import FakeClock
from tests.fakes.picks import FakePicks
from tests.fakes.store import FakeStore

SUPPORT, SALES, GONE = (AppPolicy(name=AppName(name)) for name in ("support", "sales", "gone"))
ALONE = Resolution(app=SUPPORT)
BOTH = Resolution(app=SUPPORT, choices=(SUPPORT, SALES))
KNOWN = ConversationId(7)


class Library(FakeBackend):
    async def choices(self) -> Sequence[Choice]:
        return []


class Silent(FakePicks):
    async def find(self, key: ConversationKey, person: PersonId, apps: Collection[AppName]) -> Pick | None:
        raise AssertionError("nothing is to be chosen there")


class Knowing(FakePicks):
    """Knows whose a conversation is."""

    app = SALES.name

    async def of(self, conversation: ConversationId) -> Pick | None:
        return Pick(app=self.app, choice="prices")


def picking(picks: FakePicks | None = None, **backends: Backend) -> Picking:
    found = {AppName(name): backend for name, backend in backends.items()}
    return Picking(FakeStore(aggregate), picks or FakePicks({values.key(): Pick(app=SALES.name)}), found)


def ask(join: ConversationId | None = None) -> Ask:
    return Ask(message=values.message(), app=SUPPORT, join=join)


@pytest.mark.parametrize(
    "event",
    [
        values.message(in_thread=True, mentions_bot=False),
        values.message(),
        values.message(mentions_bot=False, is_direct=True),
        doings.command(Command.HELP),
        doings.press(ButtonAction.RESUME, "a1"),
    ],
)
async def test_whatever_may_be_a_question_or_an_order_is_met_by_the_app_that_was_chosen(event: object) -> None:
    assert (await picking().settle_for(event, BOTH)).app == SALES  # type: ignore[arg-type]  # any event of the list


@pytest.mark.parametrize(
    ("event", "where"),
    [
        (values.message(mentions_bot=False), BOTH),
        (values.message(), ALONE),
        (values.message(), Resolution(app=None)),
        (values.reaction("a1"), BOTH),
        (doings.press(ButtonAction.LIKE, "a1"), BOTH),
    ],
)
async def test_nobody_looks_what_was_chosen_where_it_does_not_matter(event: object, where: Resolution) -> None:
    assert await picking(Silent()).settle_for(event, where) is where  # type: ignore[arg-type]  # any event of the list


async def test_where_every_message_is_a_question_each_is_met_by_what_was_chosen() -> None:
    everything = replace(BOTH, follow=Follow.EVERYTHING)
    assert (await picking().settle_for(values.message(mentions_bot=False), everything)).app == SALES


async def test_what_an_app_that_stands_alone_offers_within_it_is_looked_up_too() -> None:
    picks = FakePicks({own_scope(values.key(), values.person().id): Pick(app=SUPPORT.name, choice="handbook")})
    settled = await picking(picks, support=Library(FakeClock())).settle_for(values.message(), ALONE)
    assert (settled.app, settled.choice) == (SUPPORT, "handbook")


async def test_a_question_carries_what_was_chosen_within_the_app() -> None:
    resolution = replace(BOTH, app=SALES, choice="terms")
    decided = await picking(Knowing()).complete(ask(), resolution)
    assert isinstance(decided, Ask)
    assert (decided.choice, decided.choices) == ("terms", (SUPPORT.name, SALES.name))


async def test_a_reply_is_answered_by_the_app_that_it_replies_to() -> None:
    decided = await picking(Knowing()).complete(ask(join=KNOWN), BOTH)
    assert isinstance(decided, Ask)
    assert (decided.app, decided.choice, decided.join) == (SALES, "prices", KNOWN)


async def test_a_reply_to_an_app_that_answers_there_no_more_begins_anew_with_the_one_that_does() -> None:
    knowing = Knowing()
    knowing.app = GONE.name
    decided = await picking(knowing).complete(ask(join=KNOWN), ALONE)
    assert isinstance(decided, Ask)
    assert (decided.app, decided.choice, decided.join) == (SUPPORT, "", None)


async def test_a_stop_is_for_whichever_app_is_answering() -> None:
    stop = Stop(event_id=EventId("e1"), key=values.key(), app=SUPPORT.name)
    decided = await picking().complete(stop, BOTH)
    assert isinstance(decided, Stop)
    assert decided.choices == (SUPPORT.name, SALES.name)
