"""All tables and pictures about real languages, from the records of finished cells alone (bench/cells).

    python bench/languages_report.py [--records DIR] [--page FILE]

Writes the block between `<!-- languages -->` and `<!-- /languages -->` of docs/results.md, and docs/languages-*.svg
beside it. Cells that are not finished are named as missing. The claims of docs/protocol.md are computed when all cells
that they rest on are there.
"""

import re
import sys
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import languages_descriptions as descriptions
import languages_figures as figures
import languages_tables as tables
from languages_cells import RECORDS, ROOT, Protocol
from languages_claims import claims
from languages_names import TASKS
from languages_records import Finished, finished
from languages_rules import rule_table

from uxla.errors import UxlaError
from uxla.files import write_file

BEGIN, END = "<!-- languages -->\n", "<!-- /languages -->"
NOTES = """\
Entity F1 for NER, else accuracy: the mean score of a method's three models, as mean ± standard deviation over seeds.
*(Ensemble)*: three models answer as one, *together* in the protocol. Differences are paired over seeds and sentences,
with 95 % intervals. `*`: clear of zero after Holm's correction over the row's languages. `†`: also a development
language, in another corpus. `(3 of 5)`: from three of the language's five seeds; a mean uses only the seeds that all
its languages have. With fewer than three seeds, intervals cover sentences alone, and there is no star. *Without shared
sentences*: two differences without the test sentences that also occur in the target's training files."""
PART_NOTES = """\
Each row is the mean over the languages of a task, with its 95 % interval. The tables below have the languages."""
RULE_NOTES = """\
A rule chooses one of three ensembles (zero-shot, tri-training, UXLA) without seeing a label of the target
(`bench/adaptation.py`). Its regret is how many points its choice scores below the best of the three. Some regret is due
to chance: of three equally good ensembles one scores best on the test set, and no rule can know which. *Largest* is
that of the language that loses most. A rule is chosen on development languages alone ([log](log/real-languages.md))."""
VARIANT_NOTES = """\
The change of a row by other settings, and under these settings UXLA against tri-training. `testbed` has the samples,
the schedule and the agreement of the testbed's protocol; `table_8` the penalty, the selection and the agreement of the
paper's Table 8. Learning rates, batches and steps stay those of this encoder, but `table_8` adapts for one epoch.
`tuned` has a vicinity model tuned on up to 20,000 sentences of the language. `raw_2000` has the steps of `main`."""
COST_NOTES = """\
Wall-clock time on one core. It includes delays by other work on the machine and pauses of a cell. Labelling and samples
serve all methods. *From scratch*: the sum of the parts that the method needs, without labelling."""
SETS = {
    "test": "Test languages, run with the frozen settings.",
    "development": "Development languages: **settings were chosen on them**, so these figures are no evidence.",
}


def main(given: Namespace) -> None:
    cells, protocol = list(finished(given.records)), Protocol.read()
    parts = (part for which in SETS for part in section(which, cells, protocol, given.page.parent))
    block = "\n\n".join(notes_once(parts))
    page = given.page.read_text(encoding="utf-8")
    if BEGIN not in page or END not in page:
        raise SystemExit(f"{given.page}: expected the lines {BEGIN.strip()} and {END}, between which the tables go")
    before, _, rest = page.partition(BEGIN)
    write_file(given.page, f"{before}{BEGIN}{block or 'No cell is finished yet.'}\n{END}{rest.partition(END)[2]}")


def notes_once(parts: Iterable[str]) -> Iterator[str]:
    """The parts of the page, each note where it comes first."""
    notes, told = {NOTES, PART_NOTES, RULE_NOTES, VARIANT_NOTES, COST_NOTES, descriptions.GAIN_NOTES}, set[str]()
    for part in parts:
        if part not in told:
            yield part
        told |= {part} & notes


