"""Say why a call failed, whether it may go better later, and whether it is paid."""

import os
import re
import time
from collections.abc import Iterator, Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any

from ._retry import CallFailed

RETRYABLE_STATUS = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})
# How litellm says of an answer that it cannot be read.
_UNREADABLE = re.compile(
    r"Expecting value|Received response|Invalid response object|Received: "
    r"|'choices' that is not a list"
)
# Raised below litellm before a request has left this machine ...
_UNSENT = frozenset({"ConnectError", "ConnectTimeout", "UnsupportedProtocol"})
# ... and where an answer had begun, or nobody knows.
_BROKEN_OFF = frozenset({"DecodingError", "ReadError", "RemoteProtocolError"})


def as_failure(
    error: Exception, *, model: str, where: str, timeout: float
) -> CallFailed:
    """Describe what litellm raised.

    Parameters
    ----------
    error : Exception
        What litellm raised.

    model : str
        Who was asked.

    where : str
        The address, after a space and "at"; empty for the provider's own.

    timeout : float
        Seconds that the call might take.

    Returns
    -------
    failure : CallFailed
        The reason in one line, and what may be done about it.
    """
    status = getattr(error, "status_code", None)
    kinds = {type(cause).__name__ for cause in _causes(error)}
    text = " ".join(without_secrets(str(error)).split())[:300]
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
    exhausted = "insufficient_quota" in text
    return CallFailed(
        reason,
        retryable=(status in RETRYABLE_STATUS or unsent) and not exhausted,
        retry_after=retry_after(_headers(error)),
        sure=unsent or (status is not None and status < 500 and status != 408),
        broken=broken,
    )


def too_late(model: str, where: str, timeout: float) -> CallFailed:
    """Describe that no answer came in time.

    Parameters
    ----------
    model : str
        Who was asked.

    where : str
        The address, after a space and "at"; empty for the provider's own.

    timeout : float
        Seconds that the call might take.

    Returns
    -------
    failure : CallFailed
        A failure that is not worth a second attempt, and may be charged.
    """
    return CallFailed(
        f"{model!r}{where} did not answer within timeout={timeout:g} s: "
        "raise the timeout. The call may have been charged.",
        retryable=False,
        sure=False,
    )


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and what it was raised from."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def without_secrets(text: str) -> str:
    """Blank out keys of the environment that a server repeats.

    Parameters
    ----------
    text : str
        What a server says.

    Returns
    -------
    text : str
        The same without keys, tokens, secrets and passwords.
    """
    for name, value in os.environ.items():
        if name.endswith(("_KEY", "_TOKEN", "_SECRET", "_PASSWORD")) and len(value) > 7:
            text = text.replace(value, "***")
    return text


def _headers(error: Exception) -> Mapping[str, Any]:
    headers = getattr(error, "litellm_response_headers", None)
    if not headers:
        headers = getattr(getattr(error, "response", None), "headers", None)
    return headers or {}


def retry_after(headers: Mapping[str, Any]) -> float | None:
    """Read the header Retry-After, in seconds or as a date.

    Parameters
    ----------
    headers : mapping
        Headers of an answer, with names in lower case.

    Returns
    -------
    seconds : float or None
        At least 0; None where there is no such header, or nobody can read it.

    Examples
    --------
    >>> from sklearn_alchemist.llm._failures import retry_after
    >>> retry_after({"retry-after": "7"}), retry_after({"retry-after": "soon"})
    (7.0, None)
    """
    value = str(headers.get("retry-after", ""))
    try:
        seconds = float(value)
    except ValueError:
        moment = _moment(value)
        if moment is None:
            return None
        # By the server's own clock: ours may be wrong.
        now = _moment(str(headers.get("date", "")))
        seconds = moment - (time.time() if now is None else now)
    return max(0.0, seconds) if seconds == seconds else None


def _moment(text: str) -> float | None:
    """Read a date of HTTP as seconds since the epoch."""
    try:
        date = parsedate_to_datetime(text)
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None
