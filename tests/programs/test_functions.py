"""Functions as people write them: what they refer to goes along, as source."""

import collections
import enum
import functools
import importlib.util
import linecache
import re
import string
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pytest

from sklearn_alchemist import LabelingProgram, ProgramSynthesisLabeler
from sklearn_alchemist.exceptions import ProgramRejected

ABSTAIN, HAM, SPAM = -1, 0, 1
LINK = re.compile(r"https?://|www\.", re.IGNORECASE)
LINK_IN = LINK.search
PLEAS = ["subscribe", "my channel", "check out"]
LEXICON = {"love": 2.0, "great": 1.5, "awful": -2.0}
SHORT = 5
ENDINGS = collections.defaultdict(int, {"!": 1})

TEXTS = [
    "Check out my channel http://a.example !!!",
    "I love this great song",
    "what an awful thing",
    "hey",
    "SUBSCRIBE now and win $100",
]


class LabelingFunction:
    """What Snorkel's class has, as far as it is looked at."""

    def __init__(self, name, f, resources=None, pre=None, fault_tolerant=False):
        self.name = name
        self.fault_tolerant = fault_tolerant
        self._f = f
        self._resources = resources or {}
        self._pre = pre or []

    def __call__(self, x):
        for preprocessor in self._pre:
            x = preprocessor(x)
        return self._f(x, **self._resources)


def labeling_function(**options):
    return lambda f: LabelingFunction(options.pop("name", f.__name__), f, **options)


class Preprocessor:
    def __init__(self, f, pre=()):
        self._f, self._pre, self.memoize = f, list(pre), True

    def __call__(self, x):
        for one in self._pre:
            x = one(x)
        return self._f(x)


def preprocessor(**options):
    return lambda f: Preprocessor(f, **options)


@preprocessor()
def lowered(x):
    x.lower = x.text.lower()
    return x


@preprocessor(pre=[lowered])
def scored(x):
    x.score = sum(weight for word, weight in LEXICON.items() if word in x.lower)
    return x


@labeling_function()
def has_link(x):
    return SPAM if LINK.search(x.text) else ABSTAIN


@labeling_function(pre=[scored])
def positive(x):
    return HAM if x.score > 1 else ABSTAIN


@labeling_function(pre=[lowered], name="pleads")
def begs(x):
    return SPAM if any(plea in x.lower for plea in PLEAS) else ABSTAIN


def keyword_lookup(x, keywords, label):
    return label if any(word in x.text.lower() for word in keywords) else ABSTAIN


def make_keyword_lf(keywords, label):
    resources = {"keywords": keywords, "label": label}
    return LabelingFunction(f"keyword_{keywords[0]}", keyword_lookup, resources)


@labeling_function(fault_tolerant=True)
def tolerant(x):
    return SPAM if int(x.text.split("$")[1]) > 50 else ABSTAIN


@labeling_function()
def short_by_item(x):
    return HAM if len(x["text"].split()) < SHORT else ABSTAIN


def plain_record(x):
    return SPAM if "channel" in x.text.lower() else ABSTAIN


def plain_text(text):
    return SPAM if "http" in text else ABSTAIN


def clean(text):
    return text.lower().translate(str.maketrans("", "", string.punctuation))


def with_helper(text):
    return HAM if "love" in clean(text).split() else ABSTAIN


def with_default(text, words=tuple(PLEAS), least=1):
    return SPAM if sum(word in text.lower() for word in words) >= least else ABSTAIN


def keyword_function(word, label):
    def look(text):
        return label if word in text.lower() else ABSTAIN

    return look


