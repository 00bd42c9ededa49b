"""How buttons look right after they were pressed; the next edit of their message makes them anew. What rating was chosen is shown
by `rest.buttons.chosen`."""

import discord

from adapters.discord.rest import buttons
from bridge.messages import ButtonAction

STOPPING = "Stopping…"


def stopping(message: discord.Message) -> discord.ui.View | None:
    """Its buttons, with the one that stops pressed for good. None: there is no such button."""
    view = discord.ui.View(timeout=None)
    changed = False
    for number, row in enumerate(message.components):
        for item in row.children if isinstance(row, discord.ActionRow) else ():
            if not isinstance(item, discord.Button):
                return None
            button = discord.ui.Button[discord.ui.View].from_component(item)
            button.row = number
            if buttons.action_of(item.custom_id or "") is ButtonAction.STOP:
                button.disabled, button.label, changed = True, STOPPING, True
            view.add_item(button)
    view.stop()
    return view if changed else None
