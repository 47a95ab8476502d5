"""Find the program in what a language model answers."""

import re

_THINKING = re.compile(r"<think(?:ing)?>.*?</think(?:ing)?>", re.DOTALL | re.IGNORECASE)
# A fence ends where it is closed, or, in an answer that was cut off, with the answer.
_FENCED = re.compile(
    r"^[ \t]*(```+|~~~+)[ \t]*([\w+-]*)[^\n]*\n(.*?)(?:^[ \t]*\1[ \t]*$|\Z)",
    re.DOTALL | re.MULTILINE,
)
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
        The first fenced block of Python that defines ``label``, else the first that
        defines a function; without a fence, the whole answer.

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
    answer = _THINKING.sub("", answer.replace("\r\n", "\n"))
    # A server may cut the beginning of the thoughts off.
    answer = re.sub(r"\A.*</think(?:ing)?>", "", answer, flags=re.DOTALL | re.I)
    if not answer.strip():
        raise ValueError("the answer is empty")
    blocks = [
        body
        for _, language, body in _FENCED.findall(answer)
        if language.lower() in _PYTHON and _mentions_function(body)
    ]
    if blocks:
        # Helpers may come in a block of their own, before what is asked for.
        named = [b for b in blocks if re.search(r"^\s*def\s+label\s*\(", b, re.M)]
        return _tidy((named or blocks)[0])
    if _mentions_function(answer):
        return _tidy(answer)
    raise ValueError("the answer holds no Python function")


def _mentions_function(text: str) -> bool:
    return re.search(r"^\s*(async\s+)?def\s+\w+\s*\(", text, re.MULTILINE) is not None


def _tidy(source: str) -> str:
    """Remove blank lines around and the indentation of a whole block."""
    lines = source.strip("\n").rstrip().split("\n")
    indent = min(
        (len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0
    )
    return "\n".join(line[indent:] for line in lines) + "\n"
