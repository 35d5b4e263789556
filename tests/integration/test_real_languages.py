"""One tiny run of each task on real sentences in scripts that are hard to get right; skipped where they are absent."""

import json
from pathlib import Path

import pytest

DATA = Path(__file__).parents[3] / "shared/data"
RUNS = {
    "ner, Urdu": ("ner", "panx/en/train.conll", "panx/ur/train.conll", "panx/ur/dev.conll"),
    "ner, Burmese": ("ner", "panx/en/train.conll", "panx/my/train.conll", "panx/my/dev.conll"),
    "nli, Arabic": ("nli", "nli_en/taxinli10k_mnli.tsv", "xnli/ar/dev.tsv", "xnli/ar/test.tsv"),
    "paraphrase, Chinese": ("paraphrase", "pawsx/en/dev.tsv", "pawsx/zh/dev.tsv", "pawsx/zh/test.tsv"),
    "classification, Burmese": (
        "classification",
        "sib200/eng_Latn/train.tsv",
        "sib200/mya_Mymr/train.tsv",
        "sib200/mya_Mymr/dev.tsv",
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize(("task", "source", "target", "test"), RUNS.values(), ids=RUNS)
def test_a_tiny_run_completes_and_its_virtual_sentences_differ(task, source, target, test, encoder, adapt, tmp_path):
    files = [DATA / name for name in (source, target, test)]
    if not all(file.is_file() for file in files):
        pytest.skip(f"no {', '.join(str(file) for file in files if not file.is_file())}")
    few = tmp_path / f"test{files[2].suffix}"
    cut = 300 if task == "ner" else 30
    lines = files[2].read_text(encoding="utf-8").split("\n")[:cut]
    few.write_text("\n".join(lines) + "\n", encoding="utf-8")
    config = tmp_path / "run.yaml"
    training = "{batch_size: 8, learning_rate: 1.0e-3, epochs: 1, selection: last}"
    config.write_text(
        f"task: {task}\nmodel: {encoder}\nthreads: 1\nmax_length: 64\n"
        f"source: {{name: en, train: '{files[0]}', take: 24}}\n"
        f"target: xx\ntarget_data: {{train: '{files[1]}', test: '{few}', take: 16}}\n"
        f"warmup: {training}\nadaptation: {training}\nagree: none\ncollapse_share: 1.0\nmethods: [uxla]\n"
        "schedule: [{data: [source, target, target_vicinity], select: {kind: confidence, share: 1.0}}]\n",
        encoding="utf-8",
    )
    run = adapt(tmp_path / "run", tmp_path / "store", config=config)
    assert len(run.results["targets"]["xx"]["uxla"]) == 1
    events = [json.loads(line) for line in (run.out / "journal.jsonl").read_text(encoding="utf-8").splitlines()]
    generated = next(event for event in events if event.get("stage") == "vicinity")
    assert generated["examples"] > generated["drawn"] / 2, "most virtual sentences must differ from their parents"
    assert all(event["drawn"]["xx~"] > 0 for event in events if event["event"] == "train")
