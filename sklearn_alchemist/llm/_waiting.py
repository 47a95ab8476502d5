"""Read how long a server asks to wait, in all the ways in which servers say it."""

import re
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_PART = re.compile(
    r"(\d{1,12}(?:\.\d{1,12})?)\s*(ms|milliseconds?|msecs?|s|secs?|seconds?"
    r"|m|mins?|minutes?|h|hrs?|hours?|d|days?)(?![a-z])"
    r"|(\d{1,12}(?:\.\d{1,12})?)(ms|s|m|h|d)(?=\d)",
    re.IGNORECASE,
)
_GAP = re.compile(r"[\s,]*(?:and\s+)?")
_NUMBER = re.compile(r"-?\d{1,15}(?:\.\d{1,15})?")
# "Please try again in 20s", "retry after 12 seconds", "retryDelay": "34s".
_WORDS = re.compile(
    r"(?:try(?:ing)? again|retry|wait(?:ing)?|resets?|available|back ?off)"
    r"(?P<key>[ _-]?(?:after|delay|in)?[ _-]?(?:ms|milliseconds|seconds|secs)?"
    r"[\"']?\s*[:=]\s*[\"']?)?[^\d\n{}]{0,40}?"
    r"(?P<value>\d[\dT:.+Z-]{0,40}[^\d\n]?(?:[\w.]|[ ,](?=[\d\w]))*)",
    re.IGNORECASE,
)
_A_MINUTE = re.compile(r"\b(?:in|after|wait) (?:a|one) minute\b", re.IGNORECASE)
_RESET = re.compile(r"rate-?limit.*reset|reset.*rate-?limit|ratelimit")
# A reset further away than that is that of another limit, or tells when all of a limit
# is back, of which a part comes back sooner: it is no reason not to try.
_MINUTES = 120.0
# Nor does what is used up come back before that.
_AN_HOUR = 3600.0


def seconds_to_wait(headers: Mapping[str, Any], text: str = "") -> float | None:
    """Find how long a server asks to wait.

    Parameters
    ----------
    headers : mapping
        Headers of an answer, with names in lower case.

    text : str, default=""
        What the server says.

    Returns
    -------
    seconds : float or None
        More than 0; None where it does not say, or nobody can read it.

    Examples
    --------
    >>> from sklearn_alchemist.llm._waiting import seconds_to_wait
    >>> seconds_to_wait({"retry-after": "7"})
    7.0
    >>> seconds_to_wait({}, "Rate limit reached. Please try again in 1m2.5s.")
    62.5
    """
    said = {str(name).lower(): str(value).strip() for name, value in headers.items()}
    # By the server's own clock: ours may be wrong.
    now = _moment(said.get("date", ""))
    now = time.time() if now is None else now
    for name, value in said.items():
        if name.endswith(("retry-after-ms", "retry-after-milliseconds")):
            found = _seconds(value, now, unit=0.001)
            if found:
                return found
    for name, value in said.items():
        if name.endswith(("retry-after", "reset-after")):
            found = _seconds(value, now)
            if found:
                return found
    spent: list[float] = []
    unknown: list[float] = []
    unspent: list[float] = []
    for name, value in said.items():
        if "reset" not in name or not _RESET.search(
            name.replace("rate-limit", "ratelimit")
        ):
            continue
        found = _seconds(value, now)
        if not found:
            continue
        left = said.get(name.replace("reset", "remaining"))
        if left is None:
            unknown.append(found)
        else:
            (spent if _is_zero(left) else unspent).append(found)
    if spent and not _MINUTES < max(spent) <= _AN_HOUR:
        return max(spent)
    if words := _said_in_words(text[:20_000], now):
        return words
    for resets in (spent, unknown, unspent):
        if near := [seconds for seconds in resets if seconds <= _MINUTES]:
            return max(near)
    return None


def _is_zero(text: str) -> bool:
    try:
        return float(text) <= 0
    except ValueError:
        return False


def _said_in_words(text: str, now: float) -> float | None:
    """Read the longest wait that an error tells."""
    found = []
    for match in _WORDS.finditer(text):
        key = (match["key"] or "").lower()
        unit = 0.001 if "ms" in key or "milli" in key else 1.0
        after = re.match(r"(?:try again|retry) ?after", match[0], re.IGNORECASE)
        value = match["value"]
        seconds = _duration(value)
        if seconds is None and (key or after or "T" in value or ":" in value):
            plain = _NUMBER.match(value)
            moment = re.match(r"\d{4}-\d\d-\d\d[T ][\d:.]+(?:Z|[+-]\d\d:?\d\d)?", value)
            if moment:
                seconds = _seconds(moment[0], now)
            elif plain:
                seconds = _seconds(plain[0], now, unit=unit)
        if seconds and seconds > 0:
            found.append(seconds)
    if not found and _A_MINUTE.search(text):
        return 60.0
    return max(found, default=None)


def _seconds(text: str, now: float, unit: float = 1.0) -> float | None:
    """Read a duration, a moment, or a bare number, which may be either."""
    if _NUMBER.fullmatch(text):
        number = float(text)
        if number > 1e11:
            number = (number / 1000 - now) / unit
        elif number > 1e9:
            number = (number - now) / unit
        return number * unit if number > 0 else None
    seconds = _duration(text, whole=True)
    if seconds is None:
        moment = _moment(text)
        seconds = None if moment is None else moment - now
    return seconds if seconds is not None and seconds > 0 else None


def _duration(text: str, *, whole: bool = False) -> float | None:
    """Read a duration such as "6m0s", "350ms" or "1 minute and 2 seconds"."""
    place, total, found = 0, 0.0, False
    while part := _PART.match(text, place):
        number, name = part[1] or part[3], (part[2] or part[4]).lower()
        unit = "ms" if name.startswith(("ms", "milli")) else name[0]
        total += float(number) * _UNITS[unit]
        found = True
        gap = _GAP.match(text, part.end())
        place = gap.end() if gap else part.end()
    if not found or (whole and text[place:].strip()):
        return None
    return total


def _moment(text: str) -> float | None:
    """Read a date of HTTP or of ISO 8601 as seconds since the epoch."""
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        # RFC 3339 allows more digits than Python reads.
        text = re.sub(r"(\.\d{6})\d+", r"\1", text.strip())
        try:
            date = datetime.fromisoformat(text)
        except ValueError:
            return None
    try:
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None
