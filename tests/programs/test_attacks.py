import pytest

from sklearn_alchemist.exceptions import ProgramRejected
from sklearn_alchemist.programs import check_program, run_programs

TEXTS = {"text": ["one", "two", "three", "four", "five"]}
VICTIM = """
    import re
    import math
    from collections import Counter

    def label(text):
        assert Counter(text).most_common(1) and math.sqrt(4) == 2
        assert len(text) and isinstance(text, str) and "{}".format(text) == text
        return "ham" if re.search(r"[a-z]+", text) else None
    """

# Refused before anything runs.
REFUSED = {
    "import os": "import os\ndef label(text): return os.listdir('/')",
    "from os import": "from os import system\ndef label(text): return system('id')",
    "import in a function": "def label(text):\n import subprocess as s\n return s",
    "relative import": "from . import _guard\ndef label(text): return _guard",
    "star import": "from os import *\ndef label(text): ...",
    "reading a file": "def label(text): return open('/etc/passwd').read()",
    "eval": "def label(text): return eval(text)",
    "exec": "def label(text): exec(text)",
    "compile": "def label(text): return compile(text, '', 'exec')",
    "__import__": "def label(text): return __import__('os')",
    "globals": "def label(text): return globals()",
    "builtins by name": "def label(text): return __builtins__",
    "subclasses": "def label(text): return ().__class__.__base__.__subclasses__()",
    "globals of a function": "def label(text): return label.__globals__",
    "code of a function": "def label(text): label.__code__ = (lambda t: 1).__code__",
    "sys of statistics": "from statistics import sys\ndef label(text): sys",
    "codecs of json": "from json import codecs\ndef label(text): codecs",
    "formatter": "from string import Formatter\ndef label(text): Formatter",
    "attrgetter": "from operator import attrgetter\ndef label(text): attrgetter",
    "object of an error": (
        "def label(text):\n try: text.x\n except AttributeError as e: return e.obj"
    ),
    "frame of a generator": "def label(text): return (x for x in text).gi_frame",
    "traceback": (
        "def label(text):\n try: text.x\n except Exception as e: return e.__traceback__"
    ),
    "traceback of a context manager": (
        "class C:\n def __exit__(self, a, b, tb): return tb.tb_frame\n"
        "def label(text): ..."
    ),
    "match class pattern": (
        "class C:\n __match_args__ = ('__globals__',)\n"
        "def label(text):\n match label:\n  case C(x): return x"
    ),
    "match keyword pattern": (
        "def label(text):\n match text:\n  case object(__class__=x): return x"
    ),
    "match pattern of own class": (
        "class C: pass\ndef label(text):\n match label:\n  case C(x=y): return y"
    ),
    "metaclass": "class C(metaclass=print): pass\ndef label(text): ...",
    "getattribute": "class C:\n def __getattribute__(s, n): ...\ndef label(text): ...",
    "finaliser": "class C:\n def __del__(self): ...\ndef label(text): ...",
    "init_subclass": "class C:\n def __init_subclass__(c): ...\ndef label(text): ...",
    "module name": "__name__ = 'os'\ndef label(text): ...",
    "module of a class": "class C:\n __module__ = 're'\ndef label(text): ...",
    "reserved helper": "def label(text): return __own__",
    "reserved parameter": "def label(text): return (lambda __own__: 1)(2)",
    "reserved alias": "import re as __own__\ndef label(text): ...",
    "reserved name in except": (
        "def label(text):\n try: pass\n except Exception as __own__: pass"
    ),
    "reserved name in match": "def label(text):\n match text:\n  case __own__: pass",
    "reserved function": "def __facade__(x): ...\ndef label(text): ...",
    "enum conversion": "def label(text): return type(text)._convert_('X', 'os', None)",
    "async helper": "async def f(): ...\ndef label(text): ...",
    "main block hides nothing": (
        "if __name__ != '__main__':\n    import os\ndef label(text): os"
    ),
}