def section(which: str, cells: Sequence[Finished], protocol: Protocol, folder: Path) -> Iterator[str]:
    """What is said of a set of languages, in the reader's order; its pictures are written into the folder."""
    every = [cell for cell in cells if cell.facts["set"] == which]
    mains = [cell for cell in every if cell.facts["variant"] == "main"]
    if not mains:
        return
    yield f"### {which.capitalize()} languages"
    yield f"{SETS[which]} {missing(which, cells, protocol)}"
    yield picture(folder, f"languages-{which}-gains.svg", figures.gains(mains), "Gain over zero-shot by language")
    of_task = {title: [cell for cell in mains if cell.facts["task"] == task] for task, title in TASKS.items()}
    of_task = {title: of for title, of in of_task.items() if of}
    yield NOTES
    yield "#### What each part is worth"
    yield PART_NOTES
    yield tables.part_table(of_task)
    for title, of in of_task.items():
        yield f"#### {title}"
        yield tables.score_table(of)
        yield tables.difference_table(of)
        yield tables.target_label_table(of)
    yield from claimed(which, mains, protocol)
    if changed := tables.variant_table(every, mains, _variants(protocol)):
        yield "#### What other settings change"
        yield VARIANT_NOTES
        yield changed
    yield "#### Estimates without labels against the truth"
    yield picture(folder, f"languages-{which}-estimates.svg", figures.estimates(mains), "Estimates against true scores")
    yield descriptions.estimate_table(mains)
    yield "#### When to adapt"
    yield RULE_NOTES
    for title, of in of_task.items():
        if ruled := rule_table(of):
            yield f"**{title}**"
            yield ruled
    yield "#### What explains the gain"
    yield descriptions.GAIN_NOTES
    yield picture(folder, f"languages-{which}-explained.svg", figures.explained(mains), "Gain of UXLA by language")
    yield descriptions.gain_table(mains)
    yield "#### Cost of a cell"
    yield COST_NOTES
    yield descriptions.cost_table(mains)
    yield "#### Run folders"
    yield descriptions.commits(every)
    yield descriptions.folder_table(every)


def _variants(protocol: Protocol) -> list[str]:
    return [variant for group in protocol.groups.values() for variant in group["variants"] if variant != "main"]


def claimed(which: str, mains: Sequence[Finished], protocol: Protocol) -> Iterator[str]:
    """The claims, if all of their cells are there."""
    if which == "test":
        yield "#### The claims"
        left = unfinished(which, mains, protocol, ("main", "more_seeds"))
        yield (
            f"Computed when {len(left)} more cells are finished."
            if left
            else tables.claims_table(claims(mains, protocol.said["claims"]))
        )


def unfinished(which: str, cells: Sequence[Finished], protocol: Protocol, groups: Sequence[str]) -> list[str]:
    """The names of the protocol's cells that are not there with the settings of today."""
    there = {(cell.name, cell.facts.get("own_settings")) for cell in cells}
    known = [name for name in groups if name in protocol.groups]
    return [cell.name for cell in protocol.cells(which, known) if (cell.name, protocol.digest_of(cell)) not in there]


def missing(which: str, cells: Sequence[Finished], protocol: Protocol) -> str:
    """How many cells are there, and how many are made with other settings than those of languages.yaml today."""
    of = [cell for cell in cells if cell.facts["set"] == which]
    left = unfinished(which, of, protocol, list(protocol.groups))
    total = len(protocol.cells(which, list(protocol.groups)))
    other = len(of) - (total - len(left))
    said = f"{total - len(left)} of {total} cells are finished."
    return said + (
        f" {other} of the cells shown here were made under an earlier version of the settings." if other else ""
    )


def picture(folder: Path, name: str, drawn: str, title: str) -> str:
    """Write a picture, and refer to it."""
    write_file(folder / name, re.sub(r"[ \t]+\n", "\n", drawn))
    return f"![{title}]({name})"


if __name__ == "__main__":
    wanted = ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter)
    wanted.add_argument("--records", type=Path, default=RECORDS, metavar="DIR", help="of finished cells")
    wanted.add_argument("--page", type=Path, default=ROOT / "docs/results.md", metavar="FILE")
    try:
        main(wanted.parse_args())
    except UxlaError as error:
        sys.exit(str(error))
