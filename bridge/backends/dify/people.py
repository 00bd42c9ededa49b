"""Forms that people fill in while a run waits (Dify 1.13 and newer): read from what Dify tells, and handed in.

Whoever has a form's token may answer it, so it is only ever sent to Dify.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from urllib.parse import quote

from bridge.backends.dify.client import FORM_PATH, DifyClient
from bridge.backends.dify.errors import explain_refusal
from bridge.backends.dify.sentences import FORM_REFUSED
from bridge.errors import QuestionRefused
from bridge.input_api import Submitted
from bridge.messages import BackendUser
from bridge.pauses import FieldKind, Given, InputAction, InputField, InputRequest
from bridge.remote.framing import Json, object_of, text_of

MOST_ACTIONS = 20
MOST_FIELDS = 20
"""Of one form. Dify's editor has no limit, a chat has."""

# Where a field stands in the text: `{{#$output.reason#}}`.
_FIELD_IN_TEXT = re.compile(r"\{\{#\$outputs?\.(\w{1,64})#\}\}")

_KINDS = {
    "text_input": FieldKind.TEXT,
    "paragraph": FieldKind.PARAGRAPH,
    "select": FieldKind.SELECT,
}


def read_request(data: Json) -> InputRequest | None:
    """The form of a `human_input_required` event, or of a reason for which a run is paused. None: it is none."""
    ident = text_of(data, "form_id")
    if not ident:
        return None
    defaults = object_of(data, "resolved_default_values")
    fields = tuple(
        one for each in _list(data, "inputs")[:MOST_FIELDS] if (one := _read_field(each, defaults)) is not None
    )
    actions = tuple(
        InputAction(id=text_of(each, "id"), title=text_of(each, "title").strip() or text_of(each, "id"))
        for each in (_list(data, "actions") or _list(data, "user_actions"))[:MOST_ACTIONS]
        if text_of(each, "id")
    )
    return InputRequest(
        id=ident,
        token=text_of(data, "form_token"),
        title=" ".join(text_of(data, "node_title").split()),
        text=_FIELD_IN_TEXT.sub(r"‹\1›", text_of(data, "form_content")).strip(),
        fields=fields,
        actions=actions,
        expires_at=_moment(data.get("expiration_time")),
    )


def join_requests(known: Iterable[InputRequest], told: Iterable[InputRequest]) -> tuple[InputRequest, ...]:
    """Each form once. Those of the event that is about nothing else say more than a list of reasons does."""
    found = {one.id: one for one in told} | {one.id: one for one in known}
    return tuple(found.values())


def read_reasons(data: Json) -> Sequence[InputRequest]:
    """Forms among the reasons of `workflow_paused`."""
    return [one for each in _list(data, "reasons") if (one := read_request(each)) is not None]


async def submit(client: DifyClient, request: InputRequest, given: Given, user: BackendUser) -> Submitted:
    """As `TakesInput.submit`. Every field goes along, for Dify refuses a form that lacks one."""
    values = {one.name: given.values.get(one.name, one.default) for one in request.fields}
    body: Json = {"inputs": values, "action": given.action, "user": user}
    reply = await client.call("POST", FORM_PATH + quote(request.token, safe=""), body=body)
    if reply.status == 200 and reply.is_json:
        return Submitted.TAKEN
    code = text_of(reply.read(), "code")
    if code == "human_input_form_submitted":
        return Submitted.EARLIER
    if code == "human_input_form_expired" or (reply.status == 404 and reply.is_json):
        # A form that is gone went with its run.
        return Submitted.EXPIRED
    error = explain_refusal(reply)
    if reply.status == 400 and reply.is_json:
        raise QuestionRefused(str(error), code=code or "invalid_form_data", user_message=FORM_REFUSED)
    raise error


def _read_field(data: Json, defaults: Json) -> InputField | None:
    name = text_of(data, "output_variable_name")
    if not name:
        return None
    kind = _KINDS.get(text_of(data, "type").replace("-", "_"), FieldKind.OTHER)
    # Called `placeholder` before 1.13 was released, `default` since.
    given = object_of(data, "default") or object_of(data, "placeholder")
    constant = text_of(given, "value") if text_of(given, "type") != "variable" else ""
    resolved = defaults.get(name)
    return InputField(
        name=name,
        kind=kind,
        default=resolved if isinstance(resolved, str) else constant,
        options=_read_options(data) if kind is FieldKind.SELECT else (),
    )


def _read_options(data: Json) -> tuple[str, ...]:
    source = data.get("options")
    if not isinstance(source, list):
        # Newer versions tell where the options come from; those that are written down stand in `value`.
        source = object_of(data, "option_source").get("value")
    return tuple(one for one in source if isinstance(one, str) and one) if isinstance(source, list) else ()


def _list(data: Json, key: str) -> list[Json]:
    value = data.get(key)
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _moment(value: object) -> datetime | None:
    if not isinstance(value, int | float) or isinstance(value, bool) or value <= 0:
        return None
    try:
        return datetime.fromtimestamp(value, UTC)
    except (OverflowError, OSError, ValueError):
        return None
