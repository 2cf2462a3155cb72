"""The version is said in one place."""

import npt_plugin
from npt_plugin.system.version import VERSION


def test_it_is_the_package_version_and_two_dots_long():
    assert npt_plugin.__version__ == VERSION and VERSION.count(".") == 2
