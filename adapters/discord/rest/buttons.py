"""Our buttons as Discord wants them, and what was pressed. Nothing is kept in memory: a button says itself what it is for, so
those of an earlier process work as well.

    custom_id       bridge:ACTION       ACTION is the value of a `ButtonAction`

They stand under messages for ever, so a spelling may be added, never changed.
"""

from collections.abc import Sequence

import discord

from adapters.discord.capabilities import MAX_BUTTON_LABEL, MAX_BUTTONS
from bridge.messages import Button, ButtonAction

_OURS = "bridge:"

_STYLES = {ButtonAction.STOP: discord.ButtonStyle.secondary, ButtonAction.RETRY: discord.ButtonStyle.primary}


def row(buttons: Sequence[Button]) -> discord.ui.View | None:
    """One row of buttons, or None for none at all."""
    if not buttons:
        return None
    view = discord.ui.View(timeout=None)
    for button in buttons[:MAX_BUTTONS]:
        view.add_item(
            discord.ui.Button(
                style=_STYLES[button.action],
                label=button.label[:MAX_BUTTON_LABEL],
                custom_id=_OURS + button.action.value,
            )
        )
    # A view that has ended is sent like any other, but the library does not remember it.
    view.stop()
    return view


def stand_under(message: discord.Message, buttons: Sequence[Button]) -> bool:
    """Whether it has exactly these."""
    rows = (each for each in message.components if isinstance(each, discord.ActionRow))
    shown = [each.custom_id for row in rows for each in row.children if isinstance(each, discord.Button)]
    return shown == [_OURS + each.action.value for each in buttons[:MAX_BUTTONS]]


def action_of(custom_id: str) -> ButtonAction | None:
    """None: not a button that this version knows."""
    name = custom_id.removeprefix(_OURS)
    if name == custom_id or name not in {each.value for each in ButtonAction}:
        return None
    return ButtonAction(name)
