"""Write below a program what is known of it, and take it off again."""

import ast
from collections.abc import Sequence

from ._program import LabelingProgram, Provenance

# Below the program, so that lines of messages are lines of the file.
_MARK = "# about: "
_MAX_CUES = 8
_MAX_CHARACTERS = 300


def with_comments(
    program: LabelingProgram,
    facts: Sequence[str] = (),
    *,
    was: Provenance | None = None,
) -> str:
    """Write a program with a few lines of comments that say what it is.

    Parameters
    ----------
    program : LabelingProgram
    facts : sequence of str, default=()
        What was seen of it, such as its coverage.
    was : Provenance, optional
        Where it came from before somebody edited it.

    Returns
    -------
    text : str
        What a file holds.

    Examples
    --------
    >>> from sklearn_alchemist import LabelingProgram
    >>> from sklearn_alchemist.programs._program_comments import with_comments
    >>> program = LabelingProgram("p", "def label(x): return 'a' if 'up' in x else 'b'")
    >>> print(with_comments(program, ["votes on 3 of 5 records"]))
    def label(x): return 'a' if 'up' in x else 'b'
    <BLANKLINE>
    # about: p, which reads x
    # about: looks for 'a', 'b', 'up'
    # about: votes on 3 of 5 records
    # about: written by hand
    <BLANKLINE>
    """
    lines = [f"{program.name}, which reads {', '.join(program.parameters)}"]
    if cues := _cues(program):
        lines.append(f"looks for {cues}")
    lines += [*facts, _author(program.provenance, was)]
    if program.class_mapping is not None:
        lines += [
            f"what it calls {answer!r} is "
            + (" or ".join(map(repr, now)) or "no class")
            for answer, now in program.class_mapping
            if now != (answer,)
        ]
    if program.thresholds:
        leads = ", ".join(f"{label!r} {lead:.3g}" for label, lead in program.thresholds)
        lines.append(f"votes where its best class leads by {leads}")
    end = "" if program.source.endswith("\n") else "\n"
    told = "".join(f"{_MARK}{_one_line(line)}\n" for line in lines)
    return f"{program.source}{end}\n{told}"


def without_comments(text: str) -> tuple[str, str]:
    """Tell a program from what is said of it below.

    Parameters
    ----------
    text : str
        What a file holds.

    Returns
    -------
    source : str
        The program; ends with the line feed that was put there if it had none.
    about : str
        The rest.
    """
    lines = text.splitlines(keepends=True)
    n_kept = len(lines)
    while n_kept and lines[n_kept - 1].startswith(_MARK):
        n_kept -= 1
    if n_kept == len(lines) or not n_kept or lines[n_kept - 1].strip():
        return text, ""
    return "".join(lines[: n_kept - 1]), "".join(lines[n_kept - 1 :])


def _author(provenance: Provenance, was: Provenance | None) -> str:
    first = provenance if was is None else was
    tuned = f"; tuned: {first.changes}" if first.changes else ""
    if first.model is None:
        return "written by hand" + tuned
    said = f"written by {first.model}"
    if first.slot:
        said += f" as {first.slot}"
    if first.dollars is not None:
        said += f" for ${first.dollars:.4f}"
    if first.repairs:
        said += ", mended once" if first.repairs == 1 else f", mended {first.repairs} x"
    said += tuned
    return said if was is None else said + "; edited by hand since"


def _cues(program: LabelingProgram) -> str:
    """List some of the texts that a program holds."""
    tree = ast.parse(program.source)
    documents = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    found: dict[str, None] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and id(node) not in documents:
            value = node.value
            if isinstance(value, str) and value.strip() and len(value) <= 40:
                found[value] = None
    cues = [repr(cue) for cue in found]
    more = len(cues) - _MAX_CUES
    return ", ".join(cues[:_MAX_CUES]) + (f" and {more} more" if more > 0 else "")


def _one_line(text: str) -> str:
    """Keep what others wrote from ending the comment or hiding in it."""
    plain = "".join(c if c.isprintable() else "\ufffd" for c in text)
    return plain if len(plain) <= _MAX_CHARACTERS else plain[:_MAX_CHARACTERS] + "..."
