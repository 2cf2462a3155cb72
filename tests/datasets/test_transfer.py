from __future__ import annotations

import pytest

from npt_plugin.datasets.transfer import Stop, Transfer


def test_bytes_are_counted_and_a_stop_is_heard_at_the_next_ones(
    capsys: pytest.CaptureFixture,
) -> None:
    transfer = Transfer(10)
    transfer.add(4)
    transfer.say("a line")
    transfer.stop()
    with pytest.raises(Stop):
        transfer.add(1)
    transfer.close()
    assert capsys.readouterr().out == "a line\n"
