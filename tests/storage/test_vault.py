"""Secrets are opened by who has the key, and by nobody else."""

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr

from bridge.errors import SettingsError
from bridge.settings import isolated, read
from bridge.storage.settings import Settings
from bridge.storage.vault import Vault

FERNET = SecretStr(Fernet.generate_key().decode())
OTHER = SecretStr(Fernet.generate_key().decode())
SENTENCE = SecretStr("correct horse battery staple, and so on")
CONTENT = {"token": SecretStr("xoxb-grüße"), "refresh": SecretStr("")}


@pytest.mark.parametrize("key", [FERNET, SENTENCE], ids=["a Fernet key", "any other text"])
def test_what_was_sealed_is_opened_with_the_same_key(key: SecretStr) -> None:
    sealed = Vault([key]).seal("slack/T1", CONTENT)
    assert Vault([key]).unseal("slack/T1", sealed) == CONTENT
    assert "xoxb" not in sealed
    assert Vault([OTHER]).unseal("slack/T1", sealed) is None


def test_nothing_is_sealed_the_same_way_twice() -> None:
    vault = Vault([FERNET])
    assert vault.seal("slack/T1", CONTENT) != vault.seal("slack/T1", CONTENT)


def test_what_is_put_in_anothers_place_is_not_opened_there() -> None:
    vault = Vault([FERNET])
    assert vault.unseal("slack/T2", vault.seal("slack/T1", CONTENT)) is None


def test_the_first_key_seals_and_all_of_them_open() -> None:
    old, both = Vault([FERNET]), Vault([OTHER, FERNET])
    assert both.unseal("a", old.seal("a", CONTENT)) == CONTENT
    assert Vault([OTHER]).unseal("a", both.seal("a", CONTENT)) == CONTENT


def test_what_an_old_key_sealed_is_sealed_again_with_the_new_one() -> None:
    sealed = Vault([FERNET]).seal("a", CONTENT)
    both = Vault([OTHER, FERNET])
    again = both.reseal(sealed)
    assert again is not None
    assert Vault([OTHER]).unseal("a", again) == CONTENT
    assert both.reseal(again) is None, "once is enough"
    assert Vault([OTHER]).reseal(sealed) is None, "what cannot be opened stays as it is"


@pytest.mark.parametrize("damaged", ["", "nonsense", "gAAAAA", "ÄÖ", "\0"])
def test_what_is_no_sealed_text_is_not_opened(damaged: str) -> None:
    vault = Vault([FERNET])
    assert vault.unseal("a", damaged) is None
    assert vault.reseal(damaged) is None


def test_a_key_of_the_right_shape_that_is_none_of_fernet_is_a_text() -> None:
    """`openssl rand -base64 32` prints such keys, some of them with a slash or a plus."""
    odd = SecretStr("+/" + "a" * 41 + "=")
    assert Vault([odd]).unseal("a", Vault([odd]).seal("a", CONTENT)) == CONTENT


def test_a_vault_without_a_key_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="needs a key"):
        Vault([])


def test_keys_are_read_in_order_and_not_shown() -> None:
    settings = isolated(Settings, encryption_key=f" {'n' * 32} , {'o' * 40}")
    assert [key.get_secret_value() for key in settings.encryption_keys] == ["n" * 32, "o" * 40]
    assert "nnn" not in repr(settings)
    assert isolated(Settings).encryption_keys == ()


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("n" * 31, "one of them is too short"),
        (f"{'n' * 32},short", "one of them is too short"),
        (f"{'n' * 32},", "a comma with no key"),
        (f",{'n' * 32}", "a comma with no key"),
    ],
)
def test_a_wrong_key_is_told_with_the_fix_and_without_the_key(
    value: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENCRYPTION_KEY", value)
    with pytest.raises(SettingsError) as caught:
        read(Settings, None)
    [problem] = caught.value.problems
    assert problem.startswith("ENCRYPTION_KEY must be a key of at least 32 characters")
    assert told in problem
    assert "openssl rand -hex 32" in problem
    assert "nnn" not in problem
    assert "short," not in problem
