"""Find the program in what a language model answers."""

import ast
import re

from ..llm import without_thoughts

# A fence ends where it is closed, or, in an answer that was cut off, with the answer.
_FENCE = re.compile(r"^[ \t]*(`{3,}|~{3,})[ \t]*([\w+-]*)[^\n]*$", re.MULTILINE)
_FUNCTION = re.compile(r"^[ \t]*(?:async[ \t]+)?def[ \t]+\w+[ \t]*\(", re.MULTILINE)
_LABEL = re.compile(r"^[ \t]*def[ \t]+label[ \t]*\(", re.MULTILINE)
_STATEMENT = re.compile(r"(?:import|from|def|async|class|@|[A-Za-z_]\w*[ \t]*[:=])\b|@")
_PYTHON = {"", "py", "python", "python3"}
# Far more than a readable program has.
MAX_CHARACTERS = 200_000


def extract_source(answer: str) -> str:
    """Extract the source of a labeling program from an answer.

    Parameters
    ----------
    answer : str
        What the model answered.

    Returns
    -------
    source : str
        The first fenced block that defines ``label``, else the first that defines a
        function, blocks of Python first; with those blocks before it that define
        names which it uses. Without a fence, the answer without the prose around the
        program.

    Raises
    ------
    ValueError
        If the answer is empty or holds no Python function; the message says which.

    Examples
    --------
    >>> from sklearn_alchemist.synthesis import extract_source
    >>> print(extract_source("Sure! ```python is fun"))
    Traceback (most recent call last):
        ...
    ValueError: the answer holds no Python function
    """
    if len(answer) > MAX_CHARACTERS:
        raise ValueError(
            f"the answer has {len(answer):,} characters, more than {MAX_CHARACTERS:,}"
        )
    answer = without_thoughts(answer.replace("\r\n", "\n"))
    if not answer.strip():
        raise ValueError("the answer is empty")
    fenced = _fenced_blocks(answer)
    python = [body for language, body in fenced if language.lower() in _PYTHON]
    for blocks in (python, [body for _, body in fenced]):
        # Helpers may come in a block of their own, before what is asked for.
        for kind in (_LABEL, _FUNCTION):
            for place, block in enumerate(blocks):
                if kind.search(block):
                    return _with_what_it_uses(block, blocks[:place])
    if _FUNCTION.search(answer):
        return _without_prose(_tidy(answer))
    raise ValueError("the answer holds no Python function")


def _fenced_blocks(answer: str) -> list[tuple[str, str]]:
    """Split off the fenced blocks: what language they name, and what they hold."""
    blocks = []
    opened: re.Match[str] | None = None
    for fence in _FENCE.finditer(answer):
        if opened is None:
            opened = fence
        elif fence[1] == opened[1] and fence[0].strip() == fence[1]:
            blocks.append((opened[2], answer[opened.end() + 1 : fence.start()]))
            opened = None
    if opened is not None:
        blocks.append((opened[2], answer[opened.end() + 1 :]))
    return blocks


def _with_what_it_uses(block: str, before: list[str]) -> str:
    """Put before a program the blocks that define what it uses and lacks."""
    source = _tidy(block)
    for other in reversed([_tidy(other) for other in before]):
        if (_names(source, ast.Load) - _names(source, ast.Store)) & _names(
            other, ast.Store
        ):
            source = other + "\n\n" + source
    return source


def _names(source: str, context: type[ast.expr_context]) -> set[str]:
    """Find the names that a program reads, or those that it defines."""
    try:
        nodes = list(ast.walk(ast.parse(source)))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return set()
    names = {
        n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, context)
    }
    if context is ast.Store:
        names |= {n.name for n in nodes if isinstance(n, ast.FunctionDef)}
        names |= {n.arg for n in nodes if isinstance(n, ast.arg)}
    return names


def _without_prose(text: str) -> str:
    """Drop what stands before and after a program that has no fence."""
    if _is_python(text):
        return text
    lines = text.split("\n")
    first = next(i for i, line in enumerate(lines) if _FUNCTION.match(line))
    for i, line in enumerate(lines[:first]):
        if _STATEMENT.match(line) and _is_python("\n".join(lines[i:first])):
            first = i
            break
    # Prose is not indented; a program ends before some line that is not either.
    ends = [
        i for i, line in enumerate(lines[first + 1 :], first + 1) if line[:1].strip()
    ]
    for end in [len(lines), *reversed(ends[-50:])]:
        program = "\n".join(lines[first:end]).rstrip() + "\n"
        if _is_python(program) and _FUNCTION.search(program):
            return program
    return text


def _is_python(source: str) -> bool:
    try:
        ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def _tidy(source: str) -> str:
    """Remove blank lines around and the indentation of a whole block."""
    lines = source.strip("\n").rstrip().split("\n")
    indent = min(
        (len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0
    )
    return "\n".join(line[indent:] for line in lines) + "\n"
