"""Say what a model costs, and look it up in litellm's table."""

from dataclasses import dataclass

_TOKENS_PER_PRICE = 1_000_000


@dataclass(frozen=True, slots=True)
class Prices:
    """What a model costs.

    Parameters
    ----------
    input, output : float
        Dollars per million tokens of the prompt and of the completion.

    cached : float or None, default=None
        Dollars per million tokens of the prompt that the provider had in its own
        cache; None is `input`.

    Examples
    --------
    >>> from sklearn_alchemist.llm import Prices
    >>> Prices(input=0.15, output=0.60).cost(prompt_tokens=2000, completion_tokens=500)
    0.0006
    """

    input: float
    output: float
    cached: float | None = None

    def cost(
        self, prompt_tokens: int, completion_tokens: int, cached_tokens: int = 0
    ) -> float:
        """Price a call.

        Parameters
        ----------
        prompt_tokens, completion_tokens : int
            Number of tokens.

        cached_tokens : int, default=0
            How many of those of the prompt the provider had in its cache.

        Returns
        -------
        dollars : float
            Cost of the call.
        """
        spent = prompt_tokens * self.input + completion_tokens * self.output
        if self.cached is not None:
            spent += min(cached_tokens, prompt_tokens) * (self.cached - self.input)
        return spent / _TOKENS_PER_PRICE

    @property
    def highest(self) -> "Prices":
        """The same, where a provider may charge more for what it caches than else."""
        if self.cached is None or self.cached <= self.input:
            return self
        return Prices(self.cached, self.output)


def prices_of(model: str, prompt_tokens: int = 1_000) -> Prices | None:
    """Look up what a model costs, in litellm's table.

    Parameters
    ----------
    model : str
        Name of the model.

    prompt_tokens : int, default=1_000
        Length of the prompt; some models ask more for long ones.

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
    from ._provider import load_litellm  # which takes a second

    litellm = load_litellm()
    n_prompt = max(1, prompt_tokens)
    try:
        one, other = litellm.cost_per_token(
            model, prompt_tokens=n_prompt, completion_tokens=1_000
        )
    except Exception:  # litellm raises several types for a model it has no price of
        return None
    return Prices(
        round(one / n_prompt * _TOKENS_PER_PRICE, 9),
        round(other / 1_000 * _TOKENS_PER_PRICE, 9),
    )
