"""Published configs exist, for every trainer that has a folder of them."""

import pytest

from npt_plugin.errors import UserError
from npt_plugin.runs.configs import configs_folder, trainer_config
from npt_plugin.runs.layout import parse
from npt_plugin.sweep.job import Job
from npt_plugin.sweep.protocols import PROTOCOLS, VARIANTS, protocol_named, published_config

CONFIGS = configs_folder()
TRAINERS = sorted(path.name for path in (CONFIGS / "trainers").iterdir())
TRAINERS += ["NPT_CoOp", "NPT_CoCoOp", "NPT-CoOp"]


@pytest.mark.parametrize("trainer", TRAINERS)
@pytest.mark.parametrize("dataset", ["embedded_objects", "dtd", "imagenet", "cifar100_lt"])
@pytest.mark.parametrize("backbone", ["", "Tiny", "ViT-B/16", "ViT-B/32", "RN50", "my.pt"])
def test_every_published_config_is_a_file(trainer, dataset, backbone):
    for protocol in PROTOCOLS:
        for shots in (1, 4, 16):
            name = published_config(protocol, trainer, dataset, backbone, shots)
            assert trainer_config(name, trainer, CONFIGS).is_file(), (protocol, name)


@pytest.mark.parametrize(
    "asked, name",
    [
        (("base2new", "CoOp", "oxford_pets", "Tiny"), "tiny_ep50_ctxv1"),  # C3
        (("few_shot", "CoOp", "dtd", "RN50", 1), "rn50_ep50"),
        (("few_shot", "CoOp", "dtd", "RN50", 4), "rn50_ep100"),
        (("few_shot", "CoOp", "dtd", "RN50", 16), "rn50"),
        (("few_shot", "CoOp", "imagenet", "", 16), "vit_b16_ep50"),
        (("base2new", "NPT_CoOp", "imagenet"), "vit_b16_ep50_ctxv1"),
        (("xd", "MaPLe", "imagenet"), "vit_b16_c2_ep5_batch4_2ctx_cross_datasets"),
        (("base2new", "MaPLe", "imagenet"), "vit_b16_c2_ep5_batch4_2ctx"),
        (("long_tail", "FineTune", "places_lt"), "vit_b16_lift_ep10"),
        (("long_tail", "FineTune", "inaturalist2018"), "vit_b16_lift_ep20"),
        (("base2new", "FineTune", "dtd"), "vit_b16_adaptformer_ep10"),
    ],
)
def test_the_configs_of_the_papers(asked, name):
    assert published_config(*asked) == name


def test_an_unknown_trainer_needs_a_config_and_unknown_names_get_a_hint():
    with pytest.raises(UserError, match="No published config of TCP .* --config"):
        published_config("base2new", "TCP", "dtd")
    with pytest.raises(UserError, match="'base2knew'.*did you mean 'base2new'"):
        protocol_named("base2knew")
    with pytest.raises(UserError, match="no part 'news'.*did you mean 'new'"):
        protocol_named("base2new").part("news")


@pytest.mark.parametrize("protocol", sorted(PROTOCOLS))
def test_every_run_of_a_job_lies_where_the_layout_finds_it(protocol):
    targets = VARIANTS if protocol in ("xd", "dg") else ()
    job = Job("imagenet", "CoOp", "c", 1, protocol=protocol, targets=targets)
    for step in job.steps([part.name for part in PROTOCOLS[protocol].parts]):
        assert parse(step.folder.relative_to("output")) == step.place
