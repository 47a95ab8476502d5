"""Hold why a record got its label, and write it for a terminal, a page or a file."""

from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any

from ._escaping import align, escape, in_one_line, mark, plain_data, section, table
from ._student_words import StudentWord

# Of what a record and a program hold, as much as a person reads.
_SHOWN_WORDS = 8
_SHOWN_TEXT = 300
_SHOWN_RANGES = 30


@dataclass(frozen=True, slots=True)
class Match:
    """Words or a value of the record that a program matched.

    Parameters
    ----------
    column : str
        Column of the record, as programs call it.
    start, stop : int
        Part of the text, or of ``str(value)`` where the value is no text.
    text : str
        What stands there.
    line : int
        Line of the program.
    """

    column: str
    start: int
    stop: int
    text: str
    line: int


@dataclass(frozen=True, slots=True)
class ProgramExplanation:
    """What one program did on a record.

    Parameters
    ----------
    program : str
        Its name.
    vote : scalar or None
        The class that it votes for, as `transform` gives it; None where it abstains.
    weight : float or None
        What the vote adds to the log-odds of the label in the label model: its share
        of what all votes together add (by the value of Shapley), so that programs that
        repeat each other share. Negative where it speaks against the label; None where
        the program abstains, or nothing weighs votes.
    matches : tuple of Match
        What it matched in the record, in the order of its steps.
    lines : tuple of (int, str)
        Lines that ran, and what stands there.
    failure : str or None
        How it failed: "error", "invalid", "timeout" and others of `RunResult`.
    message : str
        What it raised, where, and the message of that.
    note : str
        What is to be known of how this was observed; empty where there is nothing.
    """

    program: str
    vote: Any
    weight: float | None
    matches: tuple[Match, ...] = ()
    lines: tuple[tuple[int, str], ...] = ()
    failure: str | None = None
    message: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a record got its label; printed, and in a notebook, it is readable.

    Parameters
    ----------
    record : dict
        The record as programs get it: values of its columns.
    label : scalar or None
        The label; None of a labeler alone, which only votes.
    confidence : float or None
        Its probability.
    decided_by : str or None
        "votes", "student", or "both" where they agree or neither would say it alone.
    doubt : str
        What speaks against trusting the label; empty where nothing does.
    proba, votes_proba, student_proba : tuple of (scalar, float) or None
        Probabilities of the classes: in all, of the votes alone, of the student alone.
    programs : tuple of ProgramExplanation
        In the order of the columns of the votes.
    words : tuple of StudentWord or None
        What the student leans on, the heaviest first. None where there is no student,
        or it is no linear one over words, so that nothing is known of single words.
    """

    record: dict[str, Any]
    label: Any
    confidence: float | None
    decided_by: str | None
    doubt: str
    proba: tuple[tuple[Any, float], ...] | None
    votes_proba: tuple[tuple[Any, float], ...] | None
    student_proba: tuple[tuple[Any, float], ...] | None
    programs: tuple[ProgramExplanation, ...]
    words: tuple[StudentWord, ...] | None

    def to_dict(self) -> dict[str, Any]:
        """Give all of it as plain values.

        Returns
        -------
        values : dict
            Of str, numbers, bool, None, lists and dicts only, so that json can write
            it.
        """
        return plain_data(asdict(self))

    def __str__(self) -> str:
        return "\n".join(_lines(self))

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return _html(self)


def _lines(explanation: Explanation) -> list[str]:
    """Write an explanation for a terminal."""
    lines = []
    if explanation.label is not None:
        assert explanation.confidence is not None
        lines.append(
            f"label   {_name(explanation.label)} ({explanation.confidence:.2f}), "
            f"decided by {_decided(explanation)}"
        )
    if explanation.doubt:
        lines.append(f"doubt   {explanation.doubt}")
    start = "record  "
    for name, value in explanation.record.items():
        shown = in_one_line(str(value), _SHOWN_TEXT)
        lines.append(f"{start}{in_one_line(name)}: {shown}")
        start = " " * 8
    lines += [f"votes   {_count_votes(explanation)}", ""]
    cells = [["program", "vote", "weight", "lines", "matched"]]
    notes = []
    for part in explanation.programs:
        name, said = in_one_line(part.program, 40), part.message or part.failure
        weight, ran = _weight(part.weight), _ranges([n for n, _ in part.lines])
        cells.append(
            [name, _name(part.vote), weight, ran, _matched(part, explanation.record)]
        )
        if part.failure is not None:
            notes.append(f"{name} failed: {in_one_line(said or '', _SHOWN_TEXT)}")
        if part.note:
            notes.append(f"{name}: {part.note}")
    lines.append(align(cells, right=(2,)))
    lines += ["", *notes] if notes else []
    if explanation.words is not None:
        words = ", ".join(
            f"{in_one_line(word.word, 40)} {word.weight:+.2f}"
            for word in explanation.words[:_SHOWN_WORDS]
        )
        lines += ["", f"student {words or 'knows no word of this record'}"]
    return lines


def _html(explanation: Explanation) -> str:
    """Write an explanation for a notebook."""
    parts = []
    if explanation.label is not None:
        doubt = f" Doubt: {escape(explanation.doubt)}." if explanation.doubt else ""
        parts.append(
            f"<p><strong>{escape(_name(explanation.label))}</strong> "
            f"({explanation.confidence:.2f}), decided by "
            f"{escape(_decided(explanation))}.{doubt}</p>"
        )
    matches = [match for part in explanation.programs for match in part.matches]
    parts.append(
        table(
            ["column", "record"],
            [
                [
                    escape(name),
                    mark(
                        str(value),
                        [(m.start, m.stop) for m in matches if m.column == name],
                    ),
                ]
                for name, value in explanation.record.items()
            ],
        )
    )
    rows = []
    for part in explanation.programs:
        said = [part.note] if part.note else []
        if part.failure is not None:
            said.append(f"failed: {part.message or part.failure}")
        source = "\n".join(f"{number:4}  {text}" for number, text in part.lines)
        ran = f"{len(part.lines)} lines ran"
        rows.append(
            [
                escape(part.program),
                escape(_name(part.vote)),
                escape(_weight(part.weight)),
                escape("; ".join([_matched(part, explanation.record), *said])),
                f"<details><summary>{ran}</summary><pre>{escape(source)}</pre>"
                "</details>",
            ]
        )
    parts.append(table(["program", "vote", "weight", "matched", "lines"], rows))
    if explanation.words:
        words = [
            [escape(word.word[:80]), f"{word.weight:+.2f}"]
            for word in explanation.words[:_SHOWN_WORDS]
        ]
        parts.append(table(["the student's heaviest words", "weight"], words))
    return section(*parts)


def _decided(explanation: Explanation) -> str:
    names = {"both": "votes and student", "student": "the student", "votes": "votes"}
    return names.get(explanation.decided_by or "", explanation.decided_by or "")


def _count_votes(explanation: Explanation) -> str:
    votes = [_name(part.vote) for part in explanation.programs if part.vote is not None]
    counts = [f"{name} {count}" for name, count in Counter(votes).most_common()]
    return ", ".join(counts) or "none"


def _name(vote: Any) -> str:
    return "-" if vote is None else in_one_line(str(vote), 40)


def _weight(weight: float | None) -> str:
    return "-" if weight is None else f"{weight:+.2f}"


def _ranges(numbers: list[int]) -> str:
    """Write line numbers as ranges, such as 3-5, 9."""
    ranges: list[list[int]] = []
    for number in numbers:
        if ranges and number == ranges[-1][1] + 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    shown = ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in ranges)
    return in_one_line(shown, _SHOWN_RANGES)


def _matched(part: ProgramExplanation, record: dict[str, Any]) -> str:
    """Say what a program matched, each word or value once, with the line."""
    seen: dict[tuple[str, int], None] = {}
    for match in part.matches:
        shown = repr(in_one_line(match.text, 40))
        if not isinstance(record[match.column], str):
            shown = f"{match.column} = {in_one_line(match.text, 20)}"
        seen.setdefault((shown, match.line))
    words = [f"{word} (line {line})" for word, line in seen]
    more = len(words) - _SHOWN_WORDS
    return ", ".join(words[:_SHOWN_WORDS]) + (f" and {more} more" if more > 0 else "")
