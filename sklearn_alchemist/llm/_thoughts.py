"""Tell what a language model answers from what it thinks before."""

import bisect
import re
from dataclasses import dataclass

# How model families write a mark: <think>, [THINK], ◁think▷, <|begin_of_thought|>.
_MARK = re.compile(
    r"<(?P<x>/?)(?P<xml>[A-Za-z][\w:.\-]{0,60})(?:[ \t][^<>\n]{0,200})?>"
    r"|<[|\uff5c](?P<token>/?[\w ./\-▁]{1,40})[|\uff5c]>"
    r"|\[(?P<b>/?)(?P<bracket>[A-Za-z][A-Za-z_\-]{2,30})\]"
    r"|[◁【〈《«⟨⟦](?P<o>/?)(?P<odd>[A-Za-z][\w:\- ]{0,30})[▷】〉》»⟩⟧]"
)
_BEGIN = re.compile(r"^(?:begin|start)(?:[_▁ ]of)?[_▁ ]|[_▁ ](?:begin|start)$")
_END = re.compile(r"^/|^end(?:[_▁ ]of)?[_▁ ]|[_▁ ]end$")
# A mark is one of thoughts if its name says so, whatever else it says.
_THOUGHTS = re.compile(
    r"think|thought|reason|analy|reflect|scratch|\bcot\b|cot_|_cot|rationale|monolog"
    r"|deliberat|ponder|brainstorm|musing",
    re.IGNORECASE,
)
# Marks around an answer, or within one, rather than before it.
_ANSWERS = re.compile(
    r"answer|final|output|response|result|solution|label|class|categor|code|program"
    r"|prediction|verdict|conclusion|decision|json|tool|function|param|sentiment",
    re.IGNORECASE,
)
_FORMATTING = re.compile(
    r"(?:a|b|br|big|blockquote|body|div|em|font|h\d|hr|html|i|li|mark|ol|p|pre|q|s|small"
    r"|span|strong|sub|sup|table|td|th|tr|tt|u|ul)",
    re.IGNORECASE,
)
# Of OpenAI's open models: <|channel|>NAME<|message|>TEXT<|end|>, and the same where a
# server left the marks out.
_CHANNEL = re.compile(
    r"<\|channel\|>\s*(\w+)[^<]{0,80}(?:<\|constrain\|>\w*\s*)?<\|message\|>"
)
_BARE_CHANNELS = re.compile(r"\s*analysis(?=[^a-z\s]).*assistant\s?final", re.DOTALL)
_END_OF_MESSAGE = re.compile(r"<\|(?:end|return|call|start)\|>")
_LAST_TOKENS = re.compile(
    r"(?:(?:<[|\uff5c][\w ▁]{1,40}[|\uff5c]>|</s>|<eos>|<end_of_turn>)\s*){1,9}\Z"
)
_WORD = re.compile(r"\S")
# Whoever answers with a class does not think aloud for longer.
_MOST_SHORT = 200_000


@dataclass(frozen=True, slots=True)
class Mark:
    """A mark that opens or closes a part of an answer.

    Parameters
    ----------
    name : str
        What it says, in lower case.

    closes : bool
        Whether it ends a part.

    start, end : int
        Where it stands.
    """

    name: str
    closes: bool
    start: int
    end: int

    @property
    def of_thoughts(self) -> bool:
        """Whether it says that it is about thoughts."""
        return _THOUGHTS.search(self.name) is not None

    @property
    def of_answer(self) -> bool:
        """Whether it says that it is about the answer."""
        return not self.of_thoughts and _ANSWERS.search(self.name) is not None


def find_marks(text: str) -> list[Mark]:
    """Find the marks in an answer, in whatever brackets.

    Parameters
    ----------
    text : str
        The answer.

    Returns
    -------
    marks : list of Mark
        In order.
    """
    marks = []
    for found in _MARK.finditer(text):
        name = found["xml"] or found["bracket"] or found["odd"] or ""
        closes = bool(found["x"] or found["b"] or found["o"])
        if found["token"]:
            name = found["token"].lower()
            closes = _END.search(name) is not None
            name = _BEGIN.sub("", _END.sub("", name))
        marks.append(Mark(name.lower(), closes, found.start(), found.end()))
    return marks


