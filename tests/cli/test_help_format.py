"""Defaults in help texts."""

import argparse

import pytest

from npt_plugin.cli.help_format import WithDefaults


@pytest.mark.parametrize(
    "flag, shown",
    [
        ({"default": 3, "help": "how many"}, "how many (default: 3)"),
        ({"default": ["a", "b"], "nargs": "+", "help": "which"}, "which (default: a b)"),
        ({"default": ("50%",), "nargs": "+", "help": "part"}, "part (default: 50%)"),
        ({"default": "", "help": "none: ours"}, "none: ours"),
        ({"action": "store_true", "help": "do it"}, "do it"),
        ({"default": "x", "help": "default: the run's"}, "default: the run's"),
    ],
)
def test_a_default_is_said_once(flag, shown):
    parser = argparse.ArgumentParser(formatter_class=WithDefaults)
    parser.add_argument("--flag", **flag)
    line = " ".join(parser.format_help().split("show this help message and exit")[1].split())
    assert line.endswith(shown) and line.count("default") == shown.count("default")
