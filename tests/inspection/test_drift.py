import json
import pickle
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from sklearn_alchemist import (
    DistilledAnnotator,
    LabelingProgram,
    ProgramSynthesisLabeler,
)
from sklearn_alchemist.data import check_records, profile_columns
from sklearn_alchemist.inspection import drift
from sklearn_alchemist.inspection._drift import _p_of_more, _p_of_other

PROGRAMS = [
    LabelingProgram("link", "def label(text): return 'http' in text or None"),
    LabelingProgram("song", "def label(text): return 'song' not in text"),
    LabelingProgram("long", "def label(text): return len(text) > 25 or None"),
]
WORDS = np.array(
    ["song", "http", "free", "nice", "love", *(f"w{k}" for k in range(300))]
)


def texts(n, seed, extra=()):
    """Texts of words that are rarer the later they come."""
    rng = np.random.RandomState(seed)
    weights = 1 / np.arange(2, len(WORDS) + 2)
    drawn = rng.choice(WORDS, (n, 6), p=weights / weights.sum())
    return [" ".join([*words, *extra]) for words in drawn]


@pytest.fixture(scope="module")
def annotator():
    labeler = ProgramSynthesisLabeler(classes=[False, True], programs=PROGRAMS)
    return DistilledAnnotator(labeler).fit(texts(800, 0))


def test_more_of_the_same_raises_no_alarm(annotator):
    alarms = [drift(annotator, texts(300, seed)).alarm for seed in range(1, 6)]
    assert sum(alarms) == 0


def test_the_training_data_themselves_raise_none(annotator):
    assert not drift(annotator, texts(800, 0)).alarm


def test_other_words_are_noticed_and_named(annotator):
    new = texts(240, 1) + texts(60, 2, extra=("zebra", "stripes", "savanna"))
    found = drift(annotator, new)
    assert found.alarm
    assert {word for _, word, _ in found.news[:3]} == {"zebra", "stripes", "savanna"}
    alarms = {(check.what, check.of) for check in found.checks if check.alarm}
    assert ("new words", "text") in alarms


def test_silence_is_answered_by_asking_again():
    known = LabelingProgram(
        "known", "def label(t): return 'song' in t if 'w' in t else None"
    )
    labeler = ProgramSynthesisLabeler(classes=[False, True], programs=[known])
    annotator = DistilledAnnotator(labeler).fit(texts(500, 0, extra=("w",)))
    found = drift(annotator, [text.replace("w", "v") for text in texts(200, 1)])
    assert "ask for programs again" in found.advice
    check = found.checks[0]
    assert (check.what, check.alarm) == ("coverage", True)
    assert (check.before, check.now) == (1.0, 0.0)


def test_a_change_that_is_certain_and_small_raises_none(annotator):
    new = texts(285, 1) + texts(15, 2, extra=("http://a.example/free/zebra",))
    assert not drift(annotator, new, min_shift=0.3).alarm


def test_columns_of_a_table_are_compared_each():
    rng = np.random.RandomState(0)

    def table(n, mean=40.0, jobs=("clerk", "nurse", "none")):
        return pd.DataFrame(
            {
                "age": rng.normal(mean, 10, n),
                "job": rng.choice(jobs, n),
                "id": np.arange(n),
            }
        )

    program = LabelingProgram("old", "def label(age, job, id): return age > 50")
    labeler = ProgramSynthesisLabeler(classes=[False, True], programs=[program])
    annotator = DistilledAnnotator(labeler).fit(table(600))
    found = drift(annotator, table(300, jobs=("clerk", "nurse", "none", "pilot")))
    assert {(c.what, c.of) for c in found.checks if c.alarm} >= {("values", "job")}
    assert found.news[0][:2] == ("job", "pilot")
    older = drift(annotator, table(300, mean=48.0))
    assert {(c.what, c.of) for c in older.checks if c.alarm} >= {
        ("numbers", "age"),
        ("votes", "old"),
        ("classes", ""),
    }


