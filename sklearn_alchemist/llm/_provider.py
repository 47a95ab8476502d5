"""Speak to providers through litellm, the only module that imports it."""

import functools
import os
import re
import time
import warnings
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import ModuleType
from typing import Any

from ..exceptions import LLMError
from ._ledger import Prices
from ._model import LLM
from ._question import Completion, Message
from ._retry import CallFailed

RETRYABLE_STATUS = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})
# What servers call that of which they know no `response_format`.
_SCHEMA = re.compile(r"schema|json mode|json_object|structured output|grammar")
# Sent to servers that want some key where the environment holds none.
_NO_KEY = "no-key"


@functools.cache
def load_litellm() -> ModuleType:
    """Import litellm so that it touches neither the network nor a ``.env`` file.

    Returns
    -------
    litellm : module
        The imported package; the first import takes seconds.
    """
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    os.environ.setdefault("LITELLM_MODE", "PRODUCTION")
    import litellm

    litellm.suppress_debug_info = True
    # Said of litellm's own classes when a call builds them: nothing a user can mend.
    warnings.filterwarnings("ignore", r"Item '\w+' on TypedDict class", UserWarning)
    return litellm


def check_access(llm: LLM) -> None:
    """Find out, before anything is spent, whether a model can be asked.

    Parameters
    ----------
    llm : LLM
        The model.

    Raises
    ------
    LLMError
        If litellm does not know the model's provider, or the environment holds no key
        for it.
    """
    if llm.function is not None:
        return
    litellm = load_litellm()
    try:
        litellm.get_llm_provider(llm.model, api_base=llm.address)
    except litellm.exceptions.BadRequestError:
        raise LLMError(
            f"litellm does not know the model {llm.model!r}. Write it as "
            "'provider/model', such as 'openai/gpt-4o-mini' or 'ollama/llama3'; for an "
            "OpenAI-compatible server write 'openai/NAME' and give its api_base."
        ) from None
    if llm.address is not None:
        return  # servers of one's own often want no key
    missing = [
        name
        for name in litellm.validate_environment(llm.model)["missing_keys"]
        # Addresses have defaults, and clouds have other ways to sign in.
        if name.endswith("_API_KEY") and not name.startswith("AZURE_")
    ]
    if missing:
        raise LLMError(
            f"no key for {llm.model!r}: set the environment variable "
            f"{' or '.join(missing)}, or give api_base for a server that needs none."
        )


def dropped_params(llm: LLM) -> list[str]:
    """Find the parameters that litellm leaves out since a provider takes no such.

    Parameters
    ----------
    llm : LLM
        The model.

    Returns
    -------
    names : list of str
        Names of parameters.
    """
    if llm.function is not None:
        return []
    litellm = load_litellm()
    model, provider, *_ = litellm.get_llm_provider(llm.model, api_base=llm.address)
    taken = litellm.get_supported_openai_params(model, provider)
    # What OpenAI does not know is a parameter of the provider's own, and is sent.
    known = set(litellm.constants.OPENAI_CHAT_COMPLETION_PARAMS)
    if taken is None:
        return []
    return [name for name in llm.request_params if name in known - {*taken}]


def prices_of(model: str) -> Prices | None:
    """Look up what a model costs, in litellm's table.

    Parameters
    ----------
    model : str
        Name of the model.

    Returns
    -------
    prices : Prices or None
        Dollars per million tokens; None where the table does not hold the model.

    Examples
    --------
    >>> from sklearn_alchemist.llm import prices_of
    >>> prices_of("a-model-that-nobody-sells") is None
    True
    """
    litellm = load_litellm()
    try:
        one, other = litellm.cost_per_token(
            model, prompt_tokens=1_000_000, completion_tokens=1_000_000
        )
    except Exception:  # litellm raises several types for a model it has no price of
        return None
    return Prices(one, other)


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
    return load_litellm().token_counter(model=model, messages=list(messages))


