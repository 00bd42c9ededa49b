"""What people do with the app's own controls: commands, shortcuts, buttons, menus, modals.

All are told to the app once. What becomes of them stands in the `Act` that each returns.
"""

import re
from collections.abc import Mapping

from bridge.playground.slack import payloads
from bridge.playground.slack.content import escape_loose
from bridge.playground.slack.entries import MENUS, choose, fields_of, read_entries
from bridge.playground.slack.events import APP_ID
from bridge.playground.slack.interactions import Interactions, ShownButton, buttons_in, options_in
from bridge.playground.slack.model import Act, Channel, JsonObject, Message, Refusal
from bridge.playground.slack.people import People
from bridge.playground.slack.responses import Reply, Responses, answer
from bridge.playground.slack.surfaces import Ephemeral
from bridge.playground.slack.views import View
from bridge.playground.slack.workspace import Workspace

_PERSON = re.compile(r"<@([UW][A-Z0-9]+)>")
_CHANNEL = re.compile(r"<#([CG][A-Z0-9]+)>")


class Acts(People):
    """As `People`: acts by id, and `ValueError` for what a client would not offer."""

    _interactions: Interactions
    _responses: Responses
    commands: dict[str, bool]
    shortcuts: set[str]

    @property
    def acts(self) -> list[Act]:
        """Everything that was done with the app's controls, oldest first."""
        return self._interactions.record

    @property
    def presses(self) -> list[Act]:
        """The presses of buttons and choices from menus among the acts."""
        return [act for act in self._interactions.record if act.kind == "block_actions"]

    async def command(
        self, user_id: str, channel_id: str, name: str, text: str = "", thread_ts: str | None = None
    ) -> Act:
        """Types a command that the app's manifest has, wherever the person is, the bot there or not. Not in threads."""
        workspace, channel = self._place(channel_id)
        if thread_ts is not None:
            raise ValueError(f"{name} is not supported in threads")
        if user_id not in channel.members:
            raise ValueError(f"{user_id} is not in {channel_id}")
        if name not in self.commands or not _has_commands(workspace):
            raise ValueError(f"{name} is not a valid command")
        said = _escape(workspace, text.strip(), with_ids=self.commands[name])
        actor, reply = self._actor(workspace, user_id), Reply(workspace=workspace, channel=channel, person=user_id)
        fields = payloads.slash_command(actor, channel, name, said, self._responses.make(reply))
        act = Act(kind="slash_command", person=user_id, channel=channel_id, action_id=name, payload=fields)
        return self._interactions.start(act, lambda given: _show_answer(reply, given))

    async def shortcut(self, user_id: str, callback_id: str, channel_id: str, ts: str) -> Act:
        """Chooses the app's shortcut in the menu of a message."""
        workspace, channel = self._place(channel_id)
        message = self._seen_by(user_id, channel_id, ts)
        if callback_id not in self.shortcuts or not _has_commands(workspace):
            raise ValueError(f"there is no shortcut {callback_id!r}")
        reply = Reply(workspace=workspace, channel=channel, person=user_id, thread_ts=message.thread_ts)
        payload = payloads.message_shortcut(
            self._actor(workspace, user_id), callback_id, message, channel, self._responses.make(reply)
        )
        act = Act(
            kind="message_action",
            person=user_id,
            channel=channel_id,
            message=ts,
            action_id=callback_id,
            payload=payload,
        )
        return self._interactions.start(act)

    async def press(self, user_id: str, channel_id: str, ts: str, action_id: str, value: str | None = None) -> Act:
        """Presses a button under a message, or under one that only this person sees, or chooses `value` in a menu there.

        `value` says which is meant where several have this id, as a pair of feedback buttons has.
        """
        workspace, channel = self._place(channel_id)
        message = self._under(workspace, channel, user_id, ts)
        button = _choose_button(message.blocks, action_id, value)
        if button is None and value is not None:
            chosen = (one for one in options_in(message.blocks) if (one.action_id, one.value) == (action_id, value))
            button = next(chosen, None)
        if button is None or not workspace.installed:
            raise ValueError(f"there is no button {action_id!r} under {ts}")
        reply = Reply(
            workspace=workspace, channel=channel, person=user_id, original=message, thread_ts=message.thread_ts
        )
        payload = payloads.message_press(
            self._actor(workspace, user_id), message, channel, button.action(), self._responses.make(reply)
        )
        act = Act(person=user_id, channel=channel_id, message=ts, action_id=action_id, payload=payload)
        return self._interactions.start(act)

    async def press_in_view(self, user_id: str, view_id: str, action_id: str, value: str | None = None) -> Act:
        """Presses a button on a modal or on the Home tab, or chooses the option `value` of a menu there."""
        workspace, view = self._view(user_id, view_id)
        values: JsonObject = {}
        button = _choose_button(view.blocks, action_id, value)
        if button is not None:
            action = button.action()
        else:
            found = next((one for one in fields_of(view) if one[2]["action_id"] == action_id), None)
            if found is None or found[1].get("type") == "input" or found[2]["type"] not in MENUS or value is None:
                raise ValueError(f"there is no button {action_id!r} in {view_id}")
            block_id, _, element = found
            chosen = choose(element, value)
            values = {block_id: {action_id: chosen}}
            action = {"action_id": action_id, "block_id": block_id, **chosen}
        payload = payloads.view_press(
            self._actor(workspace, user_id), view.wire(workspace.team, APP_ID, values), action
        )
        return self._interactions.start(Act(person=user_id, view=view_id, action_id=action_id, payload=payload))

    async def submit_view(self, user_id: str, view_id: str, values: Mapping[str, object]) -> Act:
        """Fills a modal in and submits it. `values`: action_id to text or option, or the same by block_id first."""
        workspace, view = self._view(user_id, view_id)
        if view.type != "modal" or "submit" not in view.content or view.content.get("submit_disabled") is True:
            raise ValueError(f"{view_id} cannot be submitted")
        state = read_entries(view, values)
        payload = payloads.view_submission(self._actor(workspace, user_id), view.wire(workspace.team, APP_ID, state))
        act = Act(kind="view_submission", person=user_id, view=view_id, action_id=view.callback_id, payload=payload)
        return self._interactions.start(act, lambda given: _settle_view(workspace, view, given))

    async def close_view(self, user_id: str, view_id: str) -> Act | None:
        """Closes a modal. None where the app did not want to be told."""
        workspace, view = self._view(user_id, view_id)
        if workspace.views.close(view_id) is None:
            raise ValueError(f"{view_id} is no modal")
        workspace.changed()
        if not view.notify_on_close:
            return None
        wire = view.wire(workspace.team, APP_ID)
        payload = payloads.view_closed(self._actor(workspace, user_id), wire, is_cleared=False)
        act = Act(kind="view_closed", person=user_id, view=view_id, action_id=view.callback_id, payload=payload)
        return self._interactions.start(act)

    def _actor(self, workspace: Workspace, user_id: str) -> payloads.Actor:
        person = workspace.people.get(user_id)
        if person is None:
            raise ValueError(f"nobody is called {user_id}")
        trigger_id = workspace.triggers.make(user_id, workspace.clock.monotonic())
        return payloads.Actor(person=person, team=workspace.team, trigger_id=trigger_id, at=workspace.next_ts())

    def _under(self, workspace: Workspace, channel: Channel, user_id: str, ts: str) -> Message | Ephemeral:
        for shown in workspace.ephemerals:
            if (shown.channel, shown.person, shown.ts) == (channel.id, user_id, ts):
                return shown
        return self._seen_by(user_id, channel.id, ts)

    def _view(self, user_id: str, view_id: str) -> tuple[Workspace, View]:
        workspace = self._workspaces.of_view(view_id)
        view = workspace.views.find(view_id, None)
        if view.person != user_id or not workspace.installed:
            raise ValueError(f"{user_id} does not see {view_id}")
        return workspace, view


