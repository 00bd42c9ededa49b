"""Socket Mode: what is sent, to whom, and how often."""

import asyncio
from contextlib import AsyncExitStack

import pytest
from aiohttp import ClientSession, WSServerHandshakeError
from slack_sdk.web.async_client import AsyncWebClient

from bridge.playground.slack import SlackServer
from tests.playground.slack.peers import MENTION, SOON, bare_socket, bolt_on_sockets, web_client


async def test_hello_counts_connections_and_names_their_lifetime(server: SlackServer) -> None:
    async with bare_socket(server), bare_socket(server, hello=False) as second:
        hello = await second.receive()
        assert (hello["type"], hello["num_connections"]) == ("hello", 2)
        assert hello["debug_info"]["approximate_connection_time"] > 0  # type: ignore[index]


async def test_bolt_acknowledges_an_event_once_it_has_it(server: SlackServer) -> None:
    async with bolt_on_sockets(server) as heard:
        ts = await server.post_as("U0ADA", "C0GENERAL", "hello")
        await server.idle(SOON)
        assert heard.retries == ["0"]
        assert heard.events[0]["ts"] == ts
    [delivery] = server.deliveries
    assert (delivery.type, delivery.attempts, delivery.outcome) == ("message", 1, "acked")
    assert delivery.acked_at is not None


async def test_an_envelope_without_acknowledgement_comes_again_under_the_same_event_id(server: SlackServer) -> None:
    async with bolt_on_sockets(server, answer=500) as heard:
        await server.post_as("U0ADA", "C0GENERAL", "hello")
        await server.idle(SOON)
        assert heard.retries == ["0", "1", "2", "3"]
        assert len({str(body["event_id"]) for body in heard.bodies}) == 1
    assert (server.deliveries[0].attempts, server.deliveries[0].outcome) == (4, "gave_up")


async def test_retries_carry_a_number_and_a_reason_in_a_new_envelope(server: SlackServer) -> None:
    async with bare_socket(server) as socket:
        await server.post_as("U0ADA", "C0GENERAL", "hello")
        first, second = await socket.receive(), await socket.receive()
        assert (first["retry_attempt"], first["retry_reason"]) == (0, "")
        assert (second["retry_attempt"], second["retry_reason"]) == (1, "timeout")
        assert first["envelope_id"] != second["envelope_id"]
        assert first["payload"] == second["payload"]
        await socket.ack(first)  # too late
        await socket.ack(second)
        await server.idle(SOON)
        assert (server.deliveries[0].attempts, server.deliveries[0].outcome) == (2, "acked")


@pytest.mark.parametrize("answer", ["", "ok", "[]", '{"envelope_id": "other"}', '{"envelope_id": 1}'])
async def test_only_the_right_envelope_id_acknowledges(server: SlackServer, answer: str) -> None:
    server.retry_schedule = ()
    server.ack_timeout = 0.1
    async with bare_socket(server) as socket:
        await server.post_as("U0ADA", "C0GENERAL", "hello")
        await socket.receive()
        await socket.socket.send_str(answer)
        await server.idle(SOON)
    assert server.deliveries[0].outcome == "gave_up"


async def test_an_event_while_nobody_is_connected_waits_for_its_retry(server: SlackServer) -> None:
    server.retry_schedule = (0.0, 1.0)
    await server.post_as("U0ADA", "C0GENERAL", "hello")
    async with bolt_on_sockets(server) as heard:
        await server.idle(SOON)
        assert heard.retries == ["2"]


async def test_a_connection_cut_before_the_acknowledgement_brings_the_event_again_at_once(server: SlackServer) -> None:
    server.ack_timeout = 60
    server.retry_schedule = (0.05, 0.05, 0.05)
    async with bare_socket(server) as first:
        await server.post_as("U0ADA", "C0GENERAL", "hello")
        await first.receive()
        async with bare_socket(server) as second:
            await first.socket.close()
            again = await second.receive()
            assert again["retry_attempt"] == 1
            await second.ack(again)
            await server.idle(SOON)


async def test_an_event_goes_to_one_of_the_connections_and_to_none_twice(server: SlackServer) -> None:
    async with bolt_on_sockets(server) as one, bolt_on_sockets(server) as other:
        for number in range(12):
            await server.post_as("U0ADA", "C0GENERAL", str(number))
        await server.idle(SOON)
        assert len(one.bodies) + len(other.bodies) == 12
        assert one.bodies
        assert other.bodies


async def test_an_eleventh_connection_is_sent_away(server: SlackServer) -> None:
    async with AsyncExitStack() as stack:
        for _ in range(10):
            await stack.enter_async_context(bare_socket(server))
        late = await stack.enter_async_context(bare_socket(server, hello=False))
        goodbye = await late.receive()
        assert (goodbye["type"], goodbye["reason"]) == ("disconnect", "too_many_websockets")
        assert await late.closed()
        assert server.open_sockets == 10


async def test_a_ticket_opens_one_connection(server: SlackServer, client: AsyncWebClient) -> None:
    url = (await client.apps_connections_open(app_token=server.app_token))["url"]
    async with ClientSession() as session, session.ws_connect(url):
        with pytest.raises(WSServerHandshakeError):
            await session.ws_connect(url)
        with pytest.raises(WSServerHandshakeError):
            await session.ws_connect(url.partition("?")[0])


