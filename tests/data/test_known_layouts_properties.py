"""Any words and labels in a known form of CoNLL come back, and can be written anew."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from uxla.data.conll.file import read_conll
from uxla.data.discover import open_rewritable

WORD = st.text(st.characters(codec="utf-8", exclude_characters=" \t\r\n\ufeff#"), min_size=1, max_size=4)
LABELS = st.lists(st.sampled_from(["O", "B-PER", "I-PER", "B-LOC"]), min_size=1, max_size=4).map(
    lambda row: [tag if tag != "I-PER" or old[2:] == "PER" else "B-PER" for old, tag in pairwise(["O", *row])]
)


@st.composite
def known(draw):
    """(text, words, tags) of a file in one of the known forms."""
    form = draw(st.sampled_from(["uner", "germeval", "conllu", "ontonotes", "multiconer"]))
    tags = draw(st.lists(LABELS, min_size=2, max_size=4))
    words = [[draw(WORD) for _ in row] for row in tags]
    words[0], tags[0] = ["koru", "mira"], ["B-PER", "I-PER"]
    lines = []
    for number, (sentence, row) in enumerate(zip(words, tags, strict=True)):
        lines += {
            "uner": [f"# sent_id = {number}"],
            "germeval": ["#\thttp://koru.example"],
            "conllu": ["# newpar", "# text = a  b"],
            "ontonotes": [f"#begin document (k); part {number:03}"],
            "multiconer": [f"# id {number}\tdomain=x"],
        }[form]
        opens = [tag[0] == "B" for tag in row]
        ends = [tag != "O" and after[0] != "I" for tag, after in zip(row, [*row[1:], "O"], strict=True)]
        for i, (word, tag) in enumerate(zip(sentence, row, strict=True)):
            bracket = f"({tag[2:]}" * opens[i] + "*" + ")" * ends[i]
            if form == "conllu" and draw(st.booleans()):
                lines.append(f"{i + 1}-{i + 2}\tx" + "\t_" * 8)
            misc = "|".join(draw(st.permutations([f"NER={tag}", "SpaceAfter=No"])))
            lines.append(
                {
                    "uner": f"{i + 1}\t{word}\t{tag}\t-\tann",
                    "germeval": f"{i + 1}\t{word}\t{tag}\tO",
                    "conllu": f"{i + 1}\t{word}" + "\t_" * 7 + f"\t{misc}",
                    "ontonotes": f"k  {number}  {i}  {word}  X  *  -  -  -  -  {bracket}" + "  *" * number + "  -",
                    "multiconer": f"{word} _ _ {tag}",
                }[form]
            )
        lines += ["", "#end document"] if form == "ontonotes" else [""]
    return "\n".join(lines), words, tags


@given(known())
def test_any_file_of_a_known_form_is_read_and_comes_back(tmp_path_factory, given_file):
    text, words, tags = given_file
    path = tmp_path_factory.getbasetemp() / "known.conll"
    path.write_bytes(text.encode())
    file = read_conll(path)
    assert (file.sentences, file.tags) == (words, tags)
    assert file.with_tags(tags).raw == text.encode()
    assert [row.texts[0] for row in open_rewritable(path).rows()] == [" ".join(row) for row in words]
    other = [["B-NEW", *["O"] * (len(row) - 1)] for row in tags]
    path.write_bytes(file.with_tags(other).raw)
    again = read_conll(path)
    assert (again.sentences, again.tags) == (words, other)
    assert again.with_tags(tags).raw.replace(b"*)", b")") == text.encode().replace(b"*)", b")")
