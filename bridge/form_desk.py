"""Where forms are asked for and handed in: each kind of form has one keeper, which the beginning of a form's id names."""

from collections.abc import Callable, Mapping
from typing import Protocol

from bridge import logs
from bridge.admitting import NO_APP, find_refusal, outside_of
from bridge.events import FormSubmitted
from bridge.forms_api import Form, FormRequest
from bridge.routing import Place, Resolution

_log = logs.get("forms")

UNKNOWN = "I do not know this form any more. Please ask again."


class KeepsForms(Protocol):
    """Knows the forms of one kind. Their ids begin with its name and a colon."""

    async def find(self, request: FormRequest) -> Form | str:
        """As `forms_api.FindForm`; whoever wants it is admitted there. Raises `StoreUnavailable`."""
        ...

    async def fill_in(self, submitted: FormSubmitted) -> None:
        """Makes durable what was filled in, if that person may do so and nothing is wrong with it. Told twice, it counts once.
        Raises `StoreUnavailable`; then it was not taken."""
        ...


class FormDesk:
    """`resolve` says what holds in a place; `keepers` stand under the names that ids of their forms begin with."""

    def __init__(self, *, resolve: Callable[[Place], Resolution], keepers: Mapping[str, KeepsForms]) -> None:
        self._resolve = resolve
        self._keepers = keepers

    async def find(self, request: FormRequest) -> Form | str:
        """A `forms_api.FindForm`."""
        key = request.target.conversation
        resolution = self._resolve(
            Place(
                platform=key.platform,
                installation=key.installation,
                channel=key.channel,
                category=request.category,
                # Only direct conversations are somebody's own.
                is_direct=bool(key.person),
            )
        )
        external = outside_of(resolution, request.author, is_external=request.is_external)
        refusal = find_refusal(resolution, external, request.author)
        # Of what was begun while an app did answer here, the forms may be filled in.
        if refusal is not None and refusal.notice != NO_APP:
            _log.info("refused", platform=key.platform, reason=refusal.reason)
            return refusal.notice
        keeper = self._keeper(request.form)
        return UNKNOWN if keeper is None else await keeper.find(request)

    async def fill_in(self, submitted: FormSubmitted) -> None:
        """Of somebody who is admitted there. Raises `StoreUnavailable`."""
        keeper = self._keeper(submitted.form)
        if keeper is None:
            _log.info("form_unknown", event_id=submitted.event_id)
        else:
            await keeper.fill_in(submitted)

    def _keeper(self, form: str) -> KeepsForms | None:
        name, colon, _ = form.partition(":")
        return self._keepers.get(name) if colon else None
