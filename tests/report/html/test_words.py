"""Every word that the tables use without saying what it is."""

from npt_plugin.evaluation.groups import GROUPS
from npt_plugin.report.html.words import WORDS, words_html


def test_the_words_of_the_tables_are_there():
    names = {name for word, _ in WORDS for name in word.split(", ")}
    assert {"base", "new", "H", "tau", "macro", "ZeroshotCLIP", *GROUPS} <= names
    assert words_html().count("<dt>") == words_html().count("<dd>") == len(WORDS)
