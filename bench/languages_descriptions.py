"""The tables about real languages that describe: estimates, what explains the gain, cost, run folders."""

from collections.abc import Sequence
from statistics import fmean
from typing import Any, NamedTuple

import numpy as np
from languages_names import CORPORA, TASKS, language, markdown, minus, name, signed
from languages_records import Finished, Key
from languages_scores import by_key
from scipy.stats import spearmanr

from uxla.metrics import Score
from uxla.phrases import counted

DISTANCE = {
    **{"ar": 0.36, "arb": 0.36, "de": 0.10, "es": 0.18, "fi": 0.29, "hau": 0.25, "hi": 0.38, "hin": 0.38},
    **{"my": 0.61, "mya": 0.61, "quy": 0.48, "spa": 0.18, "sw": 0.53, "swa": 0.53, "swh": 0.53},
    **{"ur": 0.38, "urd": 0.38, "yor": 0.40, "zh": 0.29, "zho": 0.29},
}
"""Of each language's grammar from that of English: 1 - the cosine of their vectors `syntax_knn` in URIEL, by lang2vec
1.1.2 (Littell et al. 2017)."""
_FEWEST = 4
"""Fewer languages have no rank correlation that says anything."""
GAIN_NOTES = """\
*Zero-shot* is the mean score of single models. *Distance* is that of the grammar from English in URIEL, 0 to 1
(Littell et al. 2017). Rank correlations are with the gain. A gain contains its own zero-shot score with the minus sign,
so from two seeds on the score is that of the *other* seeds; with one seed the correlation tends to be negative by
chance alone. With seven languages, a rank correlation of 0.79 or more is clear of zero at 5 %. The effect of the amount
of raw text is measured in the development group `raw`; here it is the same for all languages of a task except
Burmese."""


class Gain(NamedTuple):
    """One language: what zero-shot scores, how far it is from English, and what UXLA gains, single models both."""

    zero_shot: float
    distance: float
    gain: float


def gain_table(cells: Sequence[Finished]) -> str:
    """Each language with what may explain its gain, and below those of a task the rank correlations."""
    text = []
    for task, title in TASKS.items():
        of_task = [cell for cell in cells if cell.facts["task"] == task]
        rows = gains_of(of_task)
        for key, (zero, distance, gain) in rows.items():
            text.append([language(key), f"{zero:.1f}", f"{distance:.2f}", signed(gain)])
        if len(rows) >= _FEWEST:
            figures = np.array([*rows.values()])
            ranks = [with_other_seeds(of_task), rank_correlation(figures[:, 1], figures[:, 2])]
            text.append([f"**rank correlation, {title}**", *ranks, ""])
    return markdown(["language", "zero-shot", "distance", "gain of UXLA"], text)


def gains_of(cells: Sequence[Finished]) -> dict[Key, Gain]:
    """By language, over its seeds."""
    rows = {}
    for key, found in by_key(cells).items():
        of = [cell for cell in found if {"uxla", "zero_shot"} <= cell.counted.keys()]
        if of:
            zero = fmean(cell.score("zero_shot") for cell in of)
            distance = DISTANCE.get(key[1].partition("_")[0], float("nan"))
            rows[key] = Gain(zero, distance, fmean(cell.score("uxla") for cell in of) - zero)
    return rows


def with_other_seeds(cells: Sequence[Finished]) -> str:
    """The mean over seeds of the rank correlation of the gain with zero-shot's score at the other seeds; with one seed
    at the same one."""
    seeds = sorted({cell.facts["seed"] for cell in cells})
    found = []
    for seed in seeds:
        own = gains_of([cell for cell in cells if cell.facts["seed"] == seed])
        rest = gains_of([cell for cell in cells if cell.facts["seed"] != seed or len(seeds) == 1])
        both = [key for key in own if key in rest]
        zero, gain = (np.array(values) for values in ([rest[k].zero_shot for k in both], [own[k].gain for k in both]))
        if len(both) >= _FEWEST and len(set(zero)) > 1 < len(set(gain)):
            found.append(float(spearmanr(zero, gain)[0]))
    return minus(f"{fmean(found):.2f}") if found else ""


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
    groups: dict[str, list[Any]] = {}
    for state in states:  # two corpora may have one title
        groups.setdefault(CORPORA.get(state[0][0], state[0][0]), []).append(state)
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


_STAGES = {
    **{"predict": "labelling", "vicinity": "samples", "average": "weights averaged", "mlm": "masked LM tuned"},
    "fit": "interrupted trainings",
}
_NEEDED = {
    "zero_shot": ("fit zero_shot",),
    "penalty": ("fit penalty",),
    "tri_training": ("fit penalty", "fit tri_training"),
    "uxla": ("fit penalty", "vicinity", "fit uxla"),
}
"""What a method's models take, labelling apart: that is not known by method."""


def cost_table(cells: Sequence[Finished]) -> str:
    """Minutes of one cell: trainings by method where they were done there, and labelling and samples of all methods."""
    spent = _minutes(cells)
    titles = {stage: _title(stage) for stage in spent}
    rows = [
        [titles[stage], f"{fmean(of):.1f}", f"{min(of):.1f} to {max(of):.1f}", str(len(of))]
        for stage, of in spent.items()
    ]
    needed = [
        [f"**{name(method)}, from scratch**", f"{sum(fmean(spent[stage]) for stage in stages):.1f}", "", ""]
        for method, stages in _NEEDED.items()
        if spent.keys() >= {*stages}
    ]
    return markdown(["part", "minutes", "range", "cells"], [*rows, *needed])


def _minutes(cells: Sequence[Finished]) -> dict[str, list[float]]:
    spent: dict[str, list[float]] = {}
    for cell in cells:
        for stage, seconds in cell.seconds.items():
            spent.setdefault(stage, []).append(seconds / 60)
    return spent


def _title(stage: str) -> str:
    kind, _, method = stage.partition(" ")
    return f"trainings of {name(method)}" if method else _STAGES.get(kind, kind)


def folder_table(cells: Sequence[Finished]) -> str:
    """The run folders that all figures are from: the digest of each one's results.json, and the commit it is of."""
    rows = [[cell.name, f"`{cell.facts['results'][:16]}`", f"`{(cell.facts['commit'] or '')[:9]}`"] for cell in cells]
    return markdown(["run folder", "SHA-256 of results.json", "commit"], rows)


def commits(cells: Sequence[Finished]) -> str:
    """Of how many commits the cells are, and how many of trees with changes."""
    different, unclean = {cell.facts["commit"] for cell in cells}, sum(not cell.facts["clean"] for cell in cells)
    changed = f"{unclean} of them from a tree with changes" if unclean else "none from a tree with changes"
    return f"{counted(len(cells), 'run')} of {counted(len(different), 'commit')}, {changed}."
