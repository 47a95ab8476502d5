"""Word warnings: what was lost between answers and votes, and what to do about it."""

import ast
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from ..programs import LabelingProgram, RunResult
from ..programs._entry_point import optional_parameters, similar_name
from ..programs._guard import syntax_tree
from ._trial import Rejection, find_slowness, longest_text, stretched_records

# Of many classes, so many show how they are written.
_MOST_LISTED = 20


def rejected_message(rejected: Sequence[Rejection], n_kept: int) -> str:
    """Word the warning that some answers gave no usable program.

    Parameters
    ----------
    rejected : sequence of Rejection
        The answers.

    n_kept : int
        Number of programs that are left.

    Returns
    -------
    message : str
        The warning.
    """
    return (
        f"{len(rejected)} of {len(rejected) + n_kept} programs cannot be used "
        f"({_reasons(rejected)}). Their answers are in the attribute rejected_."
    )


def dropped_message(dropped: Sequence[Rejection], n_kept: int) -> str:
    """Word the warning that some programs work and were dropped nevertheless.

    Parameters
    ----------
    dropped : sequence of Rejection
        The programs.

    n_kept : int
        Number of programs that are left.

    Returns
    -------
    message : str
        The warning.
    """
    return (
        f"{len(dropped)} of {len(dropped) + n_kept} programs were dropped "
        f"({_reasons(dropped)}). They are in the attribute rejected_; to keep one, "
        "hand it back in programs=[...]."
    )


def nothing_usable_message(rejected: Sequence[Rejection]) -> str:
    """Word the error that no answer gave a usable program.

    Parameters
    ----------
    rejected : sequence of Rejection
        All answers.

    Returns
    -------
    message : str
        The error, with the first reasons.
    """
    return (
        f"none of {len(rejected)} answers holds a usable program "
        f"({_reasons(rejected[:3])}). A clearer task, descriptions of the classes or "
        "another model may help. The answers are in the attribute rejected_, and stay "
        "in the store."
    )


def silent_message(
    programs: Sequence[LabelingProgram],
    results: Mapping[str, RunResult],
    columns: Mapping[str, Sequence[Any]],
    classes: Sequence[Any],
) -> str:
    """Word the warning that some programs never vote, and why, as far as can be told.

    Parameters
    ----------
    programs : sequence of LabelingProgram
        Those that do not.

    results : dict of str to RunResult
        Name of each program -> how it went.

    columns : dict of str to sequence
        The records on which they were tried.

    classes : sequence
        The classes.

    Returns
    -------
    message : str
        The warning.
    """
    n_tried = len(next(iter(columns.values())))
    reasons = {}
    for program in programs:
        thresholds = ", ".join(never_crossed(program, columns)[:3])
        reasons[program.name] = (
            _first_error(results[program.name])
            or (thresholds and f"no record crosses {thresholds}")
            or "abstains on all of them"
        )
    named = ", ".join(f"{name} ({why})" for name, why in reasons.items())
    invalid = any("invalid" in results[name].failures[0] for name in reasons)
    failing = any(results[name].failures[0] for name in reasons)
    return (
        f"On {n_tried} records tried, these programs never vote: {named}. "
        f"{_how_to_answer(classes) if invalid else ''}"
        f"{_WHERE_FAILURES_ARE if failing else ''}"
        "Read them in the attribute programs_, and correct them by way of "
        "export_programs, or describe the classes in more detail."
    )


def missing_classes_message(
    classes: Sequence[Any],
    results: Mapping[str, RunResult],
    n_tried: int,
    all_classes: Sequence[Any],
) -> str:
    """Word the warning that no program votes for some classes.

    Parameters
    ----------
    classes : sequence
        Those classes.

    results : dict of str to RunResult
        Name of each program -> how it went on its own.

    n_tried : int
        Number of records on which programs were tried.

    all_classes : sequence
        All classes.

    Returns
    -------
    message : str
        The warning.
    """
    said = f"On {n_tried} records tried, no program votes for {_listed(classes)}"
    for name, result in results.items():
        if "invalid" in result.failures[0]:
            return (
                f"{said}. Most likely as program {name} gives answers that are no "
                f"class: {_first_error(result)}. {_how_to_answer(all_classes)}"
                f"{_WHERE_FAILURES_ARE.strip()}"
            )
    return (
        f"{said}. Describe these classes in more detail, ask for more programs, or "
        "give some for them."
    )


def unread_message(
    programs: Sequence[LabelingProgram], columns: Sequence[str]
) -> str | None:
    """Word the warning that parameters with defaults read no column.

    Parameters
    ----------
    programs : sequence of LabelingProgram
        Programs that somebody gave.

    columns : sequence of str
        Names of the columns.

    Returns
    -------
    message : str or None
        None where no parameter seems to be meant for a column.
    """
    found = []
    for program in programs:
        optional = optional_parameters(program.source, program.entry_point)
        unknown = [name for name in optional if name not in columns]
        free = {*columns} - {*program.parameters} - {*optional}
        for name in unknown:
            meant = similar_name(name, free)
            if meant is not None:
                found.append(
                    f"parameter {name!r} of program {program.name!r} is no column and "
                    f"keeps its default: do you mean {meant!r}?"
                )
        if unknown:
            behind = optional[optional.index(unknown[0]) :]
            found += [
                f"parameter {name!r} of program {program.name!r} stands behind "
                f"{unknown[0]!r}, which is no column, so that both keep their "
                "defaults: put those that are columns first."
                for name in behind
                if name in columns
            ]
    return " ".join(found) or None