# Pass the guard, and fail when they run.
FAILING = {
    "module inside a module": "import re\ndef label(text): return re.enum.sys",
    "dataclass of a shared class": """
        from collections import Counter
        from dataclasses import dataclass
        def label(text): dataclass(Counter)
        """,
    "dataclass with options of a shared class": """
        from collections import Counter
        from dataclasses import dataclass
        def label(text): dataclass(init=True)(Counter)
        """,
    "exit": "def label(text): raise SystemExit",
    "interrupt": "def label(text): raise KeyboardInterrupt",
    "dunder by getattr": "def label(text): return getattr(text, '__class__')",
    "dunder by subclass of str": """
        class S(str): pass
        def label(text): return getattr(text, S('__class__'))
        """,
    "dunder by format": "def label(text): return '{0.__class__}'.format(text)",
    "dunder by format_map": (
        "def label(text): return '{a.__class__}'.format_map({'a': 1})"
    ),
    "format by map": "def label(text): return [*map('{0.__class__}'.format, [1])][0]",
    "format by class": "def label(text): return str.format('{0.__class__}', text)",
    "format by super": """
        class S(str):
            def leak(self): return super().format(1)
        def label(text): return S('{0.__class__}').leak()
        """,
    "format by getattr": (
        "def label(text): return getattr('{0.__class__}', 'format')(text)"
    ),
    "nested format": "def label(text): return '{0:{1.__class__}}'.format(1, text)",
    "type makes classes": "def label(text): return type('C', (), {})",
    "metatype": "def label(text): return type(int)('C', (), {})",
    "write to a module": "import re\ndef label(text): re.search = len",
    "write by a loop": "import re\ndef label(text):\n for re.search in [len]: pass",
    "write by with": """
        import re
        class C:
            def __enter__(self): return len
            def __exit__(self, *a): pass
        def label(text):
            with C() as re.search: pass
        """,
    "write through self": """
        import re
        def change(self): self.search = len
        def label(text): change(re)
        """,
    "delete from a module": "import re\ndef label(text): del re.search",
    "write to a class": (
        "from collections import Counter\ndef label(text): Counter.most_common = len"
    ),
    "private of another object": "import re\ndef label(text): return re._compiler",
    "globals by wraps": """
        from functools import wraps
        def get(): pass
        def label(text):
            wraps(print, updated=('__globals__',))(get)
            return get.search
        """,
    "endless recursion": "def label(text): return label(text)",
}


def run_beside_a_victim(make, source, **options):
    """Run an attack between two honest programs, which must not notice."""
    programs = [make(VICTIM), make(source), make(VICTIM)]
    result = run_programs(programs, TEXTS, ["ham", "spam"], **options)
    assert result.votes[:, [0, 2]].tolist() == [[0, 0]] * 5
    assert result.failures[0] == result.failures[2] == {}
    return result.failures[1], result.votes[:, 1].tolist(), result.first_errors[1]


@pytest.mark.parametrize("source", REFUSED.values(), ids=REFUSED.keys())
def test_refused_by_the_gate_and_by_the_worker(make, source):
    program = make(source)
    with pytest.raises(ProgramRejected, match=r"program 'program', line [0-9]+: "):
        check_program(program)
    with pytest.raises(ProgramRejected, match=r"cannot be loaded: line [0-9]+: "):
        run_programs([program], TEXTS, ["ham", "spam"])


@pytest.mark.parametrize("source", FAILING.values(), ids=FAILING.keys())
def test_fails_alone(make, source):
    failures, votes, _ = run_beside_a_victim(make, source)
    assert failures == {"error": 5}
    assert votes == [-1] * 5


