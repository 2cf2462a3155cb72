import pytest
from minidassl.utils import Registry, check_availability, get_most_similar_str_to_a_from_b


def test_register_get_and_names():
    registry = Registry("THING")

    @registry.register()
    class First:
        pass

    def second():
        pass

    registry.register(second)
    assert registry.registered_names() == ["First", "second"]
    assert registry.get("First") is First and registry.get("second") is second


def test_duplicate_and_absent_names_raise_key_error():
    registry = Registry("THING")
    registry.register(int)
    with pytest.raises(KeyError, match="int"):
        registry.register(int)
    with pytest.raises(KeyError, match="absent"):
        registry.get("absent")
    registry.register(int, force=True)
    assert registry.get("int") is int


def test_check_availability_names_the_nearest():
    check_availability("CoOp", ["CoOp", "MaPLe"])
    with pytest.raises(ValueError, match=r"\[MaPle\].*did you mean \[MaPLe\]"):
        check_availability("MaPle", ["CoOp", "MaPLe"])


def test_most_similar():
    assert get_most_similar_str_to_a_from_b("eurosat", ["Food101", "EuroSAT"]) == "EuroSAT"
    assert get_most_similar_str_to_a_from_b("eurosat", []) is None
