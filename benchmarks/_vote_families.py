"""Collect votes of every kind that a label model meets: real, made, recorded, planted.

A family is one kind of votes. Each problem names its text set, so that all its votes
can be left out together.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from _regimes import REGIMES, regime
from _tasks import TASKS
from _text_sets import TextSet, read_programs, read_text_set, recorded_labeler
from sklearn.feature_extraction.text import CountVectorizer

TEXT_SETS = ("agnews_test7600", "yelp", "youtube", "medabs_singlelabel", "bbcnews")
FAMILIES = ("matrices", "made", "crowds", "regimes", "recorded")
N_DRAWS = 4
# Texts that recorded programs label; more would only make the benchmark slow.
N_TEXTS = 1500


@dataclass(frozen=True)
class VoteSet:
    """Votes with gold labels.

    Parameters
    ----------
    family, text_set, name : str
        What kind of votes these are, what they label, and which they are.

    votes : ndarray of int8 of shape (n_samples, n_programs)
        Class indices, -1 for abstain.

    y : ndarray of int of shape (n_samples,)
        True classes.

    n_classes : int
        Number of classes.

    test : ndarray of bool of shape (n_samples,)
        The test split, if there is one; else all samples.
    """

    family: str
    text_set: str
    name: str
    votes: np.ndarray
    y: np.ndarray
    n_classes: int
    test: np.ndarray


def matrices(folder: Path) -> Iterator[VoteSet]:
    """Read ``SET_AUTHOR.npz`` (L, y, split): functions that models or people wrote."""
    for path in [*sorted(folder.glob("*.npz")), *sorted(folder.glob("*/*.npz"))]:
        held = np.load(path, allow_pickle=False)
        if "L" not in held or "y" not in held:
            continue
        y = held["y"].astype(int)
        yield VoteSet(
            "matrices",
            path.stem.partition("_")[0],
            path.stem,
            held["L"].astype(np.int8),
            y,
            int(y.max()) + 1,
            held["split"] == "test" if "split" in held else np.ones(len(y), bool),
        )


def keyword_rules(texts: TextSet, draw: int) -> VoteSet:
    """Let single words vote, as the short rules that models write do.

    A rule votes one class wherever its word occurs. Words are rare, and right clearly
    more often than chance: how rare, how right and how many is drawn, too.
    """
    rng = np.random.default_rng([draw, *texts.name.encode()])
    names, y = np.unique(texts.labels, return_inverse=True)
    counter = CountVectorizer(binary=True, token_pattern=r"(?u)\b[a-z]{3,}\b")
    occurs = counter.fit_transform([text[:600] for text in texts.texts]).tocsc()
    n_rows, n_classes = len(y), len(names)
    by_class = np.stack([occurs[y == c].sum(axis=0).A1 for c in range(n_classes)])
    n_hits = by_class.sum(axis=0)
    base = np.bincount(y) / n_rows
    rarest, commonest = rng.uniform(0.0015, 0.003), rng.uniform(0.008, 0.03)
    usual = (n_hits > rarest * n_rows) & (n_hits < commonest * n_rows)
    needed = np.maximum(
        rng.uniform(0.5, 0.65), base + rng.uniform(0.2, 0.4) * (1 - base)
    )
    columns = []
    for c in range(n_classes):
        good = np.flatnonzero(usual & (by_class[c] > needed[c] * n_hits))
        n_rules = min(len(good), int(rng.integers(8, 50)))
        for word in rng.choice(good, n_rules, replace=False):
            column = np.full(n_rows, -1, dtype=np.int8)
            column[occurs[:, [word]].nonzero()[0]] = c
            columns.append(column)
    votes = np.column_stack(columns)
    everything = np.ones(n_rows, bool)
    name = f"{texts.name} {draw}"
    return VoteSet("made", texts.name, name, votes, y, n_classes, everything)


def made(folder: Path) -> Iterator[VoteSet]:
    """Make keyword rules over each text set."""
    for name in TEXT_SETS:
        texts = read_text_set(folder, name)
        if texts is not None:
            for draw in range(N_DRAWS):
                yield keyword_rules(texts, draw)


def programs_of(texts: TextSet, recordings: Path | None) -> Iterator[tuple[str, list]]:
    """Yield sets of recorded programs: folders of files, and answers to ten calls."""
    from synthesis import WAYS

    from sklearn_alchemist import LLM

    task = texts.name.removesuffix("_test7600")
    short = task.removesuffix("_singlelabel")
    found = None if recordings is None else read_programs(recordings, short)
    if found is not None:
        yield "folder", found
    answers = Path(__file__).parent / "recordings"
    for path in sorted(answers.glob(f"{task}-*.jsonl")):
        source = path.stem.partition("-")[2]
        way = WAYS.get(source.partition("-")[0])
        if way is not None:  # others share answers, or are of who was told to err
            labeler = way.labeler(LLM("recorded", store=path), TASKS[task])
            yield source, labeler.fit(texts.texts[:50].tolist()).programs_


def recorded(folder: Path, recordings: Path | None) -> Iterator[VoteSet]:
    """Run recorded programs over up to `N_TEXTS` texts of their sets."""
    for name in TEXT_SETS:
        short = name.removesuffix("_test7600")
        texts = read_text_set(folder, name) or read_text_set(folder, short)
        if texts is None:
            continue
        rng = np.random.default_rng(0)
        chosen = np.sort(rng.permutation(len(texts.texts))[:N_TEXTS])
        names, y = np.unique(texts.labels, return_inverse=True)
        test = texts.split == "test"
        for source, programs in programs_of(texts, recordings):
            labeler = recorded_labeler(programs, texts.classes, n_jobs=1)
            votes = labeler.fit(texts.texts[:50]).transform(texts.texts[chosen])
            yield VoteSet(
                "recorded",
                name,
                f"{name} {source}",
                votes,
                y[chosen],
                len(names),
                test[chosen],
            )


def planted(seeds: range) -> Iterator[VoteSet]:
    """Draw every regime."""
    for name in REGIMES:
        for seed in seeds:
            problem = regime(name, seed)
            everything = np.ones(len(problem.y), bool)
            yield VoteSet(
                "regimes",
                name,
                f"{name} {seed}",
                problem.votes,
                problem.y,
                2,
                everything,
            )


def crowds(folder: Path) -> Iterator[VoteSet]:
    """Read answers (question, worker, answer) of crowds, and the truth beside them."""
    for path in sorted(folder.glob("*_answer.csv.gz")):
        answers = pd.read_csv(path, dtype=str)
        truth = pd.read_csv(str(path).replace("_answer", "_truth"), dtype=str)
        answers = answers.drop_duplicates(["question", "worker"], keep="last")
        truth = truth.drop_duplicates("question").set_index("question")["truth"]
        answers = answers[answers["question"].isin(truth.index)]
        names = sorted({*answers["answer"], *truth})
        answers["vote"] = answers["answer"].map(names.index)
        votes = answers.pivot(index="question", columns="worker", values="vote")
        y = truth[votes.index].map(names.index).to_numpy()
        votes = votes.fillna(-1).to_numpy().astype(np.int8)
        name = path.name.removesuffix("_answer.csv.gz")
        everything = np.ones(len(y), bool)
        yield VoteSet("crowds", name, name, votes, y, len(names), everything)


def thinned(crowd: VoteSet, n_answers: int, draw: int) -> VoteSet:
    """Keep few answers a task, drawn at random, and the workers who gave them."""
    rng = np.random.default_rng([n_answers, draw])
    rank = np.where(crowd.votes >= 0, rng.random(crowd.votes.shape), 2.0)
    order = rank.argsort(axis=1).argsort(axis=1)
    votes = np.where(order < n_answers, crowd.votes, -1).astype(np.int8)
    votes = votes[:, (votes >= 0).any(axis=0)]
    name = f"{crowd.name}, {n_answers} a task, {draw}"
    return replace(crowd, family=f"{n_answers} a task", name=name, votes=votes)


def all_crowds(folder: Path) -> Iterator[VoteSet]:
    """Yield each crowd whole, and with one and two answers a task."""
    for crowd in crowds(folder):
        yield crowd
        for n_answers in (1, 2):
            yield from (thinned(crowd, n_answers, draw) for draw in range(10))


def all_families(
    data: Path, recordings: Path | None, families: Sequence[str] = FAMILIES
) -> Iterator[VoteSet]:
    """Yield the votes of families, as far as they can be made of what is in a folder.

    Nothing is read or run for a family that is not asked for.
    """
    makers: dict[str, Callable[[], Iterator[VoteSet]]] = {
        "matrices": lambda: matrices(data),
        "made": lambda: made(data),
        "crowds": lambda: all_crowds(data / "crowd"),
        "regimes": lambda: planted(range(3)),
        "recorded": lambda: recorded(data, recordings),
    }
    for family in families:
        yield from makers[family]()
