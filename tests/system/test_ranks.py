"""Who takes part in a run, and who of several speaks when it ends badly."""

import pytest
import torch

from npt_plugin.errors import UserError
from npt_plugin.system import ranks
from npt_plugin.system.exit_codes import USER, exit_code

LAUNCHED = {"RANK": "1", "WORLD_SIZE": "3", "MASTER_ADDR": "localhost", "MASTER_PORT": "29500"}


@pytest.fixture(autouse=True)
def alone_again():
    yield
    ranks.belong()


@pytest.fixture
def launched(monkeypatch):
    """``launched(RANK="x")``: the environment of a process that torchrun has started."""

    def call(**changes):
        for name, value in {**LAUNCHED, **changes}.items():
            if value:
                monkeypatch.setenv(name, value)
            else:
                monkeypatch.delenv(name, raising=False)

    return call


@pytest.mark.parametrize("total", range(9))
@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_shares_cover_all_rows_once_and_differ_by_one_at_most(size, total):
    rows = list(range(total))
    taken = []
    for rank in range(size):
        ranks.belong(size, rank)
        own = rows[ranks.share(total)]
        count = ranks.shares(total)[rank]
        assert own[:count] == own if count else own == rows[:1]  # a stand-in does not count
        taken += own[:count]
    assert taken == rows
    assert max(ranks.shares(total)) - min(ranks.shares(total)) <= 1


def test_alone_unless_a_launcher_says_otherwise(launched):
    launched(WORLD_SIZE="")
    assert ranks.launched() is None and not ranks.half_launched()
    launched(WORLD_SIZE="1")
    assert ranks.launched() is None and not ranks.half_launched()
    launched()
    assert ranks.launched() == (1, 3) and not ranks.half_launched()


def test_world_size_without_the_rest_is_said_and_ignored(launched):
    launched(RANK="", MASTER_PORT="")
    assert ranks.launched() is None
    assert "WORLD_SIZE is 3, but without RANK, MASTER_PORT" in ranks.half_launched()


@pytest.mark.parametrize("name", ["RANK", "WORLD_SIZE", "MASTER_PORT"])
def test_what_is_no_number_is_refused(launched, name):
    launched(**{name: "many"})
    with pytest.raises(UserError, match=f"{name} 'many'"):
        ranks.launched()


def test_what_takes_no_part_does_not_work_n_times(launched):
    launched()
    with pytest.raises(UserError, match="WORLD_SIZE is 3, so this is one of several"):
        ranks.refuse_unjoined()
    ranks.belong(3, 1)
    ranks.refuse_unjoined()


def test_the_first_to_end_speaks_and_its_code_is_all_others(capsys):
    def mistake(text):
        raise UserError(text)

    def lost():
        raise ranks.lost(RuntimeError("connection closed\nby peer"))

    store = torch.distributed.HashStore()
    ranks.belong(2, 1, store)
    assert exit_code(mistake, "No such file.") == USER
    assert capsys.readouterr().err == "error: No such file.\n"
    ranks.belong(2, 0, store)
    assert exit_code(lost) == USER
    assert exit_code(int, "not a number") == USER  # what follows from the first is not told
    assert capsys.readouterr().err == ""


def test_a_process_that_says_nothing_was_killed(monkeypatch):
    monkeypatch.setattr(ranks, "_WORD", ranks.timedelta(milliseconds=50))
    ranks.belong(2, 0, torch.distributed.HashStore())
    lost = ranks.lost(RuntimeError("connection closed\nby peer"))
    assert lost.code == 1 and "was killed, or did not answer for 10 minutes" in str(lost)
    assert "(connection closed)" in str(lost)


def test_a_mistake_of_ours_is_told_once(capsys):
    store = torch.distributed.HashStore()
    ranks.belong(2, 1, store)
    with pytest.raises(ValueError):
        exit_code(int, "not a number")
    ranks.belong(2, 0, store)
    assert exit_code(int, "not a number") == 1
