import contextlib
import json
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from programs.attacks import GOALS, HARM, LIES, POISON, ROUTES

from sklearn_alchemist.exceptions import ProgramRejected
from sklearn_alchemist.programs import LabelingProgram, run_programs, trace_programs

TEXTS = {"text": ["one"]}
VICTIM = r"""
import re
import math
from collections import Counter
from datetime import datetime
from urllib.parse import quote

def label(text):
    assert Counter(text).most_common(1) and math.sqrt(4) == 2
    assert re.compile("shout", re.I).search("SHOUT")
    assert re.sub("(a+)", r"<\1>", "aaa") == "<aaa>"
    assert datetime.strptime("1 2020", "%d %Y").day == 1 and quote("a b") == "a%20b"
    assert len(text) and isinstance(text, str) and "{}".format(text) == text
    return "ham" if re.search(r"[a-z]+", text) else None
"""


def in_label(body):
    return "def label(text):\n" + textwrap.indent(body, " ")


ATTACKS = {
    **{
        f"route: {name}": f"{body}\ndef label(text): return m and 'spam'"
        for name, body in ROUTES.items()
    },
    **{f"goal: {name}": in_label(body) for name, body in GOALS.items()},
    **{f"harm: {name}": in_label(body) for name, body in HARM.items()},
}
POISONS = {name: in_label(body) for name, body in (POISON | LIES).items()}


@pytest.fixture(scope="module")
def happened(tmp_path_factory):
    """What attacks do where nothing stops them, in processes that may be spoilt."""
    folder = tmp_path_factory.mktemp("bare")
    (folder / "secret.txt").write_text("secret")
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("bare.py"))],
        input=json.dumps(ATTACKS | POISONS),
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="forks")
def test_every_attack_succeeds_without_a_sandbox(happened):
    assert len(ATTACKS) >= 140
    harmless = {k: v for k, v in happened.items() if v in ("nothing", "raised")}
    assert harmless == {}
    absent = [name for name, what in happened.items() if what == "absent"]
    assert len(absent) <= 3, "too few attacks show what this version of Python allows"


def outcome(source):
    """Run an attack between two honest programs, which must not notice."""
    honest = LabelingProgram("honest", VICTIM)
    try:
        programs = [honest, LabelingProgram("attack", source), honest]
        result = run_programs(programs, TEXTS, ["ham", "spam"], timeout=0.05)
    except ProgramRejected as error:
        return str(error)
    assert result.votes[:, [0, 2]].tolist() == [[0, 0]]
    assert result.failures[0] == result.failures[2] == {}
    assert result.votes[:, 1].tolist() == [-1]
    assert sum(result.failures[1].values()) == 1
    return result.first_errors[1]


@pytest.mark.parametrize("name", ATTACKS)
def test_every_attack_is_stopped_with_a_message(name):
    assert outcome(ATTACKS[name])


@pytest.mark.slow
def test_every_attack_is_stopped_when_it_is_watched():
    for name, source in (ATTACKS | POISONS).items():
        attack = LabelingProgram("attack", source)
        with contextlib.suppress(ProgramRejected):
            ((trace,),) = trace_programs(
                [attack], TEXTS, ["ham", "spam"], timeout=0.005
            )
            assert trace.vote == -1, name


@pytest.mark.parametrize("name", POISONS)
def test_what_bends_an_interpreter_reaches_no_neighbour(name):
    attack, honest = LabelingProgram("a", POISONS[name]), LabelingProgram("h", VICTIM)
    with contextlib.suppress(ProgramRejected):
        result = run_programs([attack], TEXTS, ["ham", "spam"])
        assert result.votes.tolist() == [[-1]]
    result = run_programs([honest], TEXTS, ["ham", "spam"])
    assert result.votes.tolist() == [[0]]
