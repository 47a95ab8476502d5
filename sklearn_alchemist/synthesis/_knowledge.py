"""Ask for prior knowledge, and find passages of documents that help to answer."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .._utils import as_path, read_prompts, read_text
from ..llm import Completion, Question, without_thoughts
from ._prompts import list_classes, write_knowledge_messages

if TYPE_CHECKING:
    from ._synthesis_config import SynthesisConfig
    from ._task_spec import TaskSpec

CHUNK_SIZE = 1000
OVERLAP = 20
N_CHUNKS = 3
# Every program's question repeats what is known; an answer without end is none.
MAX_KNOWN = 20_000


def read_documents(knowledge: Any) -> list[str]:
    """Read the documents of a user.

    Parameters
    ----------
    knowledge : str, Path, sequence of them, or None
        A str is a text; a Path a text, Markdown or CSV file; None is no document.

    Returns
    -------
    documents : list of str
        Their texts; of a CSV file one line a row, with the names of the columns.

    Raises
    ------
    ValueError, TypeError
        If something is neither, a file cannot be read as text, or all are blank.
    """
    if knowledge is None:
        return []
    items = [knowledge] if isinstance(knowledge, str | Path) else list(knowledge)
    documents = [_read(item) for item in items]
    if not any(document.strip() for document in documents):
        raise ValueError("knowledge holds no text: give documents, or None.")
    return documents


def _read(item: Any) -> str:
    if isinstance(item, str):
        if _names_a_file(item):
            raise ValueError(
                f"knowledge holds the str {item!r}, which is taken for a text, and "
                "there is such a file: write Path(...) to read it."
            )
        return item
    if not isinstance(item, Path):
        raise TypeError(
            "knowledge must hold texts (str) and files (pathlib.Path); got "
            f"{type(item).__name__}."
        )
    try:
        text = read_text(as_path(item))
    except (OSError, ValueError) as error:
        raise ValueError(
            f"the document {str(item)!r} cannot be read: {error}."
        ) from error
    if item.suffix.lower() != ".csv":
        return text
    # The separator is what the line of names holds most of.
    separator = max(",;\t", key=text.split("\n", 1)[0].count)
    try:
        file = io.StringIO(text, newline="")
        rows = list(csv.DictReader(file, delimiter=separator))
    except csv.Error as error:
        raise ValueError(
            f"the document {str(item)!r} is no CSV file: {error}."
        ) from error
    return "\n".join(
        "; ".join(f"{name}: {value}" for name, value in row.items() if name and value)
        for row in rows
    )


def _names_a_file(text: str) -> bool:
    short = len(text) < 200 and "\n" not in text
    return short and Path(text).suffix != "" and Path(text).is_file()


def chunk(text: str, size: int = CHUNK_SIZE, overlap: int = OVERLAP) -> list[str]:
    """Cut a text into passages.

    Parameters
    ----------
    text : str
        The text.

    size : int, default=1000
        Characters of a passage at most.

    overlap : int, default=20
        Characters that a passage repeats of the one before.

    Returns
    -------
    chunks : list of str
        The passages that are not blank.

    Examples
    --------
    >>> from sklearn_alchemist.synthesis._knowledge import chunk
    >>> chunk("abcdef", size=4, overlap=1)
    ['abcd', 'def']
    """
    starts = range(0, max(1, len(text) - overlap), size - overlap)
    pieces = [text[start : start + size] for start in starts]
    return [piece for piece in pieces if piece.strip()]


def retrieve(
    documents: Sequence[str],
    query: str,
    *,
    embedder: Any = None,
    n_chunks: int = N_CHUNKS,
) -> list[str]:
    """Find the passages that are nearest to a query.

    Parameters
    ----------
    documents : sequence of str
        What to search.

    query : str
        What to look for.

    embedder : object with ``encode``, default=None
        Turns a list of texts into vectors. None counts words by TF-IDF.

    n_chunks : int, default=3
        Number of passages.

    Returns
    -------
    passages : list of str
        The nearest first.

    Raises
    ------
    ValueError
        If the embedder does not give one finite vector a text.
    """
    chunks = [piece for document in documents for piece in chunk(document)]
    if not chunks:
        return []
    if embedder is None:
        from sklearn.feature_extraction.text import TfidfVectorizer

        vectorizer = TfidfVectorizer(sublinear_tf=True, token_pattern=r"(?u)\b\w+\b")
        vectors = vectorizer.fit_transform([*chunks, query])  # of length 1
        similarities = (vectors[:-1] @ vectors[-1].T).toarray().ravel()
    else:
        vectors = np.asarray(embedder.encode([*chunks, query]), dtype=float)
        if vectors.ndim != 2 or len(vectors) != len(chunks) + 1:
            raise ValueError(
                f"embedder.encode must give one vector a text, here an array of shape "
                f"({len(chunks) + 1}, n); it gave one of shape {vectors.shape}."
            )
        if not np.isfinite(vectors).all():
            raise ValueError("embedder.encode gave vectors that are not finite.")
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        vectors = vectors / np.where(norms > 0, norms, 1)
        similarities = vectors[:-1] @ vectors[-1]
    nearest = np.argsort(-similarities, kind="stable")
    return [chunks[i] for i in nearest[:n_chunks]]


def read_knowledge(completion: Completion | None) -> str:
    """Read prior knowledge from an answer, as the questions for programs repeat it.

    Parameters
    ----------
    completion : Completion or None
        What was answered; None is nothing.

    Returns
    -------
    known : str
        The answer without thoughts, cut where it has no end.
    """
    if completion is None:
        return ""
    return without_thoughts(completion.text).strip()[:MAX_KNOWN]


def knowledge_questions(spec: "TaskSpec", config: "SynthesisConfig") -> list[Question]:
    """Write what asks for prior knowledge.

    Parameters
    ----------
    spec : TaskSpec
        What the programs are to do.

    config : SynthesisConfig
        How they are to be got.

    Returns
    -------
    questions : list of Question
        One a kind.
    """
    documents = ""
    if config.documents:
        query = f"{spec.task}\n{list_classes(spec)}"
        passages = retrieve(config.documents, query, embedder=config.embedder)
        shown = "\n\n".join(passages)
        told = read_prompts(__package__, "prompts")["documents"]
        documents = told.format(passages=shown)
    return [
        Question(write_knowledge_messages(spec, kind, documents=documents))
        for kind in config.kinds
    ]
