"""Keep embeddings on disk, under the content of an image and the model."""

import os
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path

import numpy as np

_LOOK_UP = 500  # names in one SELECT; SQLite takes 999 in old versions


class EmbeddingCache:
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

    def __init__(self, path: "str | os.PathLike[str]") -> None:
        self.path = Path(path).expanduser()

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
        """
        contents = list(dict.fromkeys(contents))
        found: dict[str, np.ndarray] = {}
        with closing(self._connect()) as connection:
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
        """
        if not self._is_writable():
            return
        rows = [
            (model, content, np.asarray(embedding, "<f4").tobytes())
            for content, embedding in embeddings.items()
        ]
        with closing(self._connect()) as connection, connection:
            connection.executemany(
                "INSERT OR REPLACE INTO embeddings VALUES (?, ?, ?)", rows
            )

    def _is_writable(self) -> bool:
        return not self.path.is_file() or os.access(self.path, os.W_OK)

    def _connect(self) -> sqlite3.Connection:
        try:
            if not self._is_writable():
                address = f"{self.path.resolve().as_uri()}?mode=ro"
                connection = sqlite3.connect(address, uri=True)
                connection.execute("SELECT model FROM embeddings LIMIT 1")
                return connection
            self.path.parent.mkdir(parents=True, exist_ok=True)
            os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))
            connection = sqlite3.connect(self.path, timeout=60)
            connection.execute(
                "CREATE TABLE IF NOT EXISTS embeddings (model TEXT, content TEXT, "
                "embedding BLOB, PRIMARY KEY (model, content)) WITHOUT ROWID"
            )
        except (OSError, sqlite3.Error) as error:
            raise ValueError(
                f"the cache {str(self.path)!r} is no file of embeddings that can be "
                f"read ({error}): give another path."
            ) from None
        return connection
