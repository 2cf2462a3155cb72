"""Whole splits: the sizes of published ones are no problem, and one image less is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from npt_plugin.cli.data_verify import check, report
from npt_plugin.datasets.catalogue import CATALOGUE
from npt_plugin.datasets.verify import Problem

FACTS = json.loads(
    (Path(__file__).parents[1] / "datasets" / "real_fewshot_choices.json").read_text("utf-8")
)


def _labels(runs: list[list[int]]) -> Iterator[int]:
    return (label for label, count in runs for _ in range(count))


def _published(name: str) -> dict[str, list]:
    """A split file of the published sizes, labels and order; test is spread over the classes."""
    facts = FACTS[name]
    parts = {part: list(_labels(facts[f"{part}_labels"])) for part in ("train", "val")}
    parts["test"] = [i % facts["classes"] for i in range(facts["sizes"][2])]
    return {
        part: [[f"{part}{i}.jpg", label, f"class {label}"] for i, label in enumerate(labels)]
        for part, labels in parts.items()
    }


def _sizes(problems: list[Problem]) -> list[str]:
    return [problem.kind for problem in problems if "the published one has" in problem.kind]


@pytest.mark.parametrize("name", [name for name in FACTS if not name.startswith("_")])
def test_the_seven_published_splits_are_what_is_expected(name: str, tmp_path: Path) -> None:
    for path in CATALOGUE[name].expects:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        if "split_zhou" not in path:
            (tmp_path / path).mkdir()
    place = tmp_path / CATALOGUE[name].expects[-1]
    split = _published(name)
    place.write_text(json.dumps(split))
    _, problems = check(name, str(tmp_path), decode=False)
    assert not _sizes(problems)
    assert problems[0].number == sum(FACTS[name]["sizes"])  # there is no image here
    split["val"].pop()
    place.write_text(json.dumps(split))
    (said,) = _sizes(check(name, str(tmp_path), decode=False)[1])
    assert f"{FACTS[name]['sizes'][1] - 1:,} validation" in said.split(";")[0]


def test_what_is_printed_and_returned(capsys: pytest.CaptureFixture) -> None:
    assert report("X", ["a fact"], []) == 0
    assert report("X", [], [Problem("gone", ["a"] * 7)]) == 1
    out = capsys.readouterr().out
    assert out.startswith("X\n  a fact\n  no problem found\nX\n  gone: 7\n    a\n")
    assert "... and 2 more" in out and out.endswith("7 problem(s)\n")
    report("X", [], [Problem("gone", ["a"] * 7)], every=True)
    assert "more" not in capsys.readouterr().out
