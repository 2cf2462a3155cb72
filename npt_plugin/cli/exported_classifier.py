"""python classify.py IMAGE...  Needs torch, torchvision, safetensors, PIL and CLIP's own library.

That is clip (clip-anytorch) for a model of OpenAI's, else open_clip (open_clip_torch).
"""

import json
import sys
from functools import partial
from pathlib import Path

import torch
from PIL import Image
from safetensors import safe_open
from safetensors.torch import load_file
from torchvision import transforms as t

from npt_plugin.datasets.rgb import to_rgb  # an export has the function itself in this place


def image_tower(about, file):
    """What makes features (B, D) of images (B, 3, H, W)."""
    name, recipe = about["backbone"], about.get("recipe", {})
    weights = load_file(str(file)) if not name else {}
    if about["library"] == "clip":
        import clip

        if name:
            return clip.load(name, device="cpu", jit=False)[0].float().encode_image
        model = clip.model.build_model(dict(weights)).float()
        model.load_state_dict(weights)  # build_model has rounded them to halves
        return model.encode_image
    if name:
        import open_clip

        name, _, tag = (name, "", "") if name.startswith("hf-hub:") else name.partition("/")
        return open_clip.create_model(name, pretrained=tag or None).eval().encode_image
    if "open_clip" in recipe:
        import open_clip

        tower = open_clip.CLIP(**recipe["open_clip"]).visual
    else:
        from timm.models.vision_transformer import VisionTransformer

        norm = partial(torch.nn.LayerNorm, eps=recipe["eps"])
        tower = VisionTransformer(**recipe["timm"], norm_layer=norm)
        weights = {name.removeprefix("trunk."): value for name, value in weights.items()}
    tower.load_state_dict(weights)
    return tower.eval()


if len(sys.argv) < 2:
    print(f"error: no image was given; usage: {__doc__.splitlines()[0]}", file=sys.stderr)
    sys.exit(2)
here = Path(__file__).parent
with safe_open(str(here / "classifier.safetensors"), "pt") as file:
    text, scale = file.get_tensor("text_features"), file.get_tensor("logit_scale")
    bias = file.get_tensor("logit_bias")
    about = {key: json.loads(value) for key, value in file.metadata().items()}
encode = image_tower(about, here / "backbone.safetensors")
resize = t.Resize(about["resize"], t.InterpolationMode(about["interpolation"]))
normal = t.Normalize(about["mean"], about["std"])
view = t.Compose([resize, t.CenterCrop(about["size"]), t.ToTensor(), normal])
code = 0
for path in sys.argv[1:]:
    try:
        pixels = view(to_rgb(Image.open(path)))
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        reason = getattr(error, "strerror", None) or error
        print(f"error: {path} cannot be read as an image ({reason}).", file=sys.stderr)
        code = 2
        continue
    with torch.no_grad():
        image = encode(pixels[None])
    p = (scale * torch.nn.functional.normalize(image) @ text.T + bias).softmax(dim=1)[0]
    best = p.topk(min(3, len(p))).indices.tolist()
    print(path, *(f"{about['class_names'][i]} {p[i]:.6f}" for i in best), sep="\t")
sys.exit(code)
