"""What the page's visitor does in Slack besides writing: commands, shortcuts, modals, the Home tab, Slack's own Stop."""

from typing import assert_never

from bridge.playground.bodies import BadBody
from bridge.playground.slack import SlackServer
from bridge.playground.slack_bodies import (
    Close,
    Command,
    Look,
    PressInView,
    Shortcut,
    SlackAct,
    StopSession,
    Submit,
)
from bridge.playground.view import mention_bot


async def use_slack(server: SlackServer, act: SlackAct) -> None:
    """Raises `BadBody`. What the app makes of it is seen later."""
    if act.person not in server.people:
        raise BadBody("That person is not in this Slack workspace.")
    try:
        match act:
            case Command():
                text = mention_bot(act.text, f"<@{server.bot_user_id}>")
                await server.command(act.person, act.channel, act.name, text, act.thread)
            case Shortcut():
                await server.shortcut(act.person, act.shortcut, act.channel, act.message)
            case PressInView():
                await server.press_in_view(act.person, act.view, act.button, act.value)
            case Submit():
                await server.submit_view(act.person, act.view, act.values)
            case Close():
                await server.close_view(act.person, act.view)
            case Look(tab="messages"):
                await server.open_dm(act.person)
            case Look():
                await server.open_home(act.person, act.tab)
            case StopSession():
                await server.stop_session(act.person, act.channel, act.thread)
            case _:
                assert_never(act)
    except ValueError as error:
        raise BadBody(f"Slack refuses this: {error}.") from error
