import numpy as np
import pytest
from sklearn import config_context
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.feature_extraction.text import (
    CountVectorizer,
    HashingVectorizer,
    TfidfVectorizer,
)
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from sklearn_alchemist.distillation import (
    encoder_student,
    fit_logistic,
    share_features,
    text_student,
)

RNG = np.random.default_rng(0)
WORDS = "song love great music cash free win click offer the a of".split()  # noqa: SIM905
TEXTS = [" ".join(RNG.choice(WORDS, 6)) + f" {i % 40}" for i in range(120)]
LABELS = np.array(["spam" if "cash" in t or "free" in t else "ham" for t in TEXTS])
FOLD = np.arange(120) % 3 != 0


@pytest.mark.parametrize(
    "student",
    [
        make_pipeline(TfidfVectorizer(), LogisticRegression()),
        make_pipeline(
            TfidfVectorizer(min_df=2, max_df=0.4, max_features=9, ngram_range=(1, 2)),
            LogisticRegression(),
        ),
        make_pipeline(TfidfVectorizer(min_df=0.1, norm="l1"), LogisticRegression()),
        make_pipeline(CountVectorizer(min_df=3, binary=True), MultinomialNB()),
        make_pipeline(HashingVectorizer(n_features=64), LogisticRegression()),
        make_pipeline(
            make_union(TfidfVectorizer(min_df=3), TfidfVectorizer(analyzer="char_wb")),
            LogisticRegression(),
        ),
        make_pipeline(
            FunctionTransformer(lambda texts: [t.upper() for t in texts]),
            "passthrough",
            TfidfVectorizer(lowercase=False),
            LogisticRegression(),
        ),
        text_student(TEXTS),
        make_pipeline(TfidfVectorizer(vocabulary=["song"]), LogisticRegression()),
        make_pipeline(TfidfVectorizer(use_idf=False), LogisticRegression()),
    ],
)
@pytest.mark.parametrize("output", ["default", "pandas"])
def test_a_student_of_a_fold_is_the_same_as_if_it_had_counted_alone(student, output):
    rows = np.flatnonzero(FOLD)
    alone = clone(student).fit([TEXTS[i] for i in rows], LABELS[rows])
    with config_context(transform_output=output):
        shared = share_features(student, TEXTS)
        assert len(TEXTS) == (
            shared.features.shape[0]
            if hasattr(shared.features, "shape")
            else len(shared.features)
        )
        features = (
            shared.features[rows]
            if hasattr(shared.features, "shape")
            else [shared.features[i] for i in rows]
        )
        joined = shared.join(clone(shared.rest).fit(features, LABELS[rows]))
    asked = [*TEXTS, "nothing known", ""]
    np.testing.assert_allclose(
        joined.predict_proba(asked), alone.predict_proba(asked), atol=1e-6
    )
    assert [type(step) for _, step in joined.steps] == [
        type(step) for _, step in alone.steps
    ]


def test_texts_are_encoded_once_for_all_fits():
    class Encoder:
        encoded = 0

        def encode(self, texts):
            Encoder.encoded += len(texts)
            return np.array([[len(t), t.count("a")] for t in texts])

    shared = share_features(encoder_student(lambda: Encoder()), TEXTS)
    for seed in range(3):
        rows = np.random.default_rng(seed).permutation(120)[:80]
        clone(shared.rest).fit(shared.features[rows], LABELS[rows])
    assert Encoder.encoded == len(set(TEXTS))
    assert shared.features.shape == (120, 2)


def test_what_learns_from_labels_is_left_to_each_fit():
    student = make_pipeline(StandardScaler(), LogisticRegression())
    X = RNG.normal(size=(20, 3))
    shared = share_features(student, X)
    assert shared.features is X
    assert shared.rest is student


def test_own_vectorizers_are_not_taken_apart():
    class Own(CountVectorizer):
        pass

    class Learned(TransformerMixin, BaseEstimator):
        def fit(self, X, y=None):
            return self

        def transform(self, X):
            return X

    for step in (Own(), Learned()):
        student = make_pipeline(step, MultinomialNB())
        assert share_features(student, TEXTS).rest is student


@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("C", [0.5, np.inf])
def test_logistic_regression_on_probabilities_is_that_on_repeated_rows(
    n_classes, intercept, C
):
    rng = np.random.default_rng(0)
    X, classes = rng.normal(size=(200, 3)), np.arange(n_classes)
    target = rng.dirichlet(np.ones(n_classes), 200) * rng.uniform(0.5, 2, (200, 1))
    model = LogisticRegression(C=C, fit_intercept=intercept, tol=1e-8)
    rows, codes = np.nonzero(target)
    repeated = clone(model).fit(X[rows], codes, sample_weight=target[rows, codes])
    direct = fit_logistic(clone(model), X, target, classes)
    np.testing.assert_allclose(direct.coef_, repeated.coef_, atol=1e-4)
    np.testing.assert_allclose(direct.intercept_, repeated.intercept_, atol=1e-4)
    again = fit_logistic(clone(model), X, target, classes, start=direct)
    assert again.n_iter_[0] <= 2
