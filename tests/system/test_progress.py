"""Bars are for terminals and notebooks; logs get none."""

from __future__ import annotations

import io
import sys
from types import SimpleNamespace

import pytest

from npt_plugin.system.progress import progress, watched


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("stream, shown", [(io.StringIO, False), (Terminal, True)])
def test_a_bar_only_where_somebody_watches(monkeypatch, stream, shown):
    monkeypatch.setattr(sys, "stderr", stream())
    assert watched() is shown
    assert list(progress(range(3), desc="things", file=sys.stderr)) == [0, 1, 2]
    assert ("things" in sys.stderr.getvalue()) is shown


@pytest.mark.parametrize(
    "shell, shown", [("ZMQInteractiveShell", True), ("TerminalInteractiveShell", False)]
)
def test_a_notebook_watches(monkeypatch, shell, shown):
    ipython = SimpleNamespace(get_ipython=lambda: type(shell, (), {})())
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    assert watched() is shown
