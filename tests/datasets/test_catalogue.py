from __future__ import annotations

from pathlib import Path

from mini_trees import BUILDERS

from npt_plugin.datasets.catalogue import CATALOGUE
from npt_plugin.datasets.names import READERS, reader


def test_catalogue_covers_the_readers_and_is_sound() -> None:
    own = {"ImageFolder", "List"} | {name for name in READERS if name.startswith("Embedded")}
    assert set(CATALOGUE) == set(READERS) - own
    for entry in CATALOGUE.values():
        assert entry.parts or entry.manual
        for part in entry.parts:
            assert bool(part.url) != bool(part.gdrive), part
            assert part.url.startswith(("http://", "https://", "")) and " " not in part.url
            assert part.md5 == "" or len(part.md5) == 32
        folder = reader(entry.name).dataset_dir
        assert any(path.startswith(folder + "/") for path in entry.expects)


def test_expected_paths_are_those_the_readers_need(tmp_path: Path) -> None:
    for name, build in BUILDERS.items():
        root = tmp_path / name
        build(root)
        for path in CATALOGUE[name].expects:
            made = path.startswith(("food-101/meta", "stanford_cars/devkit")) or "split_" in path
            assert made or (root / path).exists(), (name, path)


def test_every_dataset_is_in_the_documentation() -> None:
    page = (Path(__file__).parents[2] / "docs" / "datasets.md").read_text(encoding="utf-8")
    for name, entry in CATALOGUE.items():
        row = next(line for line in page.splitlines() if line.startswith(f"| `{name}`"))
        assert entry.expects[0].split("/")[0] in row
