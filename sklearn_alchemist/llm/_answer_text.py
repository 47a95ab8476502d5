"""Find the text of an answer, and tell it from what was thought before."""

import bisect
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# Why models stop whose answer has come to its end.
_FINISHED = {
    *("stop", "end_turn", "stop_sequence", "eos", "eos_token", "complete", "completed"),
    *("tool_calls", "function_call", "tool_use", "finish", "finished", "done"),
}
_TOO_LONG = {
    *("length", "max_tokens", "max_output_tokens", "max_output", "model_length"),
    *("max_length", "token_limit", "model_context_window_exceeded"),
}
_THOUGHT_FIELDS = ("reasoning_content", "reasoning", "thinking", "thinking_blocks")


def text_of(message: Mapping[str, Any], *, finished: bool = True) -> str:
    r"""Find the text of a message in the form of OpenAI's API.

    Thoughts, marked as such, where there is nothing else.

    Examples
    --------
    >>> from sklearn_alchemist.llm._answer_text import text_of
    >>> text_of({"content": [{"type": "text", "text": "spam"}]})
    'spam'
    >>> text_of({"content": None, "reasoning_content": "Is it ham?"})
    '<think>\nIs it ham?\n</think>'
    """
    content = message.get("content")
    pieces = [_text(content)]
    pieces += [_arguments(call) for call in _list(message.get("tool_calls"))]
    if message.get("function_call"):
        pieces.append(_arguments({"function": message["function_call"]}))
    said = [piece for piece in pieces if piece.strip()]
    if said:
        return said[0] if len(said) == 1 else "\n\n".join(said)
    for name in _THOUGHT_FIELDS:
        if (thoughts := _text(message.get(name), thoughts=True)).strip():
            return _marked(thoughts, finished)
    thoughts = _text(content, thoughts=True)
    if thoughts.strip():
        return _marked(thoughts, finished)
    return _text(message.get("refusal"))


def read_integer(digits: str) -> float:
    """Read a number of any length, of which Python refuses some thousand digits."""
    return int(digits) if len(digits) < 20 else float(digits)


def join_stream(text: str) -> dict[str, Any] | None:
    r"""Put together what a server sent piece by piece though it was not asked to.

    Examples
    --------
    >>> from sklearn_alchemist.llm._answer_text import join_stream
    >>> line = 'data: {"choices": [{"delta": {"content": "spam"}}]}'
    >>> join_stream(f"{line}\n\ndata: [DONE]")["choices"][0]["message"]["content"]
    'spam'
    """
    said: dict[str, str] = {}
    reason: Any = None
    usage: Any = None
    for line in text.splitlines():
        line = line.strip().removeprefix("data:").strip()
        if not line.startswith("{"):
            continue
        try:
            piece = json.loads(line, parse_int=read_integer)
        except (ValueError, RecursionError):
            continue
        usage = piece.get("usage") or usage
        choices = _list(piece.get("choices"))
        choice = choices[0] if choices and isinstance(choices[0], Mapping) else piece
        reason = choice.get("finish_reason") or choice.get("done_reason") or reason
        part = choice.get("delta") or choice.get("message") or choice
        if not isinstance(part, Mapping):
            continue
        said["content"] = said.get("content", "") + (
            _text(part.get("content")) or _text(part.get("text"))
        )
        for name in _THOUGHT_FIELDS:
            said[name] = said.get(name, "") + _text(part.get(name), thoughts=True)
        for call in _list(part.get("tool_calls")):
            said["call"] = said.get("call", "") + _arguments(call)
    call = said.pop("call", "")
    message: dict[str, Any] = {n: held for n, held in said.items() if held.strip()}
    if call:
        message["tool_calls"] = [{"function": {"arguments": call}}]
    if not message:
        return None
    choice = {"index": 0, "message": message, "finish_reason": reason}
    return {"choices": [choice], "usage": usage}


