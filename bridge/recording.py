"""What a writer reports goes into the store; while that is away it is kept here."""

from bridge import logs
from bridge.errors import StoreUnavailable
from bridge.messages import MessageRef, PartRole, Turn
from bridge.metrics import LimitedCall, Metrics
from bridge.pacing import WriteKind
from bridge.store import Store

_log = logs.get("recording")


class StoreRecorder:
    """Keeps what could not be recorded until it can."""

    def __init__(self, store: Store, turn: Turn, metrics: Metrics, *, keeps_text: bool) -> None:
        self._store = store
        self._turn = turn
        self._metrics = metrics
        self._keeps_text = keeps_text
        self.unrecorded: dict[int, tuple[str, PartRole, MessageRef, str]] = {}
        """Messages that stand and that the store does not know yet."""

    async def intending(self, part: int, nonce: str, role: PartRole, text: str) -> None:
        try:
            await self._store.record_intended(self._turn, part, nonce, role, text)
        except StoreUnavailable as error:
            # Posted all the same: an answer that is seen twice after a crash is better than one that nobody sees.
            self._away("record_intended", error)

    async def posted(self, part: int, nonce: str, role: PartRole, ref: MessageRef, text: str) -> None:
        kept = text if self._keeps_text else ""
        try:
            await self._store.record_posted(self._turn, part, nonce, role, ref, kept)
        except StoreUnavailable as error:
            self.unrecorded[part] = (nonce, role, ref, kept)
            self._away("record_posted", error)

    async def showing(self, part: int, text: str) -> None:
        """Before each edit, also where there is nothing to record: somebody who was frozen and given up must not amend what the
        next owner has finished."""
        try:
            if self._keeps_text:
                await self._store.record_shown(self._turn, part, text)
            else:
                await self._store.orders(self._turn)
        except StoreUnavailable as error:
            self._away("showing", error)

    async def may_adopt(self, ref: MessageRef) -> bool:
        try:
            return await self._store.conversation_of(ref) is None
        except StoreUnavailable as error:
            self._away("conversation_of", error)
            return False

    def limited(self, kind: WriteKind) -> None:
        self._metrics.rate_limited(self._turn.target.platform, LimitedCall(kind))

    async def catch_up(self, *, at_any_cost: bool) -> None:
        """Raises `StoreUnavailable` if it must be done `at_any_cost`."""
        for part, (nonce, role, ref, text) in list(self.unrecorded.items()):
            try:
                await self._store.record_posted(self._turn, part, nonce, role, ref, text)
            except StoreUnavailable:
                if at_any_cost:
                    raise
            else:
                del self.unrecorded[part]

    def _away(self, doing: str, error: StoreUnavailable) -> None:
        self._metrics.store_unavailable()
        _log.warning("store_unavailable", doing=doing, detail=str(error))
