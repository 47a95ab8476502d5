"""Find out how many questions a server answers at the same time."""

import threading
import time
from collections.abc import Callable

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
        """Wait until one more question may be sent.

        Parameters
        ----------
        given_up : Event
            Ends the wait.

        excused_until : float, default=0.0
            Moment until which this question has itself waited for a limit.

        Returns
        -------
        sent : float
            When it may be sent, to be given to `answered` or `throttled`. It counts as
            under way until `leave` is called.
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
        """Learn from an answer; called before `leave`.

        Parameters
        ----------
        sent : float
            When the question was sent.

        Returns
        -------
        limit : int or None
            How many may be asked at once, where that has about doubled.
        """
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

        Parameters
        ----------
        sent : float
            When the question was sent that met a limit.

        pause : float
            Seconds for which nothing is to be sent.

        Returns
        -------
        limit : int or None
            How many may be asked at once, where that was cut: once for all that was
            under way at the same time.
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
