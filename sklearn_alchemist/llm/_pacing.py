"""Ask as many at once, and as often again, as a server takes."""

import random
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

from ..exceptions import LLMError

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

    Examples
    --------
    >>> from sklearn_alchemist.llm._pacing import seconds_to_wait
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


T = TypeVar("T")

MAX_ATTEMPTS = 5
# Limits per minute pass within two; longer ones are for another day.
MAX_PAUSE = 120.0
# Seconds that a request waits for a limit to pass while nobody else is answered.
PATIENCE = 150.0
_LONGEST_OWN_PAUSE = 15.0
# An answer that arrived broken is paid, so that asking on and on is no remedy.
MAX_BROKEN = 2


@dataclass
class CallFailed(Exception):  # noqa: N818 -- caught at once, never shown
    """One attempt to ask failed.

    Parameters
    ----------
    reason : str
        What went wrong, in one line.

    retryable : bool
        Whether the same request may succeed later.

    retry_after : float or None, default=None
        Seconds that the server asks to wait.

    sure : bool, default=True
        Whether the server certainly did not charge for it.

    broken : bool, default=False
        Whether an answer arrived that cannot be read.

    throttled : bool, default=False
        Whether it failed for a limit that passes by itself.

    kind : str, default=""
        What went wrong in words that hold nothing of the server, for the log.

    held : float, default=0.0
        Seconds that the call waited before, since others had met a limit.
    """

    reason: str
    retryable: bool
    retry_after: float | None = None
    sure: bool = True
    broken: bool = False
    throttled: bool = False
    kind: str = ""
    held: float = 0.0


def pause_before(attempt: int, retry_after: float | None) -> float:
    """Choose how long to wait after so many failed attempts.

    About .5, 1, 2, 4, ... seconds, shortened at random so that clients that failed
    together do not come back together. Seconds that the server asks to wait are obeyed,
    and exceeded once they have proved too few; 0 leaves it to us.
    """
    if retry_after:
        # Clients that were told the same moment come one after the other.
        own = min(0.5 * 2.0 ** max(0, min(attempt, 30) - 4), _LONGEST_OWN_PAUSE)
        later = min(1.0, retry_after / 20) * random.random()
        return max(retry_after + later, own if attempt > 3 else 0.0)
    return 0.5 * 2.0 ** (attempt - 1) * random.uniform(0.5, 1.0)


def wait(seconds: float, given_up: threading.Event) -> None:
    """Wait, unless nobody needs the answer any more."""
    given_up.wait(seconds)


def with_backoff(
    call: Callable[[], T],
    given_up: threading.Event,
    n_answered: Callable[[], int] = int,
    on_pause: Callable[[CallFailed, int, float], object] = lambda *_: None,
) -> T:
    """Call until it succeeds, or fails in a way that waiting does not mend.

    `given_up` shortens the pauses; `call` then says what it is about. `n_answered`
    counts the answers to other questions: a limit under which others are answered
    passes, and patience begins anew. `on_pause` is told, before each pause, what
    failed, the number of calls that did, and the seconds.
    """
    attempt = n_broken = n_throttled = 0
    waited, seen = 0.0, n_answered()
    while True:
        attempt += 1
        try:
            return call()
        except CallFailed as failure:
            if not failure.retryable:
                raise LLMError(failure.reason) from failure.__cause__
            n_broken += failure.broken
            if n_broken == MAX_BROKEN:
                raise LLMError(
                    f"{failure.reason} That happened {n_broken} times."
                ) from failure.__cause__
            if failure.throttled:
                attempt -= 1
                n_throttled += 1
                waited += failure.held
                if (now := n_answered()) != seen:
                    waited, seen = 0.0, now
                pause = pause_before(n_throttled, failure.retry_after)
                if not failure.retry_after:
                    pause = min(pause, _LONGEST_OWN_PAUSE)
            else:
                pause = pause_before(attempt, failure.retry_after)
            if failure.retry_after and failure.retry_after > MAX_PAUSE:
                raise LLMError(
                    f"{failure.reason} The server asks to wait "
                    f"{failure.retry_after:.0f} s: fit "
                    "again later; answers so far are kept in the store."
                ) from failure.__cause__
            if failure.throttled and waited >= PATIENCE:
                raise LLMError(
                    f"{failure.reason} The limit has not passed in {waited:.0f} s: fit "
                    "again later; answers so far are kept in the store."
                ) from failure.__cause__
            if attempt == MAX_ATTEMPTS:
                raise LLMError(
                    f"{failure.reason} That was attempt {attempt} of {MAX_ATTEMPTS}."
                ) from failure.__cause__
            waited += pause
            on_pause(failure, attempt + n_throttled, pause)
            wait(pause, given_up)