@pytest.mark.slow
@pytest.mark.parametrize(
    "source",
    [
        "def label(text):\n while True: pass",
        "def label(text):\n while True:\n  try:\n   while True: pass\n  except: pass",
        "def label(text): return sum(range(10 ** 12))",
        "import itertools\ndef label(text): return -1 in itertools.count()",
        "import re\ndef label(text): return re.match('(a+)+$', 'a' * 40 + 'b')",
        "def label(text): return 10 ** 10 ** 8",
    ],
    ids=["loop", "loop that catches", "sum", "count", "regex", "power"],
)
def test_endless_work_costs_three_rows_and_then_the_program(make, source):
    failures, votes, first = run_beside_a_victim(make, source, timeout=0.1)
    assert failures == {"timeout": 3, "skipped": 2}
    assert votes == [-1] * 5
    assert first == "took too long"


def test_memory_blow_up_costs_its_own_rows(make):
    source = """
        def label(text):
            if text == "two":
                return len([0] * 10 ** 9)
            return "spam"
        """
    failures, votes, first = run_beside_a_victim(make, source)
    assert failures == {"memory": 1}
    assert votes == [1, -1, 1, 1, 1]
    assert first == "ran out of memory"


def test_hoarded_memory_is_not_taken_from_others(make):
    source = """
        hoard = []
        def label(text):
            try:
                while True:
                    hoard.append(bytes(10 ** 6))
            except MemoryError:
                return "spam"
        """
    run_beside_a_victim(make, source, timeout=5)


def test_output_goes_nowhere(make, capfd):
    source = """
        def label(text):
            print("x" * 10 ** 6)
            return "spam"
        """
    failures, votes, _ = run_beside_a_victim(make, source)
    assert (failures, votes) == ({}, [1] * 5)
    assert capfd.readouterr() == ("", "")


def test_changed_builtins_are_the_programs_own(make):
    source = """
        len = isinstance = sorted = None
        class str: pass
        def label(text):
            return "spam"
        """
    assert run_beside_a_victim(make, source)[1] == [1] * 5


def test_answers_of_own_classes_cost_their_rows_alone(make):
    source = """
        class Answer:
            def __eq__(self, other): raise SystemExit
            def __hash__(self): raise SystemExit
            def __repr__(self): raise SystemExit
        class Text(str):
            def __hash__(self): raise SystemExit
        def label(text):
            return Answer() if text == "one" else Text("spam")
        """
    failures, votes, first = run_beside_a_victim(make, source)
    assert failures == {"invalid": 5}
    assert votes == [-1] * 5
    assert first == "returned a value of type Answer, which is no class"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("1 / 0\ndef label(text): ...", "ZeroDivisionError in line 1"),
        ("\nwhile True: pass\ndef label(text): ...", "takes too long"),
        ("raise SystemExit\ndef label(text): ...", "SystemExit in line 1"),
        ("def label(text): ...\nlabel = 3", "label is no function"),
        ("x = [0] * 10 ** 9\ndef label(text): ...", "MemoryError in line 1"),
    ],
)
def test_a_top_level_that_fails_is_rejected(make, source, reason):
    with pytest.raises(
        ProgramRejected, match=f"'program' cannot be loaded: .*{reason}"
    ):
        run_programs([make(VICTIM), make(source)], TEXTS, ["ham", "spam"])


def test_shared_patterns_cannot_be_set_up_anew(make):
    attack = r"""
        import re
        P = re.compile(r"\bwin\b")
        class RequiredLiterals:
            keys, literals, starts, folded, exact = None, ("lose",), None, False, False
        def label(text):
            P.__init__("lose", 0, None, RequiredLiterals())
            type(P).__init__(P, "lose", 0, None, RequiredLiterals())
            getattr(P, "_set_up", len)("lose")
            re.Pattern("lose", 0, None, RequiredLiterals())
        """
    honest = r"""
        import re
        def label(text):
            return 1 if re.search(r"\bwin\b", text) else 0
        """
    result = run_programs([make(attack), make(honest)], {"t": ["you win"]}, [0, 1])
    assert result.votes.tolist() == [[-1, 1]]
    assert result.first_errors == ("TypeError in line 10", None)
