"""Addresses are stored for ever: what is written is read back, and its spelling is pinned."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.slack.addresses import Place, edit_group, message_ref, post_group, read_address, write_address
from bridge.messages import Address

part = st.text(st.characters(exclude_characters="/", exclude_categories=["Cs"]), min_size=1, max_size=20)


@given(team=part, channel=part, ts=part)
def test_every_place_is_read_back_as_it_was_written(team: str, channel: str, ts: str) -> None:
    place = Place(team=team, channel=channel, ts=ts)
    assert read_address(write_address(place)) == place


def test_the_spelling_never_changes() -> None:
    place = Place(team="T1", channel="C2", ts="1718000000.000100")
    assert write_address(place) == "T1/C2/1718000000.000100"
    assert message_ref(place).platform == "slack"


@pytest.mark.parametrize("address", ["", "T1", "T1/C2", "T1/C2/", "/C2/1.1", "T1/C2/1.1/more"])
def test_what_this_adapter_did_not_write_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="not a Slack address"):
        read_address(Address(address))


@pytest.mark.parametrize("place", [("", "C", "1"), ("T", "C/D", "1"), ("T", "C", "")])
def test_a_place_that_could_not_be_read_back_is_not_written(place: tuple[str, str, str]) -> None:
    team, channel, ts = place
    with pytest.raises(ValueError, match="not a Slack place"):
        write_address(Place(team=team, channel=channel, ts=ts))


def test_posts_are_paced_per_channel_and_edits_per_workspace() -> None:
    here, there = Place(team="T", channel="C1", ts="1.1"), Place(team="T", channel="C2", ts="1.1")
    assert post_group(here) != post_group(there)
    assert edit_group(here) == edit_group(there)
    assert edit_group(here) != edit_group(Place(team="U", channel="C1", ts="1.1"))
