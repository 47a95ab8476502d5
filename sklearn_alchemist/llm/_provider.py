"""Speak to providers through litellm, the only module that imports it."""

import contextlib
import functools
import gc
import os
import queue
import sys
import threading
import warnings
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from types import ModuleType, SimpleNamespace
from typing import Any

from ..exceptions import LLMError
from ._answer_text import choices, first_body, reason_of, text_of, unread_body
from ._completion import Completion, Message
from ._failures import (
    SYSTEM,
    CallRefused,
    as_failure,
    merge_system,
    printable,
    refused_part,
    too_late,
    without,
)
from ._model import LLM
from ._pacing import CallFailed
from ._prices import Prices, prices_of

# No answer has more tokens, and SQLite no larger integers.
_MOST_TOKENS = 2**53
# More than any server sends; to read so many takes a tenth of a second.
_MOST_DIGITS = 100_000
# A server that sends now and then a byte outwits the time-outs of HTTP clients, which
# hold for the next byte; these get so much longer to notice by themselves.
_GRACE_SECONDS = 1.0
# Sent to servers that want some key where the environment holds none.
_NO_KEY = "no-key"


# Where well-known providers have their keys; a test compares this with litellm.
_USUAL_KEYS = {
    "openai": ("OPENAI_API_KEY",),
    "anthropic": ("ANTHROPIC_API_KEY",),
    "gemini": ("GOOGLE_API_KEY", "GEMINI_API_KEY"),
    "groq": ("GROQ_API_KEY",),
    "mistral": ("MISTRAL_API_KEY",),
    "deepseek": ("DEEPSEEK_API_KEY",),
    "openrouter": ("OPENROUTER_API_KEY",),
}
# What models are called for which litellm needs no name of a provider.
_USUAL_NAMES = {
    **dict.fromkeys(["gpt-3.5", "gpt-4", "gpt-5"], "openai"),
    **dict.fromkeys(["claude-3", "claude-opus", "claude-sonnet"], "anthropic"),
}
# Variables of proxies, and others of OpenRouter's.
_ELSEWHERE = ("LITELLM_", "USE_LITELLM_", "OR_")

# With these litellm touches neither the network nor a ``.env`` file.
_VARIABLES = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_MODE": "PRODUCTION"}
# So it says where its tokenizers are, which would else be downloaded.
_TOKENIZERS = "TIKTOKEN_CACHE_DIR"


