"""Keep tables in a SQLite file, or on a PostgreSQL server that machines share."""

import atexit
import functools
import hashlib
import os
import re
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, ParamSpec, Protocol, TypeVar
from urllib.parse import parse_qs, urlsplit

from .._utils import Database, has_table
from ..exceptions import StoreError
from ._failures import without_secrets

if TYPE_CHECKING:
    import psycopg

P = ParamSpec("P")
R = TypeVar("R")

_MOUNTS = Path("/proc/self/mounts")
# Where a lock of one machine is not seen by another, or only on some mounts.
_NETWORK_DISKS = re.compile(
    r"nfs\d?|cifs|smb\d?|smbfs|ncpfs|afs|lustre|gpfs|beegfs|panfs|orangefs|pvfs2|ceph"
    r"|fuse\.(?:sshfs|glusterfs|ceph(?:-fuse)?|s3fs|gcsfuse|goofys|rclone|blobfuse2?"
    r"|juicefs|mount-s3|davfs2?)|glusterfs|davfs2?"
)
# PostgreSQL's own numbers are narrower than those of SQLite that bear the same names.
_TABLES = """
    CREATE TABLE IF NOT EXISTS charges (
        id TEXT PRIMARY KEY,
        dollars DOUBLE PRECISION NOT NULL, -- the worst case until the outcome is known
        settled INTEGER NOT NULL
    );
    CREATE TABLE IF NOT EXISTS settled (   -- what no longer is among the charges
        one INTEGER PRIMARY KEY CHECK (one = 1),
        dollars DOUBLE PRECISION NOT NULL,
        remainder DOUBLE PRECISION NOT NULL -- what rounding left out of it
    );
    CREATE TABLE IF NOT EXISTS under_way (
        id TEXT PRIMARY KEY,
        expires DOUBLE PRECISION NOT NULL  -- seconds since the epoch
    );
    CREATE TABLE IF NOT EXISTS cap (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        dollars DOUBLE PRECISION NOT NULL
    );
    CREATE TABLE IF NOT EXISTS completions (
        key TEXT PRIMARY KEY,
        {place}request TEXT NOT NULL, -- JSON: model, api_base, messages, params, sample
        text TEXT NOT NULL,
        model TEXT NOT NULL,
        finish_reason TEXT,
        prompt_tokens BIGINT,
        completion_tokens BIGINT,
        dollars DOUBLE PRECISION,
        created TEXT NOT NULL
    );
    CREATE TABLE IF NOT EXISTS claims (
        key TEXT PRIMARY KEY,
        owner TEXT NOT NULL,
        expires DOUBLE PRECISION NOT NULL  -- seconds since the epoch
    )
"""


class Rows(Protocol):
    """A connection within which statements with ``?`` for values are executed."""

    def execute(
        self, statement: str, values: Sequence[Any] = ()
    ) -> list[tuple[Any, ...]]:
        """Execute a statement; return the rows that it gives."""
        ...

    def has_table(self, name: str) -> bool:
        """Tell whether what is kept is not older than a table."""
        ...

    def now(self) -> float:
        """Tell seconds since the epoch, by one clock for all who ask."""
        ...


class Tables(Protocol):
    """Where the tables of a store are kept."""

    def is_empty(self) -> bool:
        """Tell whether nothing was ever written."""
        ...

    def reading(self) -> Any:
        """Open `Rows` to read from, also where nothing may be written."""
        ...

    def writing(self, lock: str) -> Any:
        """Open `Rows` to write all or nothing, alone among those with the same lock."""
        ...

    def give_back(self) -> None:
        """Give back the space of rows that were deleted, and keep nothing of them."""
        ...


@functools.lru_cache(maxsize=64)
def tables_at(place: Path | str) -> Tables:
    """Find the tables of a store, in a file or at an address."""
    return FileTables(place) if isinstance(place, Path) else ServerTables(place)


class _FileRows:
    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def execute(
        self, statement: str, values: Sequence[Any] = ()
    ) -> list[tuple[Any, ...]]:
        return self._connection.execute(statement, values).fetchall()

    def has_table(self, name: str) -> bool:
        return has_table(self._connection, name)

    def now(self) -> float:
        return time.time()


