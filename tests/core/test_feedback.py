"""Reactions become one rating per answer: from several people, changed, taken back, delivered later."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import BackendMisconfigured, BackendUnreachable
from bridge.feedback import aggregate, standing
from bridge.messages import PersonId, Rating, Vote
from tests.core.room import Room, room
from tests.fakes import values

votes = st.lists(
    st.builds(
        Vote,
        message=st.sampled_from([values.ref("a1"), values.ref("a2")]),
        person=st.sampled_from([PersonId("ada"), PersonId("grace"), PersonId("linus")]),
        source=st.sampled_from(["👍", "👎"]),
        rating=st.sampled_from(Rating),
        active=st.booleans(),
        revision=st.integers(0, 100),
    ),
    max_size=12,
    unique_by=lambda vote: vote.revision,
)


@given(votes)
def test_nobody_counts_twice_and_order_does_not_matter(cast: list[Vote]) -> None:
    assert len(standing(cast)) <= len({vote.person for vote in cast if vote.active})
    assert aggregate(cast) == aggregate(cast[::-1])


@given(votes)
def test_turning_every_vote_round_turns_the_rating_round(cast: list[Vote]) -> None:
    turned = [
        Vote(
            message=vote.message,
            person=vote.person,
            source=vote.source,
            rating=Rating.DISLIKE if vote.rating is Rating.LIKE else Rating.LIKE,
            active=vote.active,
            revision=vote.revision,
        )
        for vote in cast
    ]
    opposite = {Rating.LIKE: Rating.DISLIKE, Rating.DISLIKE: Rating.LIKE, None: None}
    assert aggregate(turned) == opposite[aggregate(cast)]


async def answered(at: Room) -> str:
    await at.inbox(values.message())
    await at.clock.advance(1)
    return next(iter(at.platform.messages))


def ratings(at: Room) -> list[Rating | None]:
    return [rating for _, _, rating, _ in at.backend.ratings]


async def test_a_thumbs_up_reaches_the_app_with_the_answers_own_user_and_message() -> None:
    async with room() as at:
        address = await answered(at)
        await at.inbox(values.reaction(address, "👍", who="grace"))
        await at.clock.advance(0.1)
        [(ids, user, rating, content)] = at.backend.ratings
        assert (ids.message, user, rating, content) == ("m1", "fake:team:general:1", Rating.LIKE, "")


async def test_changing_ones_mind_changes_the_rating_and_taking_it_back_restores_the_other() -> None:
    async with room() as at:
        address = await answered(at)
        for revision, (emoji, added) in enumerate([("👍", True), ("👎", True), ("👎", False), ("👍", False)], 1):
            await at.inbox(values.reaction(address, emoji, added=added, revision=revision))
            await at.clock.advance(0.1)
        assert ratings(at) == [Rating.LIKE, Rating.DISLIKE, Rating.LIKE, None]


async def test_several_people_make_one_rating_and_the_count_is_told() -> None:
    async with room() as at:
        address = await answered(at)
        for revision, (who, emoji) in enumerate([("ada", "👍"), ("grace", "👎"), ("linus", "👎")], 1):
            await at.inbox(values.reaction(address, emoji, who=who, revision=revision))
            await at.clock.advance(0.1)
        assert ratings(at) == [Rating.LIKE, None, Rating.DISLIKE]
        assert at.backend.ratings[-1][3] == "1 up, 2 down"


async def test_other_emoji_and_other_messages_rate_nothing() -> None:
    async with room() as at:
        address = await answered(at)
        await at.inbox(values.reaction(address, "🎉"))
        await at.inbox(values.reaction("somebody's message", "👍", revision=2))
        await at.clock.advance(60)
        assert at.backend.ratings == []


async def test_a_rating_waits_out_an_outage_of_the_app() -> None:
    async with room() as at:
        address = await answered(at)
        at.backend.rate_errors = [BackendUnreachable("down"), BackendUnreachable("down")]
        await at.inbox(values.reaction(address))
        await at.clock.advance(4)
        assert at.backend.ratings == []
        await at.clock.advance(30)
        assert ratings(at) == [Rating.LIKE]


async def test_a_rating_that_can_never_be_delivered_is_not_tried_for_ever() -> None:
    async with room() as at:
        address = await answered(at)
        at.backend.rate_errors = [BackendMisconfigured("401")] * 5
        await at.inbox(values.reaction(address))
        await at.clock.advance(3600)
        assert len(at.backend.rate_errors) == 4


async def test_a_rating_survives_a_restart() -> None:
    async with room() as at:
        address = await answered(at)
        at.backend.rate_errors = [BackendUnreachable("down")] * 100
        await at.inbox(values.reaction(address))
        await at.clock.advance(1)
    async with room(store=at.store) as after:
        await after.clock.advance(60)
        assert ratings(after) == [Rating.LIKE]


@pytest.mark.parametrize("failures", [1, 3])
async def test_a_store_that_is_away_delays_ratings_and_stops_nothing(failures: int) -> None:
    async with room() as at:
        address = await answered(at)
        await at.inbox(values.reaction(address))
        at.store.failures = failures
        await at.clock.advance(60)
        assert ratings(at) == [Rating.LIKE]
