"""Find the program in what a language model answers."""

import bisect
import re
import textwrap
from collections.abc import Iterator

from ..llm._answer_text import find_marks, split_thoughts
from ._candidates import choose, last_words
from ._code_blocks import fences_of, may_hold_function
from ._pieces import Reader

_IMPROVES = re.compile(
    r"improv|better|fix|revis|correct|refin|rewrit|actually|wait|instead|but ",
    re.IGNORECASE,
)
# Far more than a readable program has.
MAX_CHARACTERS = 200_000
# A byte-order mark and characters of no width, as copied texts begin with.
_UNSEEN = "\ufeff\u200b\u200c\u200d\u2060"


def extract_source(
    answer: str, *, cut_off: bool = False, earlier: str | None = None
) -> str:
    """Extract the source of a labeling program from an answer.

    Parameters
    ----------
    answer : str
        What the model answered.

    cut_off : bool, default=False
        Whether the answer stops before its end. A program that it stops within, or
        that was to be followed by a better one, is then none.

    earlier : str or None, default=None
        The program that the answer may change by a diff.

    Returns
    -------
    source : str
        The last complete program that is meant: a function called ``label``, else any
        function; in a fence, in a field of JSON or in plain text. Drafts, signatures
        and what is shown as a bad example are passed over, thoughts are searched only
        where there is nothing else, and blocks that define names which the program
        uses come with it.

    Raises
    ------
    ValueError
        If the answer is empty, holds no Python function or breaks off within it; the
        message says which.

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
    answer = answer.strip(_UNSEEN).replace("\r\n", "\n").replace("\r", "\n")
    reader = Reader(earlier=earlier)
    said, unfinished = _split_thoughts(answer, reader)
    for part in dict.fromkeys([said, answer]):
        candidates = reader.candidates(part)
        chosen = choose(part, candidates)
        if chosen is None:
            continue
        rest = part[chosen.end :]
        if cut_off and (
            not chosen.closed
            or (part is answer and unfinished)
            or _IMPROVES.search(last_words(rest))
        ):
            raise ValueError("the answer breaks off within its program")
        if part is answer and unfinished and re.search(r"\w", rest):
            raise ValueError("the answer breaks off within its thoughts")
        if chosen.is_stub:
            raise ValueError("the answer holds a signature and no program")
        return reader.with_what_it_uses(chosen, candidates)
    if not said.strip(_UNSEEN).strip():
        raise ValueError(
            "the answer breaks off within its thoughts"
            if unfinished
            else "the answer is empty"
        )
    raise ValueError("the answer holds no Python function")


def _split_thoughts(answer: str, reader: "Reader") -> tuple[str, bool]:
    """Split off thoughts, whose marks are none where a program holds them."""
    kept: list[str] = []
    parts: list[str] = []
    done = 0
    for start, end in _marks_of_programs(answer, reader):
        parts += [answer[done:start], f"\ue000{len(kept)}\ue001"]
        kept.append(answer[start:end])
        done = end
    said, unfinished = split_thoughts("".join([*parts, answer[done:]]))
    shown = re.sub(r"\ue000(\d+)\ue001", lambda found: kept[int(found[1])], said)
    return shown, unfinished


# A text between quotation marks, on one line.
_QUOTED = re.compile(r"'(?:\\.|[^'\\\n])*'|\"(?:\\.|[^\"\\\n])*\"")
_MAX_LINE = 2_000


def _marks_of_programs(answer: str, reader: "Reader") -> Iterator[tuple[int, int]]:
    """Find marks of thoughts in programs: what they look for, or say in a comment.

    A mark is one where it stands between quotation marks or within a text of a line of
    Python, and where the fence around it, or the whole answer, is Python.
    """
    marks = [mark for mark in find_marks(answer) if mark.of_thoughts]
    if not marks:
        return
    blocks = [block for block in fences_of(answer) if may_hold_function(block.body)]
    ends = [block.start + len(block.body) for block in blocks]
    read: dict[int, bool] = {}
    for mark in marks:
        start, end = mark.start, mark.end
        around = answer[max(0, start - 1) : start] + answer[end : end + 1]
        at = bisect.bisect_right(ends, start)
        inside = at < len(blocks) and blocks[at].start <= start
        if inside and at not in read:
            body = textwrap.dedent(blocks[at].body)
            read[at] = body.strip() != "" and reader.parse(body) is not None
        if (
            around in ("''", '""')
            or (inside and read[at])
            or _is_in_text_of_line(answer, start, end, reader)
        ):
            yield start, end


def _is_in_text_of_line(answer: str, start: int, end: int, reader: "Reader") -> bool:
    """Whether a place is within a text that a line of Python holds."""
    first = answer.rfind("\n", max(0, start - _MAX_LINE), start) + 1
    last = answer.find("\n", end, end + _MAX_LINE)
    line = answer[first : len(answer) if last == -1 else last]
    if len(line) > _MAX_LINE or not any(
        found.start() < start - first and end - first < found.end()
        for found in _QUOTED.finditer(line)
    ):
        return False
    code = line.strip().removeprefix("el")
    if code.endswith(":"):
        code += " pass"
    if code.startswith("return"):
        code = f"def f(): {code}"
    return reader.parse(code) is not None
