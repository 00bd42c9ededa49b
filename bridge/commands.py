"""The porter: carries out what is wanted of the bot itself, and says what it came to. Questions are none of its business."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import assert_never

from bridge import logs
from bridge.archivist import Archivist
from bridge.decisions import Obey, Pick
from bridge.events import Command, MessageReceived
from bridge.helping import Guide
from bridge.home import HelpWanted
from bridge.menus import AppMenu
from bridge.messages import AppName, BackendUser, Button, ConversationId, EventId
from bridge.notices import Notices
from bridge.picking import Picking
from bridge.router import question_in
from bridge.routing import Follow
from bridge.store import NewQuestion, Store

_log = logs.get("commands")

REFUSE = -1
"""As `NewQuestion.most_waiting`: the message is claimed, and not taken whatever waits."""

FORGOTTEN = "Done: I have forgotten what was said here. The next question begins a new conversation."
NOTHING_SAID = "There is nothing to forget here: nothing was asked in this conversation yet."
NOTHING_NEW = "There is nothing to forget here: nothing was answered since this conversation began."
ALONE = "There is nothing to forget here: the app takes each question by itself and remembers none of them."
EACH_THREAD = (
    "Each thread with me is a conversation of its own, so there is nothing to forget out here. "
    "Mention me outside of threads to begin a new one, or mention me with `/reset` in a thread to begin that one anew."
)
DIRECTLY = (
    "There is nothing to forget out here. Where each thread with me is a conversation of its own, a message outside of threads "
    "begins a new one by itself; to begin a thread anew, mention me with `/reset` in it."
)
MUTED = "I will only answer here when I am mentioned. Say {unmute} to change that."
UNMUTED = "I will answer every message in this thread again."
UNMUTED_WHERE_MENTIONED = "I am not muted any more. In this channel I answer when I am mentioned."
MUTED_ALREADY = "I answer here only when I am mentioned already."
NOT_MUTED = "I am not muted here."
ALL_DIRECT = "In direct messages I answer every message, so I cannot be muted here."
NO_THREAD = "Only a thread in which I was asked something can be muted or unmuted."


EACH_APP = "Each app that was asked here has a conversation of its own."
NO_ARCHIVE = "I keep no record of what was said earlier."


class Commands:
    def __init__(
        self,
        *,
        store: Store,
        notices: Notices,
        guide: Guide,
        picking: Picking,
        menu: AppMenu | None = None,
        archivist: Archivist | None = None,
        introduce: Callable[[HelpWanted], None] | None = None,
    ) -> None:
        """Without a `menu` nothing can be chosen. `introduce` helps with what the app says of itself."""
        self._store = store
        self._picking = picking
        self._menu = menu
        self._notices = notices
        self._guide = guide
        self._archivist = archivist
        self._introduce = introduce

    async def obey(self, obey: Obey) -> None:
        """Durable when it returns. Raises `StoreUnavailable`."""
        order = obey.order
        conversation = obey.conversation
        if conversation is None:
            conversation = next(iter(await self._find_begun(obey)), None)
        text, buttons = await self._do(obey, conversation)
        _log.info(
            "obeyed",
            event_id=order.event_id,
            platform=order.target.platform,
            command=order.command.value,
            conversation=conversation,
        )
        if order.command is Command.APP:
            return
        if (
            obey.said is not None
            and conversation is not None
            and not await self._claim(obey.said, obey.app.name, conversation)
        ):
            return
        # Each is said, however often it is asked for: what was said before may not hold any more.
        if order.command is Command.HELP and self._introduce is not None:
            self._introduce(HelpWanted(order=order, resolution=obey.resolution))
            return
        about = f"{order.command.value} {order.event_id}"
        if text:
            self._notices.tell(order.private or order.target, text, about=about, buttons=buttons)

    async def _do(self, obey: Obey, conversation: ConversationId | None) -> tuple[str, tuple[Button, ...]]:
        """What to say, "" where that comes later or otherwise, and the buttons below it."""
        order = obey.order
        match order.command:
            case Command.HELP:
                alone = await self._guide.stands_alone(obey.app.name)
                return self._guide.explain(order, obey.resolution, alone=alone), ()
            case Command.RESET:
                return await self._reset(obey, conversation), ()
            case Command.MUTE | Command.UNMUTE:
                return await self._mute(obey, conversation), ()
            case Command.APP:
                await self._open_menu(obey, conversation)
                return "", ()
            case Command.HISTORY if self._archivist is not None:
                return await self._archivist.list_past(order, obey.app.name, conversation), ()
            case Command.FORGET if self._archivist is not None:
                return await self._ask_whether(self._archivist, obey, conversation)
            case Command.HISTORY | Command.FORGET:
                return NO_ARCHIVE, ()
            case _:
                assert_never(order.command)

    async def pick(self, pick: Pick) -> None:
        """Durable when it returns. Raises `StoreUnavailable`."""
        if self._archivist is not None:
            await self._archivist.do(pick)

    async def _ask_whether(
        self, archivist: Archivist, obey: Obey, conversation: ConversationId | None
    ) -> tuple[str, tuple[Button, ...]]:
        """With a button for each app that was asked there."""
        text, buttons = await archivist.ask_whether(obey.order, conversation)
        begun = [] if conversation is None else await self._begun(obey, conversation)
        if len(begun) < 2:  # the one that was asked about
            return text, buttons
        each: list[Button] = []
        for one in begun:
            told, offered = await archivist.ask_whether(obey.order, one)
            app = await self._picking.app_of(one)
            each += [replace(button, label=f"Forget {app}") for button in offered]
            text = told if offered else text
        return (f"{text} {EACH_APP}" if each else text), tuple(each)

    async def _open_menu(self, obey: Obey, conversation: ConversationId | None) -> None:
        if self._menu is None:
            return
        said = obey.said
        if said is None or conversation is None or await self._claim(said, obey.app.name, conversation):
            await self._menu.take(obey)

    async def _begun(self, obey: Obey, conversation: ConversationId) -> Sequence[ConversationId]:
        """Every app has a conversation of its own there, and what is wanted of the place is wanted of all of them."""
        return [conversation, *(one for one in await self._find_begun(obey) if one != conversation)]

    async def _find_begun(self, obey: Obey) -> Sequence[ConversationId]:
        names = [one.name for one in obey.resolution.choices]
        return await self._picking.begun(obey.order.target.conversation, obey.app.name, names)

    async def _reset(self, obey: Obey, conversation: ConversationId | None) -> str:
        order = obey.order
        if conversation is None:
            if order.in_thread:
                return NOTHING_SAID
            return DIRECTLY if order.is_direct else EACH_THREAD
        begun = await self._begun(obey, conversation)
        if len(begun) == 1 and await self._guide.stands_alone(obey.app.name):
            return ALONE
        forgotten = [
            await self._store.start_afresh(_for_each(order.event_id, number), one) for number, one in enumerate(begun)
        ]
        return FORGOTTEN if any(forgotten) else NOTHING_NEW

    async def _mute(self, obey: Obey, conversation: ConversationId | None) -> str:
        order = obey.order
        if order.is_direct:
            return ALL_DIRECT
        if conversation is None:
            return NO_THREAD
        muted = order.command is Command.MUTE
        changed = any(
            [
                await self._store.set_muted(_for_each(order.event_id, number), one, muted=muted)
                for number, one in enumerate(await self._begun(obey, conversation))
            ]
        )
        if muted:
            return MUTED.format(unmute=self._unmute_word()) if changed else MUTED_ALREADY
        if not changed:
            return NOT_MUTED
        return UNMUTED_WHERE_MENTIONED if obey.resolution.follow is Follow.MENTION else UNMUTED

    def _unmute_word(self) -> str:
        # Without a word there is still the command, which is heard where the bot is mentioned with it.
        return min(self._guide.policy.words.unmute, default="/unmute")

    async def _claim(self, said: MessageReceived, app: AppName, conversation: ConversationId) -> bool:
        """False: somebody heard this message before, and says what it came to. Slack tells of each mention twice, and the second
        may reach another process."""
        claimed = await self._store.accept(
            NewQuestion(
                # The order itself took the event's own id.
                event_id=EventId(f"{said.event_id} said"),
                key=said.target.conversation,
                app=app,
                backend_user=BackendUser(""),
                question=question_in(said),
                join=conversation,
                most_waiting=REFUSE,
            )
        )
        return claimed is not None


def _for_each(event: EventId, number: int) -> EventId:
    """An event is claimed once for each conversation that it is about."""
    return EventId(f"{event} {number}") if number else event
