"""Reactions become one rating per answer: from several people, changed, taken back, delivered later."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import BackendMisconfigured, BackendUnreachable
from bridge.events import InboundEvent
from bridge.feedback import Feedback, aggregate, standing
from bridge.messages import BackendIds, BackendMessageId, ButtonAction, PersonId, Rating
from bridge.votes import Vote
from tests.core import doings
from tests.core.hall import Hall, hall
from tests.core.room import Room, room
from tests.fakes import values
from tests.fakes.backend import FakeBackend

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
        assert at.backend.ratings[-1][3] == "1 like, 2 dislikes."


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


# What is told beside a rating


async def delivered(at: Hall, *events: InboundEvent) -> list[tuple[Rating | None, str]]:
    """What the app was told after these, all at once.."""
    backend = FakeBackend(at.clock)
    await at.tell(*events)
    await Feedback(store=at.store, backends={values.APP: backend}, clock=at.clock).deliver_due()
    return [(rating, content) for _, _, rating, content in backend.ratings]


async def rated_answer(at: Hall) -> str:
    await at.tell(values.message("What is up?"))
    at.store.answers[0].ids = BackendIds(message=BackendMessageId("m1"))
    return at.answers[0]


async def test_a_thumb_that_is_a_button_reaches_the_app_and_the_latest_press_counts() -> None:
    async with hall() as at:
        address = await rated_answer(at)
        assert await delivered(at, doings.press(ButtonAction.LIKE, address, revision=1)) == [(Rating.LIKE, "")]
        assert await delivered(at, doings.press(ButtonAction.LIKE, address, revision=2)) == [], "nothing changed"
        assert await delivered(at, doings.press(ButtonAction.DISLIKE, address, revision=4)) == [(Rating.DISLIKE, "")]
        assert await delivered(at, doings.press(ButtonAction.LIKE, address, revision=3)) == [], "told too late"


async def test_of_a_press_and_a_reaction_by_one_person_the_later_one_counts() -> None:
    async with hall() as at:
        address = await rated_answer(at)
        assert await delivered(
            at, values.reaction(address, "👍", revision=5), doings.press(ButtonAction.DISLIKE, address, revision=6)
        ) == [(Rating.DISLIKE, "")]
        assert await delivered(at, values.reaction(address, "👍", revision=4)) == []


async def test_the_only_voters_comment_is_told_as_it_was_written() -> None:
    async with hall() as at:
        address = await rated_answer(at)
        assert await delivered(
            at, doings.press(ButtonAction.DISLIKE, address), doings.comment(address, "Too long.\nAnd wrong. ")
        ) == [(Rating.DISLIKE, "Too long. And wrong.")]


async def test_a_comment_that_comes_later_is_told_with_the_rating_again() -> None:
    async with hall() as at:
        address = await rated_answer(at)
        assert await delivered(at, doings.press(ButtonAction.DISLIKE, address)) == [(Rating.DISLIKE, "")]
        assert await delivered(at, doings.comment(address, "Wrong.")) == [(Rating.DISLIKE, "Wrong.")]
        assert await delivered(at, doings.comment(address, "All wrong.", revision=2)) == [
            (Rating.DISLIKE, "All wrong.")
        ]


async def test_several_votes_and_comments_are_counted_and_listed() -> None:
    async with hall() as at:
        address = await rated_answer(at)
        votes = [
            doings.press(action, address, author=values.person(who), revision=number)
            for number, (who, action) in enumerate(
                [("ada", ButtonAction.LIKE), ("grace", ButtonAction.LIKE), ("linus", ButtonAction.DISLIKE)], 1
            )
        ]
        comments = [
            doings.comment(address, "Fine.", who="ada"),
            doings.comment(address, "Bad.", who="linus", revision=2),
        ]
        assert await delivered(at, *votes, comments[0]) == [(Rating.LIKE, "2 likes, 1 dislike. Fine.")]
        assert await delivered(at, comments[1]) == [(Rating.LIKE, "2 likes, 1 dislike. Comments: Fine. / Bad.")]


@pytest.mark.parametrize(("people", "length"), [(1, 5_000), (3, 3_000), (100, 300), (40, 10)])
async def test_however_much_is_written_what_is_told_has_an_end_and_the_newest_is_in_it(
    people: int, length: int
) -> None:
    async with hall() as at:
        address = await rated_answer(at)
        comments = [
            doings.comment(address, f"p{number} " + "word " * (length // 5), who=f"p{number}", revision=number)
            for number in range(1, people + 1)
        ]
        ((_, content),) = await delivered(at, doings.press(ButtonAction.DISLIKE, address), *comments)
        assert len(content) <= 2_000
        assert f"p{people} word" in content
        assert ("are left out" in content) == (people * 100 > 2_000)
        assert content.endswith(("word", " ..."))


async def test_what_people_write_is_never_logged(capsys: pytest.CaptureFixture[str]) -> None:
    async with hall() as at:
        address = await rated_answer(at)
        await delivered(at, doings.press(ButtonAction.DISLIKE, address), doings.comment(address, "a secret"))
        assert "secret" not in capsys.readouterr().out
