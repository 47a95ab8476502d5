"""Find the text of an answer, wherever a server puts it."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from ._thoughts import split_thoughts

# Why models stop whose answer has come to its end.
_FINISHED = {
    *("stop", "end_turn", "stop_sequence", "eos", "eos_token", "complete", "completed"),
    *("tool_calls", "function_call", "tool_use", "finish", "finished", "done"),
}
_TOO_LONG = {
    *("length", "max_tokens", "max_output_tokens", "max_output", "model_length"),
    *("max_length", "token_limit", "model_context_window_exceeded"),
}
_THOUGHTS = ("reasoning_content", "reasoning", "thinking", "thinking_blocks")


def text_of(message: Mapping[str, Any], *, finished: bool = True) -> str:
    r"""Find the text of a message.

    Parameters
    ----------
    message : mapping
        A message in the form of OpenAI's API: its content may be a text, a list of
        parts, or missing where there are calls of tools or thoughts only.

    finished : bool, default=True
        Whether the answer has come to its end.

    Returns
    -------
    text : str
        The text and what tools are called with; thoughts, marked as such, where there
        is nothing else.

    Examples
    --------
    >>> from sklearn_alchemist.llm._message import text_of
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
    for name in _THOUGHTS:
        if (thoughts := _text(message.get(name), thoughts=True)).strip():
            return _marked(thoughts, finished)
    thoughts = _text(content, thoughts=True)
    if thoughts.strip():
        return _marked(thoughts, finished)
    return _text(message.get("refusal"))


def read_integer(digits: str) -> float:
    """Read a number of any length, of which Python refuses some thousand digits.

    Parameters
    ----------
    digits : str
        Of JSON.

    Returns
    -------
    number : float
        An int where it is no longer than those that count anything.
    """
    return int(digits) if len(digits) < 20 else float(digits)


def join_stream(text: str) -> dict[str, Any] | None:
    r"""Put together what a server sent piece by piece though it was not asked to.

    Parameters
    ----------
    text : str
        Server-sent events, or one JSON object a line.

    Returns
    -------
    body : dict or None
        An answer in the form of OpenAI's API; None where there is no text in it.

    Examples
    --------
    >>> from sklearn_alchemist.llm._message import join_stream
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
        for name in _THOUGHTS:
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


def _marked(thoughts: str, finished: bool) -> str:
    return f"<think>\n{thoughts}" + ("\n</think>" if finished else "")


def reason_of(reason: Any, text: str) -> str | None:
    """Say why an answer ends; what breaks off for no known reason was cut off.

    Parameters
    ----------
    reason : object
        What the server says.

    text : str
        The answer.

    Returns
    -------
    reason : str or None
        Such as ``"stop"`` or ``"length"``.
    """
    said = str(reason).lower()[:40] if reason is not None else ""
    if said in _TOO_LONG:
        return "length"
    if said in _FINISHED or "filter" in said or said in {"safety", "refusal"}:
        return str(reason)[:40]
    return "length" if breaks_off(text) else (str(reason)[:40] if said else None)


def breaks_off(text: str) -> bool:
    """Tell whether a text ends before what it has begun.

    Parameters
    ----------
    text : str
        The answer.

    Returns
    -------
    broken : bool
        Whether thoughts, a fence, JSON or a bracket of code have no end.
    """
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
