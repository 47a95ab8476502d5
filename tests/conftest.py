import pytest
from chat_server import ChatServer
from hypothesis import settings

# Read by tests, or by type checkers, and run by nobody.
collect_ignore = ["data_files", "type_checks"]

# Whoever runs the tests sees the same examples; `make fuzz` looks for new ones.
settings.register_profile("same", derandomize=True, deadline=None)
settings.register_profile("fuzz", max_examples=1000, deadline=None)
settings.load_profile("same")


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
