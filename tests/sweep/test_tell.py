"""A line for each run that ended, and nothing in a pipe where none is asked for."""

from npt_plugin.sweep.job import Job
from npt_plugin.sweep.status import Status
from npt_plugin.sweep.tell import Teller

JOBS = [Job("dtd", "CoOp", "cfg", seed) for seed in range(3)]


def test_what_ended_since_the_last_look_has_a_line(capsys):
    teller = Teller(JOBS)
    teller.tell(Status(done=JOBS[:1], waiting=JOBS[1:]))  # done before: the ground
    assert capsys.readouterr().out == ""
    teller.tell(Status(done=JOBS[:1], failed=[(JOBS[2], "no memory")], waiting=JOBS[1:2]))
    assert capsys.readouterr().out == f"[2/3] {JOBS[2].name}: failed: no memory\n"
    teller.tell(Status(done=JOBS[:2], failed=[(JOBS[2], "no memory")]))
    assert capsys.readouterr().out == f"[3/3] {JOBS[1].name}: done\n"
    teller.close()


def test_a_pipe_is_quiet(capsys):
    teller = Teller(JOBS, lines=False)
    teller.tell(Status(waiting=JOBS))
    teller.tell(Status(done=JOBS))
    teller.close()
    assert capsys.readouterr() == ("", "")
