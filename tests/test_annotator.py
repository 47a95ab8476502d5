import pickle
import threading

import numpy as np
import pandas as pd
import pytest
from offline_llm import offline_llm
from sklearn import config_context
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GridSearchCV,
    TunedThresholdClassifierCV,
    cross_val_score,
)
from sklearn.multioutput import MultiOutputClassifier
from sklearn.naive_bayes import MultinomialNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.svm import LinearSVC

from sklearn_alchemist import (
    LLM,
    DistilledAnnotator,
    LabelingProgram,
    LabelModelAggregator,
    ProgramSynthesisLabeler,
)
from sklearn_alchemist.distillation import encoder_student
from sklearn_alchemist.exceptions import (
    AlchemistWarning,
    FallbackWarning,
    LabelsWarning,
    ProgramWarning,
)

LINK = "def label(text): return 'spam' if 'http' in text else None"
SONG = "def label(text): return 'ham' if 'song' in text else None"
LOVE = "def label(text): return 'ham' if 'love' in text else None"
TEXTS = [
    "free http", "free cash http", "cash http", "love this song", "great song",
    "love it", "great love", "free cash", "what a great day",
] * 3  # fmt: skip
GOLD = ["spam"] * 3 + ["ham"] * 4 + ["spam", "ham"]


@pytest.fixture
def labeler():
    programs = [
        LabelingProgram("link", LINK),
        LabelingProgram("song", SONG),
        LabelingProgram("love", LOVE),
    ]
    return ProgramSynthesisLabeler(classes=["ham", "spam"], programs=programs)


def test_the_student_labels_what_no_program_votes_on(labeler):
    annotator = DistilledAnnotator(labeler).fit(TEXTS)
    assert annotator.predict(["free cash", "great day"]).tolist() == ["spam", "ham"]


def test_no_gold_label_is_learned_from(labeler):
    shuffled = np.random.default_rng(0).permutation(GOLD * 3)
    with_gold = DistilledAnnotator(labeler).fit(TEXTS, GOLD * 3)
    with_nonsense = DistilledAnnotator(labeler).fit(TEXTS, shuffled)
    without = DistilledAnnotator(labeler).fit(TEXTS)
    for other in (with_nonsense, without):
        np.testing.assert_array_equal(
            with_gold.predict_proba(TEXTS), other.predict_proba(TEXTS)
        )


def test_rows_without_votes_are_not_trained_on(labeler):
    seen = []

    class Spy(CountVectorizer):
        def fit_transform(self, raw_documents, y=None):
            seen.extend(raw_documents)
            return super().fit_transform(raw_documents, y)

    DistilledAnnotator(labeler, estimator=make_pipeline(Spy(), MultinomialNB())).fit(
        TEXTS
    )
    assert seen
    assert "free cash" not in seen


def test_votes_answer_where_they_are_asked_to(labeler):
    annotator = DistilledAnnotator(labeler, predict_with="votes").fit(TEXTS)
    votes = annotator.labeler_.transform(TEXTS)
    np.testing.assert_array_equal(
        annotator.predict_proba(TEXTS), annotator.aggregator_.predict_proba(votes)
    )


def test_probabilities_sum_to_one_and_score_is_accuracy(labeler):
    annotator = DistilledAnnotator(labeler).fit(TEXTS)
    proba = annotator.predict_proba(TEXTS)
    np.testing.assert_allclose(proba.sum(axis=1), 1)
    assert annotator.score(TEXTS, GOLD * 3) == np.mean(
        annotator.predict(TEXTS) == GOLD * 3
    )


def test_annotate_gives_labels_confidences_and_votes(labeler):
    annotator = DistilledAnnotator(labeler).fit(TEXTS)
    annotation = annotator.annotate(TEXTS[:4])
    assert annotation.label.tolist() == annotator.predict(TEXTS[:4]).tolist()
    np.testing.assert_allclose(
        annotation.confidence, annotator.predict_proba(TEXTS[:4]).max(axis=1)
    )
    assert annotation.votes.tolist() == [[1, -1, -1]] * 3 + [[-1, 0, 0]]
    assert annotation.programs.tolist() == ["link", "song", "love"]


def test_annotate_runs_the_programs_once(labeler, monkeypatch):
    annotator = DistilledAnnotator(labeler, predict_with="votes").fit(TEXTS)
    runs = []
    vote = ProgramSynthesisLabeler._vote
    monkeypatch.setattr(
        ProgramSynthesisLabeler,
        "_vote",
        lambda self, *args, **options: runs.append(1) or vote(self, *args, **options),
    )
    annotation = annotator.annotate(TEXTS)
    assert annotation.label.tolist() == annotator.predict(TEXTS).tolist()
    assert len(runs) == 2  # one for annotate, one for predict


def test_annotate_gives_a_frame_with_the_index_of_the_records(labeler):
    annotator = DistilledAnnotator(labeler).fit(TEXTS)
    series = pd.Series(TEXTS[:4], index=[3, 5, 7, 9])
    frame = annotator.annotate(series, as_frame=True)
    assert frame.index.tolist() == [3, 5, 7, 9]
    columns = ["label", "confidence", "flag", "doubt", "source"]
    columns += ["link", "song", "love"]
    assert frame.columns.tolist() == columns
    assert frame["love"].isna().tolist() == [True, True, True, False]
    assert frame["love"].iloc[3] == "ham"
    assert len(annotator.annotate(TEXTS, as_frame=True)) == len(TEXTS)


