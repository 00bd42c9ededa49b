"""A backend of the operator's own in the playground can do all that it can do without."""

from bridge import backend_api, input_api, past_api, variables_api
from bridge.backend_api import Backend
from bridge.clock import SystemClock
from bridge.playground.received import Received, WitnessedBackend
from bridge.registry import backend


def abilities(of: Backend) -> set[str]:
    return {
        name
        for seam in (backend_api, input_api, past_api, variables_api)
        for name, value in vars(seam).items()
        if getattr(value, "_is_runtime_protocol", False) and isinstance(of, value)
    }


async def test_what_a_backend_offers_besides_answers_is_passed_on() -> None:
    part = backend("dify", dify_base_url="http://127.0.0.1:9/v1", dify_api_key="app-key")
    own = part.create(SystemClock())
    witnessed = WitnessedBackend(own, Received())
    try:
        assert {"AcceptsFiles", "TakesInput", "ListsConversations", "DescribesInputs"} <= abilities(own)
        assert abilities(witnessed) == abilities(own)
    finally:
        await witnessed.close()
