"""Label Waterbirds from two scores, and look at the worst group.

Real embeddings of CLIP RN50 are read from a file, so that no image and no weights are
needed::

    python benchmarks/waterbirds.py waterbirds_clip_rn50_256.npz

The file holds ``image_emb`` (n_images, n_dimensions), ``text_prompts`` and ``text_emb``
for "a photo of a landbird." and "a photo of a waterbird.", and for scoring alone ``y``
and ``place``. Zero-shot takes the class whose prompt is more similar. The programs read
the same two similarities as two columns; their answers come from
``benchmarks/recordings/waterbirds.jsonl``. Two columns hold no more than zero-shot
sees, and no spurious concept: the comparison says what programs make of the same
evidence, not what more concepts would add.
"""

import argparse
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.pipeline import make_pipeline

from sklearn_alchemist import (
    LLM,
    ConceptScorer,
    LabelModelAggregator,
    ProgramSynthesisLabeler,
)
from sklearn_alchemist.exceptions import AlchemistWarning
from sklearn_alchemist.llm import CompletionStore, write_recordings
from sklearn_alchemist.metrics import group_accuracy
from sklearn_alchemist.synthesis import Prompts

RECORDINGS = Path(__file__).parent / "recordings" / "waterbirds.jsonl"
TASK = "Is the bird in the image a waterbird or a landbird?"
CLASSES = {
    "landbird": "a bird that lives on land, such as a sparrow, cardinal or woodpecker",
    "waterbird": "a bird that lives on or by water, such as a duck, gull or pelican",
}
CONCEPTS = {f"a photo of a {name}": f"a photo of a {name}." for name in CLASSES}


@dataclass(frozen=True)
class StoredTexts:
    """Embed the texts whose embeddings are stored, and no other."""

    embeddings: Mapping[str, np.ndarray]

    def encode(self, texts: list[str]) -> np.ndarray:
        """Look texts up."""
        return np.stack([self.embeddings[text] for text in texts])


@dataclass(frozen=True)
class Data:
    """Embeddings of images, and what scores them."""

    images: np.ndarray
    embedder: StoredTexts
    y: np.ndarray
    groups: np.ndarray


def load(path: Path) -> Data:
    """Read the file; class 1 is the waterbird, place 1 the water."""
    with np.load(path) as file:
        texts = dict(zip(file["text_prompts"].tolist(), file["text_emb"], strict=True))
        y, place = file["y"], file["place"]
        images = file["image_emb"].astype(np.float64)
    names = np.array(list(CLASSES))
    groups = np.array(["on land", "on water"])[place]
    return Data(images, StoredTexts(texts), names[y], np.c_[names[y], groups])


def scorer(data: Data, score: str) -> ConceptScorer:
    """Score images against the two prompts."""
    return ConceptScorer(
        concepts=CONCEPTS,
        embedder=data.embedder,
        templates=("{}",),
        input="embedding",
        score=score,
    ).set_output(transform="pandas")


def zero_shot(data: Data, score: str = "cosine") -> np.ndarray:
    """Answer with the class whose prompt is more similar."""
    scores = scorer(data, score).fit_transform(data.images)
    return np.array(list(CLASSES))[scores.to_numpy().argmax(axis=1)]


def by_programs(data: Data, llm: LLM, method: str) -> np.ndarray:
    """Answer with what programs over the two scores say."""
    scores = scorer(data, "scaled")
    labeler = ProgramSynthesisLabeler(
        llm,
        task=f"{TASK} {scores.describe_scores()}",
        classes=CLASSES,
        prompts=Prompts.of_version("3"),  # to which the recorded answers are
    )
    aggregator = LabelModelAggregator(method=method, classes=list(CLASSES))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AlchemistWarning)
        pipeline = make_pipeline(scores, labeler, aggregator)
        return pipeline.fit(data.images).predict(data.images)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="file of embeddings")
    parser.add_argument("--model", help="ask this model, as litellm names it")
    parser.add_argument("--api-base", help="address of an OpenAI-compatible server")
    parser.add_argument("--store", type=Path, help="file that keeps the answers")
    parser.add_argument("--record", type=Path, help="write the answers as recordings")
    parser.add_argument("--answered-by", help="who answers, written into --record")
    options = parser.parse_args(arguments)

    data = load(options.data)
    llm = LLM("recorded", store=RECORDINGS)
    if options.model:
        llm = LLM(options.model, api_base=options.api_base, store=options.store)
    # Programs read scaled scores: what scaling alone gives stands beside them.
    answers = {"zero-shot": zero_shot(data), "scaled": zero_shot(data, "scaled")}
    for method in ("majority_vote", "dawid_skene"):
        answers[f"programs, {method}"] = by_programs(data, llm, method)
    sizes = group_accuracy(data.y, data.y, data.groups).n_samples
    heads = [f"{' '.join(group)} (n = {n})" for group, n in sizes.items()]
    print(f"{len(data.y)} images\n{'':<24}average  worst  " + "  ".join(heads))
    for name, y_pred in answers.items():
        found = group_accuracy(data.y, y_pred, data.groups)
        shares = zip(heads, found.per_group.values(), strict=True)
        columns = "  ".join(f"{share:>{len(head)}.3f}" for head, share in shares)
        print(f"{name:<24}{found.average:>7.3f}  {found.worst:>5.3f}  {columns}")
    if options.record:
        store = CompletionStore(options.store)
        write_recordings(store, options.record, answered_by=options.answered_by)


if __name__ == "__main__":
    main()
