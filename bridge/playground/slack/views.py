"""Modals and Home tabs: what an app may put into them, which are open, and the triggers that open them.

What a person does in one is not decided here.
"""

import json
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Literal, TypeGuard

from bridge.playground.slack import limits
from bridge.playground.slack.checks import check_view_blocks
from bridge.playground.slack.elements import check_text_object
from bridge.playground.slack.model import JsonObject, Refusal, Team

ViewType = Literal["modal", "home"]

_COMMON = {"type", "blocks", "private_metadata", "callback_id", "external_id"}
_KEYS: dict[ViewType, set[str]] = {
    "home": _COMMON,
    "modal": _COMMON | {"title", "submit", "close", "clear_on_close", "notify_on_close", "submit_disabled"},
}


@dataclass(slots=True, kw_only=True)
class View:
    id: str
    person: str
    type: ViewType
    content: JsonObject
    """As the app sent it, with a block_id and an action_id made up wherever it gave none."""
    hash: str
    errors: dict[str, str] = field(default_factory=dict)
    """block_id to what the app said was wrong with the last submission."""

    @property
    def blocks(self) -> list[JsonObject]:
        blocks = self.content["blocks"]
        return blocks if is_blocks(blocks) else []

    @property
    def callback_id(self) -> str:
        return str(self.content.get("callback_id", ""))

    @property
    def notify_on_close(self) -> bool:
        return self.content.get("notify_on_close") is True

    def wire(self, team: Team, app_id: str, values: JsonObject | None = None) -> JsonObject:
        """As it stands in answers and payloads. `values`: what has been entered so far, by block_id and action_id."""
        given = deepcopy(self.content)
        return {
            "id": self.id,
            "team_id": team.id,
            "type": self.type,
            "title": given.get("title"),
            "submit": given.get("submit"),
            "close": given.get("close"),
            "blocks": given["blocks"],
            "private_metadata": given.get("private_metadata", ""),
            "callback_id": self.callback_id,
            "external_id": given.get("external_id", ""),
            "state": {"values": values or {}},
            "hash": self.hash,
            "clear_on_close": given.get("clear_on_close", False),
            "notify_on_close": self.notify_on_close,
            "root_view_id": self.id,
            "previous_view_id": None,
            "app_id": app_id,
            "app_installed_team_id": team.id,
            "bot_id": team.bot_id,
        }


@dataclass(slots=True, kw_only=True)
class Views:
    """The views that stand. A person has one modal at most: a new one takes the place of the old."""

    opened: dict[str, View] = field(default_factory=dict)
    """View id to open modal."""
    homes: dict[str, View] = field(default_factory=dict)
    """Person to Home tab."""
    _made: int = 0

    def open(self, person: str, content: object) -> View:
        """Raises a refusal for what is no modal."""
        checked = check_view(content, "modal")
        self._check_external_id(checked, None)
        for view_id in [view.id for view in self.opened.values() if view.person == person]:
            self.close(view_id)
        view = View(id=self._next("V0"), person=person, type="modal", content=checked, hash=self._next("h"))
        self.opened[view.id] = view
        return view

    def publish(self, person: str, content: object, hash_: str | None = None) -> View:
        """Raises a refusal for what is no Home tab, or when `hash_` is not that of the present one."""
        checked = check_view(content, "home")
        known = self.homes.get(person)
        _check_hash(known, hash_)
        self._check_external_id(checked, known)
        view_id = known.id if known is not None else self._next("V0")
        view = View(id=view_id, person=person, type="home", content=checked, hash=self._next("h"))
        self.homes[person] = view
        return view

    def replace(self, view: View, content: object, hash_: str | None = None) -> None:
        """Raises a refusal for what may not stand there, or when `hash_` is not the present one."""
        checked = check_view(content, view.type)
        _check_hash(view, hash_)
        self._check_external_id(checked, view)
        view.content, view.hash = checked, self._next("h")
        view.errors = {}

    def close(self, view_id: str) -> View | None:
        """Returns what was closed."""
        return self.opened.pop(view_id, None)

    def find(self, view_id: str | None, external_id: str | None) -> View:
        """Raises the refusal `not_found`."""
        for view in [*self.opened.values(), *self.homes.values()]:
            if (view_id and view.id == view_id) or (external_id and view.content.get("external_id") == external_id):
                return view
        raise Refusal("not_found")

    def number_from(self, number: int) -> None:
        """Later ids begin above this number, so that those of two workspaces differ."""
        self._made = number

    def _check_external_id(self, content: JsonObject, view: View | None) -> None:
        external_id = content.get("external_id")
        others = [one for one in [*self.opened.values(), *self.homes.values()] if view is None or one.id != view.id]
        if external_id and any(one.content.get("external_id") == external_id for one in others):
            raise Refusal("duplicate_external_id")

    def _next(self, kind: str) -> str:
        self._made += 1
        return f"{kind}{self._made:06}"


