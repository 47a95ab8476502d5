"""Repeat what may succeed later, with growing and random pauses."""

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from ..exceptions import LLMError

T = TypeVar("T")

MAX_ATTEMPTS = 5
MAX_PAUSE = 60.0
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
    """

    reason: str
    retryable: bool
    retry_after: float | None = None
    sure: bool = True
    broken: bool = False


def pause_before(attempt: int, retry_after: float | None) -> float:
    """Choose how long to wait before an attempt.

    Parameters
    ----------
    attempt : int
        Number of attempts that have failed.

    retry_after : float or None
        Seconds that the server asks to wait; it is obeyed. 0 leaves it to us.

    Returns
    -------
    seconds : float
        About .5, 1, 2, 4, ... seconds, shortened at random so that clients that
        failed together do not come back together.
    """
    if retry_after:
        return retry_after
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


def with_backoff(call: Callable[[], T], given_up: threading.Event) -> T:
    """Call until it succeeds, or fails in a way that waiting does not mend.

    Parameters
    ----------
    call : callable
        Raises `CallFailed` when it fails.

    given_up : Event
        Shortens the pauses between attempts; `call` then says what it is about.

    Returns
    -------
    result : object
        What `call` returned.

    Raises
    ------
    LLMError
        If the failure is not retryable, the server asks to wait for longer than a
        minute, or five attempts have failed.
    """
    attempt = n_broken = 0
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
            if attempt == MAX_ATTEMPTS:
                raise LLMError(
                    f"{failure.reason} That was attempt {attempt} of {MAX_ATTEMPTS}."
                ) from failure.__cause__
            pause = pause_before(attempt, failure.retry_after)
            if pause > MAX_PAUSE:
                raise LLMError(
                    f"{failure.reason} The server asks to wait {pause:.0f} s: fit "
                    "again later; answers so far are kept in the store."
                ) from failure.__cause__
            wait(pause, given_up)
