"""Name a language model and how it is to be asked."""

import json
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from numbers import Integral, Real
from pathlib import Path
from typing import Any, overload
from urllib.parse import parse_qs, urlsplit

from .._utils import as_path
from ._prices import Prices

DEFAULT_PARAMS: Mapping[str, Any] = {"temperature": 0.7, "max_tokens": 4096}

# Set by the client itself; as parameters they would change what an answer is.
RESERVED_PARAMS = frozenset(
    {"api_base", "base_url", "max_retries", "messages", "model", "n", "num_retries"}
    | {"stream", "timeout"}
)
# As a pathlib.Path writes it too, with one slash.
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):/")
_SECRET_NAME = re.compile(
    r"(api|access|account|shared|functions)[_-]?key|(?<!cache)[_-]key$|secret|passw"
    r"|auth(?!or(?!i))|credential|cookie|bearer|signature|token$",
    re.I,
)
_SECRET_VALUE = re.compile(
    r"^\s*(bearer\s|basic\s|sk-[\w-]{8}|gsk_\w{8}|hf_\w{8}|ghp_\w{8}|AIza[\w-]{8}"
    r"|github_pat_|glpat-|nvapi-|pplx-|xai-\w{8}|r8_\w{8}|AKIA\w{8}"
    r"|eyJ[\w-]+\.[\w-]+\.)",
    re.I,
)


