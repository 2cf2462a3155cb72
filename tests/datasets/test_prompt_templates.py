from __future__ import annotations

from mini_trees import BUILDERS

from npt_plugin.datasets.prompt_templates import TEMPLATES, template_for


def test_templates_as_published() -> None:
    assert template_for("OxfordPets") == "a photo of a {}, a type of pet."
    assert template_for("ImbalancedDescribableTextures") == "{} texture."
    assert template_for("Anything") == "a photo of a {}."
    assert template_for("EmbeddedTextures") == "{} texture."
    assert set(BUILDERS) == set(TEMPLATES)
    assert all(template.count("{}") == 1 for template in TEMPLATES.values())
