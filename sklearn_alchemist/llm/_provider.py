"""Speak to providers through litellm, the only module that imports it."""

import functools
import os
import time
import warnings
from collections.abc import Sequence
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
        litellm.get_llm_provider(llm.model, api_base=llm.api_base)
    except litellm.exceptions.BadRequestError:
        raise LLMError(
            f"litellm does not know the model {llm.model!r}. Write it as "
            "'provider/model', such as 'openai/gpt-4o-mini' or 'ollama/llama3'; for an "
            "OpenAI-compatible server write 'openai/NAME' and give its api_base."
        ) from None
    if llm.api_base is not None:
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


def call(llm: LLM, messages: Sequence[Message]) -> Completion:
    """Ask once.

    Parameters
    ----------
    llm : LLM
        The model.

    messages : sequence of mappings
        Chat messages.

    Returns
    -------
    completion : Completion
        The answer; its text may be empty.

    Raises
    ------
    CallFailed
        If there is no answer.
    """
    if llm.function is not None:
        return _call_function(llm, messages)
    litellm = load_litellm()
    options: dict[str, Any] = dict(llm.request_params)
    if llm.api_base is not None:
        options["api_base"] = llm.api_base
        missing = litellm.validate_environment(llm.model)["missing_keys"]
        if any(n.endswith("_API_KEY") and n not in os.environ for n in missing):
            options["api_key"] = _NO_KEY
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
        # Without its cause, which may repeat a key.
        raise _as_failure(llm, error) from None
    return _read_response(llm, response)


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
            f"{llm.model!r} answered without any choice.", retryable=True, sure=False
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
    where = f" at {llm.api_base}" if llm.api_base else ""
    text = " ".join(_without_secrets(str(error)).split())[:300]
    if isinstance(error, litellm.exceptions.Timeout):
        reason = (
            f"{llm.model!r}{where} did not answer within timeout={llm.timeout:g} s."
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
    else:
        reason = f"{llm.model!r}{where} failed: {text}"
    known = status in RETRYABLE_STATUS
    exhausted = "insufficient_quota" in text
    return CallFailed(
        reason,
        retryable=known and not exhausted,
        retry_after=_retry_after(error),
        sure=status is not None and status < 500 and status != 408,
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
    return datetime.now(UTC).isoformat(timespec="seconds")
