"""
Label images without labels, and look at the worst group
========================================================

A language model names visual concepts, a vision-language model scores every image
against them, and labeling programs read the scores. In the Waterbirds data [1]_ most
waterbirds are pictured on water and most landbirds on land, so that a model which looks
at the background is right on average, and wrong where the two part. What counts is the
accuracy in the worst of the four groups.

Without arguments the example draws its own images, birds of a few parts before blue or
green, and embeds them by a small model of colours and lengths that is computed from
their pixels; so the whole line runs with no download, key or network. Whoever draws the
images decides how well it works: the figures below are no evidence for or against
anything. For these, give the Waterbirds folder, a real CLIP, and a model to ask::

    python examples/plot_label_images.py --waterbirds FOLDER \\
        --embedder clip-ViT-B-32 --model openai/gpt-4o-mini

Without ``--model`` the answers are replayed from ``examples/recordings/images.jsonl``:
they depend on no image, so they serve for both.

.. [1] S. Sagawa, P. W. Koh, T. B. Hashimoto and P. Liang, "Distributionally Robust
   Neural Networks for Group Shifts", ICLR 2020.
"""

# %%
# A model to ask
# --------------

import argparse
import csv
import re
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from PIL import Image, ImageDraw
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from sklearn_alchemist import (
    LLM,
    ConceptScorer,
    DistilledAnnotator,
    ImageEmbedder,
    ProgramSynthesisLabeler,
)
from sklearn_alchemist.inspection import program_summary
from sklearn_alchemist.llm import CompletionStore, write_recordings
from sklearn_alchemist.metrics import group_accuracy
from sklearn_alchemist.synthesis import Prompts

here = Path(__file__).parent if "__file__" in globals() else Path()
parser = argparse.ArgumentParser(description="Label images without labels.")
parser.add_argument("--model", help="the model to ask, as litellm names it")
parser.add_argument("--api-base", help="address of an OpenAI-compatible server")
parser.add_argument("--store", type=Path, help="file that keeps the answers")
parser.add_argument("--timeout", type=float, default=120.0, help="seconds a call")
parser.add_argument("--record", type=Path, help="write the answers as recordings")
parser.add_argument("--answered-by", help="who answers, written into --record")
parser.add_argument("--waterbirds", type=Path, help="folder that has metadata.csv")
parser.add_argument("--embedder", default="clip-ViT-B-32", help="for --waterbirds")
parser.add_argument("--images", type=int, default=400, help="number that is drawn")
arguments, _ = parser.parse_known_args()

if arguments.model:
    llm = LLM(
        arguments.model,
        api_base=arguments.api_base,
        store=arguments.store,
        timeout=arguments.timeout,
        n_concurrent=10,
    )
    prompts = None
else:
    llm = LLM("recorded", store=here / "recordings" / "images.jsonl")
    prompts = Prompts.of_version("3")  # to which the recorded answers are

CLASSES = {
    "landbird": "a bird that lives on land, such as a sparrow, cardinal or woodpecker",
    "waterbird": "a bird that lives on or by water, such as a duck, gull or pelican",
}
PLACES = ("land", "water")


# %%
# Images that are drawn
# ---------------------
# A bird has a bill, feet, plumage and a neck. Each of these is as its class has it in
# four of five birds; the background is as the class has it in nine of ten images.

COLOURS = {
    "water": (60, 110, 200),
    "land": (50, 125, 60),
    "broad bill": (250, 170, 20),
    "small bill": (20, 20, 20),
    "webbed feet": (220, 60, 20),
    "thin toes": (90, 70, 110),
    "pale plumage": (235, 235, 235),
    "brown plumage": (140, 80, 40),
}