def test_rare_values_raise_no_alarm_by_being_new():
    rng = np.random.RandomState(0)
    rates = 1 / np.arange(1, 200) ** 1.5
    names = np.array([f"value {k}" for k in range(199)])
    program = LabelingProgram("a", "def label(name, x): return x > 0.5")
    labeler = ProgramSynthesisLabeler(classes=[False, True], programs=[program])

    def table(n):
        drawn = rng.choice(names, n, p=rates / rates.sum())
        return pd.DataFrame({"name": drawn, "x": rng.rand(n)})

    train = table(300)
    assert train["name"].nunique() <= 60
    annotator = DistilledAnnotator(labeler).fit(train)
    assert sum(drift(annotator, table(500)).alarm for _ in range(5)) == 0


def test_what_is_kept_is_small_and_holds_no_text(annotator):
    secret = "x4711secret"
    records = check_records(annotator, [*texts(3000, 0), secret], reset=False)
    kept = pickle.dumps(profile_columns(records))
    assert len(kept) < 5_000
    assert secret.encode() not in kept


def test_scripts_without_spaces_have_words_too():
    labeler = ProgramSynthesisLabeler(
        classes=[False, True],
        programs=[LabelingProgram("free", "def label(text): return '免费' in text")],
    )
    rng = np.random.RandomState(0)

    def some(n, characters):
        return ["".join(rng.choice(list(characters), 12)) for _ in range(n)]

    annotator = DistilledAnnotator(labeler).fit(some(400, "免费歌曲好听喜欢"))
    assert not drift(annotator, some(200, "免费歌曲好听喜欢")).alarm
    assert drift(annotator, some(200, "免费歌曲好听喜欢国家")).alarm


@pytest.mark.parametrize(
    "values",
    [
        [None] * 60,
        [float("inf"), -1e308, 1.5, None, 10**400, -(10**400)] * 10,
        ["", " ", "a\ud800", None, "\x00"] * 12,
        [True, False] * 30,
        [*range(59), "a"],
    ],
    ids=["missing", "huge", "odd texts", "bools", "mixed"],
)
def test_any_column_can_be_summarised(values):
    columns = {"odd": values, "x": list(range(60))}
    X = pd.DataFrame(columns, dtype=object)
    program = LabelingProgram("x", "def label(x): return x > 30")
    labeler = ProgramSynthesisLabeler(classes=[False, True], programs=[program])
    profile = profile_columns(check_records(labeler, X, reset=True))["odd"]
    assert profile.counts.sum() == 60
    assert profile.count(values).sum() == 60
    assert not profile.news(values)


def test_few_records_and_odd_parameters_are_refused(annotator):
    with pytest.raises(ValueError, match="no share can be told from fewer than 30"):
        drift(annotator, texts(29, 0))
    with pytest.raises(ValueError, match="false_alarms must be between 0 and 1"):
        drift(annotator, texts(30, 0), false_alarms=0)
    with pytest.raises(ValueError, match="min_shift must be between 0 and 1"):
        drift(annotator, texts(30, 0), min_shift=1.0)


def test_an_annotator_of_before_compares_votes_only(annotator):
    old = pickle.loads(pickle.dumps(annotator))
    old._training_state = replace(old._training_state, profiles={})
    found = drift(old, texts(100, 1))
    assert {check.what for check in found.checks} == {
        *("coverage", "conflict", "classes", "votes", "agreement")
    }


def test_it_is_plain_and_harmless(annotator):
    hostile = "<script>alert(1)</script> \x1b[31m \u202e \ud800"
    found = drift(annotator, texts(100, 1, extra=(hostile,)))
    assert "<script" not in found._repr_html_()
    assert all(c.isprintable() or c == "\n" for c in str(found))
    assert json.loads(json.dumps(found.to_dict())) == found.to_dict()


@pytest.mark.parametrize("test", [_p_of_other, _p_of_more])
def test_false_alarms_are_as_frequent_as_promised(test):
    rng = np.random.RandomState(0)
    shares = rng.dirichlet(np.full(12, 0.5))
    alarms = [
        test(
            rng.multinomial(1000, shares).astype(float),
            rng.multinomial(300, shares).astype(float),
        )
        < 0.05
        for _ in range(400)
    ]
    assert 0.02 <= np.mean(alarms) <= 0.09