def _has_commands(workspace: Workspace) -> bool:
    """Docs of scopes: `commands` brings commands and shortcuts."""
    return workspace.installed and "commands" in workspace.scopes


def _escape(workspace: Workspace, text: str, *, with_ids: bool) -> str:
    """Docs of commands: `should_escape` gives people and channels with id and name, otherwise they are plain names."""

    def person(found: re.Match[str]) -> str:
        known = workspace.people.get(found[1])
        name = known.name.lower() if known is not None else found[1]
        return f"<@{found[1]}|{name}>" if with_ids else f"@{name}"

    def channel(found: re.Match[str]) -> str:
        known = workspace.channels.get(found[1])
        name = known.name if known is not None else found[1]
        return f"<#{found[1]}|{name}>" if with_ids else f"#{name}"

    return _CHANNEL.sub(channel, _PERSON.sub(person, escape_loose(text)))


def _choose_button(blocks: list[JsonObject], action_id: str, value: str | None) -> ShownButton | None:
    found = [one for one in buttons_in(blocks) if one.action_id == action_id and value in (None, one.value)]
    if len({one.value for one in found}) > 1:
        raise ValueError(f"{action_id!r} is the id of several buttons; say which by its value")
    return found[0] if found else None


def _show_answer(reply: Reply, given: JsonObject | str | None) -> None:
    """What a command's acknowledgement says is shown at once. Raises `Refusal`."""
    if given:
        answer(reply, {"text": given} if isinstance(given, str) else given)


def _settle_view(workspace: Workspace, view: View, given: JsonObject | str | None) -> None:
    """Docs of modals: without an answer the view closes. Raises `Refusal` for what Slack answers with "trouble connecting"."""
    match given:
        case None | "" | {"response_action": "clear"}:
            workspace.views.close(view.id)
        case {"response_action": "errors", "errors": dict(errors)}:
            inputs = {str(block["block_id"]) for block in view.blocks if block.get("type") == "input"}
            if not errors or not set(errors) <= inputs:
                raise Refusal("invalid_arguments")
            view.errors = {str(block_id): str(problem) for block_id, problem in errors.items()}
        case {"response_action": "update", "view": dict(content)}:
            workspace.views.replace(view, content)
        case dict() if not given:
            workspace.views.close(view.id)
        case _:
            # Also "push": a person has one modal here.
            raise Refusal("invalid_arguments")
    workspace.changed()
