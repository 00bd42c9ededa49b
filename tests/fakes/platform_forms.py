"""A chat platform with buttons and forms, and somebody who fills them in."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bridge.events import FormSubmitted
from bridge.forms_api import FindForm, Form, FormRequest, find_problems
from bridge.messages import Address, Author, ButtonAction, EventId, MessageRef
from tests.core.doings import aside
from tests.fakes import values
from tests.fakes.platform import FAKE, FakePlatform


@dataclass
class FormPlatform(FakePlatform):
    """A form shows the first `holds` fields."""

    holds: int = 5
    buttons: bool = True
    told: list[str] = field(default_factory=list)
    """What was told to who pressed or sent, instead of a form or within it."""
    _find: FindForm | None = None
    _sent: int = 0

    def offer_forms(self, find: FindForm) -> None:
        self._find = find

    async def press(self, author: Author | None = None, text: str = "") -> Form | None:
        """Presses the one button that opens a form, under the last message that has one (or that says `text`)."""
        found = await self._ask(self._request(author or values.person(), text))
        if isinstance(found, str):
            self.told.append(found)
            return None
        return found

    async def submit(self, given: Mapping[str, str], author: Author | None = None) -> FormSubmitted | None:
        """Opens the form, fills in what it shows, and sends it. None: it was not taken."""
        author = author or values.person()
        request = self._request(author, "")
        found = await self._ask(request)
        if isinstance(found, str):
            self.told.append(found)
            return None
        shown = {one.name: given.get(one.name, "") for one in found.fields[: self.holds]}
        problems = find_problems(found, shown)
        if problems:
            self.told += problems.values()
            return None
        self._sent += 1
        return FormSubmitted(
            event_id=EventId(f"form {self._sent}"),
            form=request.form,
            message=request.message,
            author=author,
            target=request.target,
            values=shown,
            revision=self._sent,
            private=aside(author.id),
        )

    async def _ask(self, request: FormRequest) -> Form | str:
        assert self._find is not None, "nobody offers forms"
        return await self._find(request)

    def _request(self, author: Author, text: str) -> FormRequest:
        for address, shown in reversed(self.messages.items()):
            opens = [button for button in shown.buttons if button.action is ButtonAction.FORM]
            if opens and text in shown.text:
                message = MessageRef(platform=FAKE, address=Address(address))
                return FormRequest(form=opens[0].value, message=message, author=author, target=shown.target)
        raise AssertionError("no button opens a form")