class FileTables(Database):
    """Tables in a SQLite file, for all processes of one machine.

    Parameters
    ----------
    path : Path
        The file; it is made when it is first needed.
    """

    schema: ClassVar[str] = _TABLES.format(place="")

    def is_empty(self) -> bool:
        """Tell whether nothing was ever written."""
        return self._is_empty()

    @contextmanager
    def reading(self) -> Iterator[Rows]:
        """Open the file to read from, also where nothing may be written."""
        with self._connection() as connection:
            yield _FileRows(connection)

    @contextmanager
    def writing(self, lock: str) -> Iterator[Rows]:
        """Write all or nothing; SQLite has one lock for the whole file."""
        kind = filesystem_of(self.path)
        if kind is not None and _NETWORK_DISKS.fullmatch(kind):
            raise StoreError(
                f"the store of completions {str(self.path)!r} lies on a network disk "
                f"({kind}), where SQLite cannot keep machines apart: name a file on a "
                "disk of this machine in LLM(..., store=PATH) or in the environment "
                "variable SKLEARN_ALCHEMIST_STORE, or a server that all machines share "
                "as store='postgresql://HOST/DATABASE'."
            )
        with self._transaction() as connection:
            yield _FileRows(connection)

    def give_back(self) -> None:
        """Write the file anew, without what was deleted."""
        with self._connection() as connection:
            connection.execute("VACUUM")

    def _unusable(self, error: Exception) -> StoreError:
        return StoreError(
            f"the store of completions {str(self.path)!r} cannot be used: {error}. "
            "Name a writable file in LLM(..., store=PATH) or in the environment "
            "variable SKLEARN_ALCHEMIST_STORE."
        )


def filesystem_of(path: Path) -> str | None:
    """Name the kind of file system that a path lies on, None where nobody tells."""
    try:
        lines = _MOUNTS.read_text(errors="replace").splitlines()
        real = path.resolve()
    except (OSError, RuntimeError):
        return None
    found, depth = None, -1
    for line in lines:
        _, mounted, kind, *_ = [*line.split(), "", "", ""]
        # So the kernel writes blanks, as "\040".
        mounted = re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), mounted)
        point = Path(mounted)
        # Of mounts at one place, the last one is seen.
        if len(point.parts) >= depth and real.is_relative_to(point):
            found, depth = kind, len(point.parts)
    return found


_SCHEMA = "sklearn_alchemist"
_UNICODE = "UTF8"
# Of an unreachable host, one hears after minutes only.
_CONNECT_SECONDS = 10
# A server that restarts is back after seconds.
_RESTART_SECONDS = 15.0
# So long a writer waits for others, and they for one that hangs in the middle.
_LOCK_SECONDS = 60
_SETTINGS = f"""
    SET LOCAL search_path TO {_SCHEMA};
    SET LOCAL lock_timeout TO '{_LOCK_SECONDS}s';
    SET LOCAL idle_in_transaction_session_timeout TO '{_LOCK_SECONDS}s'
"""
# PostgreSQL keeps no null character in a text: it is written as two others.
_ESCAPE = "\uf8ff"
_ESCAPED = {"\0": f"{_ESCAPE}0", _ESCAPE: f"{_ESCAPE}1"}
_PLAIN = {written: plain for plain, written in _ESCAPED.items()}


class _ServerLostError(StoreError):
    """A server went away in the middle of a transaction, of which nothing is kept."""


