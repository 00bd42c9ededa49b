"""Ports that are bound later: what the system hands out is left out, and nobody gets somebody else's."""

import socket

import pytest

from tests.fakes import ports
from tests.fakes.ports import PORTS, SLICES, Ports, free_port, outside, slice_for


@pytest.mark.parametrize(
    ("ephemeral", "ours"),
    [
        ("32768\t60999\n", range(10_000, 30_000)),
        ("", range(10_000, 30_000)),
        ("15000 65000", range(10_000, 15_000)),
        ("1024 20000", range(20_001, 30_000)),
        ("1024 65535", range(10_000, 30_000)),
        ("10400 65535", range(10_000, 30_000)),
    ],
)
def test_none_is_taken_from_where_the_system_takes_its_own_unless_that_is_everywhere(
    ephemeral: str, ours: range
) -> None:
    assert outside(ephemeral) == ours


def test_processes_that_test_side_by_side_never_share_one() -> None:
    slices = [slice_for(worker, PORTS) for worker in ("", *(f"gw{number}" for number in range(SLICES - 1)))]
    assert len({port for each in slices for port in each}) == sum(len(each) for each in slices) == len(PORTS)
    assert slice_for(f"gw{SLICES * 7}", PORTS) in slices, "more workers than slices share them"


def test_none_comes_again_before_all_have_come_and_taken_ones_are_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "_is_free", lambda port: port != 12)
    given = Ports(range(10, 15), first=8)
    assert [given.take() for _ in range(5)] == [13, 14, 10, 11, 13]


def test_one_on_which_somebody_listens_is_never_given() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        number = taken.getsockname()[1]
        with pytest.raises(AssertionError, match=f"every port from {number} to {number} is taken"):
            Ports(range(number, number + 1)).take()


def test_what_is_given_can_be_listened_on_and_is_another_one_each_time() -> None:
    given = [free_port() for _ in range(3)]
    assert len(set(given)) == 3
    for port in given:
        assert port in PORTS
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", port))
            listener.listen()
