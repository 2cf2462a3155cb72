from __future__ import annotations

import argparse
import itertools

import pytest

from npt_plugin.cli.overrides import describe_overrides, overrides, parse_with_overrides
from npt_plugin.errors import UserError


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="npt something", epilog="Example: npt something RUN")
    parser.add_argument("run")
    parser.add_argument("--root", default="")
    parser.add_argument("--dry-run", action="store_true")
    return parser


WORDS = [["--root", "R"], ["OPTIM.LR", "-1e-3"], ["SEED", "-1"], ["--dry-run"]]


@pytest.mark.parametrize("order", list(itertools.permutations(WORDS)))
def test_any_order_of_flags_and_overrides(order: tuple[list[str], ...]) -> None:
    args = parse_with_overrides(_parser(), ["out", *itertools.chain(*order)])
    assert (args.run, args.root, args.dry_run) == ("out", "R", True)
    pairs = set(zip(args.opts[::2], args.opts[1::2], strict=True))
    assert pairs == {("OPTIM.LR", "-1e-3"), ("SEED", "-1")}


def test_values_may_hold_equal_signs_spaces_and_nothing() -> None:
    words = ["TRAINER.COOP.CTX_INIT", "a photo = of a", "DATASET.CLASSNAMES_FILE", ""]
    assert overrides(words) == words
    assert overrides(["--", "SEED", "1"]) == ["SEED", "1"]
    assert overrides([]) == []


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["DATASET.NUM_SHOTS=16"], "with a space: 'DATASET.NUM_SHOTS 16', not 'DATASET.NUM_SHO"),
        (["SEED", "1", "OPTIM.LR=0.1"], "'OPTIM.LR 0.1', not 'OPTIM.LR=0.1'"),
        (["SEED", "1", "OPTIM.LR"], "'OPTIM.LR' at the end has no partner"),
        (["--rot", "x"], r"Unknown flag '--rot' \(did you mean '--root'\?\)"),
        (["--rot=x"], r"Unknown flag '--rot' \(did you mean '--root'\?\)"),
        (["OPTIM.LR", "--rot"], "Unknown flag '--rot'"),
        (["-x"], "Unknown flag '-x'"),
    ],
)
def test_slips_are_one_sentence(words: list[str], sentence: str) -> None:
    with pytest.raises(UserError, match=sentence) as caught:
        parse_with_overrides(_parser(), ["out", *words])
    assert "\n" not in str(caught.value)


def test_help_and_usage_name_the_overrides() -> None:
    parser = _parser()
    describe_overrides(parser)
    text = parser.format_help()
    assert text.startswith("usage: npt something") and "run [KEY value ...]" in text
    assert "Example: npt something RUN Any config key can be set by KEY value" in " ".join(
        text.split()
    )
