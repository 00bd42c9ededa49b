"""What a message or a view may hold: length of text, shape and number of blocks.

Raises the `Refusal` that Slack would answer with.
"""

from collections.abc import Callable, Mapping, Sequence

from bridge.playground.slack import limits
from bridge.playground.slack.content import text_of
from bridge.playground.slack.elements import (
    IN_CONTEXT,
    IN_CONTEXT_ACTIONS,
    IN_INPUTS,
    ON_MESSAGES,
    ON_VIEWS,
    ElementCheck,
    check_element,
    check_elements,
    check_image,
    check_text_object,
    invalid,
    items,
)
from bridge.playground.slack.expansion import counted_length, expand
from bridge.playground.slack.model import JsonObject, Refusal
from bridge.playground.slack.streams import Content

BlockCheck = Callable[[JsonObject], None]


def check_message(text: str, blocks: Sequence[JsonObject]) -> None:
    """Checks everything that holds for posting and for updating alike."""
    _check_blocks(blocks, _ON_MESSAGES)
    markdown = [str(block["text"]) for block in blocks if block.get("type") == "markdown"]
    if sum(map(len, markdown)) > limits.MARKDOWN_CHARS:
        raise Refusal("msg_too_long")
    expanded = expand(blocks)
    texts = [part for block in blocks for part in text_of(block)] or [text]
    if counted_length(texts, _costly(expanded)) > limits.COUNTED_CHARS:
        raise Refusal("msg_blocks_too_long")
    if len(expanded) > limits.BLOCKS:
        raise invalid("too many blocks")
    _check_tables(blocks, expanded)


def check_stream(content: Content) -> None:
    """Checks a whole streamed message: what all its calls have brought together.

    Slack does not say how much that may be. Reported (vercel/chat issue 617): what tasks hold counts too, and the refusal
    is `msg_too_long` also where the text alone is short.
    """
    text = content.text
    given = content.given_blocks
    if given:
        check_message("", given)
    expanded = expand([{"type": "markdown", "text": text}])
    texts = [text, content.plan, *(one for task in content.tasks for one in task.texts())]
    texts += [part for block in given for part in text_of(block)]
    if len(text) > limits.STREAM_CHARS or counted_length(texts, _costly([*expanded, *given])) > limits.COUNTED_CHARS:
        raise Refusal("msg_too_long")
    if len(expanded) > limits.BLOCKS:
        raise Refusal("msg_too_long")
    if len(content.tasks) > limits.TASKS:
        raise Refusal("invalid_arguments", response_metadata={"messages": ["[ERROR] too many tasks"]})
    _check_tables([], expanded)


def check_view_blocks(blocks: Sequence[JsonObject]) -> None:
    """Checks the blocks of a modal or of the Home tab."""
    _check_blocks(blocks, _ON_VIEWS)
    if not 1 <= len(blocks) <= limits.VIEW_BLOCKS:
        raise invalid("wrong number of blocks")


def _costly(expanded: Sequence[JsonObject]) -> int:
    return sum(1 for block in expanded if block["type"] in {"header", "divider"})


def _check_blocks(blocks: Sequence[JsonObject], known: Mapping[str, BlockCheck]) -> None:
    for block in blocks:
        check = known.get(str(block.get("type")))
        if check is None:
            raise invalid(f"unsupported type: {block.get('type')}")
        check(block)
    ids = [block["block_id"] for block in blocks if "block_id" in block]
    if any(not isinstance(one, str) or len(one) > limits.BLOCK_ID_CHARS for one in ids):
        raise invalid("block_id must be a string of at most 255 characters")
    if len(set(map(str, ids))) != len(ids):
        raise invalid("block_id is used twice")


def _check_markdown(block: JsonObject) -> None:
    match block.get("text"):
        case str(text) if text.strip():
            if len(text) > limits.MARKDOWN_CHARS:
                raise Refusal("msg_too_long")
        case _:
            raise invalid("markdown needs text")