@pytest.mark.parametrize(
    "student",
    [
        make_pipeline(CountVectorizer(), MultinomialNB()),
        make_pipeline(CountVectorizer(), KNeighborsClassifier(1)),  # takes no weights
        CalibratedClassifierCV(make_pipeline(CountVectorizer(), LinearSVC()), cv=2),
    ],
)
def test_any_classifier_can_be_the_student(labeler, student):
    annotator = DistilledAnnotator(labeler, estimator=student).fit(TEXTS)
    assert annotator.predict(["http", "song"]).tolist() == ["spam", "ham"]


def test_the_aggregator_is_told_the_classes_of_the_labeler(labeler):
    annotator = DistilledAnnotator(
        labeler, LabelModelAggregator(method="majority_vote")
    )
    assert annotator.fit(TEXTS).aggregator_.classes.tolist() == ["ham", "spam"]
    assert annotator.aggregator.classes is None


def test_a_class_that_no_program_votes_for_keeps_its_column(labeler):
    labeler.set_params(classes=["eggs", "ham", "spam"])
    annotator = DistilledAnnotator(labeler).fit(TEXTS)
    assert annotator.classes_.tolist() == ["eggs", "ham", "spam"]
    assert annotator.predict_proba(TEXTS).shape == (len(TEXTS), 3)
    assert annotator.predict(["http", "song"]).tolist() == ["spam", "ham"]


def test_programs_that_agree_on_one_class_give_a_student_that_says_so(labeler):
    labeler.set_params(programs=[LabelingProgram("all", "def label(t): return 'ham'")])
    annotator = DistilledAnnotator(
        labeler, LabelModelAggregator(method="majority_vote")
    ).fit(TEXTS)
    assert set(annotator.predict(TEXTS)) == {"ham"}


def test_no_vote_at_all_is_warned_of_and_gives_the_prior(labeler):
    labeler.set_params(programs=[LabelingProgram("none", "def label(t): return None")])
    with (
        pytest.warns(ProgramWarning, match="No program votes on any of 27"),
        pytest.warns(ProgramWarning, match="never vote: none"),
    ):
        annotator = DistilledAnnotator(labeler).fit(TEXTS)
    np.testing.assert_allclose(annotator.predict_proba(TEXTS), 0.5)


def test_a_frozen_labeler_is_not_fitted_again(labeler):
    frozen = FrozenEstimator(labeler.fit(TEXTS))
    annotator = DistilledAnnotator(frozen).fit(TEXTS)
    assert annotator.labeler_.estimator is labeler
    assert annotator.predict(["http"]).tolist() == ["spam"]


def test_tables_with_numbers_categories_and_gaps_can_be_distilled():
    rng = np.random.default_rng(0)
    age = rng.integers(10, 90, 200).astype(float)
    X = pd.DataFrame({"age": age, "smokes": np.where(age > 50, "yes", None)})
    X.loc[::7, "age"] = np.nan
    source = "def label(age): return None if age is None else age > 50"
    labeler = ProgramSynthesisLabeler(
        classes=[False, True], programs=[LabelingProgram("age", source)]
    )
    annotator = DistilledAnnotator(labeler).fit(X)
    assert annotator.score(X, age > 50) > 0.95


@pytest.mark.filterwarnings("ignore:On 15 records tried, these programs never vote")
def test_a_fold_without_a_class_scores_as_it_should(labeler):
    y = np.array(GOLD * 3)
    only_ham = np.flatnonzero(y == "ham")
    splits = [(only_ham, np.arange(len(y)))]
    annotator = DistilledAnnotator(labeler, predict_with="votes")
    (score,) = cross_val_score(annotator, TEXTS, y, cv=splits)
    # Links still mean spam, although no fold of training holds a spam.
    predicted = annotator.fit([TEXTS[i] for i in only_ham]).predict(TEXTS)
    assert score == np.mean(predicted == y)
    assert annotator.classes_.tolist() == ["ham", "spam"]


@pytest.mark.slow
def test_a_search_over_all_parts_composes(labeler):
    search = GridSearchCV(
        DistilledAnnotator(labeler, LabelModelAggregator()),
        {
            "aggregator__method": ["dawid_skene", "majority_vote"],
            "predict_with": ["student", "votes"],
        },
        cv=3,
        error_score="raise",
    ).fit(TEXTS, GOLD * 3)
    assert search.best_score_ > 0.7


def test_calibration_composes(labeler):
    calibrated = CalibratedClassifierCV(DistilledAnnotator(labeler), cv=3)
    assert calibrated.fit(TEXTS, GOLD * 3).predict_proba(TEXTS).shape == (27, 2)


def test_metadata_is_routed_to_the_parts_that_request_it(labeler):
    weight = np.where(np.array(GOLD * 3) == "spam", 100.0, 1.0)
    with config_context(enable_metadata_routing=True):
        weighted = DistilledAnnotator(labeler).fit(TEXTS, sample_weight=weight)
        plain = DistilledAnnotator(labeler).fit(TEXTS)
    assert weighted.predict_proba(["day"])[0, 1] > plain.predict_proba(["day"])[0, 1]


def test_a_weight_that_only_the_aggregator_requests_stays_with_it(labeler):
    with config_context(enable_metadata_routing=True):
        aggregator = LabelModelAggregator().set_fit_request(sample_weight=True)
        student = make_pipeline(CountVectorizer(), MultinomialNB())
        annotator = DistilledAnnotator(labeler, aggregator, student)
        # As if the texts with links had been seen a hundred times.
        weight = np.where(["http" in text for text in TEXTS], 100.0, 1.0)
        weighted = annotator.fit(TEXTS, sample_weight=weight).aggregator_
        plain = clone(annotator).fit(TEXTS).aggregator_
    assert weighted.class_prior_[1] > plain.class_prior_[1]