def call(
    llm: LLM, messages: Sequence[Message], refused: frozenset[str] = frozenset()
) -> Completion:
    """Ask once.

    Parameters
    ----------
    llm : LLM
        The model.

    messages : sequence of mappings
        Chat messages.

    refused : frozenset of str, default=frozenset()
        What the server refuses to be sent: names of parameters, or ``"system"``.

    Returns
    -------
    completion : Completion
        The answer; its text may be empty.

    Raises
    ------
    CallFailed
        If there is no answer.

    CallRefused
        If the server takes no such parameter or no system message.
    """
    if llm.function is not None:
        return _call_function(llm, messages)
    litellm = load_litellm()
    options = without(dict(llm.request_params), refused)
    if llm.address is not None:
        options["api_base"] = llm.address
        missing = litellm.validate_environment(llm.model)["missing_keys"]
        if any(n.endswith("_API_KEY") and n not in os.environ for n in missing):
            options["api_key"] = _NO_KEY
    if "system" in refused:
        messages = _merge_system(messages)
    try:
        response = litellm.completion(
            model=llm.model,
            messages=[dict(message) for message in messages],
            timeout=llm.timeout,
            max_retries=0,
            num_retries=0,
            drop_params=True,
            **options,
        )
    except Exception as error:
        what = refused_part(error, {*options, "system"} - refused)
        if what is not None:
            raise CallRefused(what) from None
        # Without its cause, which may repeat a key.
        raise _as_failure(llm, error) from None
    return _read_response(llm, response)


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
    """Read from an error which part of a request the server does not take.

    Parameters
    ----------
    error : Exception
        What litellm raised.

    sent : set of str
        Names of parameters that can be left out, and ``"system"``.

    Returns
    -------
    what : str or None
        The part that the message names; None where it is about something else.
    """
    if getattr(error, "status_code", None) not in {400, 422}:
        return None
    text = str(error).lower()
    complains = (
        *("support", "unrecognized", "unknown", "not permitted", "not allowed"),
        *("unexpected", "extra inputs", "invalid value", "deprecated"),
    )
    if not any(word in text for word in complains):
        return None
    if "system" in sent and re.search(
        r"system[ _-](role|message|prompt|instruction)|role.{0,20}system"
        r"|developer instruction",
        text,
    ):
        return "system"
    if "response_format" in sent and _SCHEMA.search(text):
        return "response_format"
    droppable = sent - {"api_base", "api_key", "system"}
    named = [n for n in droppable if re.search(rf"(?<!\w){n}(?!\w)", text)]
    # "Use max_completion_tokens instead" names both.
    return min(named, key=text.index, default=None)


def without(options: dict[str, Any], refused: Iterable[str]) -> dict[str, Any]:
    """Leave out of a request what a server refuses.

    Parameters
    ----------
    options : dict
        Parameters of the request.

    refused : iterable of str
        What it refuses.

    Returns
    -------
    options : dict
        The rest; a limit on tokens stays, under its other name.

    Examples
    --------
    >>> from sklearn_alchemist.llm._provider import without
    >>> without({"max_tokens": 9, "temperature": 1}, ["max_tokens", "temperature"])
    {'max_completion_tokens': 9}
    """
    kept = {name: value for name, value in options.items() if name not in refused}
    if "max_tokens" in refused and "max_completion_tokens" not in refused:
        kept.setdefault("max_completion_tokens", options.get("max_tokens"))
        if kept["max_completion_tokens"] is None:
            del kept["max_completion_tokens"]
    return kept


def _merge_system(messages: Sequence[Message]) -> list[Message]:
    """Say in the first message of the user what the system message says."""
    system = [m["content"] for m in messages if m["role"] == "system"]
    rest = [dict(m) for m in messages if m["role"] != "system"]
    if system and rest:
        rest[0]["content"] = "\n\n".join([*system, rest[0]["content"]])
    return list(rest)