def _check_section(accessories: Mapping[str, ElementCheck]) -> BlockCheck:
    def check(block: JsonObject) -> None:
        fields = block.get("fields")
        if "text" in block:
            check_text_object(block["text"], limits.SECTION_CHARS)
        elif not fields:
            raise invalid("section needs text or fields")
        if fields is not None:
            for field in items(fields, limits.SECTION_FIELDS):
                check_text_object(field, limits.SECTION_FIELD_CHARS)
        if "accessory" in block:
            check_element(block["accessory"], accessories)

    return check


def _check_header(block: JsonObject) -> None:
    check_text_object(block.get("text"), limits.HEADER_CHARS, kinds=("plain_text",))


def _check_divider(block: JsonObject) -> None:
    if set(block) - {"type", "block_id"}:
        raise invalid("a divider holds nothing")


def _check_image(block: JsonObject) -> None:
    check_image(block)


def _check_rich_text(block: JsonObject) -> None:
    for element in items(block.get("elements"), None):
        match element:
            case {
                "type": "rich_text_section" | "rich_text_list" | "rich_text_preformatted" | "rich_text_quote",
                "elements": list(_),
            }:
                pass
            case _:
                raise invalid("not a rich_text element")


def _check_table(block: JsonObject) -> None:
    for row in items(block.get("rows"), limits.TABLE_ROWS):
        for cell in items(row, limits.TABLE_COLUMNS):
            if not _cell_text(cell):
                raise invalid("table cells may not be empty")


def _check_tables(blocks: Sequence[JsonObject], expanded: Sequence[JsonObject]) -> None:
    """What holds for the tables of a message, those that Markdown becomes too. Slack fills Markdown's empty cells itself."""
    if sum(1 for block in blocks if block.get("type") == "table") > limits.TABLES:
        raise invalid("only one table")
    length = 0
    for block in expanded:
        if block["type"] == "table":
            for row in items(block["rows"], limits.TABLE_ROWS):
                length += sum(len(_cell_text(cell)) for cell in items(row, limits.TABLE_COLUMNS))
    if length > limits.TABLE_CHARS:
        raise invalid("tables are too long")


def _cell_text(cell: object) -> str:
    match cell:
        case {"type": "raw_text", "text": str(text)}:
            return text
        case {"type": "rich_text", "elements": list(elements)}:
            return "".join(text_of({"type": "rich_text", "elements": elements}))
        case _:
            raise invalid("not a table cell")


def _check_input(block: JsonObject) -> None:
    check_text_object(block.get("label"), limits.LABEL_CHARS, kinds=("plain_text",))
    if "hint" in block:
        check_text_object(block["hint"], limits.HINT_CHARS, kinds=("plain_text",))
    if not isinstance(block.get("optional", False), bool):
        raise invalid("optional must be true or false")
    check_element(block.get("element"), IN_INPUTS)


def _holding(most: int, known: Mapping[str, ElementCheck]) -> BlockCheck:
    return lambda block: check_elements(block.get("elements"), most, known)


_EVERYWHERE: Mapping[str, BlockCheck] = {
    "header": _check_header,
    "divider": _check_divider,
    "image": _check_image,
    "rich_text": _check_rich_text,
    "context": _holding(limits.CONTEXT_ELEMENTS, IN_CONTEXT),
}

_ON_MESSAGES: Mapping[str, BlockCheck] = {
    **_EVERYWHERE,
    "markdown": _check_markdown,
    "section": _check_section({**ON_MESSAGES, "image": check_image}),
    "table": _check_table,
    "actions": _holding(limits.ACTIONS_ELEMENTS, ON_MESSAGES),
    "context_actions": _holding(limits.CONTEXT_ACTIONS_ELEMENTS, IN_CONTEXT_ACTIONS),
}

_ON_VIEWS: Mapping[str, BlockCheck] = {
    **_EVERYWHERE,
    "section": _check_section({**ON_VIEWS, "image": check_image}),
    "actions": _holding(limits.ACTIONS_ELEMENTS, ON_VIEWS),
    "input": _check_input,
}
"""Docs of each block name the surfaces where it may stand: no Markdown, tables or feedback buttons here."""
