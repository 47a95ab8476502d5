from pathlib import Path

import pytest
from chat_server import ChatServer
from hypothesis import settings

# Read by tests, or by type checkers, and run by nobody.
collect_ignore = ["data_files", "type_checks"]

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


@pytest.fixture(autouse=True)
def own_store(tmp_path, monkeypatch):
    """No test reads or writes the store of whoever runs it, or uses a key."""
    path = tmp_path / "completions.sqlite"
    monkeypatch.setenv("SKLEARN_ALCHEMIST_STORE", str(path))
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    return path


@pytest.fixture
def server():
    with ChatServer() as server:
        yield server