def slow_message(
    programs: Sequence[LabelingProgram],
    columns: Mapping[str, Sequence[Any]],
    classes: Sequence[Any],
    *,
    timeout: float,
    sandbox: str,
) -> str | None:
    """Word the warning that programs can take too long.

    Parameters
    ----------
    programs : sequence of LabelingProgram
        Programs that somebody gave; those of a model are repaired instead.

    columns : dict of str to sequence
        Records; their longest text tells how long texts become.

    classes : sequence
        Classes in the order of the votes.

    timeout : float
        Seconds that a program may take for one record.

    sandbox : {"auto", "strict"}
        Where programs run, see `run_programs`.

    Returns
    -------
    message : str or None
        None where no program does.
    """
    longest = longest_text(columns)
    if not longest:
        return None
    columns = stretched_records(columns, longest)
    found = [
        f"Program {program.name!r}: {slow}"
        for program in programs
        if (
            slow := find_slowness(
                program, columns, classes, timeout=timeout, sandbox=sandbox
            )
        )
    ]
    if not found:
        return None
    more = f" There are {len(found) - 1} more such programs." if found[1:] else ""
    return f"{found[0]}. It abstains on records that take too long.{more}"


def failed_message(programs: Sequence[LabelingProgram], result: RunResult) -> str:
    """Word the warning that programs failed on records.

    Parameters
    ----------
    programs : sequence of LabelingProgram
        What was run.

    result : RunResult
        How it went.

    Returns
    -------
    message : str
        The warning, with the number of records and the first error of each program.
    """
    failed = [
        f"{program.name} on {_count(failures)} ({first_error})"
        for program, failures, first_error in zip(
            programs, result.failures, result.first_errors, strict=True
        )
        if failures
    ]
    return (
        f"Programs failed, and abstain there, on some of {len(result.votes)} records: "
        f"{'; '.join(failed)}. Correct them by way of export_programs."
    )


_WHERE_FAILURES_ARE = "inspection.failures(labeler, X) tells what fails where. "


def _first_error(result: RunResult) -> str:
    """Say how the only program of a run failed first, and how often."""
    error, n_failed = result.first_errors[0], sum(result.failures[0].values())
    return f"{error}, on {n_failed}" if n_failed else ""


def _how_to_answer(classes: Sequence[Any]) -> str:
    return f"Answers are to be written as the classes are: {_listed(classes)}. "


def _listed(classes: Sequence[Any]) -> str:
    more = f", ... ({len(classes)})" if len(classes) > _MOST_LISTED else ""
    return ", ".join(map(repr, classes[:_MOST_LISTED])) + more


def _count(failures: Mapping[str, int]) -> str:
    """Count what failed, by kind where there are several."""
    total = str(sum(failures.values()))
    if len(failures) == 1:
        return total
    return f"{total}: {', '.join(f'{n} {kind}' for kind, n in failures.items())}"


def _reasons(rejected: Sequence[Rejection]) -> str:
    return "; ".join(f"{rejection.name}: {rejection.reason}" for rejection in rejected)


_HOLDS: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}


def never_crossed(
    program: LabelingProgram, columns: Mapping[str, Sequence[Any]]
) -> list[str]:
    """Find comparisons of a column with a number that always come out the same.

    Parameters
    ----------
    program : LabelingProgram
        What is read.

    columns : dict of str to sequence
        Some records.

    Returns
    -------
    thresholds : list of str
        Each with the range of the column, in the order of the source.

    Examples
    --------
    >>> from sklearn_alchemist import LabelingProgram
    >>> from sklearn_alchemist.synthesis._warning_texts import never_crossed
    >>> program = LabelingProgram("p", "def label(age): return age > 150 or None")
    >>> never_crossed(program, {"age": [31, None, 64]})
    ['age > 150 (age is 31 to 64)']
    """
    found = []
    for name, holds, threshold in _thresholds(syntax_tree(program.source)):
        values = [v for v in columns.get(name, ()) if isinstance(v, int | float)]
        if values and len({holds(value) for value in values}) == 1:
            found.append(
                f"{threshold} ({name} is {min(values):.4g} to {max(values):.4g})"
            )
    return list(dict.fromkeys(found))


def _thresholds(tree: ast.AST) -> Iterator[tuple[str, Callable[[Any], bool], str]]:
    """Find comparisons between a name and a number, either way round."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Compare) or len(node.ops) > 1:
            continue
        compare = _HOLDS.get(type(node.ops[0]))
        left, right = node.left, node.comparators[0]
        if compare is None:
            continue
        if isinstance(left, ast.Name) and (number := _number(right)) is not None:
            yield left.id, partial(_compare, compare, number), ast.unparse(node)
        elif isinstance(right, ast.Name) and (number := _number(left)) is not None:
            yield right.id, partial(compare, number), ast.unparse(node)


def _compare(compare: Callable[[Any, Any], bool], number: float, value: Any) -> bool:
    return compare(value, number)


def _number(node: ast.AST) -> float | None:
    """Read a number, with its sign."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        number = _number(node.operand)
        return None if number is None else -number
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return node.value
    return None
