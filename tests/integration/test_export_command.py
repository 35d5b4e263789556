"""`uxla export`: predictions in the form that an annotation tool imports."""


def test_the_command_exports_what_was_predicted(invoke, tmp_path):
    (tmp_path / "p.jsonl").write_text(
        '{"id": 1, "text": "Ana .", "entities": [{"start": 0, "end": 3, "label": "PER"}]}\n'
    )
    (tmp_path / "raw.txt").write_text("Ana .\n")
    result = invoke("export", "p.jsonl", "--to", "doccano", "--out", "o.jsonl")
    assert (result.exit_code, result.stderr) == (0, "")
    assert (tmp_path / "o.jsonl").read_text() == '{"id": 1, "text": "Ana .", "label": [[0, 3, "PER"]]}\n'
    (tmp_path / "p.csv").write_text('text,entities\r\nAna .,"[{""start"": 0, ""end"": 3, ""label"": ""PER""}]"\r\n')
    for arguments, says in [
        (
            ("p.csv", "--to", "brat", "--out", "o"),
            "p.csv: entities in a table are not read, expected JSON lines; label",
        ),
        (("raw.txt", "--to", "brat", "--out", "o"), "raw.txt: raw text has no entities; label it first: uxla predict"),
        (("p.jsonl", "--to", "label-studio", "--out", "o.jsonl"), "its name does not end in .json"),
        (("p.jsonl", "--to", "jsonl", "--out", "p.jsonl"), "it is the input file"),
        (("none.jsonl", "--to", "brat", "--out", "o"), "no such file"),
    ]:
        refused = invoke("export", *arguments)
        assert refused.exit_code == 2
        assert says in refused.stderr
