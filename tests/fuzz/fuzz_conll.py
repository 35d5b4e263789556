"""CoNLL as it is found: Universal NER, GermEval, CoNLL-U, OntoNotes, MultiCoNER, raw WikiANN, headers."""

from random import Random

from fuzz_mutations import word

FORMS = ["uner", "germeval", "conll-u", "ontonotes", "multiconer", "wikiann", "header"]
Sentence = tuple[list[str], list[str]]
"""Words and IOB2 tags."""


def blocks(form: str, sentences: list[Sentence], rng: Random, encoding: str) -> list[str]:
    """The lines of a file of that form; the first sentence must have three different words."""
    gap = rng.choice(["\t", " ", "  "])
    lines = [f"word{gap}pos{gap}ner"] if form == "header" else []
    for number, (words, tags) in enumerate(sentences):
        lines += _comments(form, number, rng, encoding)
        for i, (token, tag) in enumerate(zip(words, tags, strict=True)):
            if form == "conll-u" and rng.random() < 0.2:
                lines.append(rng.choice([f"{i + 1}-{i + 2}", f"{i}.1"]) + "\tx" + "\t_" * 8)
            lines.append(_row(form, number, i, token, tag, (tags[i + 1 :] or ["O"])[0], gap))
        lines.append(rng.choice(["", "", " ", "\t", "\n"]))
        lines += ["#end document"] * (form == "ontonotes")
    return lines


def _comments(form: str, number: int, rng: Random, encoding: str) -> list[str]:
    text = " ".join(word(rng, encoding=encoding) for _ in range(rng.randint(0, 4)))
    return {
        "uner": [f"# sent_id = {number}", f"# text = {text}"],
        "germeval": ["#\thttp://koru.example\t[2001-02-03]"],
        "conll-u": [f"# newdoc id = {number}", f"# text = {text}"][: rng.randint(0, 2)],
        "ontonotes": [f"#begin document (koru); part {number:03}"],
        "multiconer": [f"# id {number}-a" + rng.choice(["\t", " "]) + "domain=train"],
    }.get(form, [])


def _row(form: str, number: int, i: int, token: str, tag: str, after: str, gap: str) -> str:
    ends = tag != "O" and after[0] != "I"
    bracket = (f"({tag[2:]}" if tag[0] == "B" else "") + "*" + ")" * ends
    misc = [f"NER={tag}"] if tag != "O" or i == 0 else []
    return {
        "uner": f"{i + 1}\t{token}\t{tag}\t-\tann",
        "germeval": f"{i + 1}\t{token}\t{tag}\tO",
        "conll-u": f"{i + 1}\t{token}" + "\t_" * 7 + "\t" + ("|".join([*misc, "SpaceAfter=No"][: 1 + i % 2]) or "_"),
        "ontonotes": f"k   {number}   {i}   {token}   X   *   -   -   -   -   {bracket}" + "   *" * number + "   -",
        "multiconer": f"{token} _ _ {tag}",
        "wikiann": f"fr:{token}\t{tag}",
        "header": f"{token}{gap}X{gap}{tag}",
    }[form]
