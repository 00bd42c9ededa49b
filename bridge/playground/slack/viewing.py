"""Web API methods for modals and the Home tab."""

from bridge.playground.slack.arguments import Arguments
from bridge.playground.slack.events import APP_ID
from bridge.playground.slack.model import JsonObject, Refusal
from bridge.playground.slack.views import View
from bridge.playground.slack.workspace import Workspace


class ViewMethods:
    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def open(self, args: Arguments) -> JsonObject:
        trigger_id, now = args.required("trigger_id"), self._workspace.clock.monotonic()
        person = self._workspace.triggers.check(trigger_id, now)
        view = self._workspace.views.open(person, args.structure("view", "invalid_arguments"))
        self._workspace.triggers.use(trigger_id)
        return self._answer(view)

    def update(self, args: Arguments) -> JsonObject:
        view_id, external_id = args.text("view_id"), args.text("external_id")
        if not view_id and not external_id:
            raise Refusal("invalid_arguments")
        view = self._workspace.views.find(view_id, external_id)
        self._workspace.views.replace(view, args.structure("view", "invalid_arguments"), args.text("hash"))
        return self._answer(view)

    def publish(self, args: Arguments) -> JsonObject:
        person = args.required("user_id")
        if person not in self._workspace.people:
            messages = ["[ERROR] invalid `user_id`"]
            raise Refusal("invalid_arguments", response_metadata={"messages": messages})
        view = self._workspace.views.publish(person, args.structure("view", "invalid_arguments"), args.text("hash"))
        return self._answer(view)

    def _answer(self, view: View) -> JsonObject:
        self._workspace.changed()
        return {"view": view.wire(self._workspace.team, APP_ID)}
