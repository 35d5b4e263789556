"""The tables of scores and differences in docs/results.md about real languages, as Markdown, from finished cells."""

from collections.abc import Mapping, Sequence
from statistics import fmean, stdev

from languages_claims import LEVEL, Claim, adjusted
from languages_names import language, markdown, minus, name, shown
from languages_records import Finished, Key
from languages_scores import Keep, by_key, change, common_seeds, difference, everything, unshared

DIFFERENCES = (
    *(("uxla", "zero_shot"), ("uxla_ensemble", "ensemble"), ("uxla", "snapshots"), ("uxla", "weight_mean")),
    *(("averaged", "weight_mean"), ("uxla", "tri_training"), ("uxla_ensemble", "tri_training_ensemble")),
    ("tri_training_ensemble", "ensemble"),
    *((row, "zero_shot") for row in ("tri_training", "penalty", "snapshots", "weight_mean")),
    ("uxla", "supervised"),
)
PARTS = {
    "confidence penalty": ("penalty", "zero_shot"),
    "three models together": ("ensemble", "zero_shot"),
    "mean of a training's snapshots": ("snapshots", "zero_shot"),
    "mean of three models' weights": ("weight_mean", "zero_shot"),
    "raw text, one teacher (self-training)": ("self_training", "penalty"),
    "raw text, two teachers who agree (tri-training)": ("tri_training", "penalty"),
    "three epochs of tri-training in place of one": ("tri_training", "tri_training_paper"),
    "virtual sentences and selection by confidence (UXLA)": ("uxla", "tri_training"),
    "UXLA's second and third epoch": ("uxla", "uxla, epoch 1"),
    "a masked LM tuned on the task's text": ("mlm_tuned", "uxla"),
    "UXLA's three models together": ("uxla_ensemble", "uxla"),
    "UXLA's three models averaged to one": ("averaged", "uxla"),
    "labels in place of raw text": ("supervised", "uxla"),
}
"""What is added, and by which difference it is measured."""
WITHOUT_SHARED = (("uxla", "zero_shot"), ("uxla_ensemble", "tri_training_ensemble"))


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
    figures = [
        with_seeds(shown(found[language(key)], language(key) in stars), [of], one, other)
        for key, of in languages.items()
    ]
    label = f"{name(one)} \N{MINUS SIGN} {name(other)}{suffix}"
    return [label, *figures, mean_shown([*languages.values()], one, other, keep)]


def mean_shown(languages: Sequence[Sequence[Finished]], one: str, other: str, keep: Keep = everything) -> str:
    """The mean over languages, and over how many seeds it is where that is not all."""
    return with_seeds(shown(difference(languages, one, other, keep)), languages, one, other)


def with_seeds(figure: str, languages: Sequence[Sequence[Finished]], one: str, other: str) -> str:
    """`+1.2 [0.3, 2.1] (1 of 5)`, where fewer seeds have both rows than some language has."""
    both, every = len(common_seeds(languages, one, other)), max(map(len, languages))
    return f"{figure} ({both} of {every})" if figure and both < every else figure


def part_table(tasks: Mapping[str, Sequence[Finished]]) -> str:
    """What each part is worth, on the mean over the languages of a task."""
    rows = [
        [part, *(mean_shown([*by_key(cells).values()], *pair) for cells in tasks.values())]
        for part, pair in PARTS.items()
    ]
    return markdown(["what is added", *tasks], [row for row in rows if any(row[1:])])


def claims_table(claims: Sequence[Claim]) -> str:
    """Each claim with its differences, the adjusted p-values and whether it is reached."""
    rows = []
    for claim in claims:
        rows.append([f"**{claim.text}**", "", "", "reached" if claim.reached else "**not reached**"])
        for one in claim.tested:
            p = "" if one.adjusted is None else f"{one.adjusted:.3f}" if one.adjusted >= 0.001 else "< 0.001"
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


def variant_table(cells: Sequence[Finished], mains: Sequence[Finished], order: Sequence[str]) -> str:
    """What the settings of each variant change, on each language and on their mean, and whether UXLA is ahead of
    tri-training under them; variants in this order."""
    languages = by_key(mains)
    rows = []
    for variant in order:
        of = by_key(cell for cell in cells if cell.facts["variant"] == variant)
        for row in ("tri_training", "uxla"):
            pairs = [(of[key], languages[key]) for key in of if key in languages]
            found = [shown(change([(of.get(key, []), languages[key])], row)) for key in languages]
            rows += [[f"{variant}: {name(row)}", *found, shown(change(pairs, row))]] * any(found)
        pair = "uxla_ensemble", "tri_training_ensemble"
        ahead = [shown(difference([of[key]], *pair)) if key in of else "" for key in languages]
        label = f"{variant}: {name(pair[0])} \N{MINUS SIGN} {name(pair[1])}"
        rows += [[label, *ahead, shown(difference([*of.values()], *pair))]] * any(ahead)
    return markdown(["variant, change of", *map(language, languages), "mean"], rows) if rows else ""
