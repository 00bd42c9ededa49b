"""The mark: everything up to it was handed in, whatever happens in between."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from adapters.discord.gateway.marks import Mark, earlier, number_at


def test_a_number_tells_its_time() -> None:
    assert number_at(datetime(2015, 1, 1, tzinfo=UTC)) == 0
    assert number_at(datetime(2016, 4, 30, 11, 18, 25, 796_000, tzinfo=UTC)) == 175928847299117063 >> 22 << 22
    assert number_at(datetime(2014, 1, 1, tzinfo=UTC)) == 0
    assert earlier(175928847299117063, timedelta(seconds=1)) == 175928847299117063 - (1000 << 22)
    assert earlier(5, timedelta(seconds=1)) == 0


def test_it_waits_for_the_oldest_that_is_not_handed_in() -> None:
    mark = Mark()
    assert mark.value == 0
    mark.reach(10)
    for number in (11, 12, 13):
        mark.take(number)
    mark.handed_in(12)
    mark.handed_in(13)
    assert mark.value == 10
    mark.handed_in(11)
    assert mark.value == 13


def test_a_message_that_came_twice_is_waited_for_twice() -> None:
    mark = Mark()
    mark.reach(1)
    mark.take(5)
    mark.take(5)
    mark.handed_in(5)
    assert mark.value == 4
    mark.handed_in(5)
    assert mark.value == 5


def test_a_lost_message_holds_it_until_its_channel_was_read_again() -> None:
    mark = Mark()
    mark.reach(10)
    mark.take(20)
    mark.lost(20, place=1)
    mark.take(30)
    mark.handed_in(30)
    assert mark.value == 19
    mark.open_gap(1, 25)
    assert mark.gaps == {1: 19}
    mark.close_gap(1)
    assert mark.value == 30
    mark.close_gap(1)


@given(st.lists(st.tuples(st.integers(1, 50), st.booleans()), max_size=30))
def test_it_never_passes_what_waits_or_was_lost(events: list[tuple[int, bool]]) -> None:
    mark = Mark()
    open_: list[tuple[int, bool]] = []
    lost: list[int] = []
    for number, handed in events:
        mark.take(number)
        open_.append((number, handed))
    while open_:
        assert all(mark.value < number for number, _ in open_)
        assert all(mark.value < number for number in lost)
        number, handed = open_.pop(len(open_) // 2)
        if handed:
            mark.handed_in(number)
        else:
            mark.lost(number, place=number)
            lost.append(number)
    assert all(mark.value < number for number in lost)
    if events and not lost:
        assert mark.value == max(number for number, _ in events)


def test_what_may_be_missing_in_a_place_begins_at_its_gap_or_else_at_the_mark() -> None:
    mark = Mark()
    mark.reach(100)
    assert mark.missing_after(1) == 100
    mark.open_gap(1, 40)
    mark.open_gap(2, 60)
    assert (mark.missing_after(1), mark.missing_after(2), mark.missing_after(3)) == (40, 60, 40)
