"""Keep embeddings on disk, under the content of an image and the model."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import ClassVar

import numpy as np

from .._utils import Database, has_table

_LOOK_UP = 500  # names in one SELECT; SQLite takes 999 in old versions


class EmbeddingCache(Database):
    """Embeddings in a SQLite file.

    Several threads and processes may use it at the same time; it opens the file when
    it is used and holds no connection, so that it can be copied and pickled. A file
    that may be read but not written, such as one that others share, is read only.

    Parameters
    ----------
    path : str or path
        The file; it is made, readable for its owner only, where there is none.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from sklearn_alchemist.images import EmbeddingCache
    >>> cache = EmbeddingCache(Path(tempfile.mkdtemp()) / "embeddings.sqlite")
    >>> cache.save("model", {"image": np.array([0.5, 1.0])})
    >>> cache.find("model", ["image", "other"])
    {'image': array([0.5, 1. ], dtype=float32)}
    """

    schema: ClassVar[str] = """
    CREATE TABLE IF NOT EXISTS embeddings (
        model TEXT, content TEXT, embedding BLOB, PRIMARY KEY (model, content)
    ) WITHOUT ROWID
    """

    def __init__(self, path: "str | os.PathLike[str]") -> None:
        super().__init__(Path(path).expanduser())

    def find(self, model: str, contents: Iterable[str]) -> dict[str, np.ndarray]:
        """Look embeddings up.

        Parameters
        ----------
        model : str
            Identifies the model.

        contents : iterable of str
            Identify the images.

        Returns
        -------
        embeddings : dict of str to ndarray of shape (n_dimensions,)
            Those that are kept.

        Raises
        ------
        ValueError
            If the file is none of embeddings.
        """
        contents = list(dict.fromkeys(contents))
        found: dict[str, np.ndarray] = {}
        if self._is_empty():
            return found
        with self._connection() as connection:
            if not has_table(connection, "embeddings"):
                return found
            for start in range(0, len(contents), _LOOK_UP):
                some = contents[start : start + _LOOK_UP]
                marks = ",".join("?" * len(some))
                rows = connection.execute(
                    "SELECT content, embedding FROM embeddings "
                    f"WHERE model = ? AND content IN ({marks})",
                    [model, *some],
                )
                # What is cut off is as good as missing.
                found |= {
                    name: np.frombuffer(data, "<f4")
                    for name, data in rows
                    if data and len(data) % 4 == 0
                }
        return found

    def save(self, model: str, embeddings: Mapping[str, np.ndarray]) -> None:
        """Keep embeddings.

        Parameters
        ----------
        model : str
            Identifies the model.

        embeddings : dict of str to ndarray of shape (n_dimensions,)
            What identifies an image -> its embedding, kept in single precision.

        Raises
        ------
        ValueError
            If the file is none of embeddings.
        """
        if self.path.is_file() and not os.access(self.path, os.W_OK):
            return
        rows = [
            (model, content, np.asarray(embedding, "<f4").tobytes())
            for content, embedding in embeddings.items()
        ]
        with self._transaction() as connection:
            connection.executemany(
                "INSERT OR REPLACE INTO embeddings VALUES (?, ?, ?)", rows
            )

    def _unusable(self, error: Exception) -> ValueError:
        return ValueError(
            f"the cache {str(self.path)!r} is no file of embeddings that can be "
            f"read ({error}): give another path."
        )