@dataclass(frozen=True, kw_only=True, repr=False)
class LLM:
    """A language model, and how it is asked.

    An immutable description: it opens no connection, clones, pickles, and holds no
    secret. Keys are taken from the environment variables that litellm documents for
    the provider (such as ``OPENAI_API_KEY``).

    Parameters
    ----------
    model : str
        Name of the model as litellm writes it, such as ``"openai/gpt-4o-mini"``.

    api_base : str or None, default=None
        Address of an OpenAI-compatible server, such as ``"http://localhost:8000/v1"``.
        None is the provider's own.

    params : dict or None, default=None
        Parameters of the request, such as ``{"temperature": 0}``, on top of
        ``{"temperature": 0.7, "max_tokens": 4096}``; a value of None leaves a
        parameter out. They must be JSON-serialisable.

    timeout : float, default=120.0
        Seconds that one attempt may take.

    n_concurrent : int, default=64
        Most questions that are asked at the same time. How many it takes is found out:
        ten at first, more while all goes well, fewer where the server says that it is
        asked too often, and none while it asks to wait.

    prices : dict or None, default=None
        Dollars per million tokens, as ``{"input": 0.15, "output": 0.60}``; a price
        ``"cached"`` may be added, of tokens of the prompt that the provider had in its
        cache. None looks the model up in litellm's table.

    max_cost : float or None, default=None
        Most dollars that one call of an estimator, such as a fit, may spend, whatever
        it asks and whomever. Needs a known price.

    max_calls : int or None, default=None
        Most calls that one call of an estimator may send, repeated ones included.

    store : str, path, False or None, default=None
        Where answers are kept, so that none is paid twice: the path of a SQLite file on
        a disk of this machine, or a PostgreSQL database that machines share, as
        ``"postgresql://HOST/DATABASE"`` (user and password are taken from ``PGUSER``
        and ``PGPASSWORD``).
        None is the file that ``SKLEARN_ALCHEMIST_STORE`` names, else one in the user's
        cache folder; False keeps nothing. A path that ends in ``.jsonl`` is a file of
        recordings: its answers are used, whoever gave them, and nothing else is asked.

    offline : bool, default=False
        Answer from the store only.

    refresh : bool, default=False
        Use no answer that is older than this object. All that is asked by way of it,
        its copies and its pickles is asked once more, and shared: by the folds of a
        search, and by processes.

    function : callable, default=None
        Answers instead of a provider; see `from_callable`.

    Raises
    ------
    TypeError, ValueError
        If a value makes no sense, or a key, a password or an authorisation header is
        given: secrets belong into the environment.

    Examples
    --------
    >>> from sklearn_alchemist import LLM
    >>> LLM("openai/gpt-4o-mini", params={"temperature": 0}).request_params
    {'temperature': 0, 'max_tokens': 4096}
    """

    model: str = field(kw_only=False)
    api_base: str | None = None
    params: Mapping[str, Any] | None = None
    timeout: float = 120.0
    n_concurrent: int = 64
    prices: Mapping[str, float] | None = None
    max_cost: float | None = None
    max_calls: int | None = None
    store: "str | os.PathLike[str] | bool | None" = None
    offline: bool = False
    refresh: bool = False
    function: Callable[[str], str] | None = field(default=None)
    made: datetime = field(init=False, compare=False)

    def __post_init__(self) -> None:
        if not isinstance(self.model, str) or not self.model.strip():
            raise TypeError(
                "model must be a model name as litellm writes it, such as "
                f"'openai/gpt-4o-mini'; got {self.model!r}."
            )
        object.__setattr__(self, "made", datetime.now(UTC))
        _check_api_base(self.api_base)
        _check_params(self.params)
        if self.store is True or not isinstance(
            self.store, str | os.PathLike | bool | None
        ):
            raise TypeError(f"store must be a path, False or None; got {self.store!r}.")
        if self.store and not isinstance(self.store, bool):
            as_place(self.store)
        _check_number("timeout", self.timeout, Real, positive=True)
        _check_number("n_concurrent", self.n_concurrent, Integral, positive=True)
        if self.max_cost is not None:
            _check_number("max_cost", self.max_cost, Real)
        if self.max_calls is not None:
            _check_number("max_calls", self.max_calls, Integral)
        if self.prices is not None:
            if set(self.prices) - {"cached"} != {"input", "output"}:
                raise ValueError(
                    "prices must be dollars per million tokens as {'input': ..., "
                    "'output': ...}, with 'cached' where cached tokens of a prompt "
                    f"have a price of their own; got {dict(self.prices)!r}."
                )
            for name, price in self.prices.items():
                _check_number(f"prices[{name!r}]", price, Real)

    def __hash__(self) -> int:
        # Of what is equal where models are; parameters are a dict, which has no hash.
        return hash((self.model, self.api_base))

    def __getstate__(self) -> dict[str, Any]:
        # When it was made matters to `refresh` only, and would make equal ones differ
        # to joblib.hash, and with it to Pipeline(memory=...).
        return {
            name: value
            for name, value in vars(self).items()
            if name != "made" or self.refresh
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update({"made": datetime.now(UTC), **state})

    def __deepcopy__(self, memo: dict[int, Any]) -> "LLM":
        # Nothing of it changes, and what a function holds may not be copied.
        return self

    def __repr__(self) -> str:
        changed = [
            f"{f.name}={getattr(self, f.name)!r}"
            for f in fields(self)
            if f.kw_only
            and f.init
            and f.name != "function"
            and getattr(self, f.name) != f.default
        ]
        return f"LLM({', '.join([repr(self.model), *changed])})"

    @classmethod
    def from_callable(
        cls,
        function: Callable[[str], str],
        *,
        name: str | None = None,
        n_concurrent: int = 1,
        **options: Any,
    ) -> "LLM":
        """Wrap a function that answers prompts.

        Parameters
        ----------
        function : callable
            Takes the prompt (str) and returns the answer (str). Must be picklable
            where the estimator is pickled or fitted in several processes.

        name : str or None, default=None
            Identifies the function in the store. Without a name nothing is stored, as
            nobody could tell whose the answers are.

        n_concurrent : int, default=1
            Number of threads that call the function.

        **options : dict
            Other parameters of `LLM`.

        Returns
        -------
        llm : LLM
            A model that calls `function`.

        Raises
        ------
        TypeError
            If `function` is not callable.

        Examples
        --------
        >>> from sklearn_alchemist import LLM
        >>> LLM.from_callable(lambda prompt: "def label(text): return None").model
        'callable/anonymous'
        """
        if not callable(function):
            raise TypeError(f"function must be callable; got {function!r}.")
        if name is None:
            options["store"] = False
        return cls(
            f"callable/{name or 'anonymous'}",
            function=function,
            n_concurrent=n_concurrent,
            **options,
        )

    def having(self, **changes: Any) -> "LLM":
        """Copy with other values, as old as the original.

        Parameters
        ----------
        **changes : dict
            Parameters of `LLM`. Unlike :func:`dataclasses.replace`, a copy with
            `refresh` uses the answers that the original asked for.

        Returns
        -------
        llm : LLM
            The copy.
        """
        copy = replace(self, **changes)
        object.__setattr__(copy, "made", self.made)
        return copy

    def less(self, dollars: float, calls: int) -> "LLM":
        """Copy with caps that are lowered by what was spent before.

        Parameters
        ----------
        dollars : float
            What was paid.

        calls : int
            How many calls were made.

        Returns
        -------
        llm : LLM
            The copy; without caps it is the same.
        """
        changes: dict[str, Any] = {}
        if self.max_cost is not None:
            changes["max_cost"] = max(self.max_cost - dollars, 0.0)
        if self.max_calls is not None:
            changes["max_calls"] = max(self.max_calls - calls, 0)
        return self.having(**changes) if changes else self

    @property
    def request_params(self) -> dict[str, Any]:
        """The parameters sent with every question, defaults included."""
        merged = {**DEFAULT_PARAMS, **(self.params or {})}
        return {name: value for name, value in merged.items() if value is not None}

    @property
    def max_tokens(self) -> int | None:
        """Most tokens that an answer may have, None where nothing limits them."""
        params = self.request_params
        limits = [params.get(n) for n in ("max_tokens", "max_completion_tokens")]
        return max((n for n in limits if isinstance(n, int)), default=None)

    @property
    def address(self) -> str | None:
        """Where questions are sent: `api_base`, or what the environment names.

        None is the provider's own address.
        """
        base = self.api_base
        if base is None and self.function is None:
            base = next(filter(None, map(os.environ.get, self._address_names())), None)
        return None if base is None else base.rstrip("/")

    def _address_names(self) -> list[str]:
        """Environment variables that litellm reads an address from."""
        provider, slash, _ = self.model.partition("/")
        if not slash:
            provider = "anthropic" if self.model.startswith("claude") else "openai"
        name = provider.upper().replace("-", "_")
        return [f"{name}_API_BASE", f"{name}_BASE_URL"]

    @property
    def newer_than(self) -> datetime | None:
        """From when on answers may be used, None for all."""
        return self.made if self.refresh else None

    @property
    def known_prices(self) -> Prices | None:
        """The prices given by the user, None where litellm's table decides."""
        return None if self.prices is None else Prices(**self.prices)


def as_place(store: "str | os.PathLike[str]") -> Path | str:
    """Take where answers are kept: a path, or the address of a PostgreSQL server."""
    text = os.fspath(store)
    if not isinstance(text, str) or not (scheme := _SCHEME.match(text)):
        return as_path(store)
    kind = scheme[1].lower()
    written = text.startswith("//", len(kind) + 1)
    if kind not in {"postgresql", "postgres"} or not written:
        raise ValueError(
            "store must be a path, or an address as 'postgresql://HOST/DATABASE', "
            f"given as a str; got {type(store).__name__} that begins with '{kind}:'."
        )
    try:
        parts = urlsplit(text)
        secret = parts.password is not None
    except ValueError as error:
        raise ValueError(f"store is no address of a database: {error}.") from None
    if secret or any(_SECRET_NAME.search(name) for name in parse_qs(parts.query)):
        raise ValueError(
            "store may hold no password: set the environment variables PGUSER and "
            "PGPASSWORD, or write a .pgpass file."
        )
    return text


def _check_number(name: str, value: Any, kind: type, *, positive: bool = False) -> None:
    # NaN fails both comparisons, so it is refused with the rest.
    fits = isinstance(value, kind) and not isinstance(value, bool)
    if not fits or not (value > 0 if positive else value >= 0):
        what = "a whole number" if kind is Integral else "a number"
        bound = "above 0" if positive else "of at least 0"
        raise ValueError(f"{name} must be {what} {bound}; got {value!r}.")


def _check_api_base(api_base: Any) -> None:
    if api_base is None:
        return
    parts = urlsplit(api_base) if isinstance(api_base, str) else None
    if parts is None or parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError(
            "api_base must be an http(s) address, such as 'http://localhost:8000/v1'; "
            f"got {type(api_base).__name__}."
        )
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise ValueError(
            "api_base must hold no user name, password or query: secrets are taken "
            "from environment variables, see the litellm page of your provider."
        )


def _check_params(params: Any) -> None:
    if params is None:
        return
    if not isinstance(params, Mapping):
        raise TypeError(f"params must be a dict; got {type(params).__name__}.")
    if reserved := RESERVED_PARAMS.intersection(params):
        raise ValueError(
            f"params may not hold {sorted(reserved)}: they are set by LLM itself."
        )
    _refuse_secrets(params, "params")
    try:
        json.dumps(params)
    except (TypeError, ValueError) as error:
        raise TypeError(f"params must be JSON-serialisable: {error}.") from None


def _refuse_secrets(value: Any, where: str) -> None:
    """Raise if a name or a value below `value` looks like a secret."""
    if isinstance(value, Mapping):
        for name, item in value.items():
            if item is not None and _SECRET_NAME.search(str(name)):
                raise ValueError(
                    f"{where} may not hold {name!r}: put the secret into the "
                    "environment variable that litellm reads for your provider "
                    "(such as OPENAI_API_KEY)."
                )
            _refuse_secrets(item, f"{where}[{name!r}]")
    elif isinstance(value, list | tuple):
        for item in value:
            _refuse_secrets(item, where)
    elif isinstance(value, str) and _SECRET_VALUE.match(value):
        raise ValueError(
            f"{where} looks like a secret: put it into the environment variable that "
            "litellm reads for your provider."
        )


@overload
def as_llm(llm: str | LLM) -> LLM: ...


@overload
def as_llm(llm: str | LLM | None) -> LLM | None: ...


def as_llm(llm: str | LLM | None) -> LLM | None:
    """Take the name of a model for the model.

    Parameters
    ----------
    llm : str, LLM or None
        What the user gave.

    Returns
    -------
    llm : LLM or None
        The model.
    """
    return LLM(llm) if isinstance(llm, str) else llm


def as_authors(llm: Any) -> tuple[LLM, ...]:
    """Take names of models for the models that write programs.

    Parameters
    ----------
    llm : str, LLM, sequence of them, or None
        What the user gave.

    Returns
    -------
    authors : tuple of LLM
        The models; none for None.

    Raises
    ------
    ValueError, TypeError
        If a list is empty, or holds what is no model.
    """
    if llm is None:
        return ()
    given = [llm] if isinstance(llm, str | LLM) else list(llm)
    if not given:
        raise ValueError("llm is an empty list: give one model at least, or None.")
    for one in given:
        if not isinstance(one, str | LLM):
            raise TypeError(
                f"llm must hold names of models or LLMs; got {type(one).__name__}."
            )
    return tuple(as_llm(one) for one in given)
