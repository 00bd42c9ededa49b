"""What everybody promises who keeps installations; bound with an `installations` fixture."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr

from bridge.installations_api import Installation, Installations
from bridge.messages import InstallationId

T1 = InstallationId("T1")
FIRST = "xoxb-1"
EXPIRES = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)


def installed(where: InstallationId = T1, secret: str = FIRST) -> Installation:
    return Installation(
        id=where,
        name="Acme",
        facts={"bot": "U1", "grüße": "漢字"},
        secrets={"token": SecretStr(secret), "refresh": SecretStr(f"{secret}-refresh")},
        expires_at=EXPIRES,
    )


def token_of(found: Installation | None) -> str | None:
    return found.secrets["token"].get_secret_value() if found else None


class InstallationsContract:
    async def test_an_installation_comes_back_as_it_was_saved(self, installations: Installations) -> None:
        assert await installations.find(T1) is None
        await installations.save(installed())
        found = await installations.find(T1)
        assert found == installed()
        assert found is not None
        assert found.expires_at is not None
        assert found.expires_at.utcoffset() == timedelta(0)

    async def test_saving_again_replaces_everything(self, installations: Installations) -> None:
        await installations.save(installed())
        again = Installation(id=T1, name="New", facts={}, secrets={"token": SecretStr("xoxb-2")})
        await installations.save(again)
        assert await installations.find(T1) == again
        assert list(await installations.all()) == [again]

    async def test_each_is_found_by_its_id(self, installations: Installations) -> None:
        for number in (3, 1, 2):
            await installations.save(installed(InstallationId(f"T{number}"), f"xoxb-{number}"))
        assert token_of(await installations.find(InstallationId("T2"))) == "xoxb-2"
        assert sorted(one.id for one in await installations.all()) == ["T1", "T2", "T3"]

    async def test_a_removed_one_is_forgotten_and_may_come_again(self, installations: Installations) -> None:
        await installations.save(installed())
        assert await installations.remove(T1)
        assert not await installations.remove(T1)
        assert await installations.find(T1) is None
        assert list(await installations.all()) == []
        await installations.save(installed(secret="xoxb-2"))
        assert token_of(await installations.find(T1)) == "xoxb-2"

    async def test_secrets_are_not_shown(self, installations: Installations) -> None:
        await installations.save(installed())
        async with installations.renewing(T1) as renewal:
            for shown in (repr(await installations.all()), repr(renewal.current), repr(renewal), repr(installations)):
                assert "xoxb" not in shown

    # Renewing

    async def test_what_is_renewed_is_seen_by_everybody_afterwards(self, installations: Installations) -> None:
        await installations.save(installed())
        async with installations.renewing(T1) as renewal:
            assert renewal.current == installed()
            await renewal.save(installed(secret="xoxb-2"))
            assert token_of(renewal.current) == "xoxb-2"
        assert token_of(await installations.find(T1)) == "xoxb-2"

    async def test_two_that_renew_at_once_renew_once(self, installations: Installations) -> None:
        await installations.save(installed())
        renewed = 0

        async def renew() -> str | None:
            nonlocal renewed
            async with installations.renewing(T1) as renewal:
                if token_of(renewal.current) == "xoxb-1":
                    for _ in range(5):
                        await asyncio.sleep(0)  # the platform is asked
                    renewed += 1
                    await renewal.save(installed(secret="xoxb-2"))
                return token_of(renewal.current)

        assert await asyncio.gather(*(renew() for _ in range(6))) == ["xoxb-2"] * 6
        assert renewed == 1

    async def test_others_are_renewed_meanwhile(self, installations: Installations) -> None:
        both = asyncio.Barrier(2)

        async def renew(where: InstallationId) -> None:
            async with installations.renewing(where) as renewal, asyncio.timeout(10):
                await both.wait()
                await renewal.save(installed(where, f"new {where}"))

        t2 = InstallationId("T2")
        for where in (T1, t2):
            await installations.save(installed(where))
        await asyncio.gather(renew(T1), renew(t2))
        assert [token_of(await installations.find(where)) for where in (T1, t2)] == ["new T1", "new T2"]

    async def test_it_can_be_read_while_it_is_renewed(self, installations: Installations) -> None:
        await installations.save(installed())
        async with installations.renewing(T1):
            assert token_of(await installations.find(T1)) == "xoxb-1"
            assert len(await installations.all()) == 1

    async def test_one_that_is_installed_anew_meanwhile_has_the_last_word(self, installations: Installations) -> None:
        await installations.save(installed())
        async with installations.renewing(T1) as renewal:
            reinstalling = asyncio.ensure_future(installations.save(installed(secret="reinstalled")))
            for _ in range(5):
                await asyncio.sleep(0)
            await renewal.save(installed(secret="refreshed"))
        async with asyncio.timeout(10):
            await reinstalling
        assert token_of(await installations.find(T1)) == "reinstalled"

    async def test_what_was_saved_stands_when_the_renewing_fails_afterwards(self, installations: Installations) -> None:
        await installations.save(installed())

        async def fail_late() -> None:
            async with installations.renewing(T1) as renewal:
                await renewal.save(installed(secret="xoxb-2"))
                raise RuntimeError

        with pytest.raises(RuntimeError):
            await fail_late()
        assert token_of(await installations.find(T1)) == "xoxb-2"

    async def test_a_renewing_that_fails_or_saves_nothing_changes_nothing(self, installations: Installations) -> None:
        await installations.save(installed())
        with pytest.raises(RuntimeError):
            async with installations.renewing(T1):
                raise RuntimeError
        async with installations.renewing(T1):
            pass
        assert await installations.find(T1) == installed()
        await installations.save(installed(secret="xoxb-2"))

    async def test_a_renewing_that_is_cancelled_lets_the_next_one_in(self, installations: Installations) -> None:
        await installations.save(installed())
        inside = asyncio.Event()

        async def renew() -> None:
            async with installations.renewing(T1):
                inside.set()
                await asyncio.Event().wait()

        for wait in (True, False):
            inside.clear()
            task = asyncio.ensure_future(renew())
            await (inside.wait() if wait else asyncio.sleep(0))
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        async with asyncio.timeout(10), installations.renewing(T1) as renewal:
            assert renewal.current == installed()

    async def test_there_may_be_nothing_to_renew(self, installations: Installations) -> None:
        async with installations.renewing(T1) as renewal:
            assert renewal.current is None
        assert await installations.find(T1) is None

    async def test_only_the_one_that_is_held_can_be_saved(self, installations: Installations) -> None:
        async with installations.renewing(T1) as renewal:
            with pytest.raises(ValueError, match="another"):
                await renewal.save(installed(InstallationId("T2")))
        assert await installations.find(InstallationId("T2")) is None

    # States

    async def test_a_state_is_redeemed_once(self, installations: Installations) -> None:
        state = await installations.issue_state(timedelta(minutes=10))
        assert await installations.redeem_state(state)
        assert not await installations.redeem_state(state)

    async def test_a_state_that_comes_back_many_times_at_once_counts_once(self, installations: Installations) -> None:
        state = await installations.issue_state(timedelta(minutes=10))
        results = await asyncio.gather(*(installations.redeem_state(state) for _ in range(6)))
        assert sorted(results) == [False] * 5 + [True]

    async def test_a_state_that_is_too_old_or_unknown_is_refused(self, installations: Installations) -> None:
        old = await installations.issue_state(timedelta(0))
        for state in (old, "", "made up", "\ud83d\0", "x" * 10_000):
            assert not await installations.redeem_state(state)

    async def test_no_state_is_like_another(self, installations: Installations) -> None:
        states = [await installations.issue_state(timedelta(minutes=1)) for _ in range(5)]
        assert len(set(states)) == 5
        assert all(len(state) >= 32 for state in states)
        assert all([await installations.redeem_state(state) for state in states])
