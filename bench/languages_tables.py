"""The tables of docs/results.md about real languages, as Markdown, from finished cells of `bench/languages.py`."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from statistics import fmean, stdev

import numpy as np
from languages_claims import LEVEL, Claim, adjusted
from languages_records import Finished, Key
from languages_scores import by_key, change, difference, everything, unshared
from scipy.stats import spearmanr

from uxla.metrics import Score
from uxla.report.paired import Difference
from uxla.report.table import METHODS, SINGLE

CORPORA = {
    **{"conll": "CoNLL", "masakhaner": "MasakhaNER", "panx": "PAN-X", "panx_small": "PAN-X"},
    **{"xnli": "XNLI", "pawsx": "PAWS-X", "sib200": "SIB-200"},
}
DAGGER = "\N{DAGGER}"
TASKS = {"ner": "NER", "nli": "Inference", "paraphrase": "Paraphrases", "classification": "Topics"}
DIFFERENCES = (
    *(("uxla", "zero_shot"), ("uxla_ensemble", "ensemble"), ("uxla", "snapshots"), ("uxla", "weight_mean")),
    *(("uxla", "tri_training"), ("uxla_ensemble", "tri_training_ensemble"), ("tri_training_ensemble", "ensemble")),
    *((row, "zero_shot") for row in ("tri_training", "penalty", "snapshots", "weight_mean")),
    ("uxla", "supervised"),
)
WITHOUT_SHARED = (("uxla", "zero_shot"), ("uxla_ensemble", "tri_training_ensemble"))
IN_BOTH = ("ar", "hin", "sw", "swh")
"""Test languages that are also development languages, in another corpus and under another name."""


def language(key: Key) -> str:
    """`ar† (PAN-X)`; the dagger is for `IN_BOTH`."""
    short = key[1].partition("_")[0]
    return f"{short}{DAGGER * (short in IN_BOTH)} ({CORPORA.get(key[0], key[0])})"


def name(row: str) -> str:
    """A row's title: `UXLA, epoch 1`, `tri-training, together`."""
    method, comma, epoch = row.partition(", ")
    titles = {**METHODS, **SINGLE, "uxla": "UXLA"}
    base = method.removesuffix("_ensemble")
    own = titles.get(method) or f"{titles.get(base, base)}{', together' * (base != method)}"
    return own + comma + epoch


