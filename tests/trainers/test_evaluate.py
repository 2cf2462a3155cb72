"""Evaluation: the logits it collects, and what it must not change."""

from npt_plugin.runs.layout import RESULTS
from npt_plugin.runs.record import read_record


def test_looking_at_the_collapse_changes_nothing(make_trainer, tmp_path):
    records = []
    for every in ("0", "1"):
        trainer = make_trainer("CoOp", "TEST.NC_PER_EPOCH", every, output=tmp_path / every)
        trainer.train()
        records.append(read_record(tmp_path / every / RESULTS))
    assert records[0].metrics == records[1].metrics
    assert records[0].config_hash == records[1].config_hash
