"""Lists of templates."""

from npt_plugin.datasets.prompt_ensembles import PROMPTSRC


def test_sixty_different_sentences_with_one_place_each():
    assert len(PROMPTSRC) == len(set(PROMPTSRC)) == 60
    assert all(template.count("{}") == 1 and template.endswith(".") for template in PROMPTSRC)
    assert PROMPTSRC[0] == "a photo of a {}."
