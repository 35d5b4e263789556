"""The tokenizer of XLM-R with its 250,002 pieces and an encoder of its class, small and random: the whole path."""

import json

import pytest
from transformers import AutoModelForTokenClassification

SOURCE = [
    ("Anna lives in Oslo", "B-PER O O B-LOC"),
    ("the river Nile is long", "O O B-LOC O O"),
    ("Tom Baker met Anna", "B-PER I-PER O B-PER"),
    ("we sailed to Malta today", "O O O B-LOC O"),
]
TARGET = [
    "Анна живёт в Осло",
    "सीता दिल्ली में रहती है",
    "تعيش ليلى في القاهرة",
    "東京　は 大きい です",
    "မောင် ရန်ကုန် မှာ နေ တယ်",
    "\u200b ผม ชอบ เชียงใหม่",
    "میخواهم به تهران بروم",
    "Ζει η Άννα στην Αθήνα",
]


@pytest.mark.slow
def test_the_whole_path_with_250_002_pieces_and_many_scripts(encoder, adapt, tiny, invoke, tmp_path):
    blocks = ("\n".join(map("\t".join, zip(text.split(), tags.split(), strict=True))) for text, tags in SOURCE)
    (tmp_path / "en.conll").write_text("\n\n".join(blocks), encoding="utf-8")
    (tmp_path / "xx.txt").write_text("\n".join(TARGET), encoding="utf-8")
    gold = "\n\n".join("\n".join(f"{word}\tO" for word in line.split(" ")) for line in TARGET)
    (tmp_path / "xx.conll").write_text(gold, encoding="utf-8")
    overrides = [text for text in tiny if not text.startswith("testbed.")]
    overrides += [f"model={encoder}", f"source.train={tmp_path}/en.conll", "source.dev=null", "source.test=null"]
    overrides += ["target=xx", f"target_data.train={tmp_path}/xx.txt", f"target_data.test={tmp_path}/xx.conll"]
    overrides += ["target_data.dev=null", "target_data.labelled=null", "testbed=null", "methods=[uxla]"]
    overrides += ["warmup.selection=last", "collapse_share=1.0", "agree=none"]
    overrides += ["schedule=[{data: [source, target, target_vicinity], select: {kind: confidence, share: 1.0}}]"]
    run = adapt(tmp_path / "run", tmp_path / "store", *overrides)
    assert len(run.results["targets"]["xx"]["uxla"]) == 1
    assert len(set(run.weights)) == 3
    events = [json.loads(line) for line in (run.out / "journal.jsonl").read_text(encoding="utf-8").splitlines()]
    trained = [event for event in events if event["event"] == "train"]
    assert len(trained) == 3
    assert trained[-1]["drawn"]["xx~"] > 0, "virtual sentences were generated and learnt from"
    model = AutoModelForTokenClassification.from_pretrained(run.out / "models/1")
    assert model.config.num_labels == 5
    answer = invoke("predict", run.out, "-", input="\n".join(TARGET).encode())
    assert answer.exit_code == 0, answer.stderr
    assert [json.loads(line)["text"] for line in answer.stdout.splitlines()] == TARGET
