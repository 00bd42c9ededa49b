"""What every backend that asks a server must survive, down to the bytes. Bound once per backend in `test_<name>_wire.py`:

    @pytest.fixture
    def dialect() -> Dialect: ...     # how the backend's server spells things

    class TestDifyWire(WireContract): ...

The server is `tests.contracts.wire.WireServer`: it says what a test wrote down, and counts questions, connections and bytes.
"""

import asyncio
import tracemalloc
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from datetime import timedelta

import pytest

from bridge.backend_api import AnswerStarted, TextDelta, TextReplaced
from bridge.errors import BackendBusy, BackendCut, BackendFailed, BackendMisconfigured, BackendTimeout
from tests.contracts.dialects import (
    KEY,
    MIB,
    PATIENCE,
    PROXY_PAGE,
    SECRET,
    Dialect,
    Heard,
    Limits,
    hear,
    question,
    reads_well,
)
from tests.contracts.wire import JSON, PAGE, Break, Flood, Hang, Pause, Said, Step, WireServer, listening

BUFFERS = 12 * MIB
"""What the two ends of a connection on this machine may hold besides what was read."""


class WireContract:
    @pytest.fixture
    async def server(self, dialect: Dialect) -> AsyncIterator[WireServer]:
        async with listening(WireServer(dialect.path, dialect.others())) as server:
            yield server

    async def once(self, dialect: Dialect, server: WireServer, steps: Sequence[Step], **limits: float) -> Heard:
        """Asks a new backend once, and sees to it that nothing of that is left open."""
        server.answer = Said(steps=steps)
        return await self._hear_once(dialect, server, **limits)

    async def _hear_once(self, dialect: Dialect, server: WireServer, **limits: float) -> Heard:
        backend = dialect.make_backend(server.origin, KEY, Limits(**limits))  # type: ignore[arg-type]  # ints among floats
        try:
            return await hear(backend)
        finally:
            await backend.close()
            await server.until(lambda: server.open == 0)

    # What arrives

    async def test_an_answer_may_be_cut_at_every_byte(self, dialect: Dialect, server: WireServer) -> None:
        text = "Grüße \U0001f468\u200d\U0001f469\u200d\U0001f467 世界"
        body = dialect.said(text) + dialect.ended()
        backend = dialect.make_backend(server.origin, KEY, Limits())
        try:
            for cut in range(1, len(body)):
                server.answer = Said(steps=[body[:cut], Pause(0.001), body[cut:]])
                heard = await hear(backend)
                assert (heard.text, heard.whole) == (text, True), f"cut after {cut} bytes"
        finally:
            await backend.close()

    async def test_an_answer_may_come_byte_by_byte(self, dialect: Dialect, server: WireServer) -> None:
        body = dialect.ping() + dialect.said("Grüße ") + dialect.said("世界") + dialect.ended()

        heard = await self.once(dialect, server, [bytes([byte]) for byte in body])

        assert (heard.text, heard.whole) == ("Grüße 世界", True)

    async def test_an_answer_may_come_all_at_once(self, dialect: Dialect, server: WireServer) -> None:
        body = dialect.ping() + dialect.said("one ") + dialect.said("two") + dialect.ended()

        heard = await self.once(dialect, server, [body])

        assert (heard.text, heard.whole) == ("one two", True)
        assert isinstance(heard.events[0], AnswerStarted)

    async def test_line_ends_may_be_those_of_another_system(self, dialect: Dialect, server: WireServer) -> None:
        body = dialect.said("one ") + dialect.said("two") + dialect.ended()

        heard = await self.once(dialect, server, [body.replace(b"\n", b"\r\n")])

        assert (heard.text, heard.whole) == ("one two", True)

    async def test_a_line_of_ten_megabytes_is_read(self, dialect: Dialect, server: WireServer) -> None:
        steps = [dialect.said("before "), dialect.bulk(10 * MIB), dialect.said("after"), dialect.ended()]

        heard = await self.once(dialect, server, steps)

        assert (heard.text, heard.whole) == ("before after", True)

    async def test_an_answer_of_two_megabytes_arrives_whole(self, dialect: Dialect, server: WireServer) -> None:
        piece = "A line of the answer, and one more word.\n" * 50
        count = 2 * MIB // len(piece) + 1

        heard = await self.once(dialect, server, [dialect.said(piece) * count, dialect.ended()])

        assert heard.whole
        assert heard.text.split() == (piece * count).split()

    async def test_text_comes_before_the_next_is_said(self, dialect: Dialect, server: WireServer) -> None:
        server.answer = Said(steps=[dialect.said("first of many words "), dialect.said("second "), Hang()])
        backend = dialect.make_backend(server.origin, KEY, Limits())
        try:
            async with asyncio.timeout(PATIENCE), aclosing(backend.answer(question())) as stream:
                async for event in stream:
                    if isinstance(event, TextDelta | TextReplaced) and "first" in event.text:
                        break
        finally:
            await backend.close()

    # What never ends

    async def test_a_line_without_an_end_is_given_up_in_bounded_memory(
        self, dialect: Dialect, server: WireServer
    ) -> None:
        flood = Flood(b"x" * 65536)
        tracemalloc.start()
        try:
            heard = await self.once(dialect, server, [dialect.said("kept "), b"data: ", flood], largest_event=2 * MIB)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()

        assert heard.text == "kept "
        assert isinstance(heard.error, BackendFailed)
        assert reads_well(heard.error)
        assert server.sent < 2 * MIB + BUFFERS
        assert peak < 2 * MIB + BUFFERS
        assert server.asked == 1

    async def test_a_reply_without_an_end_is_given_up_in_bounded_memory(
        self, dialect: Dialect, server: WireServer
    ) -> None:
        server.answer = Said(headers=JSON, steps=[b'{"answer": "', Flood(b"x" * 65536)])

        heard = await self._hear_once(dialect, server, largest_event=2 * MIB)

        assert reads_well(heard.error)
        assert server.sent < 2 * MIB + BUFFERS

    async def test_a_refusal_without_an_end_is_given_up_in_bounded_memory(
        self, dialect: Dialect, server: WireServer
    ) -> None:
        server.answer = Said(status=502, headers=PAGE, steps=[Flood(PROXY_PAGE * 100)])

        heard = await self._hear_once(dialect, server)

        assert reads_well(heard.error)
        assert server.sent < MIB + BUFFERS

    async def test_signs_of_life_without_an_end_are_given_up(self, dialect: Dialect, server: WireServer) -> None:
        steps: list[Step] = [dialect.said("kept "), Flood(dialect.ping(), pause=0.05)]

        heard = await self.once(dialect, server, steps, idle=0.6, progress=1.2)

        assert heard.text == "kept "
        assert isinstance(heard.error, BackendTimeout)
        assert reads_well(heard.error)
        assert (server.left, server.asked) == (1, 1)

    async def test_signs_of_life_keep_a_slow_answer_alive(self, dialect: Dialect, server: WireServer) -> None:
        steps: list[Step] = [dialect.ping(), Pause(0.1)] * 6
        steps += [dialect.said("slow"), dialect.ended()]

        heard = await self.once(dialect, server, steps, idle=1.5, progress=5.0)

        assert (heard.text, heard.whole) == ("slow", True)

    @pytest.mark.parametrize("begun", [True, False], ids=["in an answer", "before it"])
    async def test_silence_is_given_up(self, dialect: Dialect, server: WireServer, begun: bool) -> None:
        steps: list[Step] = [dialect.said("kept "), Hang()] if begun else [Hang()]

        heard = await self.once(dialect, server, steps, idle=0.6, progress=1.2)

        assert heard.text == ("kept " if begun else "")
        assert isinstance(heard.error, BackendTimeout)
        assert reads_well(heard.error)
        assert (server.left, server.asked) == (1, 1)

    # What breaks off

    @pytest.mark.parametrize("ending", [Break(), b""], ids=["breaks", "ends"])
    async def test_a_stream_that_stops_within_an_event_keeps_what_came(
        self, dialect: Dialect, server: WireServer, ending: Step
    ) -> None:
        torn = dialect.said("never shown")
        heard = await self.once(dialect, server, [dialect.said("kept "), torn[: len(torn) // 2], ending])

        assert heard.text == "kept "
        assert isinstance(heard.error, BackendCut)
        assert reads_well(heard.error)

    @pytest.mark.parametrize(
        "steps", [(Break(),), (Pause(0.05), Break()), (b"\n", Break())], ids=["at once", "soon", "after the head"]
    )
    async def test_a_question_that_may_have_arrived_is_asked_once(
        self, dialect: Dialect, server: WireServer, steps: Sequence[Step]
    ) -> None:
        heard = await self.once(dialect, server, steps)

        assert isinstance(heard.error, BackendCut)
        assert heard.error.accepted
        assert server.asked == 1

    @pytest.mark.parametrize("body", [b'{"answer": "half of', b"", b"[]", b"null", b"\xff\xfe"])
    async def test_a_reply_that_is_no_whole_json_is_no_answer(
        self, dialect: Dialect, server: WireServer, body: bytes
    ) -> None:
        server.answer = Said(headers=JSON, steps=[body])

        heard = await self._hear_once(dialect, server)

        assert heard.text == ""
        assert reads_well(heard.error)
        assert server.asked == 1

    # What is no answer

    @pytest.mark.parametrize("status", [200, 400, 404, 500, 502, 503])
    async def test_a_page_of_a_proxy_is_no_answer(self, dialect: Dialect, server: WireServer, status: int) -> None:
        server.answer = Said(status=status, headers=PAGE, steps=[PROXY_PAGE])

        heard = await self._hear_once(dialect, server)

        assert heard.text == ""
        assert reads_well(heard.error)
        assert server.asked == 1
        assert "gateway" not in str(heard.error)

    async def test_a_redirect_is_not_followed_with_the_key(self, dialect: Dialect, server: WireServer) -> None:
        async with listening(WireServer(dialect.path)) as other:
            headers = {**PAGE, "Location": other.origin + dialect.path}
            server.answer = Said(status=307, headers=headers)

            heard = await self._hear_once(dialect, server)

        assert isinstance(heard.error, BackendMisconfigured)
        assert reads_well(heard.error)
        assert other.called == []

    @pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 413, 415, 422, 429, 500, 502, 503])
    async def test_every_refusal_is_told_in_a_sentence_of_ours(
        self, dialect: Dialect, server: WireServer, status: int
    ) -> None:
        server.answer = Said(status=status, headers=JSON, steps=[dialect.refused(status, SECRET)])

        heard = await self._hear_once(dialect, server)

        assert reads_well(heard.error)
        assert heard.error is not None
        assert heard.error.accepted or status < 500 or status == 503
        assert not heard.error.accepted or status >= 500
        assert isinstance(heard.error, BackendMisconfigured) or status not in (401, 403)
        assert server.asked == 1

    async def test_one_question_too_many_says_when_to_come_again(self, dialect: Dialect, server: WireServer) -> None:
        server.answer = Said(
            status=429, headers={**JSON, "Retry-After": "7"}, steps=[dialect.refused(429, "slow down")]
        )

        heard = await self._hear_once(dialect, server)

        assert isinstance(heard.error, BackendBusy)
        assert heard.error.retry_after == timedelta(seconds=7)
        assert not heard.error.accepted

    async def test_a_failure_in_the_stream_keeps_what_came_and_hides_whose_it_is(
        self, dialect: Dialect, server: WireServer
    ) -> None:
        heard = await self.once(dialect, server, [dialect.said("kept "), dialect.failed(SECRET)])

        assert heard.text == "kept "
        assert reads_well(heard.error)
        assert heard.error is not None
        assert heard.error.accepted
        assert server.asked == 1

    # Connections

    async def test_cancelling_before_the_first_byte_closes_the_connection(
        self, dialect: Dialect, server: WireServer
    ) -> None:
        server.answer = Said(steps=[Hang()])
        backend = dialect.make_backend(server.origin, KEY, Limits(most=1))
        try:
            for count in range(1, 4):
                asking = asyncio.create_task(hear(backend))
                await server.until(lambda count=count: server.asked == count)  # type: ignore[misc]  # a default argument, which mypy does not see in a lambda
                asking.cancel()
                await asyncio.gather(asking, return_exceptions=True)
                await server.until(lambda count=count: server.left == count)  # type: ignore[misc]  # a default argument, which mypy does not see in a lambda
        finally:
            await backend.close()

    async def test_no_more_connections_than_there_are_places(self, dialect: Dialect, server: WireServer) -> None:
        server.answer = Said(steps=[dialect.said("word "), Hang()])
        backend = dialect.make_backend(server.origin, KEY, Limits(most=2))
        asking = [asyncio.create_task(hear(backend)) for _ in range(5)]
        try:
            await server.until(lambda: server.asked == 2)
            asking[0].cancel()
            await server.until(lambda: server.asked == 3)
            assert backend.capacity == 2
            assert server.most_open <= 3  # the one that is just leaving, and its successor
        finally:
            for task in asking:
                task.cancel()
            await asyncio.gather(*asking, return_exceptions=True)
            await backend.close()

    async def test_every_kind_of_ending_gives_its_place_back(self, dialect: Dialect, server: WireServer) -> None:
        backend = dialect.make_backend(server.origin, KEY, Limits(most=1, idle=0.6, progress=1.0))
        endings = [
            Said(steps=[dialect.said("a"), Break()]),
            Said(steps=[dialect.said("a"), Hang()]),
            Said(steps=[dialect.said("a"), dialect.failed("x")]),
            Said(steps=[Break()]),
            Said(status=429, headers=JSON, steps=[dialect.refused(429, "x")]),
            Said(status=502, headers=PAGE, steps=[PROXY_PAGE]),
            Said(headers=JSON, steps=[b"{"]),
        ]
        try:
            for ending in endings:
                server.answer = ending
                assert (await hear(backend)).error is not None
            server.answer = Said(steps=[dialect.said("free"), dialect.ended()])
            assert (await hear(backend)).text == "free"
        finally:
            await backend.close()
        await server.until(lambda: server.open == 0)

    async def test_nothing_that_is_raised_spells_the_key(self, dialect: Dialect, server: WireServer) -> None:
        answers = [
            Said(status=401, headers=JSON, steps=[dialect.refused(401, "no")]),
            Said(status=302, headers={**PAGE, "Location": "/login"}),
            Said(steps=[Break()]),
        ]
        for answer in answers:
            server.answer = answer
            heard = await self._hear_once(dialect, server)
            error: BaseException | None = heard.error
            while error is not None:
                assert KEY not in f"{error} {error!r}"
                error = error.__cause__
