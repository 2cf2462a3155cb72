"""Where CLIP's weights come from, and what is said when they do not."""

import importlib.util
import sys
import types

import pytest
import torch
from safetensors.torch import save_file

from npt_plugin.backbone import openai
from npt_plugin.backbone.loading import available_backbones, load_clip
from npt_plugin.backbone.openai import BytePairs, clip_module
from npt_plugin.errors import UserError


def test_a_file_gives_openai_s_model_frozen_in_half_precision(small_clip_file):
    model = load_clip("", str(small_clip_file))
    assert type(model.model).__module__ == f"{clip_module().__name__}.model" and not model.training
    assert not any(p.requires_grad for p in model.parameters())
    assert model.model.visual.conv1.weight.dtype == torch.float16
    state = torch.load(small_clip_file, weights_only=True)
    assert torch.equal(model.model.visual.proj, state["visual.proj"].half())


@pytest.mark.parametrize("kind", ["nested", "safetensors", "archive"])
def test_every_kind_of_file_gives_the_same_weights(small_clip_file, tmp_path, kind):
    state = torch.load(small_clip_file, weights_only=True)
    path = tmp_path / ("clip.safetensors" if kind == "safetensors" else "clip.pt")
    if kind == "nested":
        torch.save({"epoch": 3, "state_dict": state}, path)
    elif kind == "safetensors":
        save_file(state, path)
    else:  # a JIT archive, as OpenAI ships them, with the numbers OpenAI's hold beside the weights
        model = load_clip("", str(small_clip_file)).float()
        images, tokens = torch.randn(1, 3, 32, 32), BytePairs()(["cat"])
        torch.jit.save(torch.jit.trace(model.model, (images, tokens)), str(path))
    found, expected = load_clip("", str(path)), load_clip("", str(small_clip_file))
    for (name, ours), theirs in zip(found.named_parameters(), expected.parameters(), strict=True):
        assert torch.equal(ours, theirs), name


def test_the_embedded_model_and_a_path_as_backbone_name(small_clip_file):
    assert load_clip("Tiny").image_size == (48, 48)
    assert load_clip(str(small_clip_file)).image_size == (32, 32)
    assert available_backbones()[0] == "Tiny" and "ViT-B/16" in available_backbones()


@pytest.mark.parametrize(
    "name, content, sentence",
    [
        ("absent.pt", None, "absent.pt do not exist: check MODEL.CLIP_WEIGHTS, or use"),
        ("noise.pt", b"no weights", r"noise.pt cannot be read \(.*\): give a JIT archive"),
        ("noise.safetensors", b"no weights", r"noise.safetensors cannot be read"),
        ("list.pt", [1, 2], "list.pt hold no state dict but a list"),
        ("other.pt", {"w": torch.ones(2)}, "other.pt does not hold CLIP weights"),
    ],
)
def test_what_cannot_be_loaded_is_one_sentence(tmp_path, name, content, sentence):
    path = tmp_path / name
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        torch.save(content, path)
    with pytest.raises(UserError, match=sentence) as error:
        load_clip("", str(path))
    assert "\n" not in str(error.value)


def test_a_misspelt_backbone_gets_the_nearest():
    with pytest.raises(UserError, match=r"'ViT-B16' is neither a known CLIP .*ViT-B/16"):
        load_clip("ViT-B16")


def test_weights_that_cannot_be_downloaded_leave_no_half_file(monkeypatch, tmp_path):
    clip = sys.modules[f"{clip_module().__name__}.clip"]

    def broken(url, root):
        target = tmp_path / ".cache" / "clip" / url.rpartition("/")[2]
        target.parent.mkdir(parents=True)
        target.write_bytes(b"half")
        raise OSError("no route to host")

    monkeypatch.setattr(clip, "_download", broken)
    monkeypatch.setattr(openai.Path, "home", lambda: tmp_path)
    with pytest.raises(
        UserError, match=r"ViT-B/16 are not on this machine .*no route to host.*Tiny"
    ):
        load_clip("ViT-B/16")
    assert not list((tmp_path / ".cache" / "clip").iterdir())


def test_a_prompt_beyond_77_tokens_is_refused():
    assert BytePairs()(["a " * 75]).shape == (1, 77)
    with pytest.raises(UserError, match="too long for CLIP's 77 tokens .*shorten the class name"):
        BytePairs()(["a " * 76])


def test_a_host_s_own_clip_package_is_passed_by(monkeypatch):
    host = types.ModuleType("clip")
    host.__file__ = "/somewhere/else/clip/__init__.py"
    monkeypatch.setitem(sys.modules, "clip", host)
    clip_module.cache_clear()
    try:
        found = clip_module()
        assert found is not host and found.__name__ == openai._PRIVATE_NAME
        assert found.tokenize(["cat"]).shape == (1, 77)
    finally:
        clip_module.cache_clear()
        for name in [n for n in sys.modules if n.startswith(openai._PRIVATE_NAME)]:
            monkeypatch.delitem(sys.modules, name)


@pytest.mark.parametrize(
    ("module", "package"), [("pkg_resources", "'setuptools<81'"), ("wcwidth", "wcwidth")]
)
def test_what_clips_code_lacks_is_named_with_its_package(monkeypatch, module: str, package: str):
    class Lacking:
        def exec_module(self, _):
            raise ModuleNotFoundError(f"No module named {module!r}", name=module)

    found = importlib.util.spec_from_file_location

    def spec(name, *given, **options):
        made = found(name, *given, **options)
        made.loader = Lacking()
        return made

    monkeypatch.delitem(sys.modules, "clip", raising=False)  # it would do if it were the one
    monkeypatch.setattr(importlib.util, "spec_from_file_location", spec)
    monkeypatch.setattr(importlib.util, "module_from_spec", lambda spec: types.ModuleType("clip"))
    clip_module.cache_clear()
    loaded = sys.modules.pop("npt_plugin_clip", None)
    try:
        with pytest.raises(UserError, match=f"needs the module '{module}'.*install {package}`"):
            clip_module()
    finally:
        clip_module.cache_clear()
        if loaded is not None:
            sys.modules["npt_plugin_clip"] = loaded
