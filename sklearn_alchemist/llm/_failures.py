"""Say why a call failed, what a server refuses, and what may be shown of it."""

import base64
import html
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote, quote_plus

from ._completion import Message
from ._pacing import CallFailed, seconds_to_wait

# Besides errors of the server; 498 is how Groq says that it is at its capacity.
RETRYABLE_STATUS = frozenset({408, 409, 425, 429, 498})
# "Not implemented" and "version not supported" stay so.
_FINAL_STATUS = frozenset({501, 505})
# How litellm says of an answer that it cannot be read.
_UNREADABLE = re.compile(
    r"Expecting value|Received response|Invalid response object|Received: "
    r"|'choices' that is not a list"
)
_LIMIT = re.compile(
    r"limit|overload|capacity|throttl|too many|exhausted|try again|busy", re.IGNORECASE
)
_THROTTLED = re.compile(
    r"throttl|rate.?limit|too many requests|requests per minute", re.IGNORECASE
)
_EXHAUSTED = re.compile(
    r"per.?day|daily|monthly|per.?month|billing|credits?\b|balance|payment",
    re.IGNORECASE,
)
_TOO_MUCH = re.compile(r"request too large|reduce (?:the|your)", re.IGNORECASE)
_ADDRESS = re.compile(r"[a-z][a-z+.-]{1,20}://[^\s\"'<>)\]}]+", re.IGNORECASE)
_SECRET = re.compile(
    r"\b(?:sk|pk|rk|hf|gsk|xai|nvapi|pplx|glpat|r8|tgp|fw|csk|co)[-_][\w-]{8,}"
    r"|\bAIza[\w-]{10,}|\bAKIA[A-Z0-9]{8,}|\bghp_\w{8,}|\bgithub_pat_\w+"
    r"|\beyJ[\w-]{8,}\.[\w-]+(?:\.[\w-]+)?"
    r"|(?<=bearer )[^\s\"',]{6,}|(?<=basic )[\w+/=-]{8,}"
    r"|(?<=key=)[^\s\"'&]{6,}|(?<=token=)[^\s\"'&]{6,}"
    # Of a URL: the user and the password.
    r"|(?<![\w@])[\w.+%-]{1,100}:[^\s/@:\"']{3,200}(?=@[\w.-]+)",
    re.IGNORECASE,
)
# Names of headers, fields and parameters whose value is a secret, and the value.
_NAMED_SECRET = re.compile(
    r"(?P<name>(?<![\w-])(?:[a-z0-9]{1,30}[_.-]){0,6}(?:"
    r"(?:api|access|auth|subscription|functions?|account|private|secret|master|service)"
    r"[ _-]?key|apikey|(?:access|auth|api|session|refresh|id|bearer)[ _-]?token"
    r"|secret|passw(?:or)?d|passwd|pwd|authorization|x-auth|cookie|credentials?"
    r"|signature|sig)(?:[_-](?:id|value))?(?:\s+(?:provided|given|used|was|is))?"
    r"[\\\"']{0,4}\s{0,3}(?:=>|[:=])\s{0,3}[\\\"']{0,4}(?:(?:bearer|basic|token)\s+)?)"
    r"(?!(?:missing|invalid|required|null|none|not|must|header|empty|undefined|expired"
    r"|unknown|incorrect|wrong|the|true|false)\b)[^\s\"'\\,&}]{4,}",
    re.IGNORECASE,
)
_SECRET_VARIABLE = re.compile(
    r"(?:KEY|TOKEN|SECRET|PASSWORD|PASSWD|PWD|PAT|CREDENTIALS?)$", re.IGNORECASE
)
# Raised below litellm before a request has left this machine ...
_UNSENT = frozenset({"ConnectError", "ConnectTimeout", "UnsupportedProtocol"})
# ... and where an answer had begun, or nobody knows.
_BROKEN_OFF = frozenset({"DecodingError", "ReadError", "RemoteProtocolError"})


