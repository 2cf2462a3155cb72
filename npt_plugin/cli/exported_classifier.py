"""python classify.py IMAGE...  Needs torch, torchvision, safetensors, PIL and CLIP's own library.

That is clip (clip-anytorch) for a model of OpenAI's, else open_clip (open_clip_torch).
"""

import json
import sys
from pathlib import Path

import torch
from PIL import Image
from safetensors import safe_open
from safetensors.torch import load_file
from torchvision import transforms as t

from npt_plugin.datasets.rgb import to_rgb  # an export has the function itself in this place

if len(sys.argv) < 2:
    print(f"error: no image was given; usage: {__doc__.splitlines()[0]}", file=sys.stderr)
    sys.exit(2)
here = Path(__file__).parent
with safe_open(str(here / "classifier.safetensors"), "pt") as file:
    text, scale = file.get_tensor("text_features"), file.get_tensor("logit_scale")
    bias = file.get_tensor("logit_bias")
    about = {key: json.loads(value) for key, value in file.metadata().items()}
if about["library"] == "open_clip":
    import open_clip

    name = about["backbone"] or f"local-dir:{here / 'backbone'}"
    whole = name.startswith(("hf-hub:", "local-dir:"))
    name, _, tag = (name, "", "") if whole else name.partition("/")
    model = open_clip.create_model(name, pretrained=tag or None).eval()
else:
    import clip

    if about["backbone"]:
        model = clip.load(about["backbone"], device="cpu", jit=False)[0].float()
    else:
        weights = load_file(str(here / "backbone.safetensors"))
        model = clip.model.build_model(dict(weights)).float()
        model.load_state_dict(weights)  # build_model has rounded them to halves
resize = t.Resize(about["size"], t.InterpolationMode(about["interpolation"]))
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
        image = model.encode_image(pixels[None])
    p = (scale * torch.nn.functional.normalize(image) @ text.T + bias).softmax(dim=1)[0]
    best = p.topk(min(3, len(p))).indices.tolist()
    print(path, *(f"{about['class_names'][i]} {p[i]:.6f}" for i in best), sep="\t")
sys.exit(code)
