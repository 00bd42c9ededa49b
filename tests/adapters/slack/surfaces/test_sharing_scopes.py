"""Whether others read along: known with no more than what the printed manifest asks for."""

from adapters.slack.installs.scopes import AppFeature, needed_scopes
from bridge.events import MessageReceived
from tests.adapters.slack.surfaces.hall import Hall


async def test_the_scopes_of_the_manifest_tell_that_a_channel_is_shared(hall: Hall) -> None:
    hall.server.add_stranger("C0GENERAL", "Eve")
    hall.server.add_stranger("G0PRIVATE", "Mallory")
    hall.server.scopes = [need.name for need in needed_scopes(frozenset(AppFeature))]
    for number, channel in enumerate(["C0GENERAL", "G0PRIVATE", "C0SUPPORT"], start=1):
        await hall.server.command("U0ADA", channel, "/ask", f"in {channel}")
        await hall.next(MessageReceived, number)
    assert [event.is_external for event in hall.heard(MessageReceived)] == [True, True, False]