def draw(bird, place, rng):
    """Draw one bird (0 of the land, 1 of the water) at a place."""
    noise = rng.normal(0, 12, (64, 64, 3))
    ground = np.array(COLOURS[PLACES[place]]) + noise
    image = Image.fromarray(ground.clip(0, 255).astype(np.uint8))
    pen = ImageDraw.Draw(image)
    bill, feet, plumage, neck = np.where(rng.random(4) < 0.8, bird, 1 - bird)
    colour = COLOURS["pale plumage" if plumage else "brown plumage"]
    x, y = rng.integers(-4, 5), rng.integers(-2, 3)
    top = y + (10 if neck else 22) + int(rng.integers(-2, 3))
    if feet:
        places = [(x + 18, y + 56), (x + 28, y + 46), (x + 38, y + 56)]
        pen.polygon(places, fill=COLOURS["webbed feet"])
    else:
        for leg in (x + 24, x + 32):
            pen.line([(leg, y + 46), (leg, y + 57)], COLOURS["thin toes"], width=2)
    pen.ellipse([x + 12, y + 30, x + 44, y + 48], fill=colour)
    pen.line([(x + 40, y + 36), (x + 40, top)], fill=colour, width=6)
    pen.ellipse([x + 35, top - 5, x + 46, top + 6], fill=colour)
    if bill:
        pen.rectangle([x + 45, top, x + 57, top + 3], fill=COLOURS["broad bill"])
    else:
        beak = [(x + 45, top - 2), (x + 51, top + 1), (x + 45, top + 4)]
        pen.polygon(beak, fill=COLOURS["small bill"])
    return image


def draw_images(n_images, folder):
    """Draw birds and write them into a folder."""
    rng = np.random.default_rng(0)
    bird = rng.integers(0, 2, n_images)
    place = np.where(rng.random(n_images) < 0.9, bird, 1 - bird)
    paths = [str(Path(folder) / f"{i}.png") for i in range(n_images)]
    for path, one, where in zip(paths, bird, place, strict=True):
        draw(one, where, rng).save(path)
    return paths, bird, place


class PaintedBirds:
    """Embed drawn birds by what their pixels show, and texts by their words.

    Like a real model it sees the background first, and takes the name of a class above
    all for the place where such birds live.
    """

    palette = np.array(list(COLOURS.values()), dtype=float)
    names = tuple(COLOURS)
    # Axis -> words for its positive and its negative end.
    words = (
        (
            r"(broad|flat|wide|long|large|hook|spoon|spatul|dagger|spear)[^.]*(bill|beak)",
            r"(short|small|con(e|ical)|stub|pointed|thick|thin|slender|chisel|sharp|seed)"
            r"[^.]*(bill|beak)",
        ),
        (r"\bweb|paddle|flipper", r"(perch|toe|claw|talon|grip|grasp|thin leg|song)"),
        (
            r"(white|gr[ae]y|pale|waterproof|sleek|dense|oil)[^.]*(plumage|feather|body|wing)",
            r"(brown|red|rufous|colou?r|bright|yellow|streak|speck|mottl|vivid|warm)"
            r"[^.]*(plumage|feather|body|breast|back|wing)",
        ),
        (
            r"(long|curv|s-shaped|slender|stretch|extend|sinu)[^.]*neck",
            r"(short|compact|plump|round|small|little|no visible)[^.]*(neck|body|head)",
        ),
        (
            r"water|\bsea\b|lake|ocean|river|wave|beach|shore|pond|surf|swim|coast",
            r"land|forest|tree|branch|bamboo|wood|leaf|leav|foliage|grass|bush|green",
        ),
    )

    def encode(self, inputs):
        """Embed texts or images, one row each."""
        embed = self._text if isinstance(inputs[0], str) else self._image
        return np.array([[0.5, *embed(item)] for item in inputs])

    def _image(self, image):
        pixels = np.asarray(image, dtype=float)
        far = ((pixels[:, :, None] - self.palette) ** 2).sum(axis=3)
        nearest = far.argmin(axis=2)
        n = dict(
            zip(self.names, np.bincount(nearest.ravel(), minlength=8), strict=True)
        )
        plumage = np.isin(nearest, [6, 7]).any(axis=1).nonzero()[0]
        height = np.ptp(plumage) if len(plumage) else 30
        return [
            _balance(n["broad bill"], n["small bill"]),
            _balance(n["webbed feet"], n["thin toes"]),
            _balance(n["pale plumage"], n["brown plumage"]),
            np.clip((height - 36) / 8, -1, 1),
            1.5 * _balance(n["water"], n["land"]),
        ]

    def _text(self, text):
        ends = [[bool(re.search(w, text.lower())) for w in pair] for pair in self.words]
        signs = [float(plus) - float(minus) for plus, minus in ends]
        if re.search("(water|land)bird", text):
            signs[:4] = [0.4 * signs[4]] * 4
        return signs