# As many as a plan of programs asks; then twice as many for each round of answers.
START = 10
# As fast as CUBIC (RFC 9438) after a loss: half would leave more of a window unused.
_CUT = 0.7
# Answers that take so much of the time-out, and so much longer than the first ones did,
# wait in a queue of the server's that more questions would only make longer.
_QUEUED_SHARE = 0.25
_QUEUED_TIMES = 2.0
# How often who waits looks whether somebody still needs the answer.
_LOOK_SECONDS = 0.1


class Flow:
    """Let as many questions at once to a server as it answers.

    The number doubles with each round of answers (slow start), is cut where the server
    says that it is asked too often, and from there on grows by one a round, as TCP
    does. While a server asks to wait, nothing is sent. Safe for concurrent threads.

    Parameters
    ----------
    most : int
        Upper bound.

    timeout : float
        Seconds that an answer may take.

    start : int, default=10
        How many are asked at first.

    clock : callable, default=time.monotonic
        Tells seconds.
    """

    def __init__(
        self,
        most: int,
        timeout: float,
        start: int = START,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.limit = float(min(start, most))
        self._most = most
        self._timeout = timeout
        self._clock = clock
        self._threshold = float(most)  # slow start ends here
        self._in_flight = 0
        self._closed_until = 0.0
        self._full_at = self._cut_at = -1.0
        self._went_well = True
        self._first: list[float] = []
        self._said = int(self.limit)
        self._changed = threading.Condition()

    def enter(self, given_up: threading.Event, excused_until: float = 0.0) -> float:
        """Wait until one more question may be sent; return the moment.

        A question that has itself waited for a limit until `excused_until` does not
        wait for it again. It counts as under way until `leave` is called.
        """
        with self._changed:
            while not given_up.is_set():
                now = self._clock()
                closed = self._closed_until - now
                if closed > 0 and self._closed_until > excused_until:
                    self._changed.wait(min(closed, _LOOK_SECONDS))
                elif self._in_flight >= int(self.limit):
                    self._changed.wait(_LOOK_SECONDS)
                else:
                    break
            self._in_flight += 1
            sent = self._clock()
            if self._in_flight >= int(self.limit):
                self._full_at = sent
            return sent

    def leave(self) -> None:
        """Say that a question is no longer under way."""
        with self._changed:
            self._in_flight -= 1
            self._changed.notify()

    def answered(self, sent: float) -> int | None:
        """Learn from an answer, before `leave`; return a limit that has doubled."""
        with self._changed:
            seconds = self._clock() - sent
            self._went_well = True
            if len(self._first) < START:
                self._first.append(seconds)
            usual = sum(self._first) / len(self._first)
            if seconds > max(_QUEUED_SHARE * self._timeout, _QUEUED_TIMES * usual):
                self._threshold = min(self._threshold, self.limit)
                return None
            # What is not made use of says nothing about more.
            if self._full_at < sent:
                return None
            slow_start = self.limit < self._threshold
            self.limit += 1 if slow_start else 1 / self.limit
            self.limit = min(self.limit, float(self._most))
            self._changed.notify()
            if self.limit < 2 * self._said:
                return None
            self._said = int(self.limit)
            return self._said

    def throttled(self, sent: float, pause: float) -> int | None:
        """Send nothing for a while, and fewer at once after it.

        Returns the limit where it was cut: once for all that was under way together.
        """
        with self._changed:
            now = self._clock()
            self._closed_until = max(self._closed_until, now + pause)
            if sent <= self._cut_at:
                return None
            self._cut_at = now
            self.limit = max(1.0, int(self.limit * _CUT))
            if self._went_well:  # else it is the same limit, that has not passed
                self._threshold = self.limit
            self._went_well = False
            self._said = int(self.limit)
            return self._said
