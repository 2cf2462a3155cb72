"""Views of a test image, pixel by pixel as torchvision makes them."""

import pickle

import pytest
import torch
from PIL import Image
from torchvision import transforms
from torchvision.transforms import InterpolationMode, functional

from npt_plugin.datasets.views import PLACES, View, resized_first
from npt_plugin.errors import UserError

PLAIN = transforms.Compose(
    [
        transforms.Resize(32, interpolation=InterpolationMode.BICUBIC),
        transforms.CenterCrop(32),
        transforms.ToTensor(),
    ]
)


@pytest.fixture(params=[(40, 57), (57, 40), (32, 32), (20, 91)])
def image(request):
    pixels = torch.randint(256, (3, *request.param), generator=torch.Generator().manual_seed(1))
    return functional.to_pil_image(pixels.to(torch.uint8))


@pytest.mark.parametrize("side", [32, 37, 44])
def test_places_are_torchvisions_five_crops(image, side):
    large = functional.resize(image, side, InterpolationMode.BICUBIC)
    five = [functional.to_tensor(crop) for crop in functional.five_crop(large, 32)]
    for place, expected in zip(PLACES, five, strict=True):
        view = View(side, (32, 32), "bicubic", PLAIN, place)
        assert torch.equal(view(image), expected), place
        mirrored = View(side, (32, 32), "bicubic", PLAIN, place, mirrored=True)
        assert torch.equal(mirrored(image), expected.flip(-1)), place


def test_the_centre_of_the_smallest_side_is_the_plain_view(image):
    assert torch.equal(View(32, (32, 32), "bicubic", PLAIN)(image), PLAIN(image))


def test_views_travel_to_workers_and_are_told_apart(image):
    views = [View(44, (32, 32), "bicubic", PLAIN, p, m) for p in PLACES for m in (False, True)]
    assert len({repr(view) for view in views}) == len(views)
    for view in views:
        assert torch.equal(pickle.loads(pickle.dumps(view))(image), view(image))


def test_test_resize_is_a_larger_resize_before_the_crop(image, make_cfg):
    cfg = make_cfg("CoOp", "INPUT.TEST_RESIZE", "37", "INPUT.INTERPOLATION", "bilinear")
    reference = transforms.Compose(
        [transforms.Resize(37), transforms.CenterCrop(32), transforms.ToTensor()]
    )
    assert torch.equal(resized_first(cfg, PLAIN)(image), reference(image))
    assert resized_first(make_cfg("CoOp"), PLAIN) is PLAIN
    with pytest.raises(UserError, match=r"TEST_RESIZE is 20, less than INPUT.SIZE \(32, 32\)"):
        resized_first(make_cfg("CoOp", "INPUT.TEST_RESIZE", "20"), PLAIN)


def test_a_run_sees_its_test_images_so_and_its_training_images_not(make_trainer):
    trainer = make_trainer("CoOp", "INPUT.TEST_RESIZE", "37")
    assert isinstance(trainer.test_loader.dataset.transform, View)
    assert isinstance(trainer.val_loader.dataset.transform, View)
    assert not isinstance(trainer.train_loader_x.dataset.transform, View)
    item = trainer.dm.dataset.test[0]
    seen = trainer.test_loader.dataset[0]["img"]
    normal = transforms.Normalize(trainer.cfg.INPUT.PIXEL_MEAN, trainer.cfg.INPUT.PIXEL_STD)
    steps = [transforms.Resize(37), transforms.CenterCrop(32), transforms.ToTensor(), normal]
    reference = transforms.Compose(steps)(Image.open(item.impath).convert("RGB"))
    assert torch.equal(seen, reference)
