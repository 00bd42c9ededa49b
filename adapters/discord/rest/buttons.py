"""Our buttons as Discord wants them, and what was pressed. Nothing is kept in memory: a button says itself what it is for, so
those of an earlier process work as well.

    custom_id       bridge:ACTION           ACTION is the value of a `ButtonAction`
                    bridge:ask:N:REST       asks a question: what the label shows of it, and REST
                    bridge:ACTION:VALUE     one of several of an action that is `VALUED`
                    bridge:ACTION:?         a menu of them, in which the values stand

They stand under messages for ever, so a spelling may be added, never changed.
"""

import re
from collections.abc import Sequence

import discord

from adapters.discord.capabilities import MAX_BUTTON_LABEL, MAX_BUTTONS, MAX_CUSTOM_ID, MAX_OPTIONS, MAX_ROWS
from bridge.events import VALUED
from bridge.messages import Button, ButtonAction

_OURS = "bridge:"
_ASK = re.compile(r"bridge:ask:([0-4]):(.*)", re.ASCII | re.DOTALL)
CHOSEN_IN_MENU = "?"
"""In place of the value of a button: it is told with what was chosen."""

_MORE = "…"
"""Ends a label that shows the beginning of a question."""

_BESIDE = frozenset({ButtonAction.FORM, ButtonAction.INPUT})
"""Those of the `VALUED` that stand beside what else one can do."""

_STYLES = {ButtonAction.RETRY: discord.ButtonStyle.primary, ButtonAction.FORM: discord.ButtonStyle.primary}
"""All others are grey."""

_CHOSEN = {ButtonAction.LIKE: discord.ButtonStyle.success, ButtonAction.DISLIKE: discord.ButtonStyle.danger}

_EMOJI = {
    ButtonAction.LIKE: "👍",
    ButtonAction.DISLIKE: "👎",
    ButtonAction.STOP: "⏹️",
    ButtonAction.RETRY: "🔁",
    ButtonAction.AGAIN: "🔄",
    ButtonAction.FORM: "📝",
}

_WORDLESS = frozenset({ButtonAction.LIKE, ButtonAction.DISLIKE})
"""The emoji says it all, and a row stays one line on a telephone."""


