"""The rows of config.py, and the tree they become."""

import npt_plugin.config


def test_every_config_key_has_a_meaning_in_one_line():
    for key in (*npt_plugin.config.KEYS, *npt_plugin.config.DASSL_KEYS):
        assert 3 <= len(key.meaning) <= 90 and "\n" not in key.meaning, key.name
