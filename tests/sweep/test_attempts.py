"""Attempts at a job: made once, never taken away, readable whatever a crash has left."""

import os

import pytest

from npt_plugin.errors import UserError
from npt_plugin.sweep import attempts
from npt_plugin.sweep.attempts import Attempt, create_attempt, end_attempt, read_attempts
from npt_plugin.system.processes import this_process


@pytest.fixture
def attempt():
    return Attempt("dtd CoOp", this_process(), "task 3", attempts.now(), 9.0)


def test_an_attempt_is_made_once_and_read_back(tmp_path, attempt):
    folder = tmp_path / "a" / "b"
    assert read_attempts(folder) == []
    assert create_attempt(folder, 1, attempt)
    assert not create_attempt(folder, 1, Attempt("another", this_process()))
    (seen,) = read_attempts(folder)
    assert (seen.number, seen.attempt, seen.state) == (1, attempt, attempts.RUNNING)


def test_an_end_is_written_with_its_reason_and_changes_the_stamp(tmp_path, attempt):
    create_attempt(tmp_path, 1, attempt)
    (before,) = read_attempts(tmp_path)
    end_attempt(tmp_path, 1, attempt, attempts.FAILED, reason="no memory", seconds=2.5)
    (seen,) = read_attempts(tmp_path)
    assert seen.state == "failed" and seen.attempt.reason == "no memory"
    assert seen.attempt.seconds == 2.5 and seen.stamp != before.stamp


def test_attempts_come_in_order_and_only_those_after_the_last_mark_count(tmp_path, attempt):
    for number in range(1, 12):
        create_attempt(tmp_path, number, attempt)
    end_attempt(tmp_path, 9, attempt, attempts.FORGIVEN)
    found = read_attempts(tmp_path)
    assert [seen.number for seen in found] == list(range(1, 12))
    assert [seen.number for seen in attempts.since_forgiven(found)] == [10, 11]
    assert attempts.since_forgiven(found[:5]) == found[:5]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"job": 1}', '{"owner": {}, "job": "x"}', "\x00"])
def test_half_an_attempt_runs_and_belongs_to_nobody(tmp_path, text):
    attempts.attempt_file(tmp_path, 1).write_text(text)
    (tmp_path / ".0001.json.abcd").write_text("left by a crash while it was replaced")
    (seen,) = read_attempts(tmp_path)
    assert seen.attempt is None and seen.state == attempts.RUNNING


def test_a_folder_that_cannot_be_made_is_a_sentence(tmp_path, attempt):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="Cannot write"):
        create_attempt(tmp_path / "file" / "x", 1, attempt)


def test_a_sign_of_life_changes_the_stamp(tmp_path, attempt):
    create_attempt(tmp_path, 1, attempt)
    before = read_attempts(tmp_path)[0].stamp
    os.utime(attempts.attempt_file(tmp_path, 1), (1, 1))
    assert read_attempts(tmp_path)[0].stamp != before