def test_metadata_that_no_part_requests_is_an_error(labeler):
    with (
        config_context(enable_metadata_routing=True),
        pytest.raises(TypeError, match="unexpected argument"),
    ):
        DistilledAnnotator(labeler).fit(TEXTS, groups=np.ones(27))


def test_metadata_without_routing_is_an_error(labeler):
    with pytest.raises(ValueError, match="metadata_routing"):
        DistilledAnnotator(labeler).fit(TEXTS, sample_weight=np.ones(27))


def test_callbacks_reach_the_labeler_and_the_aggregator(labeler):
    from sklearn.callback import ProgressBar

    annotator = DistilledAnnotator(labeler).set_callbacks(ProgressBar())
    assert annotator.fit(TEXTS).predict(["http"]).tolist() == ["spam"]


def test_clones_of_an_annotator_are_unfitted(labeler):
    annotator = DistilledAnnotator(labeler).fit(TEXTS)
    assert not hasattr(clone(annotator), "labeler_")


@pytest.mark.slow
def test_a_language_model_serves_the_whole_line():
    labeler = ProgramSynthesisLabeler(
        offline_llm(), task="Which kind?", classes=["a", "b"]
    )
    annotator = DistilledAnnotator(labeler).fit(TEXTS)
    assert set(annotator.predict(TEXTS)) <= {"a", "b"}


def test_a_program_called_label_does_not_hide_the_label(labeler):
    labeler.set_params(programs=[LabelingProgram("label", LINK)])
    frame = DistilledAnnotator(labeler).fit(TEXTS).annotate(TEXTS, as_frame=True)
    columns = ["label", "confidence", "flag", "doubt", "source", "label (program)"]
    assert frame.columns.tolist() == columns


def test_an_aggregator_inside_a_search_is_told_the_classes_too(labeler):
    inner = make_pipeline(LabelModelAggregator())
    annotator = DistilledAnnotator(labeler, inner).fit(TEXTS)
    assert annotator.predict(["http"]).tolist() == ["spam"]


def test_an_ensemble_can_be_the_student_with_routing():
    student = RandomForestClassifier(n_estimators=5)
    annotator = DistilledAnnotator(ProgramSynthesisLabeler(), estimator=student)
    with config_context(enable_metadata_routing=True):
        assert annotator.get_metadata_routing() is not None


def test_the_default_student_for_tables_works_with_frames_as_output():
    X = pd.DataFrame({"n": [1, 5] * 10, "c": ["u", "v"] * 10})
    program = LabelingProgram("n", "def label(n): return n > 3")
    labeler = ProgramSynthesisLabeler(classes=[False, True], programs=[program])
    with config_context(transform_output="pandas"):
        assert DistilledAnnotator(labeler).fit(X).score(X, X["n"] > 3) == 1


@pytest.fixture(scope="module")
def many():
    """Texts with silent, wrong and correlated programs; gold labels; a labeler."""
    rng = np.random.default_rng(0)
    gold = np.where(rng.random(400) < 0.3, "spam", "ham")
    words = {
        "spam": ["free", "cash", "win", "click", "offer", "http"],
        "ham": ["song", "love", "great", "music", "voice", "video"],
    }
    texts = [
        " ".join([*rng.choice(words[label], 3), *rng.choice(words["ham"], 1), str(i)])
        for i, label in enumerate(gold)
    ]
    programs = [
        LabelingProgram(
            word, f"def label(text): return {label!r} if {word!r} in text else None"
        )
        for label, word in [
            ("spam", "free"),
            ("spam", "http"),
            ("ham", "song"),
            ("ham", "love"),
        ]
    ]
    return (
        texts,
        gold,
        ProgramSynthesisLabeler(classes=["ham", "spam"], programs=programs),
    )


def test_both_are_better_than_the_votes_where_programs_are_silent(many):
    texts, gold, labeler = many
    annotator = DistilledAnnotator(labeler).fit(texts)
    score = {
        who: annotator.set_params(predict_with=who).score(texts, gold)
        for who in ("both", "votes")
    }
    assert score["both"] > score["votes"] + 0.02


def test_the_votes_have_no_say_with_weight_zero(many):
    texts, _, labeler = many
    annotator = DistilledAnnotator(labeler, vote_weight=0, n_rounds=0).fit(texts)
    both = annotator.predict_proba(texts)
    student = annotator.set_params(predict_with="student").predict_proba(texts)
    np.testing.assert_allclose(both, student)


def test_who_answers_can_be_chosen_after_the_fit(many):
    texts, _, labeler = many
    annotator = DistilledAnnotator(labeler).fit(texts)
    said = annotator.annotate(texts)
    for who, proba in (("student", said.student_proba), ("votes", said.votes_proba)):
        annotator.set_params(predict_with=who)
        np.testing.assert_allclose(annotator.predict_proba(texts), proba)


def test_the_student_answers_without_running_programs(many, monkeypatch):
    texts, _, labeler = many
    annotator = DistilledAnnotator(labeler, predict_with="student").fit(texts)
    monkeypatch.delattr(ProgramSynthesisLabeler, "transform")
    assert len(annotator.predict(texts)) == len(texts)