async def test_bolt_takes_a_new_connection_when_slack_refreshes_its_own(server: SlackServer) -> None:
    async with bolt_on_sockets(server) as heard:
        await server.disconnect_sockets("refresh_requested")
        await server.post_as("U0ADA", "C0GENERAL", "hello")
        await server.idle(SOON)
        assert len(heard.bodies) == 1
        assert [call.method for call in server.calls].count("apps.connections.open") == 2


async def test_a_connection_that_was_told_to_go_gets_no_more_events(server: SlackServer) -> None:
    server.sockets.disconnect_grace = 60
    async with bare_socket(server) as old:
        leaving = asyncio.create_task(server.disconnect_sockets("refresh_requested"))
        assert (await old.receive())["reason"] == "refresh_requested"
        async with bolt_on_sockets(server) as heard:
            for number in range(8):
                await server.post_as("U0ADA", "C0GENERAL", str(number))
            await server.idle(SOON)
            assert heard.retries == ["0"] * 8
        await old.socket.close()
        await leaving


async def test_a_warning_leaves_the_connection_standing_and_link_disabled_closes_it(server: SlackServer) -> None:
    async with bare_socket(server) as socket:
        await server.disconnect_sockets("warning")
        assert (await socket.receive())["reason"] == "warning"
        assert server.open_sockets == 1
        server.sockets.disconnect_grace = 0.05
        await asyncio.gather(server.disconnect_sockets("link_disabled"), _until_closed(socket.receive, socket.closed))
        assert server.open_sockets == 0


async def test_goodbye_may_be_said_on_one_of_several_connections(server: SlackServer) -> None:
    server.sockets.disconnect_grace = 0.05
    async with bare_socket(server) as oldest, bare_socket(server) as newest:
        await asyncio.gather(
            server.disconnect_sockets("link_disabled", which=-1), _until_closed(newest.receive, newest.closed)
        )
        assert server.open_sockets == 1
        await server.post_as("U0ADA", "C0GENERAL", "hello")
        await oldest.ack(await oldest.receive())
        await server.idle(SOON)
        with pytest.raises(IndexError):
            await server.disconnect_sockets("warning", which=1)


async def _until_closed(receive: object, closed: object) -> None:
    assert (await receive())["reason"] == "link_disabled"  # type: ignore[operator]
    assert await closed()  # type: ignore[operator]


async def test_bolt_comes_back_after_an_abrupt_cut_once_connections_are_taken_again(server: SlackServer) -> None:
    server.retry_schedule = (0.0, 0.2, 1.0)
    async with bolt_on_sockets(server) as heard:
        server.refuse_sockets = True
        server.drop_sockets()
        await server.post_as("U0ADA", "C0GENERAL", "hello")
        server.refuse_sockets = False
        await heard.until(lambda: len(heard.bodies) == 1)
        await server.idle(SOON)
        assert int(heard.retries[0]) > 0


async def test_refused_connections_get_a_503(server: SlackServer) -> None:
    server.refuse_sockets = True
    url = (await web_client(server).apps_connections_open(app_token=server.app_token))["url"]
    async with ClientSession() as session:
        with pytest.raises(WSServerHandshakeError, match="503"):
            await session.ws_connect(url)
    assert server.open_sockets == 0


async def test_a_doubled_event_arrives_twice_with_one_event_id(server: SlackServer) -> None:
    server.faults.duplicate_events = True
    async with bolt_on_sockets(server) as heard:
        await server.post_as("U0ADA", "C0GENERAL", "hello")
        await server.idle(SOON)
        assert heard.retries == ["0", "0"]
        assert heard.bodies[0] == heard.bodies[1]
    assert len(server.deliveries) == 1


async def test_an_event_can_be_delivered_once_more_as_a_retry(server: SlackServer) -> None:
    async with bolt_on_sockets(server) as heard:
        await server.post_as("U0ADA", "C0GENERAL", f"{MENTION} hello")
        await server.idle(SOON)
        again = server.deliveries[1].event_id
        assert await server.redeliver(again)
        assert (heard.bodies[-1]["event_id"], heard.retries[-1]) == (again, "1")
    with pytest.raises(KeyError):
        await server.redeliver("Ev0")


async def test_events_out_of_order_swap_places_and_the_last_one_still_comes(server: SlackServer) -> None:
    server.faults.out_of_order = True
    async with bare_socket(server) as socket:
        for text in ("1", "2", "3"):
            await server.post_as("U0ADA", "C0GENERAL", text)
        seen = []
        for _ in range(3):
            envelope = await socket.receive()
            await socket.ack(envelope)
            seen.append(envelope["payload"]["event"]["text"])  # type: ignore[index]
        await server.idle(SOON)
    assert seen == ["2", "1", "3"]


async def test_idle_says_when_events_are_still_under_way(server: SlackServer) -> None:
    server.retry_schedule = (60.0,)
    await server.post_as("U0ADA", "C0GENERAL", "hello")
    with pytest.raises(TimeoutError):
        await server.idle(0.05)
