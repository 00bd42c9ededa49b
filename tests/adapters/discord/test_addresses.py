"""Addresses are stored for ever: what was written is read back, and nothing else is taken for one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.discord.addresses import (
    FilePlace,
    Manner,
    MessagePlace,
    TargetPlace,
    ask_address,
    file_address,
    hook_address,
    hush_address,
    message_address,
    pick_address,
    read_file_address,
    read_message_address,
    read_target_address,
    target_address,
)
from bridge.messages import Address

snowflakes = st.integers(min_value=1, max_value=2**63 - 1)


@given(snowflakes, snowflakes)
def test_a_message_is_found_again(channel: int, message: int) -> None:
    assert read_message_address(message_address(channel, message)) == MessagePlace(channel=channel, message=message)


@given(snowflakes, snowflakes, snowflakes)
def test_a_file_is_found_again(channel: int, message: int, file: int) -> None:
    assert read_file_address(file_address(channel, message, file)) == FilePlace(
        channel=channel, message=message, file=file
    )


@given(snowflakes, snowflakes, snowflakes, st.sampled_from(Manner))
def test_a_target_is_found_again(channel: int, question: int, interaction: int, manner: Manner) -> None:
    webhook = manner in (Manner.HOOK, Manner.HUSH)
    place = TargetPlace(
        manner=manner,
        channel=0 if webhook else channel,
        question=question if manner in (Manner.UNDER, Manner.REPLY, Manner.PICK) else None,
        interaction=interaction if webhook or manner in (Manner.ASK, Manner.PICK) else None,
    )
    assert read_target_address(target_address(place)) == place


def test_the_spelling_never_changes() -> None:
    assert message_address(12, 34) == "12/34"
    assert file_address(12, 34, 56) == "12/34/56"
    assert target_address(TargetPlace(manner=Manner.IN, channel=12)) == "in/12"
    assert target_address(TargetPlace(manner=Manner.UNDER, channel=12, question=34)) == "under/12/34"
    assert target_address(TargetPlace(manner=Manner.REPLY, channel=12, question=34)) == "reply/12/34"
    assert ask_address(12, 34) == "ask/12/34"
    assert pick_address(12, 34, 56) == "pick/12/34/56"
    assert hook_address(12) == "hook/12"
    assert hush_address(12) == "hush/12"


@pytest.mark.parametrize("text", ["", "12", "12/34/56", "a/b", "12/34\n", "in/12", "1²/3"])
def test_what_is_no_message_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not the address of a Discord message"):
        read_message_address(Address(text))


@pytest.mark.parametrize("text", ["", "12/34", "1/2/x", "1/2/3/4", "1/2/3\n"])
def test_what_is_no_file_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not the address of a Discord file"):
        read_file_address(Address(text))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "12/34",
        "in/12/34",
        "under/12",
        "near/12/34",
        "reply/12/34\n",
        "ask/12",
        "pick/1/2",
        "hook/1/2",
        "hush/",
        "hush/x",
    ],
)
def test_what_is_no_target_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not the address of a Discord target"):
        read_target_address(Address(text))