def test_annotate_flags_what_a_person_should_look_at(many):
    texts, gold, labeler = many
    annotation = DistilledAnnotator(labeler).fit(texts).annotate(texts)
    silent = (annotation.votes == -1).all(axis=1)
    assert silent.any()
    assert set(annotation.doubt[silent]) == {"no program votes"}
    np.testing.assert_array_equal(annotation.flag, annotation.doubt != "")
    right = annotation.label == gold
    assert right[~annotation.flag].mean() > right[annotation.flag].mean()


@pytest.mark.slow
def test_the_review_queue_prefers_what_is_not_sure(many):
    texts, _, labeler = many
    annotator = DistilledAnnotator(labeler).fit(texts)
    confidence = annotator.annotate(texts).confidence
    queues = [annotator.review_queue(texts, 20, random_state=s) for s in range(10)]
    assert all(len(set(queue)) == 20 for queue in queues)
    assert confidence[np.concatenate(queues)].mean() < confidence.mean()
    assert sorted(annotator.review_queue(texts[:7], 20)) == list(range(7))
    for wrong in (-1, 2.5, None):
        with pytest.raises((ValueError, TypeError), match=r"n must be|n =="):
            annotator.review_queue(texts, wrong)


def test_the_review_queue_tells_how_probable_every_record_was(many):
    texts, _, labeler = many
    annotator = DistilledAnnotator(labeler).fit(texts)
    positions, proba = annotator.review_queue(
        texts, 15, return_proba=True, random_state=3
    )
    np.testing.assert_array_equal(
        positions, annotator.review_queue(texts, 15, random_state=3)
    )
    assert proba.shape == (15,)
    assert ((proba > 0) & (proba <= 1)).all()


def learned(annotator, texts, gold, positions, proba=None):
    """Fit again with the labels of some records."""
    y = np.full(len(texts), None)
    y[positions] = gold[positions]
    label_proba = None
    if proba is not None:
        label_proba = np.full(len(texts), np.nan)
        label_proba[positions] = proba
    learning = clone(annotator).set_params(learn_from_labels=True)
    return learning.fit(texts, y, label_proba=label_proba)


@pytest.mark.slow
def test_chosen_labels_serve_the_student_and_never_judge_programs(many):
    texts, gold, labeler = many
    annotator = DistilledAnnotator(labeler).fit(texts)
    wrong = np.flatnonzero(annotator.predict(texts) != gold)[:20]
    with pytest.warns(LabelsWarning, match="0 of them say how accurate programs are"):
        learning = learned(annotator, texts, gold, wrong)
    np.testing.assert_array_equal(
        learning.aggregator_.confusion_, annotator.aggregator_.confusion_
    )
    n = len(wrong)
    use = {"given": n, "accuracies": 0, "student": n, "temperature": n}
    assert learning.label_use_ == use
    assert annotator.label_use_ == dict.fromkeys(use, 0)
    assert learning.score(texts, gold) >= annotator.score(texts, gold)


@pytest.mark.slow
def test_a_queue_with_its_probabilities_judges_programs(many):
    texts, gold, labeler = many
    annotator = DistilledAnnotator(labeler).fit(texts)
    queue, proba = annotator.review_queue(texts, 30, return_proba=True, random_state=0)
    learning = learned(annotator, texts, gold, queue, proba)
    assert learning.label_use_["accuracies"] == 30
    assert (learning.aggregator_.confusion_ != annotator.aggregator_.confusion_).any()


@pytest.mark.slow
def test_an_aggregator_within_a_pipeline_hears_how_labels_were_chosen(many):
    texts, gold, labeler = many
    inner = LabelModelAggregator()
    for routing in (False, True):
        with config_context(enable_metadata_routing=routing):
            last = clone(inner)
            if routing:
                last.set_fit_request(label_proba=True)
            annotator = DistilledAnnotator(
                labeler, make_pipeline(last), learn_from_labels=True
            )
            y = np.where(np.arange(len(gold)) < 30, gold, None)
            annotator.fit(texts, y, label_proba=1.0)
            assert annotator.aggregator_[-1].label_use_["accuracies"] == 30


@pytest.mark.slow
def test_probabilities_of_labels_reach_every_fold_of_a_search(many):
    texts, gold, labeler = many
    annotator = DistilledAnnotator(labeler, learn_from_labels=True, cv=0)
    proba = np.full(len(texts), 1.0)
    for routing in (False, True):
        with config_context(enable_metadata_routing=routing):
            if routing:
                annotator.set_fit_request(label_proba=True)
            search = GridSearchCV(
                annotator, {"vote_weight": [0.1, 0.5]}, cv=2, error_score="raise"
            ).fit(texts, gold, label_proba=proba)
        assert search.best_estimator_.label_use_["accuracies"] == len(texts)


def test_probabilities_that_fit_no_label_end_before_programs_are_paid(many):
    texts, gold, _ = many

    def ask(prompt):
        raise AssertionError("asked")

    labeler = ProgramSynthesisLabeler(
        LLM.from_callable(ask), task="Spam?", classes=["ham", "spam"]
    )
    for proba, message in (([1.0], "inconsistent"), (1.5, "above 1"), (0, "is 0 wh")):
        with pytest.raises(ValueError, match=message):
            DistilledAnnotator(labeler, learn_from_labels=True).fit(
                texts, gold, label_proba=proba
            )


