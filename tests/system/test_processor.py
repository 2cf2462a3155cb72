"""What is read of a processor, and which of the emulated instruction sets act on this one."""

import platform
import sys

import pytest
from instruction_sets import SETS, found_under

from npt_plugin.system import processor

X86 = "processor : 0\nmodel name\t: Some CPU @ 3 GHz\nflags\t\t: fpu avx2 {}\n\nprocessor : 1\n"
ARM = "processor\t: 0\nFeatures\t: fp asimd {}\n"


@pytest.fixture
def cpuinfo(monkeypatch, tmp_path):
    """``cpuinfo(text)``: what the processor says; None: there is no such file."""

    def say(text):
        file = tmp_path / "cpuinfo"
        if text is not None:
            file.write_text(text)
        monkeypatch.setattr(processor, "_CPUINFO", file)
        for known in (processor.has_bf16_units, processor.processor_name):
            known.cache_clear()

    yield say
    for known in (processor.has_bf16_units, processor.processor_name):
        known.cache_clear()


@pytest.mark.parametrize(
    "text, expected",
    [
        (X86.format("avx512_bf16 avx512f"), True),
        (X86.format("amx_bf16"), True),
        (X86.format("avx512f avx512_vnni"), False),
        (ARM.format("bf16"), True),
        (ARM.format("sve"), False),
        ("processor : 0\n", None),
        (None, None),
    ],
)
def test_units_for_bf16(cpuinfo, text, expected):
    cpuinfo(text)
    assert processor.has_bf16_units() is expected
    assert processor.processor_name() == ("Some CPU @ 3 GHz" if text and "CPU" in text else "")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="emulated on Linux")
@pytest.mark.skipif(platform.machine() != "x86_64", reason="these are sets of x86")
@pytest.mark.parametrize("name", SETS)
def test_emulated_instruction_sets_act(name):
    """On what each variable is known to change; MKL's own variable acts on Intel alone."""
    own, found = found_under(), found_under(name)
    order = ("DEFAULT", "AVX2", "AVX512")
    asked = SETS[name]["ATEN_CPU_CAPABILITY"].upper()
    assert found["aten"] == min(own["aten"], asked, key=order.index)
    assert "AVX-512" not in found["onednn"] and found["onednn"]
    if name == "oldest":
        assert found["onednn"].endswith("SSE4.1") and "COMPATIBLE" in found["mkl"]
