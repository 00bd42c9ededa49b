"""What a message may hold: length of text, shape and number of blocks. Raises the `Refusal` that Slack would answer with."""

from collections.abc import Callable, Mapping, Sequence

from bridge.playground.slack import limits
from bridge.playground.slack.content import text_of
from bridge.playground.slack.expansion import counted_length, expand
from bridge.playground.slack.model import JsonObject, Refusal


def check_message(text: str, blocks: Sequence[JsonObject]) -> None:
    """Checks everything that holds for posting and for updating alike."""
    for block in blocks:
        check = _CHECKS.get(str(block.get("type")))
        if check is None:
            raise _invalid(f"unsupported type: {block.get('type')}")
        check(block)
    _check_block_ids(blocks)
    markdown = [str(block["text"]) for block in blocks if block.get("type") == "markdown"]
    if sum(map(len, markdown)) > limits.MARKDOWN_CHARS:
        raise Refusal("msg_too_long")
    expanded = expand(blocks)
    items = sum(1 for block in expanded if block["type"] in {"header", "divider"})
    texts = [part for block in blocks for part in text_of(block)] or [text]
    if counted_length(texts, items) > limits.COUNTED_CHARS:
        raise Refusal("msg_blocks_too_long")
    if len(expanded) > limits.BLOCKS:
        raise _invalid("too many blocks")
    _check_tables(blocks, expanded)


def _invalid(why: str) -> Refusal:
    return Refusal("invalid_blocks", response_metadata={"messages": [f"[ERROR] {why}"]})


def _check_block_ids(blocks: Sequence[JsonObject]) -> None:
    ids = [block["block_id"] for block in blocks if "block_id" in block]
    if any(not isinstance(one, str) or len(one) > limits.BLOCK_ID_CHARS for one in ids):
        raise _invalid("block_id must be a string of at most 255 characters")
    if len(set(map(str, ids))) != len(ids):
        raise _invalid("block_id is used twice")


def _check_text_object(value: object, most: int, *, kinds: Sequence[str] = ("plain_text", "mrkdwn")) -> None:
    match value:
        case {"type": str(kind), "text": str(text)} if kind in kinds:
            if not text or len(text) > most:
                raise _invalid(f"text must have 1 to {most} characters")
        case _:
            raise _invalid("not a text object")


def _check_markdown(block: JsonObject) -> None:
    match block.get("text"):
        case str(text) if text.strip():
            if len(text) > limits.MARKDOWN_CHARS:
                raise Refusal("msg_too_long")
        case _:
            raise _invalid("markdown needs text")


def _check_section(block: JsonObject) -> None:
    fields = block.get("fields")
    if "text" in block:
        _check_text_object(block["text"], limits.SECTION_CHARS)
    elif not fields:
        raise _invalid("section needs text or fields")
    if fields is not None:
        for field in _items(fields, limits.SECTION_FIELDS):
            _check_text_object(field, limits.SECTION_FIELD_CHARS)


def _check_header(block: JsonObject) -> None:
    _check_text_object(block.get("text"), limits.HEADER_CHARS, kinds=("plain_text",))


def _check_divider(block: JsonObject) -> None:
    if set(block) - {"type", "block_id"}:
        raise _invalid("a divider holds nothing")


def _check_image(block: JsonObject) -> None:
    alt_text = block.get("alt_text")
    if not isinstance(alt_text, str) or len(alt_text) > limits.ALT_TEXT_CHARS:
        raise _invalid("image needs alt_text")
    if ("image_url" in block) == ("slack_file" in block):
        raise _invalid("image needs image_url or slack_file")


def _check_rich_text(block: JsonObject) -> None:
    for element in _items(block.get("elements"), None):
        match element:
            case {
                "type": "rich_text_section" | "rich_text_list" | "rich_text_preformatted" | "rich_text_quote",
                "elements": list(_),
            }:
                pass
            case _:
                raise _invalid("not a rich_text element")


def _check_table(block: JsonObject) -> None:
    for row in _items(block.get("rows"), limits.TABLE_ROWS):
        for cell in _items(row, limits.TABLE_COLUMNS):
            if not _cell_text(cell):
                raise _invalid("table cells may not be empty")


def _check_tables(blocks: Sequence[JsonObject], expanded: Sequence[JsonObject]) -> None:
    """What holds for the tables of a message, those that Markdown becomes too. Slack fills Markdown's empty cells itself."""
    if sum(1 for block in blocks if block.get("type") == "table") > limits.TABLES:
        raise _invalid("only one table")
    length = 0
    for block in expanded:
        if block["type"] == "table":
            for row in _items(block["rows"], limits.TABLE_ROWS):
                length += sum(len(_cell_text(cell)) for cell in _items(row, limits.TABLE_COLUMNS))
    if length > limits.TABLE_CHARS:
        raise _invalid("tables are too long")


def _cell_text(cell: object) -> str:
    match cell:
        case {"type": "raw_text", "text": str(text)}:
            return text
        case {"type": "rich_text", "elements": list(elements)}:
            return "".join(text_of({"type": "rich_text", "elements": elements}))
        case _:
            raise _invalid("not a table cell")


def _check_elements(most: int) -> Callable[[JsonObject], None]:
    def check(block: JsonObject) -> None:
        for element in _items(block.get("elements"), most):
            if not isinstance(element, Mapping) or not isinstance(element.get("type"), str):
                raise _invalid("not an element")

    return check


def _check_actions(block: JsonObject) -> None:
    """Of the elements that Slack has here, the stand-in knows buttons."""
    ids: list[str] = []
    for element in _items(block.get("elements"), limits.ACTIONS_ELEMENTS):
        if not isinstance(element, dict) or element.get("type") != "button":
            raise _invalid("not a button")
        ids += _check_button(element)
    if len(set(ids)) != len(ids):
        raise _invalid("action_id is used twice")


def _check_button(button: Mapping[str, object]) -> list[str]:
    """Its id, if it has one."""
    _check_text_object(button.get("text"), limits.BUTTON_CHARS, kinds=("plain_text",))
    for name, most in (("value", limits.BUTTON_VALUE_CHARS), ("url", limits.BUTTON_URL_CHARS)):
        found = button.get(name, "")
        if not isinstance(found, str) or len(found) > most:
            raise _invalid(f"{name} must be a string of at most {most} characters")
    if button.get("style", "primary") not in ("primary", "danger"):
        raise _invalid("style must be primary or danger")
    if "action_id" not in button:
        return []
    action_id = button["action_id"]
    if not isinstance(action_id, str) or not 1 <= len(action_id) <= limits.ACTION_ID_CHARS:
        raise _invalid(f"action_id must have 1 to {limits.ACTION_ID_CHARS} characters")
    return [action_id]


def _items(value: object, most: int | None) -> list[object]:
    if not isinstance(value, list) or not value or (most is not None and len(value) > most):
        raise _invalid("wrong number of elements")
    return value


_CHECKS: Mapping[str, Callable[[JsonObject], None]] = {
    "markdown": _check_markdown,
    "section": _check_section,
    "header": _check_header,
    "divider": _check_divider,
    "image": _check_image,
    "rich_text": _check_rich_text,
    "table": _check_table,
    "context": _check_elements(limits.CONTEXT_ELEMENTS),
    "actions": _check_actions,
    "context_actions": _check_elements(limits.CONTEXT_ACTIONS_ELEMENTS),
}
