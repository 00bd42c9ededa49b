"""Addresses are stored for ever: what was written is read back, and nothing else is taken for one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.discord.addresses import (
    Manner,
    MessagePlace,
    TargetPlace,
    message_address,
    read_message_address,
    read_target_address,
    target_address,
)
from bridge.messages import Address

snowflakes = st.integers(min_value=1, max_value=2**63 - 1)


@given(snowflakes, snowflakes)
def test_a_message_is_found_again(channel: int, message: int) -> None:
    assert read_message_address(message_address(channel, message)) == MessagePlace(channel=channel, message=message)


@given(snowflakes, snowflakes, st.sampled_from(Manner))
def test_a_target_is_found_again(channel: int, question: int, manner: Manner) -> None:
    place = TargetPlace(manner=manner, channel=channel, question=None if manner is Manner.IN else question)
    assert read_target_address(target_address(place)) == place


def test_the_spelling_never_changes() -> None:
    assert message_address(12, 34) == "12/34"
    assert target_address(TargetPlace(manner=Manner.IN, channel=12)) == "in/12"
    assert target_address(TargetPlace(manner=Manner.UNDER, channel=12, question=34)) == "under/12/34"
    assert target_address(TargetPlace(manner=Manner.REPLY, channel=12, question=34)) == "reply/12/34"


@pytest.mark.parametrize("text", ["", "12", "12/34/56", "a/b", "12/34\n", "in/12", "1²/3"])
def test_what_is_no_message_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not the address of a Discord message"):
        read_message_address(Address(text))


@pytest.mark.parametrize("text", ["", "12/34", "in/12/34", "under/12", "near/12/34", "reply/12/34\n"])
def test_what_is_no_target_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not the address of a Discord target"):
        read_target_address(Address(text))