def _balance(one, other):
    return (one - other) / (one + other + 1)


# %%
# Or images of real birds
# -----------------------


def read_waterbirds(folder):
    """List the test images of a Waterbirds folder."""
    with (folder / "metadata.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["split"] == "2"]
    paths = [str(folder / row["img_filename"]) for row in rows]
    bird, place = ([int(row[name]) for row in rows] for name in ("y", "place"))
    return paths, np.array(bird), np.array(place)


folder = tempfile.TemporaryDirectory()
if arguments.waterbirds:
    embedder = arguments.embedder
    paths, bird, place = read_waterbirds(arguments.waterbirds)
else:
    embedder = PaintedBirds()
    paths, bird, place = draw_images(arguments.images, folder.name)
y = np.array(list(CLASSES))[bird]
print(
    f"{len(paths)} images, {np.mean(bird == place):.0%} at the place of their class\n"
)

# %%
# Zero-shot: compare with the names of the classes
# ------------------------------------------------

zero_shot = ConceptScorer(
    concepts={name: f"a {name}" for name in CLASSES},
    embedder=embedder,
    templates=("a photo of {}.",),
    score="cosine",
)
by_name = np.array(list(CLASSES))[zero_shot.fit_transform(paths).argmax(axis=1)]

# %%
# Concepts, scores, programs, label model, student
# ------------------------------------------------
# One call names the concepts, ten write programs over their scores. Two of the concepts
# are spurious: programs may use them to tell when they are misled. The student learns
# from the embeddings; these are computed once and kept in a file.

TASK = "Is the bird in the image a waterbird or a landbird?"
cache = Path(folder.name) / "embeddings.sqlite"
scorer = ConceptScorer(
    llm, task=TASK, classes=CLASSES, embedder=embedder, n_spurious=2, cache=cache
).set_output(transform="pandas")
labeler = ProgramSynthesisLabeler(
    llm,
    task=f"{TASK} {scorer.describe_scores()}",
    classes=CLASSES,
    prompts=prompts,
)
student = make_pipeline(ImageEmbedder(embedder, cache=cache), LogisticRegression())
annotator = DistilledAnnotator(make_pipeline(scorer, labeler), estimator=student)
annotator.fit(paths)

fitted_scorer, fitted_labeler = annotator.labeler_[0], annotator.labeler_[-1]
for name, concept in zip(
    fitted_scorer.get_feature_names_out(), fitted_scorer.concepts_, strict=True
):
    print(f"{name:<32} {concept.speaks_for:<10} {'; '.join(concept.phrases)}")
print(f"\n{program_summary(annotator, paths)}")
print(f"\nThe first program:\n\n{fitted_labeler.programs_[0].source}\n")

# %%
# On average and in the worst group
# ---------------------------------
# Now, for the first time, gold labels. A group is a bird at a place.

groups = np.array(
    [f"{name} on {PLACES[where]}" for name, where in zip(y, place, strict=True)]
)
names = sorted(set(groups))
print(f"{'':<20} average  worst  " + "  ".join(names))
rows = {"zero-shot": by_name}
for predict_with in ("votes", "student"):
    rows[predict_with] = annotator.set_params(predict_with=predict_with).predict(paths)
_, axes = plt.subplots(figsize=(8, 4))
for bar, (row, y_pred) in enumerate(rows.items()):
    accuracy = group_accuracy(y, y_pred, groups)
    shares = "  ".join(f"{accuracy.per_group[n]:>{len(n)}.3f}" for n in names)
    print(f"{row:<20} {accuracy.average:>7.3f}  {accuracy.worst:>5.3f}  {shares}")
    heights = [accuracy.per_group[n] for n in names]
    axes.bar(np.arange(len(names)) + 0.28 * (bar - 1), heights, 0.26, label=row)
axes.set(ylabel="accuracy", xticks=range(len(names)), xticklabels=names)
axes.legend(ncols=3, loc="lower center", bbox_to_anchor=(0.5, 1))
print(f"\nconcepts {fitted_scorer.usage_}\nprograms {fitted_labeler.usage_}")
folder.cleanup()

if arguments.record:
    store = CompletionStore(arguments.store)
    write_recordings(store, arguments.record, answered_by=arguments.answered_by)
