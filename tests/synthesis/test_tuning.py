"""Programs are tuned on a few labels, without a call, and never at random."""

import ast
import pickle
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sklearn_alchemist import LabelingProgram, ProgramSynthesisLabeler
from sklearn_alchemist.exceptions import LabelsWarning
from sklearn_alchemist.inspection import compare_programs
from sklearn_alchemist.programs import Provenance
from sklearn_alchemist.synthesis import tune_programs
from sklearn_alchemist.synthesis._tuning import choose_changes
from sklearn_alchemist.synthesis._tuning_edits import apply_edits, find_edits

SPAM = '''# Kept: d\u00e9j\u00e0 vu
WORDS = [
    "prize",  # sure
    "song",   # a fault
    "free",
]
def label(text):
    """Say what is spam."""
    return "spam" if any(word in text for word in WORDS) else "ham"
'''
TEXTS = ["a prize", "all free", "nice song", "see you"] * 15
GOLD = ["spam", "spam", "ham", "ham"] * 15


def fitted(*sources, classes=("ham", "spam")):
    programs = [LabelingProgram(f"p{k}", source) for k, source in enumerate(sources)]
    return ProgramSynthesisLabeler(classes=list(classes), programs=programs).fit(TEXTS)


def tune(labeler, y=GOLD, X=TEXTS, **options):
    return tune_programs(labeler, X, y, **{"label_proba": 1.0, **options})


def whats(source, classes=("ham", "spam")):
    return [edit.what for edit in find_edits(source, classes)]


def test_a_word_that_is_mostly_wrong_is_left_out_and_the_layout_stays():
    (tuned,) = tune(fitted(SPAM), random_state=0)
    assert tuned.source == SPAM.replace('"song",   ', "")


def test_what_was_changed_is_known_and_shown():
    labeler = fitted(SPAM)
    (tuned,) = tune(labeler, random_state=0)
    assert tuned.provenance.tuned_from == labeler.programs_[0].digest
    assert tuned.provenance.changes == "line 4: without 'song'"
    compared = compare_programs(labeler, [tuned], TEXTS, GOLD)
    assert compared.accuracy == (0.75, 1.0)
    assert [change.status for change in compared.programs] == ["changed"]


def test_the_labeler_and_good_programs_stay_as_they_are():
    good = (
        "def label(text): return 'ham' if 'see' in text or 'song' in text else 'spam'"
    )
    labeler = fitted(good)
    before = list(labeler.programs_)
    (tuned,) = tune(labeler)
    assert tuned is labeler.programs_[0]
    assert labeler.programs_ == before


def test_a_threshold_is_moved_where_the_labels_say_so():
    source = "def label(text): return 'ham' if len(text) > 6 else 'spam'"
    texts = ["x" * n for n in range(3, 11)] * 8
    gold = ["ham" if len(text) > 8 else "spam" for text in texts]
    (tuned,) = tune(fitted(source), gold, texts, random_state=0)
    assert "len(text) > 8" in tuned.source


def test_a_rule_that_is_mostly_wrong_goes():
    source = (
        "def label(text):\n    if 'song' in text:  # odd\n        return 'spam'\n"
        "    return 'spam' if 'free' in text or 'prize' in text else 'ham'\n"
    )
    (tuned,) = tune(fitted(source), random_state=0)
    assert tuned.source == source.replace(
        "    if 'song' in text:  # odd\n        return 'spam'\n", ""
    )


def test_labels_without_any_signal_change_nothing_as_a_rule():
    rng = np.random.default_rng(0)
    labeler = fitted(SPAM)
    n_changed = sum(
        tune(labeler, rng.permutation(GOLD), random_state=k)[0]
        is not labeler.programs_[0]
        for k in range(6)
    )
    assert n_changed <= 1


def test_no_program_is_silenced():
    source = (
        "def label(text):\n    if 'see' in text:\n        return 'ham'\n"
        "    return 'spam' if len(text) > 100 else None\n"
    )
    wrong = ["spam" if text == "see you" else "ham" for text in TEXTS]
    labeler = fitted(source)
    (tuned,) = tune(labeler, wrong)
    assert tuned is labeler.programs_[0]


def test_records_without_a_label_tell_what_would_fall_silent():
    source = (
        "def label(text):\n    if 'song' in text:\n        return 'spam'\n"
        "    if 'prize' in text:\n        return 'spam'\n    return None\n"
    )
    labeler = fitted(source)
    # On the labels half of the votes stay; on all records hardly any does.
    (alone,) = tune(labeler, random_state=0)
    assert alone is not labeler.programs_[0]
    X, y = TEXTS + ["another song"] * 300, GOLD + [None] * 300
    (tuned,) = tune(labeler, y, X, random_state=0)
    assert tuned is labeler.programs_[0]


