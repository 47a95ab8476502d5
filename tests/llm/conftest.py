import contextlib

import pytest
from postgresql_server import SERVER, database


@pytest.fixture(autouse=True, params=["sqlite", "postgresql"] if SERVER else ["sqlite"])
def own_store(request, store_paths, monkeypatch):
    """What is true of a store is true of a file and of a server."""
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    with contextlib.ExitStack() as stack:
        place = next(store_paths)
        if request.param == "postgresql":
            place = stack.enter_context(database())
            monkeypatch.setenv("XDG_CACHE_HOME", str(next(store_paths)))
        monkeypatch.setenv("SKLEARN_ALCHEMIST_STORE", str(place))
        yield place


@pytest.fixture
def only_file(own_store):
    """For what is true of files only."""
    if isinstance(own_store, str):
        pytest.skip("no file")
    return own_store
