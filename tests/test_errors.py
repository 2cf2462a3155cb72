"""The sentence for a slip offers the nearest allowed name, or none."""

from __future__ import annotations

import pytest

from npt_plugin.errors import UserError, count_as_user_errors, nearest_hint, user_errors


@pytest.mark.parametrize(
    "value, hint",
    [
        ("oxfordpets", " (did you mean 'OxfordPets'?)"),
        ("DTDS", " (did you mean 'dtd'?)"),
        ("zzz", ""),
        ("", ""),
    ],
)
def test_nearest_hint(value, hint):
    assert nearest_hint(value, iter(["OxfordPets", "dtd", "EuroSAT"])) == hint
    assert nearest_hint(value, []) == ""


def test_an_error_counts_once_however_often_it_is_named(monkeypatch):
    monkeypatch.setattr("npt_plugin.errors._USER_ERRORS", [UserError])
    count_as_user_errors(KeyError, OSError)
    count_as_user_errors(OSError)
    assert user_errors() == (UserError, KeyError, OSError)