@pytest.mark.slow
@pytest.mark.parametrize("form", [list, np.array, pd.Series])
def test_records_of_weight_zero_are_not_there(many, form):
    texts, gold, labeler = many
    weight = np.arange(len(texts)) % 3.0
    used = np.flatnonzero(weight)
    y = np.where(np.arange(len(texts)) % 2, gold, None)
    with config_context(enable_metadata_routing=True):
        learning = DistilledAnnotator(labeler, learn_from_labels=True)
        whole = clone(learning).fit(
            form(texts), y, sample_weight=weight, label_proba=weight / 2
        )
        part = clone(learning).fit(
            [texts[i] for i in used],
            y[used],
            sample_weight=weight[used],
            label_proba=weight[used] / 2,
        )
        with pytest.raises(ValueError, match="at least one non-zero"):
            clone(learning).fit(texts, y, sample_weight=np.zeros(len(texts)))
    np.testing.assert_array_equal(whole.predict_proba(texts), part.predict_proba(texts))
    assert whole.label_use_ == part.label_use_


@pytest.mark.slow
@pytest.mark.parametrize("missing", [None, np.nan])
def test_labels_are_learned_from_where_asked_to(many, missing):
    texts, gold, labeler = many
    wrong = [
        LabelingProgram(
            p.name,
            p.source.replace("'spam'", "?")
            .replace("'ham'", "'spam'")
            .replace("?", "'ham'"),
        )
        for p in labeler.programs
    ]
    labeler = clone(labeler).set_params(programs=wrong)
    y = np.array([missing] * len(gold), dtype=object)
    y[:50] = gold[:50]
    without = DistilledAnnotator(labeler).fit(texts)
    learning = DistilledAnnotator(labeler, learn_from_labels=True)
    with_labels = clone(learning).fit(texts, y, label_proba=1.0)
    assert without.score(texts[50:], gold[50:]) < 0.5
    assert with_labels.score(texts[50:], gold[50:]) > 0.8
    assert with_labels.aggregator_.semi_supervised
    assert not LabelModelAggregator().semi_supervised


def test_minus_one_is_no_label_where_it_is_no_class(many):
    texts, gold, labeler = many
    y = np.where(np.arange(len(gold)) < 50, gold == "spam", -1)
    labeler = ProgramSynthesisLabeler(
        classes=[0, 1],
        programs=[
            LabelingProgram("link", "def label(text): return int('http' in text)")
        ],
    )
    annotator = DistilledAnnotator(labeler, learn_from_labels=True)
    annotator.fit(texts, y, label_proba=1.0)
    assert annotator.classes_.tolist() == [0, 1]
    assert set(annotator.temperatures_) == {"both", "student", "votes"}


def test_learning_from_labels_needs_labels(many):
    texts, _, labeler = many
    with pytest.raises(ValueError, match="there is no y"):
        DistilledAnnotator(labeler, learn_from_labels=True).fit(texts)


@pytest.mark.slow
def test_a_few_labels_make_the_probabilities_honest(many):
    texts, gold, labeler = many
    overconfident = DistilledAnnotator(labeler, vote_weight=5.0).fit(texts)
    y = np.array([None] * len(gold), dtype=object)
    y[:50] = gold[:50]
    learning = clone(overconfident).set_params(learn_from_labels=True)
    learning.fit(texts, y, label_proba=50 / len(gold))
    codes = (gold == "spam").astype(int)[50:]

    def loss(annotator):
        proba = annotator.predict_proba(texts[50:])
        return -np.log(proba[np.arange(len(codes)), codes]).mean()

    assert loss(learning) < loss(overconfident)


@pytest.mark.parametrize("classes", [["ham", "spam"], [3, 7], [False, True]])
def test_classes_of_every_type_work(classes):
    source = (
        f"def label(text): return {classes[1]!r} if 'http' in text else {classes[0]!r}"
    )
    labeler = ProgramSynthesisLabeler(
        classes=classes, programs=[LabelingProgram("link", source)]
    )
    annotator = DistilledAnnotator(labeler).fit(TEXTS)
    assert annotator.predict(["http", "song"]).tolist() == [classes[1], classes[0]]


@pytest.mark.parametrize("module", ["pandas", "polars"])
def test_labels_may_be_series(many, module):
    texts, gold, labeler = many
    series = pytest.importorskip(module).Series(gold.tolist())
    partly = series.to_list()[:60] + [None] * (len(gold) - 60)
    y = pytest.importorskip(module).Series(partly)
    annotator = DistilledAnnotator(labeler, learn_from_labels=True)
    assert annotator.fit(texts, y, label_proba=1.0).score(texts, series) > 0.8


def test_a_balanced_student_finds_more_of_a_rare_class(many):
    texts, _, labeler = many
    labeler = clone(labeler).set_params(programs=labeler.programs[1:])
    found = []
    for class_weight in (None, "balanced", {"spam": 20.0}):
        annotator = DistilledAnnotator(
            labeler, predict_with="student", class_weight=class_weight, cv=0
        ).fit(texts)
        found.append(annotator.predict_proba(texts)[:, 1].mean())
    assert found[0] < found[1] < found[2]


def test_class_weights_reach_the_student_as_factors(many):
    texts, _, labeler = many
    student = make_pipeline(CountVectorizer(), MultinomialNB())
    totals = []
    for class_weight in (None, "balanced", {"spam": 3.0}):
        annotator = DistilledAnnotator(
            labeler, estimator=student, class_weight=class_weight, cv=0
        ).fit(texts)
        totals.append(annotator.estimator_[-1].class_count_)
    plain, balanced, tripled = totals
    np.testing.assert_allclose(balanced, plain.sum() / 2)
    np.testing.assert_allclose(tripled, plain * [1, 3])


def test_a_class_weight_for_no_class_is_an_error(many):
    texts, _, labeler = many
    with pytest.raises(ValueError, match="class_weight names"):
        DistilledAnnotator(labeler, class_weight={"eggs": 2}).fit(texts)