def test_labels_of_unknown_origin_are_used_with_a_warning():
    with pytest.warns(LabelsWarning, match="60 labels .* may mislead"):
        (tuned,) = tune(fitted(SPAM), label_proba=None, random_state=0)
    assert tuned.provenance.changes
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tune(fitted(SPAM), label_proba=0.5, random_state=0)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"cv": 1}, "cv must be an integer of 2 or more, got 1"),
        ({"cv": True}, "cv must be"),
        ({"y": ["ham"] * 9 + [None] * 51}, "9 labels, which are too few for cv=5"),
        ({"y": ["ham", "egg"] * 30}, "none of the classes"),
        ({"label_proba": 2.0}, "label_proba is the probability"),
    ],
)
def test_what_cannot_be_used_is_told(options, said):
    with pytest.raises(ValueError, match=said):
        tune(fitted(SPAM), **options)


def test_the_same_random_state_gives_the_same_programs():
    labeler = fitted(SPAM, SPAM.replace('"free"', '"you"'))
    first, again = (tune(labeler, random_state=3) for _ in range(2))
    assert first == again


@pytest.mark.parametrize(
    ("source", "what"),
    [
        (r"P = r'\b(ab|cd|ef)\b'", "line 1: without 'cd'"),
        (r"P = (r'\b(ab|'" + "\n" + r"r'cd|ef)')", "line 2: without 'cd'"),
        ("W = 'ab cd ef'.split()", "line 1: without 'cd'"),
        ("W = '''\nab\ncd e\nfg\n'''", "line 3: without 'cd e'"),
        ("W = {'ab': 1, 'cd': 2, 'ef': 3}", "line 1: without 'cd'"),
        ("W = {'ab', 'cd', 'ef'}", "line 1: without 'cd'"),
        ("T = 2\ndef f(x): return x > T", "line 1: T = 2 -> 3"),
        ("def f(x): return x > -1.5", "line 1: -1.5 -> -3.0"),
    ],
)
def test_lists_patterns_and_thresholds_are_found(source, what):
    assert what in whats(source)


def test_classes_documents_and_sets_of_characters_are_no_entries():
    source = (
        "def f(x):\n    '''a|b|c'''\n"
        "    return ['ham', 'spam', 'x'], r'[a|b|c]', f'a|b|c{x}'\n"
    )
    assert whats(source) == ["line 3: without 'x'"]


WORDS = st.lists(
    st.text("ab\u00e9\u4e2d\U0001f600", min_size=1, max_size=4),
    min_size=3,
    max_size=6,
    unique=True,
)


@settings(max_examples=30)
@given(WORDS, st.sampled_from(["list", "pattern"]))
def test_leaving_out_an_entry_leaves_out_that_entry_and_nothing_else(words, form):
    source = f"# \u00fc\nW = {words!r}\n"
    if form == "pattern":
        source = f"# \u00fc\nW = {'|'.join(words)!r}\n"
    edits = find_edits(source, [])
    left = []
    for edit in edits:
        value = ast.literal_eval(ast.parse(apply_edits(source, [edit])).body[0].value)
        left.append(value.split("|") if form == "pattern" else value)
    assert left == [[w for w in words if w != out] for out in words]


def test_changes_of_a_program_that_has_one_already_are_not_counted_again():
    rng = np.random.default_rng(15524)
    base = rng.integers(-1, 2, (40, 3))
    owners = rng.integers(0, 3, 12)
    votes = np.where(rng.random((40, 12)) < 0.3, -1, base[:, owners])
    with np.errstate(all="raise"):
        choose_changes(
            base,
            votes,
            owners,
            rng.integers(0, 2, 40),
            np.ones(40),
            np.arange(40) % 5,
            2,
        )


@settings(max_examples=30)
@given(st.integers(0, 2**32 - 1))
def test_a_program_is_changed_once_at_most_and_only_to_the_better(seed):
    rng = np.random.default_rng(seed)
    base = rng.integers(-1, 2, (40, 3))
    owners = rng.integers(0, 3, 12)
    votes = np.where(rng.random((40, 12)) < 0.3, -1, base[:, owners])
    gold = rng.integers(0, 2, 40)
    chosen = choose_changes(
        base, votes, owners, gold, np.ones(40), np.arange(40) % 5, 2
    )
    assert len(set(owners[chosen])) == len(chosen)
    for place in chosen:
        was = base[:, owners[place]]
        gone = (votes[:, place] == -1) & (was != -1)
        assert (was[gone] != gold[gone]).sum() > 0


def test_provenance_of_earlier_versions_is_read():
    older = Provenance.__new__(Provenance)
    older.__setstate__(["model", *[None] * 7, 0])
    assert older == Provenance(model="model")
    now = Provenance(model="model", changes="line 1: 2 -> 3")
    assert pickle.loads(pickle.dumps(now)) == now
