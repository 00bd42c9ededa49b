"""Whom a question names, from a person's message to the request that shows the answer, through the real bridge."""

from pathlib import Path

import pytest

from bridge.playground.dify.script import Reply
from tests.integration.seats import playing

WRITES = {("POST", "/channels/{channel_id}/messages"), ("PATCH", "/channels/{channel_id}/messages/{message_id}")}


async def test_on_discord_each_write_allows_exactly_the_people_whom_the_question_named(tmp_path: Path) -> None:
    async with playing(tmp_path) as play:
        server, seat = play.stage.discord, play.seats["discord"]
        play.dify.script = lambda _: Reply(
            tokens=[*(f"word{number} " for number in range(100)), f"<@{server.linus}> @everyone end"], per_token=0.02
        )
        thread = await seat.ask(f"ask <@{server.grace}> and @everyone")
        await play.answered(seat, thread, "end")
        allowed = [
            call.body["allowed_mentions"]
            for call in server.calls
            if (call.method, call.route) in WRITES and call.body is not None
        ]
        assert len(allowed) >= 2, "the post and its edits"
        for one in allowed:
            assert isinstance(one, dict)
            assert (one["parse"], one["users"]) == ([], [int(server.grace)])
        assert seat.pings() == 0

        calls = len(server.calls)
        await seat.say(thread, "and now nobody")
        await play.answered(seat, thread, "end", count=2)
        later = [call.body for call in server.calls[calls:] if (call.method, call.route) in WRITES]
        assert later
        assert all(body is not None and "users" not in str(body["allowed_mentions"]) for body in later)


@pytest.mark.parametrize("name", ["slack", "discord"])
async def test_what_the_model_mentions_is_live_for_the_people_named_in_the_question_alone(
    tmp_path: Path, name: str
) -> None:
    async with playing(tmp_path) as play:
        seat = play.seats[name]
        discord = play.stage.discord
        grace, linus = ("U0GRACE", "U0LINUS") if name == "slack" else (discord.grace, discord.linus)
        words = [f"<@{linus}> ", "<", "@", f"{grace}", "> ", "`<@", f"{grace}>` ", "<!channel> @everyone ", "end"]
        play.dify.script = lambda _: Reply(tokens=words, per_token=0.2)
        thread = await seat.ask(f"please ask <@{grace}>")
        (text,) = await play.answered(seat, thread, "end")
        assert f"<@{grace}>" in text
        assert f"<@{linus}>" not in text
        pings = play.stage.slack.pings if name == "slack" else discord.pings
        assert {what.strip("<@!>") for _, what in pings} == {grace}

        before = seat.pings()
        await seat.say(thread, "and now nobody")
        first, second = await play.answered(seat, thread, "end", count=2)
        assert f"<@{grace}>" in first
        assert f"<@{grace}>" not in second
        assert seat.pings() == before
