"""Members fill in forms of the core: a press opens one, as its immediate answer; what was sent is looked at before it is handed
in, and what is wrong with it is told to who sent it alone, since Discord keeps no form open."""

import asyncio
from collections.abc import Awaitable, Callable

from adapters.discord.dialect import DIALECT
from adapters.discord.interactions.fields import member_form, values_in
from adapters.discord.interactions.invocations import Filling
from adapters.discord.interactions.replies import Reply
from adapters.discord.interactions.scenes import Scene
from adapters.discord.reading.places import ref_to
from bridge import logs
from bridge.errors import StoreUnavailable
from bridge.events import FormSubmitted, InboundEvent
from bridge.forms_api import FindForm, Form, FormRequest, find_problems
from bridge.markdown.characters import literally

log = logs.get("discord")

NOT_NOW = "I cannot take that just now. Please press again in a moment."
UNREADABLE = "I do not know this form any more. Please press its button once more."
WRONG = "{label}: {problem} Please press the button again."

LOOK_UP = 1.2
"""Seconds for finding the form; Discord must be answered in what is left of three."""

MOST_TOLD = 900
"""Characters of what is wrong, ours; escaped they are twice as many, and a message holds 2,000."""

HandIn = Callable[[Scene, InboundEvent], Awaitable[bool]]
"""False: the store did not take it in time."""


class MemberForms:
    def __init__(self, find: FindForm | None) -> None:
        self._find = find

    async def open(self, filling: Filling, reply: Reply) -> bool:
        """Whether it is answered now."""
        found = await self._look_up(filling)
        if isinstance(found, str):
            return await reply.privately(_plainly(found))
        return await reply.with_form(member_form(found, filling.wanted))

    async def take(self, filling: Filling, reply: Reply, hand_in: HandIn) -> bool:
        """Whether it is answered now."""
        scene, found = filling.scene, await self._look_up(filling)
        if isinstance(found, str):
            return await reply.privately(_plainly(found))
        values = values_in(filling.sent or {}, found)
        if not values:
            return await reply.privately(UNREADABLE)
        problems = find_problems(found, values)
        if problems:
            labels = {field.name: field.label for field in found.fields}
            told = [WRONG.format(label=labels[name], problem=problem) for name, problem in problems.items()]
            return await reply.privately(_plainly("\n".join(told)))
        taken = await hand_in(
            scene,
            FormSubmitted(
                event_id=scene.event_id,
                form=filling.wanted.form,
                message=ref_to(filling.wanted.channel, filling.wanted.message),
                author=scene.author,
                target=filling.target,
                values=values,
                revision=scene.revision,
                category=scene.place.category_id,
                private=scene.private,
            ),
        )
        return await (reply.silently() if taken else reply.privately(NOT_NOW))

    async def _look_up(self, filling: Filling) -> Form | str:
        if self._find is None:
            return NOT_NOW
        request = FormRequest(
            form=filling.wanted.form,
            message=ref_to(filling.wanted.channel, filling.wanted.message),
            author=filling.scene.author,
            target=filling.target,
            category=filling.scene.place.category_id,
        )
        try:
            async with asyncio.timeout(LOOK_UP):
                return await self._find(request)
        except (StoreUnavailable, TimeoutError) as error:
            log.warning("form_not_found", id=filling.scene.number, error=type(error).__name__)
            return NOT_NOW


def _plainly(text: str) -> str:
    """As it is, whatever an app's author has put into it."""
    return str(DIALECT.payload(literally(text[:MOST_TOLD]))["content"])
