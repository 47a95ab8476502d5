"""Tell what earlier programs look for and answer, so that others look elsewhere."""

import ast
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from ..programs import LabelingProgram, run_programs
from ..programs._guard import syntax_tree
from ..votes import ABSTAIN
from ._program_from_answer import leaves_of
from ._task_spec import TaskSpec

# About 1,500 tokens; more would drown the question.
MAX_CUES = 240
_MAX_CHARACTERS = 40
_SAYS_NOTHING = "qzx"


def list_cues(
    programs: Sequence[LabelingProgram],
    spec: TaskSpec,
    *,
    timeout: float,
    sandbox: str = "auto",
) -> str:
    """List the cues of programs, those first that most of them share.

    Parameters
    ----------
    programs : sequence of LabelingProgram
        Programs that were written for the spec.

    spec : TaskSpec
        What they are to do.

    timeout : float
        Seconds that a program may take for one cue.

    sandbox : {"auto", "strict"}, default="auto"
        Where programs run, see `run_programs`.

    Returns
    -------
    cues : str
        For texts one line a class, with the words and phrases that the programs take
        for a sign of it; for tables one line a comparison. Empty without programs.
    """
    if not spec.is_text:
        conditions = _most_shared(programs, _conditions)[:MAX_CUES]
        return "\n".join(f"- {condition}" for condition in conditions)
    words = _most_shared(programs, _phrases)[: 4 * MAX_CUES]
    if not words:
        return ""
    (column,) = spec.columns
    classes = list(spec.classes)
    # Which class a phrase stands for, nobody knows better than the programs.
    records = [*words, _SAYS_NOTHING]
    columns = {column: records}
    votes = run_programs(
        programs, columns, classes, timeout=timeout, sandbox=sandbox
    ).votes
    # What a program answers where nothing matches is no sign of a class.
    votes = np.where(votes == votes[-1], ABSTAIN, votes)[:-1]
    return "\n".join(
        f"- {name!r}: {', '.join(of_class)}"
        for k, name in enumerate(classes)
        if (of_class := _of_class(words, votes, k)[: MAX_CUES // len(classes)])
    )


def cue_records(
    programs: Sequence[LabelingProgram], kinds: Mapping[str, str]
) -> dict[str, list[Any]]:
    """Make records up that each hold one thing that some program looks for.

    Parameters
    ----------
    programs : sequence of LabelingProgram
        What looks for it.

    kinds : dict of str to str
        Name of each column -> what it holds.

    Returns
    -------
    columns : dict of str to list
        Records; none for tables, where what is looked for lies in many columns.
    """
    words = _most_shared(programs, _phrases)[: 4 * MAX_CUES]
    return dict.fromkeys(kinds, words) if len(kinds) == 1 and words else {}


def _of_class(words: Sequence[str], votes: np.ndarray, k: int) -> list[str]:
    """Choose the words for which a program answers a class, and none another."""
    fits = ((votes == k) | (votes == ABSTAIN)).all(axis=1) & (votes == k).any(axis=1)
    return [word for word, is_cue in zip(words, fits, strict=True) if is_cue]


def _most_shared(programs: Sequence[LabelingProgram], find: Any) -> list[str]:
    """Order what is found in programs by the number of programs that have it."""
    counts: Counter[str] = Counter()
    for program in programs:
        counts.update(set(find(syntax_tree(program.source))))
    return sorted(counts, key=lambda cue: (-counts[cue], cue))


def _phrases(tree: ast.AST) -> Iterator[str]:
    """Find words and phrases, those within regular expressions as well."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
            continue
        text = re.sub(r"\\[A-Za-z]", " ", node.value.lower())
        for piece in re.split(r"[^\w' -]+", text):
            phrase = " ".join(piece.split())
            if 3 <= len(phrase) <= _MAX_CHARACTERS and re.search(r"[^\W\d_]", phrase):
                yield phrase


def _conditions(tree: ast.AST) -> Iterator[str]:
    """Find comparisons with constants, such as ``age > 60``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare) and any(
            isinstance(part, ast.Constant) and part.value is not None
            for part in [node.left, *node.comparators]
        ):
            condition = ast.unparse(node)
            if len(condition) <= 2 * _MAX_CHARACTERS:
                yield condition


AIM = """
No program so far answers {classes}. Look above all for what gives such records away, \
and answer so wherever it is found.
"""


def classes_never_answered(
    programs: Sequence[LabelingProgram], classes: Sequence[Any]
) -> list[Any]:
    """Find classes that no program can answer.

    Nothing is run, so that what is asked next depends on no record.

    Parameters
    ----------
    programs : sequence of LabelingProgram
        What is read.

    classes : sequence
        The classes.

    Returns
    -------
    missing : list
        Those that are spelled in no program where its answers are; a program that
        works its answers out may answer whatever it spells anywhere. Empty where there
        are no programs.

    Examples
    --------
    >>> from sklearn_alchemist import LabelingProgram
    >>> from sklearn_alchemist.synthesis import classes_never_answered
    >>> program = LabelingProgram("p", "def label(text): return 'a' if text else None")
    >>> classes_never_answered([program], ["a", "b"])
    ['b']
    """
    if not programs:
        return []
    answered: set[Any] = set()
    for program in programs:
        order = classes if program.class_order is None else program.class_order
        now = dict(program.class_mapping or ())
        for value in _answers(program):
            if program.returns == "class":
                answered.update(now.get(value, (value,)))
            elif isinstance(value, int) and 0 <= value < len(order):
                answered.update(now.get(order[value], (order[value],)))
    return [label for label in classes if label not in answered]


def write_aim(classes: Sequence[Any]) -> str:
    """Ask to look for classes that no program answers.

    Parameters
    ----------
    classes : sequence
        The classes.

    Returns
    -------
    text : str
        What is added to a prompt; nothing without classes.
    """
    return AIM.format(classes=", ".join(map(repr, classes))) if classes else ""


def _answers(program: LabelingProgram) -> set[Any]:
    """Constants that a program may return."""
    tree = syntax_tree(program.source)
    found: set[Any] = set()
    works_it_out = False
    for node in ast.walk(tree):
        if not isinstance(node, ast.Return) or node.value is None:
            continue
        # What scores are given to.
        found |= {
            key.value
            for part in ast.walk(node.value)
            if isinstance(part, ast.Dict)
            for key in part.keys
            if isinstance(key, ast.Constant)
        }
        for leaf in leaves_of(node.value):
            if isinstance(leaf, ast.Constant):
                found.add(leaf.value)
                continue
            found |= {True, False}
            works_it_out |= not isinstance(leaf, ast.Compare | ast.UnaryOp)
    if works_it_out:
        found |= {n.value for n in ast.walk(tree) if isinstance(n, ast.Constant)}
    return found
