"""What a file may be called on a platform, whoever chose its name."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.outgoing_files import LONGEST_FILE_NAME, OutgoingFile


def plain(name: str) -> str:
    return OutgoingFile(name=name, content=b"x", media_type="text/plain").plain_name


@pytest.mark.parametrize(
    ("name", "called"),
    [
        ("answer.md", "answer.md"),
        ("漢字 の 名前.md", "漢字 の 名前.md"),
        ("../../etc/passwd", "passwd"),
        ("C:\\temp\\plan.txt", "plan.txt"),
        ("two\nlines\u2028and\ttabs.md", "two lines and tabs.md"),
        ("<!channel> @here <@U0ADA>.md", "__channel_ _here __U0ADA_.md"),
        ("\uff20everyone.md", "_everyone.md"),
        ("photo\u202egpj.exe", "photogpj.exe"),
        ("zero\u200bwidth\x00.md", "zerowidth.md"),
        ("half \ud83d.md", "half.md"),
        ("[a](https:/x).md", "x_.md"),
        ("", "file"),
        ("...", "file"),
        ("@", "_"),
        ("notes.", "notes"),
        ("archive.tar.gz", "archive.tar.gz"),
        ("x" * 300 + ".md", "x" * (LONGEST_FILE_NAME - 3) + ".md"),
        ("x." + "y" * 300, "x." + "y" * (LONGEST_FILE_NAME - 2)),
    ],
)
def test_a_name_is_one_plain_line(name: str, called: str) -> None:
    assert plain(name) == called


@given(st.text(max_size=300) | st.text(alphabet="<@!#&>./\\ \n\u202e\uff20aé漢👩\u200d", max_size=300))
def test_no_name_whatever_is_long_empty_or_dangerous(name: str) -> None:
    called = plain(name)
    assert 1 <= len(called) <= LONGEST_FILE_NAME
    assert not set(called) & set("<>@#&/\\|`*")
    assert not any(unicodedata.category(letter) in ("Cc", "Cf", "Cs", "Zl", "Zp") for letter in called)
    assert called == called.strip()
    assert plain(called) == called, "applying it again changes nothing"
