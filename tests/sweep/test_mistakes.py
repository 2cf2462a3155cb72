"""A typo anywhere in a sweep is refused before its first run."""

import pytest

from npt_plugin.errors import UserError
from npt_plugin.registration import register_all
from npt_plugin.runs.configs import configs_folder
from npt_plugin.sweep.grid import Grid
from npt_plugin.sweep.mistakes import refuse_mistakes

GOOD = {
    "datasets": ["embedded_objects", "embedded_shades"],
    "trainers": ["CoOp", "NPT_CoOp:loss=ldam"],
    "seeds": [1, 2],
    "ratios": [0.06],
}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"datasets": ["embedded_objects", "embedded_shade"]}, "embedded_shade"),
        ({"trainers": ["CoOp", "NPT_CoOpp"], "config": "tiny_ep50_ctxv1"}, "NPT_CoOpp"),
        ({"config": "tiny_ep5"}, "tiny_ep5"),
        ({"options": ("OPTIM.MAX_EPOC", "3")}, "OPTIM.MAX_EPOC"),
        ({"ratios": [0.06, 1.5]}, "1.5"),
        ({"seeds": [1, -1]}, "-1"),
        ({"shots": [16, 0]}, "NUM_SHOTS is 0"),
        ({"protocol": "xd", "source": "embedded_objects", "datasets": ["nowhere"]}, "nowhere"),
    ],
)
def test_a_mistake_in_the_last_place_is_found_first(wrong, said):
    register_all(base=True)
    refuse_mistakes(Grid(**GOOD).jobs(), configs_folder())
    with pytest.raises(UserError, match=said):
        refuse_mistakes(Grid(**{**GOOD, **wrong}).jobs(), configs_folder())
