"""What every store promises about what it keeps, for how long and how faithfully."""

from datetime import timedelta

from bridge.store import Store
from tests.contracts.store_steps import accept, answered, new
from tests.fakes import values


class KeepingContract:
    async def test_the_text_of_old_answered_questions_is_removed_and_only_that(self, store: Store) -> None:
        await answered(store, 1, "a1")
        await accept(store, new(2))
        long_after = values.THEN + timedelta(days=365)
        assert await store.blank_payloads(values.THEN - timedelta(days=365)) == 0
        assert await store.blank_payloads(long_after) == 1
        assert await store.blank_payloads(long_after) == 0
