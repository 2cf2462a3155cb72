"""The interface over OpenAI's model, and that nobody goes past it."""

import ast
from pathlib import Path

import npt_plugin
from npt_plugin.backbone.openai import MEAN, STD

PACKAGE = Path(npt_plugin.__file__).parent
FAMILY = set(
    "visual resblocks conv1 token_embedding positional_embedding ln_final ln_post ln_pre proj "
    "text_projection input_resolution output_dim class_embedding attnpool transformer".split()
)
OUTSIDE = ("backbone", "embedded")
"""``embedded`` trains the tiny CLIP itself, on OpenAI's module."""
ALONE = "exported_classifier.py"
"""The program of an export, which has the library and not this package."""


def family_attributes(source):
    """Attributes of a family's modules that a source reads, but for MaPLe's own parts."""
    reads = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Attribute))
    own = ("self.prompt_learner.visual", "self.proj")
    return [ast.unparse(a) for a in reads if a.attr in FAMILY and ast.unparse(a) not in own]


def test_no_attribute_of_a_family_is_read_outside_the_backbone():
    files = [p for p in PACKAGE.rglob("*.py") if p.relative_to(PACKAGE).parts[0] not in OUTSIDE]
    files = [path for path in files if path.name != ALONE]
    assert len(files) > 200
    for path in files:
        assert not family_attributes(path.read_text("utf-8")), path
    assert family_attributes("width = clip.visual.conv1.out_channels  # ln_pre") == [
        "clip.visual.conv1",
        "clip.visual",
    ]


def test_openai_s_model_says_what_it_is(small_clip, resnet_clip):
    assert (small_clip.dim, small_clip.text_width, small_clip.image_size) == (48, 64, (32, 32))
    assert (small_clip.mean, small_clip.std, small_clip.causal) == (MEAN, STD, True)
    assert small_clip.logit_bias is None and small_clip.text_tower().depth == 2
    assert small_clip.logit_scale is small_clip.model.logit_scale
    assert resnet_clip.dim == 48 and "ResNet" in resnet_clip.image_tower().obstacle


def test_texts_are_cut_after_the_last_end(small_clip):
    texts = ["a cat", "a photo of a dog."]
    tokens, ends = small_clip.cut(small_clip.tokenizer(texts))
    assert ends.tolist() == [3, 7] and tokens.shape == (2, 8)
    assert [len(small_clip.tokenizer.encode(text)) for text in texts] == [2, 6]
    small_clip.causal = False
    assert small_clip.cut(small_clip.tokenizer(texts))[0].shape == (2, 77)