def markdown(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table: text to the left, figures to the right."""
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def signed(value: float) -> str:
    """`+1.2`, `−0.3`"""
    return minus(f"{value:+.1f}")


def minus(text: str) -> str:
    """With the sign that figures in text have."""
    return text.replace("-", "\N{MINUS SIGN}")


def shown(found: Difference | None, star: bool = False) -> str:
    """`+1.2 [0.3, 2.1] *`"""
    if found is None:
        return ""
    bounds = minus(f"[{found.low:.1f}, {found.high:.1f}]")
    return f"{signed(found.value)} {bounds}{' *' * star}"


def score_table(cells: Sequence[Finished]) -> str:
    """A row for each method, a column for each language: mean ± standard deviation over the seeds, and their number
    where the row has fewer than the language."""
    languages = by_key(cells)
    rows = dict.fromkeys(row for cell in cells for row in cell.counted)
    table = [
        [
            name(row),
            *(
                _over_seeds([cell.score(row) for cell in found if row in cell.counted], len(found))
                for found in languages.values()
            ),
        ]
        for row in rows
    ]
    return markdown(
        ["method", *map(language, languages)], [*table, ["seeds", *(str(len(f)) for f in languages.values())]]
    )


def _over_seeds(scores: Sequence[float], seeds: int = 0) -> str:
    if not scores:
        return ""
    few = f" ({len(scores)} of {seeds})" if len(scores) < seeds else ""
    return f"{fmean(scores):.1f}" + (f" ± {stdev(scores):.1f}" if len(scores) > 1 else "") + few


def difference_table(cells: Sequence[Finished]) -> str:
    """Differences with intervals, on each language and on their mean; a star by Holm over the languages of a row."""
    languages = by_key(cells)
    rows = [_difference_row(languages, one, other, "") for one, other in DIFFERENCES]
    if any(cell.facts["shared"] for cell in cells):
        rows += [_difference_row(languages, *pair, ", without shared sentences") for pair in WITHOUT_SHARED]
    return markdown(["difference", *map(language, languages), "mean"], [row for row in rows if any(row[1:])])


def _difference_row(languages: Mapping[Key, Sequence[Finished]], one: str, other: str, suffix: str) -> list[str]:
    keep = unshared if suffix else everything
    found = {language(key): difference([of], one, other, keep) for key, of in languages.items()}
    stars = {tested.name for tested in adjusted(found) if tested.adjusted is not None and tested.adjusted < LEVEL}
    mean = difference([*languages.values()], one, other, keep)
    label = f"{name(one)} \N{MINUS SIGN} {name(other)}{suffix}"
    return [label, *(shown(of, key in stars) for key, of in found.items()), shown(mean)]


def claims_table(claims: Sequence[Claim]) -> str:
    """Each claim with its differences, the adjusted p-values and whether it is reached."""
    rows = []
    for claim in claims:
        rows.append([f"**{claim.text}**", "", "", "reached" if claim.reached else "**not reached**"])
        for one in claim.tested:
            p = "" if one.adjusted is None else f"{one.adjusted:.3f}"
            rows.append([one.name, shown(one.found), p, "clear of zero" if one.is_clear else ""])
        if claim.most_lost is not None:
            above = sum(one.found.low > claim.most_lost for one in claim.tested)
            rows.append([f"intervals above {minus(str(claim.most_lost))}", f"{above} of {len(claim.tested)}", "", ""])
    return markdown(["claim, difference", "points [95 %]", "p, by Holm", ""], rows)


def target_label_table(cells: Sequence[Finished]) -> str:
    """What each method scores at its best epoch on labelled target sentences, beside its last epoch."""
    languages = by_key(cells)
    rows = []
    for method in ("tri_training", "uxla"):
        chosen = [[cell.with_target_labels().get(method) for cell in found] for found in languages.values()]
        last = [[cell.score(method) for cell in found if method in cell.counted] for found in languages.values()]
        rows.append([f"{name(method)}, last", *map(_over_seeds, last)])
        known = [[score for score in scores if score is not None] for scores in chosen]
        rows.append([f"{name(method)}, best on target dev (uses target labels)", *map(_over_seeds, known)])
    return markdown(["selection", *map(language, languages)], rows)


def estimate_rows(cells: Sequence[Finished]) -> list[tuple[Key, str, float, float, bool]]:
    """Language, state, estimate, truth, and whether the 80 % interval holds it, of every state that has both."""
    rows = []
    for cell in cells:
        for method, guesses in cell.estimates.items():
            scores = cell.found.get(method)
            truths = scores if isinstance(scores, list) else [scores]
            for guess, truth in zip(guesses if isinstance(guesses, list) else [guesses], truths, strict=True):
                if truth is not None:
                    mean = Score.from_dict(truth).mean
                    rows.append((cell.key, method, guess["score"], mean, guess["low"] <= mean <= guess["high"]))
    return rows


def estimate_table(cells: Sequence[Finished]) -> str:
    """How far estimates are from the truth, over all states of a corpus."""
    states = estimate_rows(cells)
    groups = {CORPORA.get(corpus, corpus): [s for s in states if s[0][0] == corpus] for corpus, _ in by_key(cells)}
    rows = []
    for corpus, of in {**groups, "all": states}.items():
        if of:
            guess, truth = (np.array([state[place] for state in of]) for place in (2, 3))
            error, held = guess - truth, 100 * np.mean([state[4] for state in of])
            figures = [
                f"{abs(error).mean():.1f}",
                signed(error.mean()),
                rank_correlation(guess, truth),
                f"{held:.0f} %",
            ]
            rows.append([corpus, str(len(of)), *figures])
    return markdown(["corpus", "states", "mean error", "bias", "rank correlation", "in the 80 % interval"], rows)


def rank_correlation(one: np.ndarray, other: np.ndarray) -> str:
    """Spearman's; nothing where all of one are the same."""
    return minus(f"{spearmanr(one, other)[0]:.2f}") if len(set(one)) > 1 < len(set(other)) else ""


_PARTS = {
    **{"predict": "labelling", "vicinity": "samples", "average": "weights averaged", "mlm": "masked LM tuned"},
    "fit": "interrupted trainings",
}


def cost_table(cells: Sequence[Finished]) -> str:
    """Minutes of one cell: trainings by method where they were done there, and labelling and samples of all methods."""
    spent: dict[str, list[float]] = {}
    for cell in cells:
        for stage, seconds in cell.seconds.items():
            kind, _, method = stage.partition(" ")
            part = f"trainings of {name(method)}" if method else _PARTS.get(kind, kind)
            spent.setdefault(part, []).append(seconds / 60)
    rows = [[part, f"{fmean(of):.1f}", f"{min(of):.1f} to {max(of):.1f}", str(len(of))] for part, of in spent.items()]
    return markdown(["part", "minutes", "range", "cells"], rows)


def gain_table(cells: Sequence[Finished]) -> str:
    """Each language with what may explain its gain, and below those of a task the rank correlations."""
    text = []
    for task, title in TASKS.items():
        rows = [*gain_rows([cell for cell in cells if cell.facts["task"] == task])]
        for key, (*scores, sentences, gain) in rows:
            text.append(
                [language(key), *(minus(f"{score:.1f}") for score in scores), f"{sentences:,.0f}", signed(gain)]
            )
        if len(rows) > 2:
            figures = np.array([values for _, values in rows])
            ranks = [rank_correlation(figures[:, place], figures[:, 3]) for place in range(3)]
            text.append([f"**rank correlation with the gain, {title}**", *ranks, ""])
    return markdown(["language", "zero-shot", "below the source", "raw sentences there are", "gain of UXLA"], text)


def gain_rows(cells: Sequence[Finished]) -> Iterator[tuple[Key, tuple[float, float, float, float]]]:
    """Language; zero-shot, how far it is below the source's dev score, sentences of the raw text, gain of UXLA."""
    for key, found in by_key(cells).items():
        of = [cell for cell in found if {"uxla", "zero_shot"} <= cell.counted.keys()]
        if of:
            zero = fmean(cell.score("zero_shot") for cell in of)
            source = fmean(fmean(dev_scores(cell)) for cell in of)
            gain = fmean(cell.score("uxla") for cell in of) - zero
            yield key, (zero, source - zero, of[0].facts["train_sentences"], gain)


def dev_scores(cell: Finished) -> list[float]:
    """Of zero-shot's models on the source's dev set."""
    return cell.source_dev["zero_shot"]


def variant_table(cells: Sequence[Finished], mains: Sequence[Finished]) -> str:
    """What the settings of each variant change, on each language."""
    languages, own = by_key(mains), [cell for cell in cells if cell.facts["variant"] != "main"]
    rows = []
    for variant in dict.fromkeys(cell.facts["variant"] for cell in own):
        of = by_key(cell for cell in own if cell.facts["variant"] == variant)
        for row in ("tri_training", "uxla"):
            found = [shown(change(of.get(key, []), languages[key], row)) for key in languages]
            rows += [[f"{variant}: {name(row)}", *found]] * any(found)
    return markdown(["variant, change of", *map(language, languages)], rows) if rows else ""


def folder_table(cells: Sequence[Finished]) -> str:
    """The run folders that all figures are from: the digest of each one's results.json, and the commit it is of."""
    rows = [[cell.name, f"`{cell.facts['results'][:16]}`", f"`{(cell.facts['commit'] or '')[:9]}`"] for cell in cells]
    return markdown(["run folder", "SHA-256 of results.json", "commit"], rows)
