"""`uxla testbed build` and `uxla testbed write`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from uxla.testbed import SIZES

testbed = typer.Typer(no_args_is_help=True, help="Write the synthetic languages, or train a model for them.")


@testbed.command("build")
def build_testbed(
    out: Annotated[Path, typer.Option(help="The model's folder.")] = Path("testbed-model"),
    world: Annotated[
        int, typer.Option(min=0, help="The world whose languages it reads; the shipped model reads 0.")
    ] = 0,
    seed: Annotated[int, typer.Option(min=0, help="The training's seed.")] = 0,
    sentences: Annotated[int, typer.Option(min=100, help="Sentences of all languages that it reads.")] = 34_000,
    pieces: Annotated[int, typer.Option(min=200, help="Pieces of its vocabulary.")] = 3_000,
    steps: Annotated[int, typer.Option(min=1, help="Steps of its training.")] = 3_800,
    hidden: Annotated[int, typer.Option(min=32, help="Width of its layers, a multiple of 32.")] = 64,
    layers: Annotated[int, typer.Option(min=1, help="Its layers.")] = 2,
) -> None:
    """Train a masked language model for the testbed.

    The defaults give the shipped model; options give one for another world, or a stronger one.
    """
    from uxla.console import showing

    with showing():
        from uxla.testbed.pretrain import build

        sizes = {"sentences": sentences, "pieces": pieces, "steps": steps, "hidden": hidden, "layers": layers}
        build(out, world=world, seed=seed, **sizes)
    typer.echo(f"written to {out}", err=True)


@testbed.command("write")
def write_testbed(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where to write a folder for each language.")],
    world: Annotated[int, typer.Option(min=0, help="The world; the shipped model knows 0.")] = 0,
    seed: Annotated[int, typer.Option(min=0, help="Decides which sentences are drawn.")] = 0,
    train: Annotated[int, typer.Option(min=1, help="Labelled sentences of the source.")] = SIZES["train"],
    unlabelled: Annotated[int, typer.Option(min=1, help="Raw training sentences of each target.")] = SIZES[
        "unlabelled"
    ],
    labelled: Annotated[
        int | None, typer.Option(min=1, help="Labelled sentences of each target; default: as raw ones.")
    ] = None,
    dev: Annotated[int, typer.Option(min=1, help="Development sentences of each language.")] = SIZES["dev"],
    test: Annotated[int, typer.Option(min=1, help="Test sentences of each language.")] = SIZES["test"],
    task: Annotated[
        list[str] | None,
        typer.Option(help="ner (the default), nli, paraphrase or topic (of the task classification); repeat for more."),
    ] = None,
) -> None:
    """Write the synthetic languages as data files for `uxla run`."""
    from uxla.testbed.world import write

    sizes: dict[str, Any] = {"train": train, "unlabelled": unlabelled, "dev": dev, "test": test}
    write(folder, world=world, seed=seed, tasks=task or ["ner"], labelled=labelled, **sizes)
    typer.echo(f"written to {folder}", err=True)
