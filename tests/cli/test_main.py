import json

import pytest

from npt_plugin.cli import main as cli


def test_overview_names_every_command(capsys):
    assert cli.main(["--help"]) == 0
    out = capsys.readouterr().out
    assert all(name in out for name in cli.COMMANDS)


@pytest.mark.parametrize("name", sorted(cli.COMMANDS))
def test_every_command_has_help(name, capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main([name, "--help"])
    assert stop.value.code == 0 and "usage" in capsys.readouterr().out


def test_an_unknown_command_gets_the_nearest_name(capsys):
    assert cli.main(["sweeep"]) == 2
    assert "did you mean 'sweep'" in capsys.readouterr().err


@pytest.mark.parametrize(
    "kind, some",
    [
        ("trainers", "NPT_MaPLe"),
        ("datasets", "ImbalancedOxfordPets"),
        ("losses", "balanced_softmax"),
        ("backbones", "ViT-B/16"),
    ],
)
def test_list(kind, some, capsys):
    assert cli.main(["list", kind]) == 0
    assert some in capsys.readouterr().out.splitlines()


def test_report_without_runs_is_one_sentence(tmp_path, capsys):
    assert cli.main(["report", str(tmp_path)]) == 2
    assert capsys.readouterr().err.startswith("error: ")


def test_doctor_has_a_line_for_everything(capsys):
    code = cli.main(["doctor"])
    lines = capsys.readouterr().out.splitlines()
    assert code == 0, lines
    assert [line[:13].strip() for line in lines] == [
        "versions",
        "device",
        "CLIP Tiny",
        "CLIP weights",
        "configs",
        "data",
        "output",
        "pictures",
    ]


def test_records_are_written_whole_or_not_at_all(tmp_path):
    from npt_plugin.system.files import write_json

    file = tmp_path / "a" / "results.json"
    write_json(file, {"n": 1})
    with pytest.raises(TypeError):
        write_json(file, {"n": object()})
    assert json.loads(file.read_text()) == {"n": 1}
    assert [p.name for p in file.parent.iterdir()] == ["results.json"]


def test_files_are_as_readable_as_any_other(tmp_path):
    from npt_plugin.system.files import write_text

    (tmp_path / "plain").write_text("x")
    write_text(tmp_path / "ours", "x")
    assert (tmp_path / "ours").stat().st_mode == (tmp_path / "plain").stat().st_mode
