import pytest
from minidassl.data.datasets import DATASET_REGISTRY, DatasetBase, Datum, build_dataset
from minidassl.errors import DataError


@pytest.fixture
def item(tmp_path):
    path = tmp_path / "image.png"
    path.write_bytes(b"")
    return lambda label, name=None: Datum(
        str(path), label, 0, f"c{label}" if name is None else name
    )


def test_datum_is_read_only_and_checks_its_file(item, tmp_path):
    datum = item(2)
    assert (datum.label, datum.domain, datum.classname) == (2, 0, "c2")
    with pytest.raises(AttributeError):
        datum.label = 3
    with pytest.raises(DataError, match="gone.png"):
        Datum(str(tmp_path / "gone.png"))
    with pytest.raises(TypeError):
        Datum(tmp_path / "image.png")


def test_names_come_from_training_samples(item):
    data = DatasetBase(train_x=[item(1), item(0), item(1)], test=[item(0)])
    assert data.num_classes == 2 and data.classnames == ["c0", "c1"]
    assert data.lab2cname == {0: "c0", 1: "c1"} and data.val is None and data.train_u is None


@pytest.mark.parametrize("labels", [(0, 1, 3), (1, 2)])
def test_absent_class_is_refused_rather_than_shifting_names(item, labels):
    with pytest.raises(DataError, match=f"no sample of label {2 if 0 in labels else 0}"):
        DatasetBase(train_x=[item(label) for label in labels])


def test_explicit_names_keep_the_place_of_an_absent_class(item):
    names = ["c0", "c1", "c2", "c3"]
    data = DatasetBase(train_x=[item(0), item(3)], test=[item(2)], classnames=names)
    assert data.num_classes == 4 and data.lab2cname[3] == "c3" and data.classnames == names

    class Named(DatasetBase):
        all_classnames = names

    assert Named(train_x=[item(1)]).num_classes == 4


@pytest.mark.parametrize("split", ["val", "test"])
def test_label_outside_of_the_classes_is_named(item, split):
    with pytest.raises(DataError, match=f"{split} split has label 5.*0 to 1"):
        DatasetBase(train_x=[item(0), item(1)], **{split: [item(5)]})


def test_contradicting_names_are_refused(item):
    with pytest.raises(DataError, match="two class names, 'c0' and 'dog'"):
        DatasetBase(train_x=[item(0), item(0, "dog")])
    with pytest.raises(DataError, match="test split calls label 0 'dog'"):
        DatasetBase(train_x=[item(0)], test=[item(0, "dog")])
    assert DatasetBase(train_x=[item(0)], test=[item(0, "")]).num_classes == 1


def test_empty_training_split(item):
    with pytest.raises(DataError, match="empty"):
        DatasetBase(train_x=[], test=[item(0)])


def test_fewshot_shapes(item):
    data = DatasetBase(train_x=[item(0)])
    source = [item(label) for label in (1, 0, 1, 1)]
    assert data.generate_fewshot_dataset(source) is source
    assert data.generate_fewshot_dataset(source, source) == (source, source)
    drawn = data.generate_fewshot_dataset(source, num_shots=2)
    assert [d.label for d in drawn] == [1, 1, 0]  # first appearance first, small class whole
    repeated = data.generate_fewshot_dataset(source, num_shots=2, repeat=True)
    assert [d.label for d in repeated] == [1, 1, 0, 0]
    assert len(set(map(id, drawn))) == 3
    assert list(data.split_dataset_by_label(source)) == [1, 0]
    assert list(data.split_dataset_by_domain(source)) == [0]


def test_domains_are_checked(item):
    data = DatasetBase(train_x=[item(0)])
    data.domains = ["photo", "sketch"]
    data.check_input_domains(["photo"], ["sketch"])
    with pytest.raises(ValueError, match="paint"):
        data.check_input_domains(["photo"], ["paint"])
    with pytest.raises(AssertionError, match="SOURCE_DOMAINS"):
        data.check_input_domains([], ["photo"])


def test_unknown_dataset_names_the_nearest(cfg, register, capsys):
    right = cfg.DATASET.NAME
    assert build_dataset(cfg).num_classes == 3
    assert f"Loading dataset: {right}" in capsys.readouterr().out
    cfg.DATASET.NAME = right.lower()
    with pytest.raises(ValueError, match=rf"\[{right.lower()}\].*{right}"):
        build_dataset(cfg)
    assert right in DATASET_REGISTRY.registered_names()
