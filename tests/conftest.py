import gc
import itertools
import os
import sys
from pathlib import Path

import pytest
from chat_server import ChatServer
from hypothesis import settings
from threadpoolctl import threadpool_limits

# Read by tests, or by type checkers, and run by nobody.
collect_ignore = ["data_files", "type_checks"]

# Threads of BLAS take longer over problems as small as these than one does, and many
# times as long where other processes use the cores.
os.environ["OMP_NUM_THREADS"] = "1"
threadpool_limits(1)

# Some tests start Python, which would compile the package anew each time.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# Whoever runs the tests sees the same examples; `make fuzz` looks for new ones.
settings.register_profile("same", derandomize=True, deadline=None)
settings.register_profile("fuzz", max_examples=1000, deadline=None)
settings.load_profile("same")

SLOW = tuple(
    line
    for line in (Path(__file__).parent / "slow.txt").read_text().splitlines()
    if not line.startswith("#")
)


def pytest_collection_modifyitems(items):
    """Mark what was measured to be slow; markers in the files say why others are."""
    for item in items:
        if item.nodeid.startswith(SLOW):
            item.add_marker(pytest.mark.slow)


def pytest_collection_finish():
    """Nothing that is there by now has to be looked at for garbage again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def store_paths(tmp_path_factory):
    """Paths of stores that are not there yet, without a folder a test."""
    folder = tmp_path_factory.mktemp("stores")
    return (folder / f"{k}.sqlite" for k in itertools.count())


@pytest.fixture(autouse=True)
def own_store(store_paths, monkeypatch):
    """No test reads or writes the store of whoever runs it, or uses a key."""
    path = next(store_paths)
    monkeypatch.setenv("SKLEARN_ALCHEMIST_STORE", str(path))
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    return path


@pytest.fixture
def server():
    with ChatServer() as server:
        yield server
