"""What a program remembers of one run is gone in the next, and costs nobody a vote."""

import textwrap

import pytest

from sklearn_alchemist.programs import LabelingProgram, run_programs
from sklearn_alchemist.programs._pool import POOL

# Each counts the rows that it has seen since it was loaded.
COUNTERS = {
    "list default": """
        def label(text, seen=[]):
            seen.append(text)
            return len(seen)
        """,
    "attribute of a function": """
        def label(text):
            label.n = getattr(label, "n", 0) + 1
            return label.n
        """,
    "closure": """
        def _counter():
            n = 0
            def step():
                nonlocal n
                n += 1
                return n
            return step
        _step = _counter()
        def label(text):
            return _step()
        """,
    "attribute of a class": """
        class Seen:
            n = 0
        def label(text):
            Seen.n += 1
            return Seen.n
        """,
    "lru_cache": """
        from functools import lru_cache
        @lru_cache
        def note(text):
            return text
        def label(text):
            note(text)
            return note.cache_info().misses
        """,
    "iterator": """
        import itertools
        numbers = itertools.count(1)
        def label(text):
            return next(numbers)
        """,
    "generator": """
        def _numbers():
            n = 0
            while True:
                n += 1
                yield n
        numbers = _numbers()
        def label(text):
            return next(numbers)
        """,
    "dict at the top level": """
        SEEN = {}
        def label(text):
            SEEN[text] = True
            return len(SEEN)
        """,
    "list that a function aliases": """
        SEEN = ["none", "of", "these", "words"]
        def label(text):
            words = SEEN
            words.append(text)
            return len(words) - 4
        """,
    "list inside of a constant": """
        SEEN = {"words": []}
        def label(text):
            for words in SEEN.values():
                words.append(text)
            return len(SEEN["words"])
        """,
    "global": """
        N = 0
        def label(text):
            global N
            N += 1
            return N
        """,
    "counter that a helper is given": """
        from collections import Counter
        COUNTS = Counter()
        def note(counts, text):
            counts["n"] += 1
            return counts["n"]
        def label(text):
            return note(COUNTS, text)
        """,
    "deque of a partial": """
        from collections import deque
        from functools import partial
        def note(seen, text):
            seen.append(text)
            return len(seen)
        note = partial(note, deque())
        def label(text):
            return note(text)
        """,
    "object with state": """
        class Labeler:
            def __init__(self):
                self.n = 0
            def __call__(self, text):
                self.n += 1
                return self.n
        label_row = Labeler()
        def label(text):
            return label_row(text)
        """,
    "numbers at random": """
        import random
        chance = random.Random(1)
        first = random.Random(1).random()
        def label(text):
            return 1 if chance.random() == first else 2
        """,
    "walrus at the top level": """
        if (seen := set()) is not None:
            n = [0]
        def label(text):
            seen.add(text)
            return len(seen)
        """,
    "file in memory": """
        import io
        notes = io.StringIO()
        def label(text):
            notes.write("x")
            return len(notes.getvalue())
        """,
    "stack of contexts": """
        from contextlib import ExitStack
        stack, n = ExitStack(), [0]
        def note():
            n[0] += 1
        def label(text):
            stack.callback(note)
            note()
            return n[0]
        """,
}
TEXTS = ["a row", "another row"]


@pytest.fixture(scope="module")
def counters():
    return [
        LabelingProgram(name, textwrap.dedent(source), entry_point="label")
        for name, source in COUNTERS.items()
    ]


@pytest.fixture(scope="module")
def runs(counters):
    """Votes of three runs of the same workers."""
    pids, votes = [], []
    for _ in range(3):
        result = run_programs(counters, {"text": TEXTS}, [1, 2])
        assert not any(result.failures), result.first_errors
        votes.append(result.votes)
        pids.append({worker.pid for worker in POOL._idle})
    assert pids[0] == pids[1] == pids[2]
    return votes


@pytest.mark.parametrize("place", range(len(COUNTERS)), ids=COUNTERS)
def test_each_run_begins_anew(runs, place):
    for votes in runs:
        assert votes[:, place].tolist() == [0, 1]


def test_answers_are_read_as_each_run_says(make):
    program = make("def label(text): return len(text)")
    for classes in ([1, 2], [2, 1], [1, 2], [True, 2.0], [2, 3]):
        votes = run_programs([program], {"text": ["a", "bb"]}, classes).votes
        found = [classes.index(n) if n in classes else -1 for n in (1, 2)]
        assert votes.ravel().tolist() == found


def test_one_source_may_mean_different_things_in_one_run(make):
    source = "def label(text): return 0"
    programs = [
        make(source, name, returns="index", class_order=order)
        for name, order in (("one", ["a", "b"]), ("other", ["b", "a"]))
    ]
    for _ in range(2):
        votes = run_programs(programs, {"text": ["x", "y"]}, ["a", "b"]).votes
        assert votes.tolist() == [[0, 1], [0, 1]]