class _Surroundings(contextlib.ContextDecorator):
    """Environment, warning filters and limits as litellm wants them, while it is used.

    Whoever comes first changes them and whoever leaves last restores them, as both
    belong to the process: to the user, and to all threads.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._n_users = 0
        self._variables = _VARIABLES.copy()

    def __enter__(self) -> None:
        with self._lock:
            self._n_users += 1
            if self._n_users > 1:
                return
            names = (*self._variables, _TOKENIZERS)
            self._before = {name: os.environ.get(name) for name in names}
            for name, value in self._variables.items():
                os.environ.setdefault(name, value)
            # A number of thousands of digits is no reason to lose an answer.
            self._digits = sys.get_int_max_str_digits()
            if 0 < self._digits < _MOST_DIGITS:
                sys.set_int_max_str_digits(_MOST_DIGITS)
            self._filters = warnings.catch_warnings()
            self._filters.__enter__()
            # What is said of litellm's own classes when a call builds them.
            for note in (
                r"Items? '.*' on TypedDict class",
                "Pydantic serializer warnings",
            ):
                warnings.filterwarnings("ignore", note, UserWarning)

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._n_users -= 1
            if self._n_users:
                return
            self._filters.__exit__(None, None, None)
            sys.set_int_max_str_digits(self._digits)
            if tokenizers := os.environ.get(_TOKENIZERS):
                self._variables[_TOKENIZERS] = tokenizers
            for name, value in self._before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value


SURROUNDINGS = _Surroundings()


@functools.cache
def load_litellm() -> ModuleType:
    """Import litellm so that it touches neither the network nor a ``.env`` file."""
    collecting = gc.isenabled()
    # Nothing of it becomes garbage: looking for some takes a fifth of the import.
    gc.disable()
    try:
        with SURROUNDINGS:
            import litellm
    finally:
        if collecting:
            gc.enable()
    litellm.suppress_debug_info = True
    return litellm


def check_access(llm: LLM) -> None:
    """Raise LLMError, before anything is spent, where a model cannot be asked."""
    if llm.function is not None:
        return
    if "litellm" not in sys.modules:  # importing it takes seconds
        _check_usual_key(llm)
    _check_with_litellm(llm)


@SURROUNDINGS
def _check_with_litellm(llm: LLM) -> None:
    litellm = load_litellm()
    try:
        _, provider, key, _ = litellm.get_llm_provider(llm.model, api_base=llm.address)
    except litellm.exceptions.BadRequestError:
        raise LLMError(
            f"litellm does not know the model {llm.model!r}. Write it as "
            "'provider/model', such as 'openai/gpt-4o-mini' or 'ollama/llama3'; for an "
            "OpenAI-compatible server write 'openai/NAME' and give its api_base."
        ) from None
    if llm.address is not None:
        return  # servers of one's own often want no key
    if key or litellm.api_key or getattr(litellm, f"{provider}_key", None):
        return  # under another name than it asks for, or set by the user
    missing = [
        name
        for name in litellm.validate_environment(llm.model)["missing_keys"]
        # Addresses have defaults, and clouds have other ways to sign in.
        if name.endswith("_API_KEY") and not name.startswith("AZURE_")
    ]
    if missing:
        raise _no_key(llm, missing)


def _check_usual_key(llm: LLM) -> None:
    """Raise where a well-known provider has no key, without asking litellm."""
    provider, slash, _ = llm.model.partition("/")
    if not slash:
        found = (p for start, p in _USUAL_NAMES.items() if llm.model.startswith(start))
        provider = next(found, "")
    names = _USUAL_KEYS.get(provider)
    if names is None or llm.address is not None:
        return
    # Where anything speaks of the provider or of a proxy, litellm knows what it means.
    beginnings = (*(name.partition("_")[0] + "_" for name in names), *_ELSEWHERE)
    others = (name for name in os.environ if name not in _VARIABLES)
    if not any(name.upper().startswith(beginnings) for name in others):
        raise _no_key(llm, names)


def _no_key(llm: LLM, names: Sequence[str]) -> LLMError:
    return LLMError(
        f"no key for {llm.model!r}: set the environment variable "
        f"{' or '.join(names)}, or give api_base for a server that needs none."
    )


@SURROUNDINGS
def dropped_params(llm: LLM) -> list[str]:
    """Find the parameters that litellm leaves out since a provider takes no such."""
    if llm.function is not None:
        return []
    litellm = load_litellm()
    model, provider, *_ = litellm.get_llm_provider(llm.model, api_base=llm.address)
    # What OpenAI does not know is a parameter of the provider's own, and is sent.
    known = set(litellm.constants.OPENAI_CHAT_COMPLETION_PARAMS)
    params = {n: v for n, v in llm.request_params.items() if n in known}
    translate = functools.partial(
        litellm.utils.get_optional_params,
        model=model,
        custom_llm_provider=provider,
        drop_params=True,
    )
    try:
        sent = translate(**params)
        # What changes nothing of the request is left out, by the provider or by the
        # name of the model; under another name it is sent.
        return [
            name
            for name in params
            if translate(**{n: v for n, v in params.items() if n != name}) == sent
        ]
    except Exception:  # litellm raises several types, and says so again when called
        return []


def count_tokens(messages: Sequence[Message], model: str) -> int:
    """Count the tokens of chat messages, offline.

    Parameters
    ----------
    messages : sequence of mappings
        Chat messages.

    model : str
        Name of the model whose tokenizer counts; an approximation where litellm does
        not have it.

    Returns
    -------
    n_tokens : int
        Number of tokens, the chat format's own included.
    """
    litellm = load_litellm()
    with SURROUNDINGS:
        return litellm.token_counter(model=model, messages=list(messages))


def call(
    llm: LLM, request: Mapping[str, Any], refused: frozenset[str] = frozenset()
) -> Completion:
    """Ask once; raise CallFailed or CallRefused where there is no answer.

    `refused` is what the server is known not to take: parameters, or "system".
    """
    messages: Sequence[Message] = request["messages"]
    if llm.function is not None:
        return _call_function(llm, messages)
    litellm = load_litellm()
    options = without(dict(request["params"]), refused)
    if llm.address is not None:
        options["api_base"] = llm.address
        missing = litellm.validate_environment(llm.model)["missing_keys"]
        if any(n.endswith("_API_KEY") and n not in os.environ for n in missing):
            options["api_key"] = _NO_KEY
    if SYSTEM in refused:
        messages = merge_system(messages)
    where = f" at {llm.address}" if llm.address else ""
    bodies: list[Any] = []
    ask_once = functools.partial(
        litellm.completion,
        logger_fn=lambda details: bodies.append(details.get("original_response")),
        model=llm.model,
        messages=[
            {name: _sendable(text) for name, text in message.items()}
            for message in messages
        ],
        timeout=llm.timeout,
        max_retries=0,
        num_retries=0,
        drop_params=True,
        **options,
    )
    try:
        response = _within(llm.timeout + _GRACE_SECONDS, ask_once)
    except queue.Empty:
        raise too_late(llm.model, where, llm.timeout) from None
    except Exception as error:
        body = first_body(bodies) or unread_body(error)
        if body is not None and choices(body):
            # It came, is paid, and only has a form that litellm does not know.
            return _read_response(llm, None, body)
        what = refused_part(error, {*options, SYSTEM} - refused)
        if what is not None:
            raise CallRefused(what) from None
        failure = as_failure(
            error, model=llm.model, where=where, timeout=llm.timeout, body=body
        )
    else:
        if response is None and SYSTEM not in refused:
            # So litellm ends when its own way to make roles alternate was refused.
            raise CallRefused(SYSTEM)
        return _read_response(llm, response, first_body(bodies))
    # Not where it was caught, as the cause may repeat a key.
    raise failure


def _within(seconds: float, function: Callable[[], Any]) -> Any:
    """Call a function, and leave it to itself once the time is over."""
    outcome: queue.SimpleQueue[tuple[Any, Exception | None]] = queue.SimpleQueue()

    def work() -> None:
        try:
            with SURROUNDINGS, _without_reports():
                outcome.put((function(), None))
        except Exception as error:
            outcome.put((None, error))

    threading.Thread(target=work, name="sklearn_alchemist call", daemon=True).start()
    result, error = outcome.get(timeout=seconds)
    if error is not None:
        raise error
    return result


def _without_reports() -> contextlib.AbstractContextManager[None]:
    """Spare litellm its reports to callbacks, where the user has set none.

    They are a quarter of the CPU seconds of a call, which bound how many a second can
    be sent (benchmarks/throttled.py).
    """
    litellm = load_litellm()
    callbacks = ("callbacks", "success_callback", "failure_callback")
    if any(getattr(litellm, name, None) for name in callbacks):
        return contextlib.nullcontext()
    try:
        from litellm._internal_context import internal_sub_call
    except ImportError:  # no part of what litellm documents
        return contextlib.nullcontext()
    return internal_sub_call()


def _call_function(llm: LLM, messages: Sequence[Message]) -> Completion:
    assert llm.function is not None
    prompt = "\n\n".join(message["content"] for message in messages)
    try:
        text = llm.function(prompt)
    except Exception as error:
        raise CallFailed(
            f"the function behind {llm.model!r} raised {type(error).__name__}: "
            f"{printable(str(error))}",
            retryable=False,
        ) from error
    if not isinstance(text, str):
        raise CallFailed(
            f"the function behind {llm.model!r} must return a str; it returned "
            f"{type(text).__name__}.",
            retryable=False,
        )
    return Completion(text=text, model=llm.model, created=_now())


def _read_response(
    llm: LLM, response: Any, body: Mapping[str, Any] | None
) -> Completion:
    """Turn what litellm returned, or else what the server sent, into a completion."""
    raw = next(iter(choices(body)), None)
    if raw is None and (response is None or not response.choices):
        raise CallFailed(
            f"{llm.model!r} answered without any choice.",
            retryable=True,
            sure=False,
            broken=True,
            kind="answer without any choice",
        )
    if response is None:
        assert raw is not None
        assert body is not None
        message, reason, model = raw["message"], raw.get("finish_reason"), None
        counts = body.get("usage")
        usage: Any = SimpleNamespace(**counts) if isinstance(counts, dict) else None
    else:
        choice = response.choices[0]
        message = choice.message.model_dump()
        # litellm calls "stop" whatever it does not know.
        reason = choice.finish_reason if raw is None else raw.get("finish_reason")
        model, usage = response.model, getattr(response, "usage", None)
    finished = reason_of(reason, "") not in {None, "length"}
    text = text_of(message, finished=finished)
    prompt_tokens = _count(getattr(usage, "prompt_tokens", None), least=1)
    completion_tokens = _count(
        getattr(usage, "completion_tokens", None), least=1 if text else 0
    )
    dollars = None
    if prompt_tokens is not None and completion_tokens is not None:
        dollars = _dollars(llm, usage, prompt_tokens, completion_tokens)
    elif (llm.known_prices or prices_of(llm.model)) == Prices(0, 0):
        dollars = 0.0  # however many they were
    return Completion(
        text=_sendable(text),
        model=_printable_name(str(model or llm.model)),
        finish_reason=reason_of(reason, text),
        prompt_tokens=prompt_tokens,
        completion_tokens=completion_tokens,
        dollars=dollars,
        created=_now(),
    )


def _dollars(
    llm: LLM, usage: Any, prompt_tokens: int, completion_tokens: int
) -> float | None:
    """Price a call: as the user says, else as litellm's table does."""
    details = getattr(usage, "prompt_tokens_details", None)
    if isinstance(details, Mapping):  # of an answer that litellm could not read
        details = SimpleNamespace(**details)
    cached = _count(getattr(details, "cached_tokens", None), least=0) or 0
    if llm.known_prices is not None:
        return llm.known_prices.cost(prompt_tokens, completion_tokens, cached)
    counts: dict[str, Any] = {
        "prompt_tokens": prompt_tokens,
        "completion_tokens": completion_tokens,
    }
    if cached <= prompt_tokens:  # else nobody knows what was counted
        # Besides cached tokens, some have prices for thoughts or for long prompts.
        counts["usage_object"] = usage
    try:
        return max(0.0, sum(load_litellm().cost_per_token(llm.model, **counts)))
    except Exception:  # several types, for a model it has no price of
        return None


@functools.lru_cache(maxsize=64)
def _printable_name(name: str) -> str:
    return printable(name)[:200]


def _sendable(text: str) -> str:
    """Replace half a surrogate pair, which no file and no connection takes."""
    return text.encode("utf-8", "replace").decode()


def _count(value: Any, *, least: int) -> int | None:
    """Read a number of tokens; litellm says 0 where a server counts none."""
    return value if isinstance(value, int) and least <= value < _MOST_TOKENS else None


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")
