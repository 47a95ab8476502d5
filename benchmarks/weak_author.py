"""Have a careless author's answers read: how many programs of ten can be used.

The answers are of a model that was told to be terse and sloppy, as small models are: no
fences or two of them, thoughts out loud, numbers for classes, modules that are not
offered, a tuple returned, a bracket forgotten (see recordings/README.md)::

    python benchmarks/weak_author.py DATA

DATA is a folder with ``youtube.csv.gz`` and ``medabs_singlelabel.csv.gz``. The
questions are those of the third version of the prompts.
"""

import argparse
import warnings
from pathlib import Path

from _tasks import TASKS
from synthesis import load

from sklearn_alchemist import LLM, DistilledAnnotator, ProgramSynthesisLabeler
from sklearn_alchemist.exceptions import AlchemistWarning
from sklearn_alchemist.synthesis import Prompts

NAMES = ("youtube", "medabs_singlelabel")
N_ROWS = 1000


def measure(data: Path, recordings: Path, name: str, max_repairs: int) -> str:
    """Say how many programs are used, and how often the annotator is right."""
    rows, task = load(data, name), TASKS[name]
    labeler = ProgramSynthesisLabeler(
        LLM("recorded", store=recordings / f"{name}-weak-1.jsonl"),
        task=task.task,
        classes=task.classes,
        max_repairs=max_repairs,
        prompts=Prompts.of_version("3"),
    )
    annotator = DistilledAnnotator(labeler).fit(rows.train[:N_ROWS])
    right = (annotator.predict(rows.test) == rows.gold).mean()
    usable = len(annotator.labeler_.programs_)
    reasons = [rejection.reason for rejection in annotator.labeler_.rejected_]
    return "\n".join(
        [
            f"{name:20} {max_repairs} repairs at most: {usable} programs, "
            f"accuracy {right:.3f}",
            *(f"  {reason}" for reason in reasons),
        ]
    )


def main(arguments: list[str] | None = None) -> None:
    here = Path(__file__).parent
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="folder with NAME.csv.gz")
    parser.add_argument("--recordings", type=Path, default=here / "recordings")
    chosen = parser.parse_args(arguments)
    warnings.simplefilter("ignore", AlchemistWarning)
    for name in NAMES:
        for max_repairs in (0, 3):
            print(measure(chosen.data, chosen.recordings, name, max_repairs))


if __name__ == "__main__":
    main()
