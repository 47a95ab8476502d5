"""Ask a language model about single records, and know what that costs."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..llm import LLM, Prices, Usage
from ..zero_shot import Reading, ask_for_labels, find_labels, write_questions
from ._reader_accuracy import NO_ANSWER

# {"label": "..."} and what names a class.
ANSWER_TOKENS = 8
# What a token is without a tokenizer, for English.
_USUAL_TOKENS_PER_BYTE = 0.25
# Records on which tokens are counted.
_N_COUNTED = 20


@dataclass(frozen=True)
class LLMReader:
    """A language model that judges records, each alone.

    Parameters
    ----------
    llm : LLM
        The model, with the caps of one call of an estimator.

    task : str
        What is to be decided.

    classes : dict
        Class -> description, None where there is none; in the order of the codes.

    structured : bool, default=True
        Whether to ask for JSON by a schema.
    """

    llm: LLM
    task: str
    classes: Mapping[Any, str | None]
    structured: bool = True

    @property
    def is_closed(self) -> bool:
        """Whether only stored answers may be used."""
        return self.llm.offline or str(self.llm.store).endswith(".jsonl")

    @property
    def prices(self) -> Prices | None:
        """Prices that are given, or those of litellm's table."""
        if self.llm.known_prices is not None or self.llm.function is not None:
            return self.llm.known_prices
        from ..llm import prices_of

        return prices_of(self.llm.model)

    def ask(self, rows: Sequence[Any]) -> Reading:
        """Ask as far as the budget reaches, or look up what is stored.

        Parameters
        ----------
        rows : sequence
            Texts, or dicts of column to value.

        Returns
        -------
        reading : Reading
            Class indices, -1 where there is no answer, and what they cost.
        """
        if not rows:
            return read_nothing(0)
        asked = (self.llm, self.task, self.classes, rows)
        if self.is_closed:
            return find_labels(*asked, structured=self.structured)
        return ask_for_labels(*asked, structured=self.structured, partial=True)

    def find(self, rows: Sequence[Any]) -> np.ndarray:
        """Look up what the store holds.

        Parameters
        ----------
        rows : sequence
            Texts, or dicts of column to value.

        Returns
        -------
        codes : ndarray of int of shape (n_rows,)
            Class indices, -1 where there is no answer.
        """
        if self.llm.store is False or not rows:
            return np.full(len(rows), NO_ANSWER)
        asked = (self.llm, self.task, self.classes, rows)
        return find_labels(*asked, structured=self.structured).codes

    def n_bytes(self, rows: Sequence[Any]) -> np.ndarray:
        """Measure what is sent for each record.

        Parameters
        ----------
        rows : sequence
            Texts, or dicts of column to value.

        Returns
        -------
        n_bytes : ndarray of int of shape (n_rows,)
            Bytes of the messages.
        """
        _, (around,) = write_questions(self.llm, self.task, self.classes, [[""]])
        n_around = sum(len(message["content"].encode()) for message in around.messages)
        written = [json.dumps(row, ensure_ascii=False) for row in rows]
        sizes = [n_around + len(w.encode("utf-8", "surrogatepass")) for w in written]
        return np.array(sizes, dtype=int)

    def tokens_per_byte(self, rows: Sequence[Any]) -> float:
        """Count tokens of some records, where there is a price to count them for.

        Parameters
        ----------
        rows : sequence
            Texts, or dicts of column to value.

        Returns
        -------
        rate : float
            Tokens of the messages for each of their bytes.
        """
        if not rows or self.prices is None or self.llm.function is not None:
            return _USUAL_TOKENS_PER_BYTE
        from ..llm import count_tokens

        some = list(rows[:: max(1, len(rows) // _N_COUNTED)])
        asked = [[row] for row in some]
        _, questions = write_questions(self.llm, self.task, self.classes, asked)
        n_tokens = sum(count_tokens(q.messages, self.llm.model) for q in questions)
        return n_tokens / float(self.n_bytes(some).sum())

    def dollars(self, rows: Sequence[Any], tokens_per_byte: float) -> np.ndarray:
        """Expect what a call about each record costs.

        Parameters
        ----------
        rows : sequence
            Texts, or dicts of column to value.

        tokens_per_byte : float
            What `tokens_per_byte` gave of such records.

        Returns
        -------
        dollars : ndarray of shape (n_rows,)
            NaN where the price is unknown.
        """
        prices = self.prices
        if prices is None:
            return np.full(len(rows), np.nan)
        tokens = self.n_bytes(rows) * tokens_per_byte
        dollars = [prices.cost(n, ANSWER_TOKENS) for n in tokens]
        return np.array(dollars, dtype=float)

    def worst_case(self, rows: Sequence[Any]) -> float | None:
        """Say what calls could cost if every answer is as long as it may be.

        Parameters
        ----------
        rows : sequence
            Texts, or dicts of column to value.

        Returns
        -------
        dollars : float or None
            None where the price or the longest answer is unknown.
        """
        prices, most = self.prices, self.llm.max_tokens
        if prices is None or most is None:
            return None
        sizes = self.n_bytes(rows).tolist()
        total = sum(prices.highest.cost(n_bytes, most) for n_bytes in sizes)
        cap = self.llm.max_cost
        return total if cap is None else min(total, cap)


def read_nothing(n_rows: int) -> Reading:
    """Make what is known of records that nobody is asked about.

    Parameters
    ----------
    n_rows : int
        Number of records.

    Returns
    -------
    reading : Reading
        Without answers.
    """
    return Reading(
        np.full(n_rows, NO_ANSWER),
        np.full(n_rows, "", dtype=object),
        Usage(),
        np.zeros(n_rows, dtype=bool),
    )
