"""Places at a server: handed on in order, and none is ever lost."""

import asyncio

from bridge.places import Places


def nothing(_: int) -> None:
    pass


class Guest:
    """Comes for a place and keeps it until told to leave."""

    def __init__(self, places: Places) -> None:
        self.leaves = asyncio.Event()
        self.has_place = False
        self._places = places
        self.task = asyncio.ensure_future(self._visit())

    async def _visit(self) -> None:
        async with self._places.take("server", nothing):
            self.has_place = True
            await self.leaves.wait()


async def until_quiet() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_a_place_given_back_just_as_the_next_in_line_gives_up_is_not_lost() -> None:
    places = Places({"server": 1})
    first, second, third = Guest(places), Guest(places), Guest(places)
    await until_quiet()
    # In this order both see the line as it was before the other.
    first.leaves.set()
    first.task.cancel()
    second.task.cancel()
    await asyncio.gather(first.task, second.task, return_exceptions=True)
    await until_quiet()
    assert third.has_place
    third.leaves.set()
    await third.task
    late = Guest(places)
    await until_quiet()
    assert late.has_place
    late.leaves.set()
    await late.task


async def test_a_place_that_is_given_up_as_it_is_given_goes_to_the_next() -> None:
    places = Places({"server": 1})
    first, second, third = Guest(places), Guest(places), Guest(places)
    await until_quiet()
    first.leaves.set()
    await first.task
    second.task.cancel()
    await asyncio.gather(second.task, return_exceptions=True)
    await until_quiet()
    assert third.has_place
    third.leaves.set()
    await third.task