def as_failure(
    error: Exception,
    *,
    model: str,
    where: str,
    timeout: float,
    body: Mapping[str, Any] | None = None,
) -> CallFailed:
    """Describe what litellm raised, and what may be done about it.

    `where` is the address after " at ", empty for the provider's own; `body` the JSON
    that the server answered with, as far as it is known.
    """
    status = getattr(error, "status_code", None)
    kinds = {type(cause).__name__ for cause in _causes(error)}
    words = said_by(error)
    if body is not None and body.get("error"):
        words += " " + json.dumps(body["error"], default=str)  # in a 200
    text = printable(words)[:300]
    broken = _UNREADABLE.search(text) is not None
    unsent = bool(kinds & _UNSENT)
    if "Timeout" in kinds and not unsent:
        # What took us too long takes as long again, and may be paid again; a server
        # that says 408 gave up by itself.
        if "timed out" in text:
            return too_late(model, where, timeout)
        reason = f"{model!r}{where} gave up: {text}"
    elif broken:
        text = text.split(" Traceback ")[0]
        reason = f"{model!r}{where} answered what is no JSON of a completion: {text}"
    elif kinds & _BROKEN_OFF:
        reason = f"{model!r}{where} broke the connection off. ({text})"
    elif unsent or "APIConnectionError" in kinds or "Connection error" in text:
        reason = f"{model!r}{where} cannot be reached: is the address right and "
        reason += f"the server running? ({text})"
    elif status in {401, 403}:
        reason = f"{model!r}{where} refuses the key of the environment: {text}"
    elif status == 404:
        reason = f"{model!r} is not known{where or ' to its provider'}: {text}"
    else:
        reason = f"{model!r}{where} failed: {text}"
    pause = seconds_to_wait(_headers(error), words)
    throttled = status == 429 or (
        (status in {503, 529} and (pause is not None or bool(_LIMIT.search(words))))
        or (status in {400, 403, 498} and bool(_THROTTLED.search(words)))
    )
    # What is used up for the day or the month does not come back by waiting.
    exhausted = "insufficient_quota" in words or (
        throttled and pause is None and bool(_EXHAUSTED.search(words))
    )
    throttled = throttled and not exhausted and not _TOO_MUCH.search(words)
    return CallFailed(
        reason,
        retryable=(_may_pass(status) or unsent or throttled) and not exhausted,
        retry_after=pause,
        throttled=throttled,
        kind=_kind(status, unsent=unsent, broken=broken),
        sure=unsent or (status is not None and status < 500 and status != 408),
        broken=broken,
    )


def _kind(status: Any, *, unsent: bool, broken: bool) -> str:
    """Name a failure without any word of the server."""
    if unsent:
        return "cannot be reached"
    if broken:
        return "answer that cannot be read"
    if isinstance(status, int):
        return f"status {status}"
    return "no answer"


def _may_pass(status: Any) -> bool:
    """Tell whether what a status says may be over when one asks again."""
    if status in RETRYABLE_STATUS:
        return True
    return isinstance(status, int) and status >= 500 and status not in _FINAL_STATUS


def too_late(model: str, where: str, timeout: float) -> CallFailed:
    """Describe that no answer came in time: no reason to try again, maybe charged."""
    return CallFailed(
        f"{model!r}{where} did not answer within timeout={timeout:g} s: "
        "raise the timeout. The call may have been charged.",
        retryable=False,
        sure=False,
        kind="no answer in time",
    )


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and what it was raised from."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def said_by(error: Exception) -> str:
    """Collect what a server says, in the error and in its body."""
    words = str(error)
    body = getattr(error, "body", None)
    if body and str(body) not in words:
        words += " " + (
            body if isinstance(body, str) else json.dumps(body, default=str)
        )
    return words


def printable(text: str) -> str:
    r"""Make safe to show what a server says.

    Examples
    --------
    >>> from sklearn_alchemist.llm._failures import printable
    >>> printable("no key sk-abcdefgh12345678, see\nhttps://a.example/?t=1")
    'no key ***, see (address)'
    """
    text = _ADDRESS.sub("(address)", without_secrets(text[:20_000]))
    text = " ".join(text.split())
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode() for c in text
    )


def without_secrets(text: str) -> str:
    """Blank out keys of the environment that a server repeats."""
    for name, value in os.environ.items():
        if len(value) > 7 and _SECRET_VARIABLE.search(name):
            for written in _ways_to_write(value):
                text = re.sub(re.escape(written), "***", text, flags=re.IGNORECASE)
    return _SECRET.sub("***", _NAMED_SECRET.sub(r"\g<name>***", text))


