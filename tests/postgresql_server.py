"""Databases of tests' own, on the server that with_postgresql.sh starts."""

import contextlib
import os
import subprocess
import uuid

import pytest

SERVER = os.environ.get("SKLEARN_ALCHEMIST_TEST_POSTGRESQL")
# Tests may set another one meanwhile.
_PASSWORD = os.environ.get("PGPASSWORD")
_CONTROL = os.environ.get("SKLEARN_ALCHEMIST_TEST_POSTGRESQL_CONTROL", "")


@contextlib.contextmanager
def database(encoding="UTF8"):
    """A database of a test's own."""
    psycopg = pytest.importorskip("psycopg")
    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(SERVER, autocommit=True, password=_PASSWORD) as connection:
        connection.execute(
            f"CREATE DATABASE {name} TEMPLATE template0 "
            f"ENCODING '{encoding}' LOCALE 'C'"
        )
    yield SERVER.replace("/postgres?", f"/{name}?")
    with psycopg.connect(SERVER, autocommit=True, password=_PASSWORD) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def stop_server():
    """Stop the server at once, as when its machine is lost."""
    _control("stop", "-m", "immediate")


def start_server():
    """Start the server again."""
    _control("start")


def _control(*what):
    command = [*_CONTROL.split(), "-w", *what]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd="/")
