"""Code in the README and the documentation, run as it stands."""

import doctest
import re
import textwrap
import warnings
from pathlib import Path

import pytest
from chat_server import Reply
from joblib.externals.loky import get_reusable_executor
from offline_llm import write_program

ROOT = Path(__file__).parents[1]


def snippets(page):
    """Blocks of Python code of a page that are no sessions."""
    text = (ROOT / page).read_text()
    blocks = re.findall(
        r"(?:::|^\.\. code-block:: python)\n\n((?:(?: {3,}.*)?\n)+)", text, re.M
    )
    code = [textwrap.dedent(block).strip() for block in blocks]
    return [block for block in code if not block.startswith(">>>")]


@pytest.fixture
def reader(server, monkeypatch, tmp_path):
    """A reader with a key, whose provider is a server on loopback."""
    server.answer = lambda request: Reply(
        f"```python\n{write_program(request['messages'][-1]['content'])}\n```"
    )
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    monkeypatch.setenv("OPENAI_API_BASE", server.api_base)
    monkeypatch.chdir(tmp_path)
    # Workers that wait from an earlier test stand in another folder.
    get_reusable_executor().shutdown(wait=True)
    yield server
    get_reusable_executor().shutdown(wait=True)


@pytest.mark.slow
@pytest.mark.parametrize("page", ["docs/quickstart.rst", "docs/tables.rst"])
def test_snippets_run_from_top_to_bottom(page, reader):
    names = {}
    assert snippets(page)
    with warnings.catch_warnings():
        # The programs of the server are poor, and warnings say so.
        warnings.simplefilter("ignore")
        for code in snippets(page):
            exec(compile(code, page, "exec"), names)
    assert reader.requests


@pytest.mark.parametrize(
    "page",
    [
        "docs/cascades.rst",
        "docs/inspect.rst",
        "docs/schema_changes.rst",
        "docs/other_tools.rst",
        "docs/persistence.rst",
    ],
)
def test_sessions_give_what_they_show(page):
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    found = doctest.testfile(
        str(ROOT / page), module_relative=False, optionflags=flags, encoding="utf-8"
    )
    assert found.attempted
    assert not found.failed