def _ways_to_write(secret: str) -> list[str]:
    """List how a secret may be repeated: plainly, in URLs, JSON, HTML and base64."""
    ways = {secret, quote(secret, safe=""), quote(secret), quote_plus(secret)}
    ways |= {json.dumps(secret)[1:-1], html.escape(secret)}
    data = secret.encode("utf-8", "replace")
    # Within base64 of more, such as "user:secret", it begins at one of three places;
    # its first and last characters then depend on what is around.
    for before in range(3):
        whole = data[(3 - before) % 3 :]
        whole = whole[: len(whole) // 3 * 3]
        if len(whole) > 5:
            ways |= {
                base64.b64encode(whole).decode(),
                base64.urlsafe_b64encode(whole).decode(),
            }
    ways |= {base64.b64encode(data).decode(), base64.urlsafe_b64encode(data).decode()}
    return sorted(ways, key=len, reverse=True)


def _headers(error: Exception) -> Mapping[str, Any]:
    headers = getattr(error, "litellm_response_headers", None)
    if not headers:
        headers = getattr(getattr(error, "response", None), "headers", None)
    return headers or {}


SYSTEM = "system"
LIMITS = ("max_tokens", "max_completion_tokens")
# What servers call that of which they know no `response_format`.
_SCHEMA = re.compile(r"schema|json mode|json_object|structured output|grammar")
_SYSTEM = re.compile(
    r"system[ _-](role|message|prompt|instruction)|role.{0,20}system"
    r"|developer instruction|only user and assistant roles|roles must alternate"
)
_COMPLAINT = re.compile(
    r"support|unrecognized|unknown|not permitted|not allowed|unexpected|extra inputs"
    r"|invalid value|invalid role|deprecated|must alternate"
)
# Of a limit on tokens: the number is refused, and not the name.
_TOO_LARGE = re.compile(r"too (large|high|many|long)|at most|maximum|exceed")


class CallRefused(Exception):  # noqa: N818 -- caught at once, never shown
    """A server refuses a part of the request, and did not charge for it.

    Parameters
    ----------
    what : str
        Name of the parameter, or ``"system"``.
    """

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


def refused_part(error: Exception, sent: set[str]) -> str | None:
    """Read from an error which part of what was sent the server does not take."""
    if getattr(error, "status_code", None) not in {400, 422}:
        return None
    text = str(error).lower()
    if not _COMPLAINT.search(text):
        return None
    if SYSTEM in sent and _SYSTEM.search(text):
        return SYSTEM
    if "response_format" in sent and _SCHEMA.search(text):
        return "response_format"
    droppable = sent - {"api_base", "api_key", SYSTEM}
    if _TOO_LARGE.search(text):
        droppable -= {*LIMITS}
    named = [n for n in droppable if re.search(rf"(?<!\w){n}(?!\w)", text)]
    # "Use max_completion_tokens instead" names both.
    return min(named, key=text.index, default=None)


def without(options: dict[str, Any], refused: Iterable[str]) -> dict[str, Any]:
    """Leave out of a request what a server refuses.

    Examples
    --------
    >>> from sklearn_alchemist.llm._failures import without
    >>> without({"max_tokens": 9, "temperature": 1}, ["max_tokens", "temperature"])
    {'max_completion_tokens': 9}
    """
    kept = {name: value for name, value in options.items() if name not in refused}
    if "max_tokens" in refused and "max_completion_tokens" not in refused:
        kept.setdefault("max_completion_tokens", options.get("max_tokens"))
        if kept["max_completion_tokens"] is None:
            del kept["max_completion_tokens"]
    return kept


def merge_system(messages: Sequence[Message]) -> list[Message]:
    """Say in the first message of the user what the system message says."""
    system = [m["content"] for m in messages if m["role"] == SYSTEM]
    rest = [dict(m) for m in messages if m["role"] != SYSTEM]
    if system and rest:
        rest[0]["content"] = "\n\n".join([*system, rest[0]["content"]])
    return list(rest)