def logged(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        return function(*args, **kwargs)

    return wrapper


@logged
def decorated(text):
    return SPAM if text.isupper() or "!!!" in text else ABSTAIN


class Label(enum.IntEnum):
    ABSTAIN = -1
    HAM = 0
    SPAM = 1


def by_member(text):
    return Label.SPAM if "$" in text else Label.ABSTAIN.value


class Lookup:
    """As the keyword and pattern functions of benchmarks are."""

    def __init__(self, patterns, label):
        self.patterns = [re.compile(p, re.I) for p in patterns]
        self._label = label

    def __call__(self, text):
        return self._label if any(p.search(text) for p in self.patterns) else ABSTAIN

    def label_of(self, text):
        return self(text)


@dataclass(frozen=True)
class Gazetteer:
    entries: dict = field(default_factory=dict)

    def find(self, text):
        hits = [label for entry, label in self.entries.items() if entry in text.lower()]
        return collections.Counter(hits).most_common(1)[0][0] if hits else ABSTAIN


KNOWN = Gazetteer({"song": HAM, "win": SPAM})


def by_gazetteer(text):
    return KNOWN.find(text)


@functools.cache
def n_marks(text):
    return sum(ENDINGS.get(mark, 0) for mark in text)


def by_cached(text):
    return SPAM if n_marks(text) > 2 else ABSTAIN


shout = lambda text: SPAM if text.split()[0].isupper() else ABSTAIN  # noqa: E731


def by_bound_method(text):
    return SPAM if LINK_IN(text) else None


# Each with the votes that it gives on TEXTS when it is called by hand.
FUNCTIONS = {
    "link of a comment": (has_link, [1, -1, -1, -1, -1]),
    "score of a lexicon": (positive, [-1, 0, -1, -1, -1]),
    "preprocessed words": (begs, [1, -1, -1, -1, 1]),
    "keywords as resources": (
        make_keyword_lf(["song", "tune"], HAM),
        [-1, 0, *[-1] * 3],
    ),
    "fault tolerant": (tolerant, [-1, -1, -1, -1, 1]),
    "item of a row": (short_by_item, [-1, -1, 0, 0, -1]),
    "record without decorator": (plain_record, [1, -1, -1, -1, -1]),
    "constants": (plain_text, [1, -1, -1, -1, -1]),
    "helper function": (with_helper, [-1, 0, -1, -1, -1]),
    "defaults": (with_default, [1, -1, -1, -1, 1]),
    "inner function": (keyword_function("thing", HAM), [-1, -1, 0, -1, -1]),
    "wrapped by a decorator": (decorated, [1, -1, -1, -1, -1]),
    "members of an enumeration": (by_member, [-1, -1, -1, -1, 1]),
    "callable object": (Lookup(["hey", r"\bsong\b"], HAM), [-1, 0, -1, 0, -1]),
    "method of an object": (Lookup(["win"], SPAM).label_of, [-1, -1, -1, -1, 1]),
    "object outside": (by_gazetteer, [-1, 0, -1, -1, 1]),
    "cached helper": (by_cached, [1, -1, -1, -1, -1]),
    "lambda with a name": (shout, [-1, 1, -1, -1, 1]),
    "lambda": (lambda text: HAM if len(text) < SHORT else ABSTAIN, [-1] * 3 + [0, -1]),
    "partial": (functools.partial(with_default, words=["hey"]), [-1] * 3 + [1, -1]),
    "bound method of a pattern": (by_bound_method, [1, -1, -1, -1, -1]),
}


@pytest.mark.parametrize("sandbox", ["auto", None])
@pytest.mark.parametrize(("function", "votes"), FUNCTIONS.values(), ids=FUNCTIONS)
@pytest.mark.filterwarnings("ignore::sklearn_alchemist.exceptions.SandboxWarning")
def test_functions_of_tutorials_run(function, votes, sandbox):
    labeler = ProgramSynthesisLabeler(
        classes=["ham", "spam"], programs=[function], sandbox=sandbox
    )
    assert labeler.fit_transform(TEXTS).ravel().tolist() == votes


def test_records_of_a_table_have_its_columns():
    def lf(x):
        return SPAM if x.year > 2000 and "win" in x["Subject Line"] else ABSTAIN

    X = pd.DataFrame({"Subject Line": ["win"] * 2, "year": [2001, 1999], "n": [1, 2]})
    for function in (lf, LabelingFunction("lf", lf)):
        labeler = ProgramSynthesisLabeler(classes=["ham", "spam"], programs=[function])
        votes = labeler.fit_transform(X)
        assert votes.ravel().tolist() == [1, -1]
        assert labeler.programs_[0].parameters == ("Subject_Line", "year")


def test_what_a_loop_bound_is_what_it_bound_then():
    made = [lambda text, word=word: SPAM if word in text else ABSTAIN for word in "ab"]
    made += [keyword_function(word, HAM) for word in "cd"]
    labeler = ProgramSynthesisLabeler(classes=["ham", "spam"], programs=made)
    assert labeler.fit_transform(["a c", "b d"]).tolist() == [
        [1, -1, 0, -1],
        [-1, 1, -1, 0],
    ]
    names = [program.name for program in labeler.programs_]
    assert names == ["lambda", "lambda_2", "look", "look_2"]


def other_clean(text):
    return clean(text)


def test_one_name_may_mean_two_things(monkeypatch):
    def clean(text):
        return "shadowed " + other_clean(text)

    def label(text):
        return SPAM if clean(text).startswith("shadowed hey") else ABSTAIN

    labeler = ProgramSynthesisLabeler(classes=["ham", "spam"], programs=[label])
    assert labeler.fit_transform(["Hey!", "no"]).ravel().tolist() == [1, -1]


@pytest.mark.slow
def test_what_was_carried_is_kept_by_files(tmp_path):
    functions = [function for function, _ in FUNCTIONS.values()]
    labeler = ProgramSynthesisLabeler(classes=["ham", "spam"], programs=functions)
    votes = labeler.fit_transform(TEXTS)
    labeler.export_programs(tmp_path)
    again = ProgramSynthesisLabeler(classes=["ham", "spam"], programs=tmp_path)
    np.testing.assert_array_equal(again.fit_transform(TEXTS), votes)


# ------------------------------------------------------------- indices and classes ----


def test_integers_against_named_classes_are_their_places():
    source = "def f(text):\n    return 1 if 'http' in text else -1\n"
    program = LabelingProgram("f", source)
    labeler = ProgramSynthesisLabeler(classes=["spam", "ham"], programs=[program])
    assert labeler.fit_transform(TEXTS[:2]).ravel().tolist() == [0, -1]
    assert labeler.programs_[0].returns == "index"


def test_constants_that_contradict_the_order_of_the_classes_are_refused():
    labeler = ProgramSynthesisLabeler(classes=["spam", "ham"], programs=[plain_text])
    with pytest.raises(ProgramRejected, match="SPAM is 1, and classes"):
        labeler.fit(TEXTS)


def test_an_integer_that_is_the_place_of_no_class_is_refused():
    labeler = ProgramSynthesisLabeler(
        classes=["ham", "spam"], programs=[lambda text: 2 if "a" in text else 0]
    )
    with pytest.raises(ProgramRejected, match="returns 2, which is neither"):
        labeler.fit(TEXTS)


def test_integers_that_are_classes_stay_classes():
    labeler = ProgramSynthesisLabeler(classes=[0, 1], programs=[plain_text])
    labeler.fit(TEXTS)
    assert labeler.programs_[0].returns == "class"


# --------------------------------------------------------- what cannot be carried ----

TABLE = np.arange(3)


def by_model(text):
    return int(pd.Series([text]).str.contains("http").iloc[0])


def by_array(text):
    return TABLE[int("http" in text)]


@labeling_function()
def by_row(x):
    return TABLE[int("http" in x.text)]


@pytest.mark.parametrize("function", [by_model, by_array, by_row])
@pytest.mark.filterwarnings("ignore::sklearn_alchemist.exceptions.SandboxWarning")
def test_what_cannot_be_carried_says_so_and_runs_in_this_process(function):
    options = {"classes": ["ham", "spam"], "programs": [function]}
    with pytest.raises(ProgramRejected, match="sandbox=None"):
        ProgramSynthesisLabeler(**options).fit(TEXTS)
    labeler = ProgramSynthesisLabeler(classes=[0, 1], programs=[function], sandbox=None)
    votes = labeler.fit_transform(TEXTS[:2])
    assert votes.ravel().tolist() == [1, 0]


@pytest.mark.parametrize("thing", [int, 3, "label", object()])
def test_what_is_no_function_is_an_error(thing):
    labeler = ProgramSynthesisLabeler(classes=["ham", "spam"], programs=[thing])
    with pytest.raises(ProgramRejected, match="no function"):
        labeler.fit(TEXTS)


# ------------------------------------------------------- what runs is what was given


def test_a_function_whose_file_changed_is_not_run_from_the_new_one(tmp_path):
    file = tmp_path / "cues.py"
    file.write_text("def cue(text):\n    return 'spam' if 'free' in text else None\n")
    spec = importlib.util.spec_from_file_location("cues", file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    file.write_text("def cue(text):\n    return 'spam' if 'song' in text else None\n")
    linecache.checkcache()
    options = {"classes": ["ham", "spam"], "programs": [module.cue]}
    with pytest.raises(ProgramRejected, match="changed since it was imported"):
        ProgramSynthesisLabeler(**options).fit(["free", "song"])
    votes = ProgramSynthesisLabeler(**options, sandbox=None).fit_transform(
        ["free", "song"]
    )
    assert votes.ravel().tolist() == [1, -1]


def test_scalars_of_numpy_are_votes_in_this_process():
    labeler = ProgramSynthesisLabeler(
        classes=["ham", "spam"],
        programs=[LabelingProgram("p", "import numpy as np\n" + SCALARS)],
        sandbox=None,
    )
    assert labeler.fit_transform(["free", "song"]).ravel().tolist() == [1, 0]


SCALARS = "def label(t):\n    return np.str_('spam' if 'free' in t else 'ham')\n"
LAMBDAS = {"spam": lambda text: "free" in text}


def looks(text):
    return next((name for name, cue in LAMBDAS.items() if cue(text)), None)


PAIRS = [("free", lambda text: SPAM), ("song", lambda text: HAM)]
COUNTS = collections.defaultdict(lambda: ABSTAIN, {"free": SPAM, "song": HAM})
STARTS = functools.partial(lambda start, text: text.startswith(start), "free")


def by_pairs(text):
    return next((answer(text) for cue, answer in PAIRS if cue in text), ABSTAIN)


def by_counts(text):
    return COUNTS[text.split()[0]]


def by_partial(text):
    return SPAM if STARTS(text) else HAM


@pytest.mark.parametrize(
    ("function", "votes"),
    [
        (looks, [1, -1]),
        (by_pairs, [1, 0]),
        (by_counts, [1, 0]),
        (by_partial, [1, 0]),
        (
            functools.partial(lambda cue, text: SPAM if cue in text else HAM, "free"),
            [1, 0],
        ),
    ],
)
@pytest.mark.parametrize("sandbox", ["auto", None])
@pytest.mark.filterwarnings("ignore::sklearn_alchemist.exceptions.SandboxWarning")
def test_lambdas_within_objects_go_along(function, votes, sandbox):
    labeler = ProgramSynthesisLabeler(
        classes=["ham", "spam"], programs=[function], sandbox=sandbox
    )
    assert labeler.fit_transform(["free", "song x"]).ravel().tolist() == votes


def lowers(text):
    return SPAM if "check" in text.lower() else ABSTAIN


def searches(x, words):
    return SPAM if any(re.search(word, x) for word in words) else ABSTAIN


@pytest.mark.parametrize("sandbox", ["auto", None])
@pytest.mark.filterwarnings("ignore::sklearn_alchemist.exceptions.SandboxWarning")
def test_a_labeling_function_may_take_the_text_itself(sandbox):
    functions = [
        LabelingFunction("lowers", lowers),
        LabelingFunction("searches", searches, resources={"words": ["Check"]}),
        LabelingFunction("prepared", lowers, pre=[Preprocessor(lambda x: x.upper())]),
    ]
    labeler = ProgramSynthesisLabeler(
        classes=["ham", "spam"], programs=functions, sandbox=sandbox
    )
    votes = labeler.fit_transform(TEXTS[:2])
    assert votes.tolist() == [[1, 1, 1], [-1, -1, -1]]
    frame = pd.DataFrame({"comment": TEXTS[:2]})
    assert labeler.fit_transform(frame).tolist() == votes.tolist()


VOCABULARY = [f"word number {i}" for i in range(12_000)]


def test_a_constant_that_is_too_long_is_named():
    def knows(text):
        return SPAM if any(word in text for word in VOCABULARY) else HAM

    options = {"classes": ["ham", "spam"], "programs": [knows]}
    with pytest.raises(ProgramRejected, match=r"all VOCABULARY \([\d,]+ characters"):
        ProgramSynthesisLabeler(**options).fit(TEXTS)


def test_a_folder_in_a_list_is_told_from_a_function(tmp_path):
    labeler = ProgramSynthesisLabeler(classes=["ham", "spam"], programs=[tmp_path])
    with pytest.raises(ProgramRejected, match="without a list around it"):
        labeler.fit(TEXTS)
