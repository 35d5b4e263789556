"""The paper's gains over the baselines that it prints elsewhere: ensembles, the confidence penalty, tri-training.

    python bench/paper_baselines.py

The paper's headline compares the mean of three adapted models with the mean of three zero-shot ones. Its own tables
also have what a reader would compare with today. Prints Markdown, in points: for XNER each difference on each target,
then for all tasks the means over their targets; last, UXLA against the mean of the weights of three zero-shot runs,
which the paper does not have, by another paper's public runs. Nothing is run; the paper's figures are those of
`uxla table` (src/uxla/report/paper/published.yaml).
"""

from collections.abc import Iterator, Mapping
from statistics import fmean

from common import table
from languages_names import signed

from uxla.report.paper.published import published

Row = Mapping[str, str]
SENTENCES = [(3, "XNLI", "100 %"), (3, "XNLI", "5 %"), (4, "PAWS-X", "100 %"), (4, "PAWS-X", "5 %")]
"""Table, task and share of the data; the paper has no tri-training there."""
AVERAGED = {"XNLI, six languages": (76.15, 77.84), "WikiANN, ur": (52.8, 65.8)}
"""XLM-R large, trained on English: one run's last weights, and the mean of all snapshots of three runs (Schmidt et al.
2023, "One For All & All For One"; the runs of github.com/fdschmidt93/ofa-xlt). Sentences are drawn in other ways than
the paper's."""


def main() -> None:
    """Print both tables."""
    targets, by_name = differences(ner())
    rows = [[name, *map(signed, points), signed(fmean(points))] for name, points in by_name.items()]
    table(["XNER (Tables 1, 5, 7)", *targets, "mean"], rows)
    print()
    means = {"XNER (Table 1)": by_name}
    for number, task, share in SENTENCES:
        found = published(number).blocks[f"zero-resource, {share}"]
        _, means[f"{task}, {share} (Table {number})"] = differences(common(found, found["XLM-R + con-penalty"], found))
    names = list(by_name)[:4]
    table(["mean", *names], [[task, *(signed(fmean(found[name])) for name in names)] for task, found in means.items()])
    print()
    table(["three runs averaged", "one run", "averaged", "UXLA", "UXLA − averaged"], averaged())


def averaged() -> Iterator[list[str]]:
    """A row a task: the other paper's two figures, UXLA's, and how far UXLA is above the average."""
    inference, entities = published(3).blocks["zero-resource, 100 %"], published(2).blocks["zero-resource"]
    ours = {
        "XNLI, six languages": fmean(float(score) for score in inference["UXLA"].values() if score != "-"),
        "WikiANN, ur": float(entities["UXLA"]["ur"]),
    }
    for task, (one, three) in AVERAGED.items():
        yield [task, *(f"{score:.1f}" for score in (one, three, ours[task])), signed(ours[task] - three)]


def ner() -> Iterator[tuple[str, Row, Row]]:
    """What is compared, the row of more and the row of less, of the paper's Tables 1, 5 and 7."""
    blocks = published(1).blocks
    base, ours = blocks["zero-resource baseline"], blocks["our method"]
    (ensembles,), epoch_1 = published(7).blocks.values(), published(5).blocks["model confidence"]
    yield from common(base, ours["XLM-R + con-penalty"], ours)
    yield "UXLA (ensemble) − penalty (ensemble)", ours["UXLA (ensemble)"], ensembles["XLM-R + ens"]
    yield "UXLA, epoch 1 − tri-training, epoch 1", epoch_1["80 % ∩"], epoch_1["100 % ∩"]
    yield "UXLA, epoch 3 − tri-training, epoch 1", ours["UXLA"], epoch_1["100 % ∩"]


def common(base: Mapping[str, Row], penalty: Row, ours: Mapping[str, Row]) -> Iterator[tuple[str, Row, Row]]:
    """What the paper has for all tasks; the first difference is its headline."""
    yield "UXLA − zero-shot", ours["UXLA"], base["XLM-R (our imp.)"]
    yield "UXLA − penalty", ours["UXLA"], penalty
    yield "UXLA − ensemble of zero-shot", ours["UXLA"], base["XLM-R (ensemble)"]
    yield "UXLA (ensemble) − ensemble of zero-shot", ours["UXLA (ensemble)"], base["XLM-R (ensemble)"]


def differences(compared: Iterator[tuple[str, Row, Row]]) -> tuple[list[str], dict[str, list[float]]]:
    """The targets, which are all languages that UXLA has a figure of, and by name the differences on them."""
    found = list(compared)
    targets = [language for language, figure in found[0][1].items() if figure != "-"]
    return targets, {name: [float(more[t]) - float(less[t]) for t in targets] for name, more, less in found}


if __name__ == "__main__":
    main()
