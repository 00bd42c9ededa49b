"""How the stand-in spells what somebody did with the app's controls: interaction payloads and the fields of a command. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from bridge.playground.slack.events import APP_ID, VERIFICATION_TOKEN, wire_message
from bridge.playground.slack.model import Channel, JsonObject, Message, Person, Team
from bridge.playground.slack.surfaces import Ephemeral

_CHANNEL_NAMES = {"im": "directmessage", "group": "privategroup", "mpim": "privategroup"}
"""What stands for the name of a channel that not everybody may know (Slack's page on interaction payloads shows both)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who did it where, and what the app may do about it."""

    person: Person
    team: Team
    trigger_id: str
    at: str
    """When, as a Slack timestamp."""


def carrier(payload: Mapping[str, object]) -> Literal["events_api", "interactive", "slash_commands"]:
    """The kind of envelope that it travels in."""
    match payload.get("type"):
        case "block_actions" | "message_action" | "view_submission" | "view_closed":
            return "interactive"
        case None:
            return "slash_commands"
        case _:
            return "events_api"


def takes_answer(payload: Mapping[str, object]) -> bool:
    """Whether the acknowledgement may say something. Seen in bolt-python issue 772: not that of a shortcut."""
    return "command" in payload or payload.get("type") == "view_submission"


def channel_name(channel: Channel) -> str:
    return _CHANNEL_NAMES.get(channel.kind, channel.name)


def message_press(
    actor: Actor, message: Message | Ephemeral, channel: Channel, action: JsonObject, response_url: str
) -> JsonObject:
    """Of what only one person sees, a press tells where it stood but not what it said."""
    container: JsonObject = {
        "type": "message",
        "message_ts": message.ts,
        "channel_id": channel.id,
        "is_ephemeral": isinstance(message, Ephemeral),
    }
    if message.thread_ts:
        container["thread_ts"] = message.thread_ts
    payload: JsonObject = {
        "type": "block_actions",
        **_common(actor),
        "container": container,
        "trigger_id": actor.trigger_id,
        "channel": {"id": channel.id, "name": channel_name(channel)},
        "state": {"values": {}},
        "response_url": response_url,
        "actions": [{**action, "action_ts": actor.at}],
    }
    return payload | {"message": wire_message(message)} if isinstance(message, Message) else payload


def view_press(actor: Actor, view: JsonObject, action: JsonObject) -> JsonObject:
    """A press on a modal or the Home tab: no message, no channel, no response_url."""
    return {
        "type": "block_actions",
        **_common(actor),
        "container": {"type": "view", "view_id": view["id"]},
        "trigger_id": actor.trigger_id,
        "view": view,
        "actions": [{**action, "action_ts": actor.at}],
    }


def message_shortcut(
    actor: Actor, callback_id: str, message: Message, channel: Channel, response_url: str
) -> JsonObject:
    return {
        "type": "message_action",
        **_common(actor),
        "action_ts": actor.at,
        "callback_id": callback_id,
        "trigger_id": actor.trigger_id,
        "channel": {"id": channel.id, "name": channel_name(channel)},
        "message_ts": message.ts,
        "message": wire_message(message),
        "response_url": response_url,
    }


def view_submission(actor: Actor, view: JsonObject) -> JsonObject:
    """`view` with its state. Docs name response_urls for modals that ask for a channel; those do not exist here."""
    return {
        "type": "view_submission",
        **_common(actor),
        "trigger_id": actor.trigger_id,
        "view": view,
        "response_urls": [],
    }


def view_closed(actor: Actor, view: JsonObject, *, is_cleared: bool) -> JsonObject:
    return {"type": "view_closed", **_common(actor), "view": view, "is_cleared": is_cleared}


def slash_command(actor: Actor, channel: Channel, command: str, text: str, response_url: str) -> JsonObject:
    """The fields of the form. All of them are strings, also the one that looks like a flag."""
    team = actor.team
    fields: JsonObject = {
        "token": VERIFICATION_TOKEN,
        "team_id": team.id,
        "team_domain": team.domain,
        "channel_id": channel.id,
        "channel_name": channel_name(channel),
        "user_id": actor.person.id,
        "user_name": actor.person.name.lower(),
        "command": command,
        "text": text,
        "api_app_id": APP_ID,
        "is_enterprise_install": "true" if team.org_wide else "false",
        "response_url": response_url,
        "trigger_id": actor.trigger_id,
    }
    if team.enterprise_id is not None:
        fields |= {"enterprise_id": team.enterprise_id, "enterprise_name": team.enterprise_name}
    return fields


def _common(actor: Actor) -> JsonObject:
    """Docs: the team is null where the app is installed for the whole organisation; the person's own stands with the person."""
    person, team = actor.person, actor.team
    name = person.name.lower()
    workspace: JsonObject = {"id": team.id, "domain": team.domain}
    if team.enterprise_id is not None:
        workspace |= {"enterprise_id": team.enterprise_id, "enterprise_name": team.enterprise_name}
    return {
        "user": {"id": person.id, "username": name, "name": name, "team_id": person.team_id or team.id},
        "api_app_id": APP_ID,
        "token": VERIFICATION_TOKEN,
        "team": None if team.org_wide else workspace,
        "enterprise": team.enterprise,
        "is_enterprise_install": team.org_wide,
    }
