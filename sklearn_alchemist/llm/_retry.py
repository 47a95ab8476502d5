"""Repeat what may succeed later, with growing and random pauses."""

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from ..exceptions import LLMError

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
    """Choose how long to wait before an attempt.

    Parameters
    ----------
    attempt : int
        Number of attempts that have failed.

    retry_after : float or None
        Seconds that the server asks to wait; they are obeyed, and exceeded once they
        have proved too few. 0 leaves it to us.

    Returns
    -------
    seconds : float
        About .5, 1, 2, 4, ... seconds, shortened at random so that clients that
        failed together do not come back together.
    """
    if retry_after:
        # Clients that were told the same moment come one after the other.
        own = min(0.5 * 2.0 ** max(0, min(attempt, 30) - 4), _LONGEST_OWN_PAUSE)
        later = min(1.0, retry_after / 20) * random.random()
        return max(retry_after + later, own if attempt > 3 else 0.0)
    return 0.5 * 2.0 ** (attempt - 1) * random.uniform(0.5, 1.0)


def wait(seconds: float, given_up: threading.Event) -> None:
    """Wait, unless nobody needs the answer any more.

    Parameters
    ----------
    seconds : float
        How long.

    given_up : Event
        Ends the wait.
    """
    given_up.wait(seconds)


def with_backoff(
    call: Callable[[], T],
    given_up: threading.Event,
    n_answered: Callable[[], int] = int,
    on_pause: Callable[[CallFailed, int, float], object] = lambda *_: None,
) -> T:
    """Call until it succeeds, or fails in a way that waiting does not mend.

    Parameters
    ----------
    call : callable
        Raises `CallFailed` when it fails.

    given_up : Event
        Shortens the pauses between attempts; `call` then says what it is about.

    n_answered : callable, default=int
        Counts the answers to other questions; by default there are none. A limit under
        which others are answered passes, and patience begins anew.

    on_pause : callable, default does nothing
        Called before each pause with what failed, the number of calls that did, and the
        seconds.

    Returns
    -------
    result : object
        What `call` returned.

    Raises
    ------
    LLMError
        If the failure is not retryable, the server asks to wait for longer than two
        minutes, five attempts have failed, or a limit has not passed for anybody in two
        and a half minutes.
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