def _call_function(llm: LLM, messages: Sequence[Message]) -> Completion:
    assert llm.function is not None
    prompt = "\n\n".join(message["content"] for message in messages)
    try:
        text = llm.function(prompt)
    except Exception as error:
        raise CallFailed(
            f"the function behind {llm.model!r} raised {type(error).__name__}: {error}",
            retryable=False,
        ) from error
    if not isinstance(text, str):
        raise CallFailed(
            f"the function behind {llm.model!r} must return a str; it returned "
            f"{type(text).__name__}.",
            retryable=False,
        )
    return Completion(text=text, model=llm.model, created=_now())


def _read_response(llm: LLM, response: Any) -> Completion:
    """Turn litellm's response into a completion."""
    if not response.choices:
        raise CallFailed(
            f"{llm.model!r} answered without any choice.",
            retryable=True,
            sure=False,
            broken=True,
        )
    choice = response.choices[0]
    usage = getattr(response, "usage", None)
    prompt_tokens = getattr(usage, "prompt_tokens", None)
    completion_tokens = getattr(usage, "completion_tokens", None)
    prices = llm.known_prices or prices_of(llm.model)
    dollars = None
    if prices and prompt_tokens is not None and completion_tokens is not None:
        dollars = prices.cost(prompt_tokens, completion_tokens)
    return Completion(
        # Half a surrogate pair is valid JSON, and nothing that a file can hold.
        text=(choice.message.content or "").encode("utf-8", "replace").decode(),
        model=response.model or llm.model,
        finish_reason=choice.finish_reason,
        prompt_tokens=prompt_tokens,
        completion_tokens=completion_tokens,
        dollars=dollars,
        created=_now(),
    )


def _as_failure(llm: LLM, error: Exception) -> CallFailed:
    """Say what went wrong, and whether it may go better later."""
    litellm = load_litellm()
    status = getattr(error, "status_code", None)
    where = f" at {llm.address}" if llm.address else ""
    text = " ".join(_without_secrets(str(error)).split())[:300]
    if isinstance(error, litellm.exceptions.Timeout):
        reason = (
            f"{llm.model!r}{where} did not answer within timeout={llm.timeout:g} s: "
            "raise the timeout. The call may have been charged."
        )
    elif "Connection error" in text or isinstance(
        error, litellm.exceptions.APIConnectionError
    ):
        reason = f"{llm.model!r}{where} cannot be reached: is the address right and "
        reason += f"the server running? ({text})"
    elif status in {401, 403}:
        reason = f"{llm.model!r}{where} refuses the key of the environment: {text}"
    elif status == 404:
        reason = f"{llm.model!r} is not known{where or ' to its provider'}: {text}"
    elif "Expecting value" in text:
        reason = f"{llm.model!r}{where} answered what is no JSON: {text}"
    else:
        reason = f"{llm.model!r}{where} failed: {text}"
    # What took us too long takes as long again, and may be paid again; a server that
    # says 408 gave up by itself.
    timed_out = isinstance(error, litellm.exceptions.Timeout) and "timed out" in text
    known = status in RETRYABLE_STATUS and not timed_out
    broken = "Expecting value" in text or "Received response" in text
    exhausted = "insufficient_quota" in text
    return CallFailed(
        reason,
        retryable=known and not exhausted,
        retry_after=_retry_after(error),
        sure=status is not None and status < 500 and status != 408,
        broken=broken,
    )


def _without_secrets(text: str) -> str:
    """Blank out keys of the environment that a server repeats."""
    for name, value in os.environ.items():
        if name.endswith(("_KEY", "_TOKEN", "_SECRET")) and len(value) >= 8:
            text = text.replace(value, "***")
    return text


def _retry_after(error: Exception) -> float | None:
    """Read the header Retry-After, in seconds or as a date."""
    headers = getattr(error, "litellm_response_headers", None)
    if not headers:
        headers = getattr(getattr(error, "response", None), "headers", None)
    value = (headers or {}).get("retry-after")
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(value).timestamp() - time.time()
        except ValueError:
            return None
    return max(seconds, 0.0)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")