def row(buttons: Sequence[Button]) -> discord.ui.View | None:
    """What one can do in one row (or several, where there is nothing else), and what one can ask in another; or None for nothing
    at all."""
    does, asks = _sorted(buttons)
    valued = _valued(buttons)
    if not does and not asks and not valued:
        return None
    view = discord.ui.View(timeout=None)
    for number, button in enumerate(does):
        view.add_item(
            discord.ui.Button(
                style=_STYLES.get(button.action, discord.ButtonStyle.secondary),
                emoji=_EMOJI.get(button.action),
                label=None if button.action in _WORDLESS else _cut(button.label),
                custom_id=_custom_id(button),
                row=number // MAX_BUTTONS,
            )
        )
    for label, custom_id in asks:
        view.add_item(discord.ui.Button(label=label, custom_id=custom_id, row=1))
    first = 2 if does or asks else 0
    menu = _menu(buttons)
    if menu is not None:
        menu.row = first
        view.add_item(menu)
        view.stop()
        return view
    # One below the other, as long as there is room for that.
    beside = 1 if first + len(valued) <= MAX_ROWS else MAX_BUTTONS
    for number, (label, custom_id) in enumerate(valued[: (MAX_ROWS - first) * beside]):
        view.add_item(discord.ui.Button(label=label, custom_id=custom_id, row=first + number // beside))
    # A view that has ended is sent like any other, but the library does not remember it.
    view.stop()
    return view


def stand_under(message: discord.Message, buttons: Sequence[Button]) -> bool:
    """Whether it has exactly these, chosen or not."""
    does, asks = _sorted(buttons)
    rows = (each for each in message.components if isinstance(each, discord.ActionRow))
    shown = [each for row in rows for each in row.children if isinstance(each, discord.Button)]
    wanted = [(None, _custom_id(each)) for each in does] + asks + [*_valued(buttons)]
    return len(shown) == len(wanted) and all(
        custom_id == one.custom_id and label in (None, one.label)
        for one, (label, custom_id) in zip(shown, wanted, strict=True)
    )


def chosen(message: discord.Message, action: ButtonAction) -> discord.ui.View | None:
    """Its buttons, with this rating shown as the one that was chosen. None: they show that already, or there is none."""
    rows = [each for each in message.components if isinstance(each, discord.ActionRow)]
    view = discord.ui.View(timeout=None)
    changed = False
    for number, each in enumerate(rows):
        for item in each.children:
            if not isinstance(item, discord.Button):
                return None
            button = discord.ui.Button[discord.ui.View].from_component(item)
            button.row = number
            rating = action_of(item.custom_id or "")
            if rating in _CHOSEN:
                style = _CHOSEN[rating] if rating is action else discord.ButtonStyle.secondary
                changed = changed or style is not item.style
                button.style = style
            view.add_item(button)
    view.stop()
    return view if changed else None


def action_of(custom_id: str) -> ButtonAction | None:
    """None: not a button that this version knows."""
    if _ASK.fullmatch(custom_id):
        return ButtonAction.ASK
    name, _, value = custom_id.removeprefix(_OURS).partition(":")
    if bool(value) != (name in {each.value for each in VALUED}):
        return None
    if not custom_id.startswith(_OURS) or name == ButtonAction.ASK or name not in {each.value for each in ButtonAction}:
        return None
    return ButtonAction(name)


def value_of(custom_id: str) -> str:
    """Of a button whose action is `VALUED`; else ""."""
    return custom_id.removeprefix(_OURS).partition(":")[2] if action_of(custom_id) in VALUED else ""


def question_of(label: str, custom_id: str) -> str | None:
    """The whole question that a button asks. None: it asks none."""
    found = _ASK.fullmatch(custom_id)
    if found is None:
        return None
    rest = found[2]
    return (label.removesuffix(_MORE) + rest if rest else label).strip() or None


def label_under(message: discord.Message, custom_id: str) -> str:
    """What stands on its button with this id; "" when there is none. A press does not tell."""
    for row in message.components:
        for item in row.children if isinstance(row, discord.ActionRow) else ():
            if isinstance(item, discord.Button) and item.custom_id == custom_id:
                return item.label or ""
    return ""


def spell_question(question: str, number: int) -> tuple[str, str] | None:
    """Label and custom_id of the button that asks it. None: there is no room for the whole of it."""
    words = " ".join(question.split())
    custom_id = f"{_OURS}{ButtonAction.ASK.value}:{number}:"
    if not words:
        return None
    if _length(words) <= MAX_BUTTON_LABEL:
        return words, custom_id
    cut = len(words)
    while _length(words[:cut]) > MAX_BUTTON_LABEL - len(_MORE) or words[cut - 1] == " ":
        cut -= 1
    if _length(custom_id + words[cut:]) > MAX_CUSTOM_ID:
        return None
    return words[:cut] + _MORE, custom_id + words[cut:]


def _sorted(buttons: Sequence[Button]) -> tuple[list[Button], list[tuple[str | None, str]]]:
    """What one can do, and label and custom_id of what one can ask. What there is no room for is left out."""
    apart = {ButtonAction.ASK, *VALUED} - _BESIDE
    does = [each for each in buttons if each.action not in apart]
    alone = len(does) == len(buttons)
    does = does[: MAX_BUTTONS * (MAX_ROWS if alone else 1)]
    asked = [each.value or each.label for each in buttons if each.action is ButtonAction.ASK][:MAX_BUTTONS]
    spelled = (spell_question(each, number) for number, each in enumerate(asked))
    return does, [(each[0], each[1]) for each in spelled if each is not None]


def _menu(buttons: Sequence[Button]) -> discord.ui.Select[discord.ui.View] | None:
    """Apps, where there are more than stand well below each other. What there is no room for is left out."""
    apps = [each for each in buttons if each.action is ButtonAction.APP and each.value]
    if len(apps) <= MAX_ROWS:
        return None
    options = [discord.SelectOption(label=_cut(each.label), value=each.value) for each in apps[:MAX_OPTIONS]]
    return discord.ui.Select(
        custom_id=f"{_OURS}{ButtonAction.APP.value}:{CHOSEN_IN_MENU}", placeholder="Choose…", options=options
    )


def _valued(buttons: Sequence[Button]) -> list[tuple[str, str]]:
    """Label and custom_id of those with a value. A custom_id that is too long would be another's: it is left out."""
    spelled = [
        (_cut(each.label), f"{_OURS}{each.action.value}:{each.value}")
        for each in buttons
        if each.action in VALUED and each.value and each.action not in _BESIDE
    ]
    return [one for one in spelled if _length(one[1]) <= MAX_CUSTOM_ID]


def _custom_id(button: Button) -> str:
    name = _OURS + button.action.value
    return f"{name}:{button.value}" if button.action in _BESIDE else name


def _cut(label: str) -> str:
    return label[:MAX_BUTTON_LABEL]


def _length(text: str) -> int:
    """As JavaScript counts, which is the longer way: whether Discord counts code points here is written nowhere."""
    return len(text.encode("utf-16-le")) // 2