def without_thoughts(text: str) -> str:
    """Drop the thoughts that reasoning models write into their answers.

    Parameters
    ----------
    text : str
        The answer.

    Returns
    -------
    text : str
        What stands outside of blocks of thoughts, however they are marked. Thoughts
        whose beginning a server cut off are dropped too, and those without an end.

    Examples
    --------
    >>> from sklearn_alchemist.llm import without_thoughts
    >>> without_thoughts("<think>Spam? No.</think>ham")
    'ham'
    """
    return split_thoughts(text)[0]


def last_word(text: str) -> str:
    """Find the part of a short answer that comes after all that was thought.

    Blocks before other words are thoughts, whatever their marks say.

    Parameters
    ----------
    text : str
        The answer.

    Returns
    -------
    text : str
        The rest; empty where the answer breaks off within its thoughts.

    Examples
    --------
    >>> from sklearn_alchemist.llm._thoughts import last_word
    >>> last_word("<hm>Is it ham? No.</hm> spam")
    'spam'
    """
    text = without_thoughts(text).strip()
    marks = find_marks(text[:_MOST_SHORT])
    closed: dict[str, list[Mark]] = {}
    for mark in marks:
        if mark.closes:
            closed.setdefault(mark.name, []).append(mark)
    offset = 0
    for mark in marks:
        if mark.start < offset:
            continue
        if (
            mark.closes
            or _FORMATTING.fullmatch(mark.name)
            or _WORD.search(text, offset, mark.start)
        ):
            break
        ends = closed.get(mark.name, [])
        place = bisect.bisect_left(ends, mark.end, key=lambda end: end.start)
        end = ends[place] if place < len(ends) else None
        if mark.of_answer:
            return text[mark.end : end.start if end else None].strip()
        if end is None:
            return ""
        if not _WORD.search(text, end.end):
            return text[mark.end : end.start].strip()
        offset = end.end
    return text[offset:].strip()


def split_thoughts(text: str) -> tuple[str, bool]:
    """Split off thoughts, and tell whether they have an end.

    Parameters
    ----------
    text : str
        The answer.

    Returns
    -------
    text : str
        The answer without thoughts.

    unfinished : bool
        Whether it breaks off before its thoughts have ended.

    Examples
    --------
    >>> from sklearn_alchemist.llm._thoughts import split_thoughts
    >>> split_thoughts("[THINK]It could be ham, let me")
    ('', True)
    """
    text = _LAST_TOKENS.sub("", text)
    if "<|channel|>" in text:
        return _of_channels(text)
    if bare := _BARE_CHANNELS.match(text):
        return text[bare.end() :], False
    kept: list[str] = []
    end, opened = 0, None
    for mark in find_marks(text):
        if not mark.of_thoughts:
            continue
        if not mark.closes:
            opened = mark.start if opened is None else opened
        elif opened is not None:
            kept.append(text[end:opened])
            end, opened = mark.end, None
        else:
            kept.clear()
            end = mark.end
    return "".join([*kept, text[end:opened]]), opened is not None


def _of_channels(text: str) -> tuple[str, bool]:
    """Find what was said in the last channel that is not one of thoughts."""
    heads = list(_CHANNEL.finditer(text))
    ends = [*(head.start() for head in heads[1:]), len(text)][: len(heads)]
    said, unfinished = text[: heads[0].start()] if heads else text, False
    for head, end in zip(heads, ends, strict=True):
        content = text[head.end() : end]
        closed = _END_OF_MESSAGE.search(content)
        if _THOUGHTS.search(head[1]):
            unfinished = closed is None
        else:
            said = content[: closed.start()] if closed else content
            unfinished = False
    if heads and not unfinished and all(_THOUGHTS.search(head[1]) for head in heads):
        said = ""
    return said, unfinished