@dataclass(slots=True, kw_only=True)
class Triggers:
    """Proofs that a person has just done something, each good for one modal."""

    _made: dict[str, tuple[str, float]] = field(default_factory=dict)
    _used: set[str] = field(default_factory=set)

    def make(self, person: str, now: float) -> str:
        """`now`: monotonic time."""
        trigger_id = f"{len(self._made) + 1}.{int(now * 1000)}.{len(self._made):032x}"
        self._made[trigger_id] = (person, now)
        return trigger_id

    def check(self, trigger_id: str, now: float) -> str:
        """Whose trigger it is. Raises a refusal for one that is unknown, used or too old."""
        known = self._made.get(trigger_id)
        if known is None:
            raise Refusal("invalid_trigger_id")
        if trigger_id in self._used:
            raise Refusal("exchanged_trigger_id")
        person, at = known
        if now - at > limits.TRIGGER_SECONDS:
            raise Refusal("expired_trigger_id")
        return person

    def use(self, trigger_id: str) -> None:
        self._used.add(trigger_id)

    def person(self, trigger_id: str) -> str:
        """Whose it is, whatever has become of it; empty for one that was never made."""
        return self._made.get(trigger_id, ("", 0.0))[0]


def check_view(content: object, kind: ViewType) -> JsonObject:
    """The view with ids made up for what has none. Raises `invalid_arguments` with what is wrong, or `view_too_large`."""
    if not isinstance(content, dict):
        raise _invalid("view must be an object")
    if len(json.dumps(content, ensure_ascii=False).encode()) > limits.VIEW_BYTES:
        raise Refusal("view_too_large")
    if content.get("type") != kind:
        raise _invalid(f"type must be {kind}")
    unknown = set(content) - _KEYS[kind]
    if unknown:
        raise _invalid(f"invalid additional property: {min(unknown)}")
    for name, most in (
        ("private_metadata", limits.PRIVATE_METADATA_CHARS),
        ("callback_id", limits.CALLBACK_ID_CHARS),
        ("external_id", limits.EXTERNAL_ID_CHARS),
    ):
        value = content.get(name, "")
        if not isinstance(value, str) or len(value) > most:
            raise _invalid(f"{name} must be a string of at most {most} characters")
    for name in ("clear_on_close", "notify_on_close", "submit_disabled"):
        if not isinstance(content.get(name, False), bool):
            raise _invalid(f"{name} must be true or false")
    blocks = content.get("blocks")
    if not is_blocks(blocks):
        raise _invalid("missing required field: blocks")
    try:
        if kind == "modal":
            _check_labels(content, blocks)
        check_view_blocks(blocks)
    except Refusal as e:
        # Seen in reports: a view is refused as an argument, whichever part of it is wrong.
        raise Refusal("invalid_arguments", **e.extra) from e
    return _with_ids(content, blocks)


def is_blocks(value: object) -> TypeGuard[list[JsonObject]]:
    return isinstance(value, list) and all(isinstance(block, dict) for block in value)


def _check_labels(content: JsonObject, blocks: list[JsonObject]) -> None:
    if "title" not in content:
        raise _invalid("missing required field: title")
    check_text_object(content["title"], limits.VIEW_TITLE_CHARS, kinds=("plain_text",))
    for name in ("submit", "close"):
        if name in content:
            check_text_object(content[name], limits.VIEW_BUTTON_CHARS, kinds=("plain_text",))
    if "submit" not in content and any(block.get("type") == "input" for block in blocks):
        raise _invalid("submit is required where there are input blocks")


def _check_hash(view: View | None, hash_: str | None) -> None:
    if hash_ is not None and (view is None or view.hash != hash_):
        raise Refusal("hash_conflict")


def _with_ids(content: JsonObject, blocks: list[JsonObject]) -> JsonObject:
    made = deepcopy(blocks)
    for number, block in enumerate(made):
        block.setdefault("block_id", f"b{number}")
        elements = block.get("elements") if block.get("type") == "actions" else None
        found = [block.get("element"), block.get("accessory"), *(elements if isinstance(elements, list) else [])]
        for place, element in enumerate(found):
            if isinstance(element, dict) and element.get("type") != "image":
                element.setdefault("action_id", f"made-up-{number}-{place}")
    return {**deepcopy(content), "blocks": made}


def _invalid(why: str) -> Refusal:
    return Refusal("invalid_arguments", response_metadata={"messages": [f"[ERROR] {why}"]})