def test_rows_to_learn_from_can_be_chosen(labeler):
    seen = []

    class Spy(CountVectorizer):
        def fit_transform(self, raw_documents, y=None):
            seen.append(set(raw_documents))
            return super().fit_transform(raw_documents, y)

    student = make_pipeline(Spy(), MultinomialNB())
    for params in ({}, {"uncovered": "keep"}):
        DistilledAnnotator(labeler, estimator=student, **params).fit(TEXTS)
    dropped, kept = seen
    assert dropped < kept
    assert "free cash" in kept - dropped


def test_a_student_without_probabilities_is_refused_before_programs_are_paid(many):
    texts, _, _ = many

    def ask(prompt):
        raise AssertionError("asked")

    labeler = ProgramSynthesisLabeler(
        LLM.from_callable(ask), task="Spam?", classes=["ham", "spam"]
    )
    with pytest.raises(TypeError, match="LinearSVC has no predict_proba"):
        DistilledAnnotator(labeler, estimator=LinearSVC()).fit(texts)
    with pytest.raises(TypeError, match="LogisticRegression takes no texts"):
        DistilledAnnotator(labeler, estimator=LogisticRegression()).fit(texts)


class Refusing(KNeighborsClassifier):
    """Takes weights by its signature, and refuses them."""

    def fit(self, X, y, sample_weight=None):
        if sample_weight is not None:
            raise ValueError("Neighbors do not support sample weights.")
        return super().fit(X, y)


def test_a_student_that_refuses_weights_learns_hard_labels(many):
    texts, gold, labeler = many
    student = make_pipeline(CountVectorizer(), Refusing(3))
    annotator = DistilledAnnotator(labeler, estimator=student, cv=0)
    with pytest.warns(AlchemistWarning, match="takes no sample weights after all"):
        annotator.fit(texts)
    assert annotator.score(texts, gold) > 0.6


@pytest.mark.slow
def test_several_outputs_are_labelled_by_an_annotator_each():
    X = pd.DataFrame({"age": np.arange(100), "smokes": ["yes", "no"] * 50})
    sources = {
        "old": "def label(age): return 'old' if age > 50 else 'young'",
        "smoker": "def label(smokes): return smokes == 'yes'",
    }
    classes = {"old": ["old", "young"], "smoker": [False, True]}
    y = {"old": np.where(X["age"] > 50, "old", "young"), "smoker": X["smokes"] == "yes"}
    for name, source in sources.items():
        labeler = ProgramSynthesisLabeler(
            classes=classes[name], programs=[LabelingProgram(name, source)]
        )
        assert DistilledAnnotator(labeler).fit(X).score(X, y[name]) > 0.95


def test_several_outputs_with_the_same_classes_share_the_programs():
    X = pd.DataFrame({"age": np.arange(100)})
    source = "def label(age): return age > 50"
    labeler = ProgramSynthesisLabeler(
        classes=[False, True], programs=[LabelingProgram("old", source)]
    )
    y = np.stack([X["age"] > 50, X["age"] > 52], axis=1)
    outputs = MultiOutputClassifier(DistilledAnnotator(labeler)).fit(X, y)
    said = outputs.predict(X)
    np.testing.assert_array_equal(said[:, 0], said[:, 1])
    assert (said[:, 0] == y[:, 0]).mean() > 0.95


class Letters:
    """Counts letters; holds what can be neither copied nor pickled, if asked to."""

    def __init__(self, lock=None):
        self.lock = lock

    def encode(self, texts):
        return np.array([[text.count(c) for c in "abehkmopst"] for text in texts])


def make_letters():
    return Letters(threading.Lock())


@pytest.mark.slow
@pytest.mark.parametrize("encoder", [Letters(), make_letters])
def test_an_annotator_with_embeddings_pickles_and_is_searched(many, encoder):
    texts, gold, labeler = many
    annotator = DistilledAnnotator(labeler, estimator=encoder_student(encoder))
    search = GridSearchCV(
        annotator,
        {"estimator__logisticregression__C": [0.1, 1.0]},
        cv=2,
        error_score="raise",
    ).fit(texts, gold)
    again = pickle.loads(pickle.dumps(search.best_estimator_))
    np.testing.assert_allclose(
        again.predict_proba(texts), search.best_estimator_.predict_proba(texts)
    )
    assert search.best_score_ > 0.8


@pytest.mark.slow
@pytest.mark.parametrize("module", ["pandas", "polars"])
@pytest.mark.parametrize("classes", [["ham", "spam"], [0, 1]])
def test_series_with_gaps_are_learned_from_as_lists_are(many, module, classes):
    texts, gold, labeler = many
    known = [classes[int(label == "spam")] for label in gold[:60]]
    partly = [*known, *[None] * (len(gold) - 60)]
    programs = [
        LabelingProgram(p.name, f"{p.source}".replace("'spam'", repr(classes[1]))
                        .replace("'ham'", repr(classes[0])))
        for p in labeler.programs
    ]  # fmt: skip
    labeler = ProgramSynthesisLabeler(classes=classes, programs=programs)
    series = pytest.importorskip(module).Series(partly)
    annotator = DistilledAnnotator(labeler, learn_from_labels=True)
    from_series = annotator.fit(texts, series, label_proba=1.0).predict_proba(texts)
    from_list = clone(annotator).fit(texts, partly, label_proba=1.0)
    np.testing.assert_allclose(from_series, from_list.predict_proba(texts))


