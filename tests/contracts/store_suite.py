"""What every store promises, in one class; each store binds it with a `store` fixture."""

from tests.contracts.store_again_suite import AgainContract
from tests.contracts.store_changes_suite import ChangesContract
from tests.contracts.store_comments_suite import CommentsContract
from tests.contracts.store_intake_suite import IntakeContract
from tests.contracts.store_keeping_suite import KeepingContract
from tests.contracts.store_pauses_suite import PausesContract
from tests.contracts.store_quotas_suite import QuotasContract
from tests.contracts.store_turns_suite import TurnsContract
from tests.contracts.store_votes_suite import VotesContract
from tests.contracts.store_wishes_suite import WishesContract


class StoreContract(
    IntakeContract,
    TurnsContract,
    ChangesContract,
    KeepingContract,
    VotesContract,
    CommentsContract,
    WishesContract,
    AgainContract,
    QuotasContract,
    PausesContract,
):
    pass
