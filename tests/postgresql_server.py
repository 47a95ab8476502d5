"""Databases of tests' own, on the server that with_postgresql.sh starts."""

import contextlib
import os
import uuid

import pytest

SERVER = os.environ.get("SKLEARN_ALCHEMIST_TEST_POSTGRESQL")


@contextlib.contextmanager
def database(encoding="UTF8"):
    """A database of a test's own."""
    psycopg = pytest.importorskip("psycopg")
    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(SERVER, autocommit=True) as connection:
        connection.execute(
            f"CREATE DATABASE {name} TEMPLATE template0 "
            f"ENCODING '{encoding}' LOCALE 'C'"
        )
        yield SERVER.replace("/postgres?", f"/{name}?")
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