def test_calibration_and_thresholds_compose_without_fitting_again(many):
    texts, gold, labeler = many
    frozen = FrozenEstimator(DistilledAnnotator(labeler).fit(texts))
    some, labels = texts[:50], gold[:50]
    calibrated = CalibratedClassifierCV(frozen, method="temperature").fit(some, labels)
    tuned = TunedThresholdClassifierCV(
        frozen, scoring="accuracy", cv="prefit", refit=False
    ).fit(some, labels)
    for classifier in (calibrated, tuned):
        assert classifier.score(texts[50:], gold[50:]) > 0.8


# ---------------------------------------------- what can be seen before it is paid ----


@pytest.mark.parametrize(
    ("options", "X", "message"),
    [
        ({"class_weight": {"smap": 2.0}}, None, "class_weight names"),
        ({"class_weight": {"spam": -1}}, None, "weights are numbers"),
        (
            {"aggregator": LabelModelAggregator(class_prior=[0.5, 0.2])},
            None,
            "sum to 1",
        ),
        ({"aggregator": LabelModelAggregator(class_prior=[1.0])}, None, "2 classes"),
        ({"aggregator": LabelModelAggregator(method="guess")}, None, "method"),
        (
            {"estimator": make_pipeline(TfidfVectorizer(), LogisticRegression(C=-1))},
            None,
            "'C' parameter",
        ),
        ({}, [[1.0], [np.inf], [2.0]] * 20, "infinity, in row 1 of the column 'x0'"),
        ({"estimator": LogisticRegression()}, [[1.0], [-np.inf]] * 20, "infinity"),
    ],
)
def test_mistakes_are_raised_before_a_model_is_asked(options, X, message):
    asked = []
    llm = LLM.from_callable(lambda prompt: asked.append(prompt) or "none")
    labeler = ProgramSynthesisLabeler(llm, task="t", classes=["ham", "spam"])
    X = ["see http", "song"] * 30 if X is None else pd.DataFrame(X, columns=["x0"])
    with pytest.raises(ValueError, match=message):
        DistilledAnnotator(labeler, **options).fit(X)
    assert not asked


def test_a_student_that_takes_infinity_may_be_given_it():
    clean = FunctionTransformer(lambda table: table.clip(upper=9.0))
    student = make_pipeline(clean, LogisticRegression())
    programs = [
        LabelingProgram("a", "def label(x0): return 'spam' if x0 > 1 else 'ham'"),
        LabelingProgram("b", "def label(x0): return 'ham' if x0 < 2 else None"),
    ]
    labeler = ProgramSynthesisLabeler(classes=["ham", "spam"], programs=programs)
    X = pd.DataFrame({"x0": [1.0, np.inf, 0.0] * 20})
    predicted = DistilledAnnotator(labeler, estimator=student).fit(X).predict(X[:3])
    assert predicted.tolist() == ["ham", "spam", "ham"]


@pytest.mark.slow
def test_the_weight_of_the_votes_is_told_for_each_class(many):
    texts, _, labeler = many
    annotator = DistilledAnnotator(labeler).fit(texts)
    assert annotator.vote_weight_.shape == (2,)
    assert (annotator.vote_weight_ >= 0.125).all()
    assert (annotator.vote_weight_ <= 5).all()
    fixed = DistilledAnnotator(labeler, vote_weight=0.5).fit(texts)
    assert fixed.vote_weight_.tolist() == [0.5, 0.5]


@pytest.fixture
def unreadable():
    """Texts of random letters, whose class only programs can see."""
    rng = np.random.default_rng(0)
    texts = ["".join(rng.choice(list("abcdefgh"), 30)) for _ in range(300)]
    source = "def label(text): return 'a' if hash_of(text) else 'b'\n"
    source += "def hash_of(text): return sum(map(ord, text)) % 2"
    program = LabelingProgram("sum", source, entry_point="label")
    return texts, ProgramSynthesisLabeler(classes=["a", "b"], programs=[program])


def test_the_votes_answer_alone_if_the_student_knows_little(unreadable):
    texts, labeler = unreadable
    with pytest.warns(FallbackWarning, match="the votes answer alone"):
        annotator = DistilledAnnotator(labeler).fit(texts)
    assert np.isinf(annotator.vote_weight_).all()
    both = annotator.predict(texts)
    votes = annotator.set_params(predict_with="votes").predict(texts)
    np.testing.assert_array_equal(both, votes)


@pytest.mark.slow
def test_silence_of_programs_is_no_vote_for_a_class():
    """Programs find one class far less often than the other."""
    rng = np.random.default_rng(0)
    gold = np.tile(["neg", "pos"], 300)
    words = {"neg": [f"n{i}" for i in range(12)], "pos": [f"p{i}" for i in range(12)]}
    texts = [" ".join([*rng.choice(words[label], 3), "the"]) for label in gold]
    programs = [
        LabelingProgram(w, f"def label(text): return {c!r} if {w!r} in text else None")
        for c, found in (("neg", ["n0 "]), ("pos", ["p0 ", "p2 ", "p3 ", "p4 "]))
        for w in found
    ]
    labeler = ProgramSynthesisLabeler(classes=["neg", "pos"], programs=programs)
    annotator = DistilledAnnotator(labeler).fit(texts)
    votes = clone(annotator).set_params(predict_with="votes").fit(texts)
    assert annotator.score(texts, gold) > votes.score(texts, gold) + 0.05


def labelled(gold, n_labels, seed=0):
    rng = np.random.default_rng(seed)
    some = rng.choice(len(gold), n_labels, replace=False)
    y = np.full(len(gold), None)
    y[some] = gold[some]
    return y


