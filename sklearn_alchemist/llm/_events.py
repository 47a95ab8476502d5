"""Tell what happens while models are asked: to the log, and to hooks that count."""

import logging
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Literal

from ._failures import printable

Kind = Literal[
    "found",
    "claimed",
    "awaited",
    "reserved",
    "charged",
    "answered",
    "adjusted",
    "retried",
    "throttled",
    "refused",
    "unwritten",
    "failed",
]
Hook = Callable[["Event"], object]

logger = logging.getLogger(__package__)

# What happens at every call is for those who look for something.
_LEVELS: dict[Kind, int] = {
    "found": logging.INFO,
    "claimed": logging.DEBUG,
    "awaited": logging.DEBUG,
    "reserved": logging.DEBUG,
    "charged": logging.INFO,
    "answered": logging.DEBUG,
    "adjusted": logging.DEBUG,
    "retried": logging.INFO,
    "throttled": logging.INFO,
    "refused": logging.INFO,
    "unwritten": logging.WARNING,
    "failed": logging.WARNING,
}
_hooks: tuple[Hook, ...] = ()
_lock = threading.Lock()


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened while a model was asked.

    It holds no prompt, no answer, no key, no address and no text of a server.

    Parameters
    ----------
    kind : str
        ``"found"``: the store holds answers; ``"claimed"``: the right to ask a
        question was got from the store; ``"awaited"``: somebody else is asking it;
        ``"reserved"``: the worst case of a call was set aside; ``"charged"``: a call
        gave no answer and may be paid; ``"answered"``: an answer was paid and is kept;
        ``"adjusted"``: more or fewer questions are asked at the same time;
        ``"retried"`` and ``"throttled"``: a call failed, for a limit or for else, and
        is repeated after a pause; ``"refused"``: the server does not take a part of the
        request, which is left out; ``"unwritten"``: an answer could not be kept;
        ``"failed"``: a question stays without an answer.

    model : str
        Name of the model that is asked.

    question : str, default=""
        First twelve digits of the key of the question in the store.

    reason : str, default=""
        Why, in a few words of this package.

    n : int or None, default=None
        How many: answers found; calls that failed so far; questions at the same time.

    seconds : float or None, default=None
        How long: the pause before the next call; what an answer took.

    dollars : float or None, default=None
        What is set aside, may be charged, or was paid; None where nobody knows.

    tokens : int or None, default=None
        Tokens of the prompt and of the answer, None where nobody counted.
    """

    kind: Kind
    model: str
    question: str = ""
    reason: str = ""
    n: int | None = None
    seconds: float | None = None
    dollars: float | None = None
    tokens: int | None = None

    def __str__(self) -> str:
        said: list[str] = [self.kind]
        said += [f"n={self.n}"] * (self.n is not None)
        said += [f"seconds={self.seconds or 0:.3g}"] * (self.seconds is not None)
        said += [f"dollars={self.dollars or 0:.6f}"] * (self.dollars is not None)
        said += [f"tokens={self.tokens}"] * (self.tokens is not None)
        said += [f"question={self.question}"] * bool(self.question)
        said += [f"({self.reason})"] * bool(self.reason)
        return f"{self.model}: {' '.join(said)}"


def set_on_event_hooks(hooks: Iterable[Hook]) -> None:
    """Choose what is called with everything that happens while models are asked.

    Hooks are called in the thread in which it happens, so that they have to be quick
    and safe for threads. What a hook raises is logged and loses no answer. They belong
    to this process; workers that it starts have none.

    Parameters
    ----------
    hooks : iterable of callable
        Called with an `Event` each, in this order; they replace those of before.

    Raises
    ------
    TypeError
        If they are no list, or one of them cannot be called.

    Examples
    --------
    Count the calls that met a limit:

    >>> from collections import Counter
    >>> from sklearn_alchemist import llm
    >>> counts = Counter()
    >>> llm.set_on_event_hooks([lambda event: counts.update([event.kind])])
    >>> len(llm.get_on_event_hooks())
    1
    >>> llm.set_on_event_hooks([])
    """
    global _hooks
    if not isinstance(hooks, Iterable):
        raise TypeError(f"hooks must be a list of callables, as [hook]; got {hooks!r}.")
    chosen = tuple(hooks)
    for hook in chosen:
        if not callable(hook):
            raise TypeError(f"hooks must be callable; got {hook!r}.")
    with _lock:
        _hooks = chosen


def get_on_event_hooks() -> tuple[Hook, ...]:
    """Tell what `set_on_event_hooks` chose.

    Returns
    -------
    hooks : tuple of callable
        In the order in which they are called.
    """
    return _hooks


def is_heard(kind: Kind) -> bool:
    """Tell whether anybody wants to know what happens."""
    return bool(_hooks) or logger.isEnabledFor(_LEVELS[kind])


def tell(event: Event) -> None:
    """Log an event and call the hooks, whatever these raise."""
    # Names of models and of parameters are the user's, and may hold what they should
    # not.
    model, reason = printable(event.model), printable(event.reason)
    event = replace(event, model=model, reason=reason)
    for hook in _hooks:
        try:
            hook(event)
        except Exception as error:  # a broken counter is no reason to lose an answer
            _log(
                logging.ERROR,
                "a hook for events raised %s: it is passed over, answers are kept",
                type(error).__name__,
            )
    _log(_LEVELS[event.kind], "%s", event)


def _log(level: int, message: str, told: Event | str) -> None:
    """Log, unless nobody set logging up; a broken handler loses no answer either."""
    try:
        # Without any handler, logging would print to stderr what it thinks is grave.
        if logger.isEnabledFor(level) and logger.hasHandlers():
            extra = {"event": told} if isinstance(told, Event) else None
            logger.log(level, message, told, extra=extra)
    except Exception:
        pass