def first_body(bodies: Sequence[Any]) -> Mapping[str, Any] | None:
    """Find the JSON that a server answered with, as litellm saw it first."""
    for body in bodies:
        if isinstance(body, str) and body[:1] == "{":
            try:
                body = json.loads(body, parse_int=read_integer)
            except (ValueError, RecursionError):
                continue
        if isinstance(body, Mapping):
            return body
    return None


def unread_body(error: BaseException | None) -> Mapping[str, Any] | None:
    """Find an answer that came as a stream, and so was no JSON as a whole."""
    while error is not None:
        if isinstance(error, json.JSONDecodeError):
            return join_stream(error.doc)
        error = error.__cause__ or error.__context__
    return None


def choices(body: Mapping[str, Any] | None) -> list[Mapping[str, Any]]:
    """Find the choices of an answer in the form of OpenAI's API that say something."""
    choices = body.get("choices") if body is not None else None
    if not isinstance(choices, list) or not choices:
        return []
    first = choices[0]
    if not isinstance(first, Mapping):
        return []
    message = first.get("message")
    if isinstance(message, Mapping) and text_of(message):
        return [first]
    if "message" in first and message is None and body and body.get("usage"):
        return [{**first, "message": {}}]  # nothing was said, and its tokens count
    if isinstance(first.get("text"), str):
        return [{**first, "message": {"content": first["text"]}}]
    return []


def _marked(thoughts: str, finished: bool) -> str:
    return f"<think>\n{thoughts}" + ("\n</think>" if finished else "")


def reason_of(reason: Any, text: str) -> str | None:
    """Say why an answer ends; what breaks off for no known reason was cut off."""
    said = str(reason).lower()[:40] if reason is not None else ""
    if said in _TOO_LONG:
        return "length"
    if said in _FINISHED or "filter" in said or said in {"safety", "refusal"}:
        return str(reason)[:40]
    return "length" if breaks_off(text) else (str(reason)[:40] if said else None)


def breaks_off(text: str) -> bool:
    """Tell whether thoughts, a fence, JSON or a bracket of code have no end."""
    said, unfinished = split_thoughts(text)
    if unfinished:
        return True
    said = said.strip("\ufeff\u200b \t\n")
    fences = re.findall(r"^[ \t]*(?:`{3,}|~{3,})", said, re.MULTILINE)
    if len(fences) % 2:
        return True
    if said[:1] in {"{", "["} and not fences:
        try:
            json.JSONDecoder(parse_int=float, strict=False).raw_decode(said)
        except (ValueError, RecursionError):
            return True
        return False
    lines = said.split("\n")
    if not fences and any(line.lstrip().startswith("def ") for line in lines):
        last = lines[-1].rstrip()
        opened = sum(said.count(c) for c in "([{") - sum(said.count(c) for c in ")]}")
        return opened > 0 or last.endswith((":", ",", "\\", "(", "=", " and", " or"))
    return False


def _text(content: Any, *, thoughts: bool = False) -> str:
    """Join the parts of a content, either what is said or what is thought."""
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    if isinstance(content, Mapping):
        kind = str(content.get("type", "text"))
        is_thought = "think" in kind or "reason" in kind
        if is_thought and not thoughts:
            return ""
        for name in ("text", "content", "thinking", "reasoning", "summary", "value"):
            if content.get(name) is not None:
                return _text(content[name], thoughts=thoughts)
        return "" if "type" in content else json.dumps(content, default=str)
    if isinstance(content, Sequence):
        return "".join(_text(part, thoughts=thoughts) for part in content)
    return str(content) if isinstance(content, int | float) else ""


def _arguments(call: Any) -> str:
    """Find what a tool is called with."""
    if not isinstance(call, Mapping):
        return ""
    function = call.get("function") or call.get("custom") or call
    if not isinstance(function, Mapping):
        return ""
    given = function.get("arguments", function.get("input"))
    if given is None or isinstance(given, str):
        return given or ""
    return json.dumps(given, default=str)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


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
    """Find the marks in an answer, in whatever brackets."""
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

    Examples
    --------
    >>> from sklearn_alchemist.llm._answer_text import last_word
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

    Examples
    --------
    >>> from sklearn_alchemist.llm._answer_text import split_thoughts
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