@pytest.mark.slow
def test_labels_update_a_fitted_annotator_without_running_programs(many, monkeypatch):
    texts, gold, labeler = many
    annotator = DistilledAnnotator(labeler).fit(texts)
    before = annotator.predict_proba(texts)
    again = pickle.loads(pickle.dumps(annotator))
    with monkeypatch.context() as patch:
        patch.delattr(ProgramSynthesisLabeler, "transform")
        patch.setattr(ProgramSynthesisLabeler, "fit", None)
        again.update(labelled(gold, 50), label_proba=1.0)
        again.update(labelled(gold, 50, seed=1), label_proba=1.0)
    assert 50 < again.label_use_["given"] <= 100
    assert again.label_use_["student"] == 0
    assert again.shift_.any()
    assert again.score(texts, gold) >= annotator.score(texts, gold) - 0.01
    np.testing.assert_array_equal(annotator.predict_proba(texts), before)


def test_an_update_needs_labels_of_the_training_records(many):
    texts, gold, labeler = many
    annotator = DistilledAnnotator(labeler).fit(texts)
    with pytest.raises(ValueError, match="y holds no label"):
        annotator.update([None] * len(texts))
    with pytest.raises(ValueError, match=r"3|inconsistent"):
        annotator.update(gold[:3])
    with pytest.raises(ValueError, match="eggs"):
        annotator.update(["eggs", *[None] * (len(texts) - 1)])


def test_annotate_tells_from_whom_a_label_comes(many):
    texts, gold, labeler = many
    annotator = DistilledAnnotator(labeler).fit(texts)
    y = np.full(len(texts), None)
    y[:3] = np.where(gold[:3] == "ham", "spam", "ham")
    annotation = annotator.annotate(texts, y)
    assert annotation.label[:3].tolist() == y[:3].tolist()
    assert set(annotation.source[:3]) == {"gold"}
    assert not annotation.flag[:3].any()
    assert (annotation.confidence[:3] == 1).all()
    silent = (annotation.votes == -1).all(axis=1)
    assert set(annotation.source[3:][silent[3:]]) == {"student"}
    agree = annotation.student_proba.argmax(axis=1) == annotation.votes_proba.argmax(1)
    assert set(annotation.source[3:][(agree & ~silent)[3:]]) == {"both"}


def test_a_promised_error_is_kept_by_the_rest(many):
    texts, gold, labeler = many
    learning = DistilledAnnotator(labeler, learn_from_labels=True)
    learning.fit(texts, labelled(gold, 200), label_proba=1.0)
    annotation = learning.annotate(texts, target_error=0.3)
    assert annotation.promise.n_labels == 200
    assert annotation.promise.bound <= 0.3
    sure = annotation.confidence >= annotation.promise.threshold
    np.testing.assert_array_equal(annotation.flag, ~sure)
    assert np.mean(annotation.label[sure] != gold[sure]) <= 0.3


def test_labels_given_to_annotate_can_carry_the_promise(many):
    texts, gold, labeler = many
    annotator = DistilledAnnotator(labeler).fit(texts)
    y = labelled(gold, 150)
    annotation = annotator.annotate(texts, y, label_proba=1.0, target_error=0.4)
    assert annotation.promise.n_labels == 150
    assert annotation.promise.threshold is not None


@pytest.mark.parametrize(("n_labels", "chance"), [(60, 1.0), (200, None)])
def test_what_cannot_be_promised_is_said_and_flags_nothing(many, n_labels, chance):
    texts, gold, labeler = many
    annotator = DistilledAnnotator(labeler).fit(texts)
    annotator.update(labelled(gold, n_labels), label_proba=chance)
    plain = annotator.annotate(texts)
    with pytest.warns(LabelsWarning, match="100 are needed"):
        annotation = annotator.annotate(texts, target_error=0.05)
    assert annotation.promise.threshold is None
    np.testing.assert_array_equal(annotation.flag, plain.flag)


@pytest.mark.parametrize("name", ["target_error", "confidence"])
def test_a_share_outside_of_its_range_is_an_error(many, name):
    texts, _, labeler = many
    annotator = DistilledAnnotator(labeler).fit(texts)
    with pytest.raises(ValueError, match=f"{name} must be between 0 and 1"):
        annotator.annotate(texts, **{"target_error": 0.1, name: 5})


def test_a_student_can_learn_from_some_of_the_records(many):
    texts, gold, labeler = many
    taught = []

    class Spy(CountVectorizer):
        def fit_transform(self, raw_documents, y=None):
            taught.append(len(set(raw_documents)))
            return super().fit_transform(raw_documents, y)

    student = make_pipeline(Spy(), MultinomialNB())
    annotator = DistilledAnnotator(
        labeler, estimator=student, max_training_rows=200, random_state=0
    )
    assert annotator.fit(texts).score(texts, gold) > 0.8
    assert max(taught) <= 200
    annotator.update(labelled(gold, 50), label_proba=1.0)
    assert annotator.score(texts, gold) > 0.8


def test_a_student_that_finds_no_term_is_seen_before_programs_are_paid():
    llm = offline_llm()
    labeler = ProgramSynthesisLabeler(llm, task="Which kind?", classes=["a", "b"])
    student = make_pipeline(CountVectorizer(), MultinomialNB())
    with pytest.raises(ValueError, match="nothing to learn from"):
        DistilledAnnotator(labeler, estimator=student).fit(["a b", "c d"] * 20)
    with pytest.raises(ValueError, match="nothing to learn from"):
        DistilledAnnotator(labeler).fit([" ", ""] * 20)
    assert not hasattr(labeler, "programs_")