def again_if_lost(method: Callable[P, R]) -> Callable[P, R]:
    """Do a transaction once more whose server was lost before its end.

    Parameters
    ----------
    method : callable
        Does one transaction.

    Returns
    -------
    method : callable
        Waits for a server that restarts, as who begins a transaction does.
    """

    @functools.wraps(method)
    def tried_again(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return method(*args, **kwargs)
        except _ServerLostError:
            return method(*args, **kwargs)

    return tried_again


class _ServerRows:
    def __init__(
        self, session: "_Session", connection: "psycopg.Connection[Any]"
    ) -> None:
        self._session = session
        self._connection = connection

    def execute(
        self, statement: str, values: Sequence[Any] = ()
    ) -> list[tuple[Any, ...]]:
        cursor = self._connection.execute(
            statement.replace("?", "%s"), [_escape(value) for value in values]
        )
        if cursor.description is None:
            return []
        return [tuple(map(_unescape, row)) for row in cursor.fetchall()]

    def has_table(self, name: str) -> bool:
        return self._session.has_tables or _has_table(self._connection, name)

    def now(self) -> float:
        # Clocks of machines differ, by more than a lease lasts.
        ((seconds,),) = self.execute(
            "SELECT EXTRACT(EPOCH FROM clock_timestamp())::DOUBLE PRECISION"
        )
        return seconds


class _Session:
    """The connection of a process to a server, which its threads use in turn."""

    def __init__(self) -> None:
        self.turn = threading.Lock()
        self.connection: psycopg.Connection[Any] | None = None
        self.has_tables = False
        # When threads stop to wait for a server that was there; none waits on its own.
        self.patient_until = 0.0
        atexit.register(self.close)

    def close(self) -> None:
        if self.connection is not None:
            with suppress(Exception):
                self.connection.close()
        self.connection = None

    def lose(self) -> None:
        """Close a connection that is of no use, and wait for the server from now on."""
        if self.connection is not None:
            self.patient_until = time.monotonic() + _RESTART_SECONDS
        self.close()


# A connection cannot be used in a process that was forked since.
_SESSIONS: dict[tuple[int, str], _Session] = {}


class ServerTables:
    """Tables on a PostgreSQL server, for all processes of all machines.

    Each process holds one connection. Leases are timed by the clock of the server.

    Parameters
    ----------
    address : str
        Such as ``postgresql://host/database``; libpq takes from the environment what it
        does not say.
    """

    def __init__(self, address: str) -> None:
        self._address = address

    def is_empty(self) -> bool:
        """Tell whether nothing was ever written."""
        if self._session().has_tables:
            return False
        with self._transaction("BEGIN READ ONLY") as (_, connection):
            return not _has_table(connection, "claims")

    @contextmanager
    def reading(self) -> Iterator[Rows]:
        """Open a connection to read from, such as that of a standby."""
        with self._transaction(f"BEGIN READ ONLY; {_SETTINGS}") as opened:
            yield _ServerRows(*opened)

    @contextmanager
    def writing(self, lock: str) -> Iterator[Rows]:
        """Write all or nothing, alone among those with the same lock."""
        self._make_tables()
        # What others wrote before the lock was got is to be seen after it.
        begin = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"
        begin = f"{begin}; {_SETTINGS}; {_lock(lock)}"
        with self._transaction(begin) as opened:
            yield _ServerRows(*opened)

    def give_back(self) -> None:
        """Leave it to the server, which does so by itself."""

    def _make_tables(self) -> None:
        """Make the tables where they are missing, for one who may."""
        if self._session().has_tables:
            return
        begin = f"BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; {_lock('tables')}"
        with self._transaction(begin) as (session, connection):
            # The newest of them: a server may have been used by an earlier version.
            if _has_table(connection, "settled"):
                session.has_tables = True
                return
            encoding = connection.execute("SHOW server_encoding").fetchone()
            if encoding != (_UNICODE,):
                raise self._unusable(
                    f"its encoding is {encoding and encoding[0]}, which does not hold "
                    f"all texts; make one with ENCODING '{_UNICODE}'"
                )
            tables = _TABLES.format(place="rowid BIGSERIAL,\n        ")
            connection.execute(
                f"CREATE SCHEMA IF NOT EXISTS {_SCHEMA}; {_SETTINGS}; {tables}"
            )

    def _session(self) -> _Session:
        place = os.getpid(), self._address
        session = _SESSIONS.get(place)
        return _SESSIONS.setdefault(place, _Session()) if session is None else session

    @contextmanager
    def _transaction(
        self, begin: str
    ) -> "Iterator[tuple[_Session, psycopg.Connection[Any]]]":
        """Commit what is done, or roll it back and say what is wrong."""
        try:
            import psycopg
        except ImportError:
            raise StoreError(
                f"the store {self._address!r} needs psycopg: "
                "pip install 'sklearn-alchemist[postgresql]'."
            ) from None
        session = self._session()
        with session.turn:
            try:
                connection = self._begin(session, begin)
                try:
                    yield session, connection
                    connection.execute("COMMIT")
                except BaseException:
                    try:
                        connection.execute("ROLLBACK")
                    except BaseException:
                        session.lose()
                    raise
            except psycopg.Error as error:
                lines = str(error).strip().splitlines() or [type(error).__name__]
                lost = time.monotonic() < session.patient_until
                kind = _ServerLostError if lost else StoreError
                raise self._unusable(without_secrets(lines[0]), kind) from None

    def _begin(self, session: _Session, begin: str) -> "psycopg.Connection[Any]":
        """Begin a transaction, by a new connection where the old one is lost."""
        import psycopg

        # One that never was is not waited for: it may be misspelt.
        while True:
            connection = None
            try:
                if session.connection is None:
                    session.connection = psycopg.connect(
                        self._address,
                        autocommit=True,
                        prepare_threshold=None,  # which poolers cannot do
                        **self._defaults(),
                    )
                connection = session.connection
                connection.execute(begin)
                session.patient_until = 0.0
                return connection
            except psycopg.OperationalError:
                if connection is not None and not connection.closed:
                    connection.execute("ROLLBACK")
                    raise
                session.lose()
                if time.monotonic() >= session.patient_until:
                    raise
                if connection is None:
                    time.sleep(0.5)

    def _defaults(self) -> dict[str, Any]:
        """Hear of a lost server in time, unless the user says when."""
        defaults: dict[str, Any] = {
            "connect_timeout": _CONNECT_SECONDS,
            "tcp_user_timeout": _LOCK_SECONDS * 1000,
            "client_encoding": _UNICODE,
            "application_name": _SCHEMA,
        }
        for name in parse_qs(urlsplit(self._address).query):
            defaults.pop(name, None)
        for name in ("connect_timeout", "application_name"):
            if os.environ.get(f"PG{name.replace('_', '').upper()}"):
                defaults.pop(name, None)
        return {**defaults, "client_encoding": _UNICODE}

    def _unusable(self, reason: str, kind: type[StoreError] = StoreError) -> StoreError:
        return kind(
            f"the store of completions {self._named()} cannot be used: {reason}. "
            "See that the server runs and has this database, and that PGUSER and "
            "PGPASSWORD of the environment name one who may write there."
        )

    def _named(self) -> str:
        """Name the address, and what libpq adds to one without host or database."""
        parts = urlsplit(self._address)
        if parts.netloc and parts.path.strip("/"):
            return repr(self._address)
        from psycopg.conninfo import conninfo_to_dict
        from psycopg.pq import Conninfo

        options = {o.keyword.decode(): o.val for o in Conninfo.get_defaults()}
        known = {name: value.decode() for name, value in options.items() if value}
        known.update(conninfo_to_dict(self._address))
        host = known.get("host", "this machine")
        database = known.get("dbname") or known.get("user")
        return f"{self._address!r} (host {host!r}, database {database!r})"


def _has_table(connection: "psycopg.Connection[Any]", name: str) -> bool:
    """Tell whether the schema holds a table."""
    query = f"SELECT to_regclass('{_SCHEMA}.{name}') IS NOT NULL"
    return connection.execute(query).fetchone() == (True,)


def _lock(name: str) -> str:
    """Word the wait for a lock that lasts to the end of the transaction."""
    digest = hashlib.sha256(f"{_SCHEMA} {name}".encode()).digest()
    number = int.from_bytes(digest[:8], "big", signed=True)
    return f"SELECT pg_advisory_xact_lock({number})"


def _escape(value: Any) -> Any:
    if not isinstance(value, str) or ("\0" not in value and _ESCAPE not in value):
        return value
    return re.sub(f"[\0{_ESCAPE}]", lambda found: _ESCAPED[found[0]], value)


def _unescape(value: Any) -> Any:
    if not isinstance(value, str) or _ESCAPE not in value:
        return value
    return re.sub(f"{_ESCAPE}[01]", lambda found: _PLAIN[found[0]], value)
