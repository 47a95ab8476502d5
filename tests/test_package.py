import ast
import importlib
import inspect
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from numpydoc.validate import validate

import sklearn_alchemist

ROOT = Path(sklearn_alchemist.__file__).parent
FOLDERS = [path.name for path in ROOT.iterdir() if (path / "__init__.py").exists()]

# Which folder may import which others of ours: those before it. All may import `_utils`
# and, of what is at the top, only `exceptions` and the version.
MAY_IMPORT = {
    "_utils": set(),
    "data": set(),
    "llm": set(),
    "programs": set(),
    "votes": set(),
    "streaming": {"data", "votes"},
    "label_model": {"data", "streaming", "votes"},
    "synthesis": {"data", "label_model", "llm", "programs", "streaming", "votes"},
    "zero_shot": {"data", "llm"},
    "images": {"data", "llm"},
    "distillation": {
        "data",
        "label_model",
        "llm",
        "streaming",
        "synthesis",
        "votes",
        "zero_shot",
    },
    "inspection": {
        "data",
        "distillation",
        "label_model",
        "llm",
        "programs",
        "votes",
        "zero_shot",
    },
    "cascade": {
        "data",
        "distillation",
        "inspection",
        "label_model",
        "llm",
        "streaming",
        "synthesis",
        "zero_shot",
    },
}


# All of scikit-learn that the package builds on.
SKLEARN = """
import sklearn.base, sklearn.callback, sklearn.compose, sklearn.dummy
import sklearn.feature_extraction.text, sklearn.impute, sklearn.linear_model
import sklearn.pipeline, sklearn.preprocessing
"""


def python(code, **environment):
    run = [sys.executable, "-c", code]
    environment = {**os.environ, **environment}
    return subprocess.run(
        run, capture_output=True, text=True, check=True, env=environment
    ).stdout


def public_modules():
    names = ["sklearn_alchemist"]
    public = [name for name in FOLDERS if not name.startswith("_")]
    names += [
        f"sklearn_alchemist.{name}" for name in [*public, "exceptions", "metrics"]
    ]
    return [importlib.import_module(name) for name in names]


def members(cls):
    """What a class has from us, its own and that of private bases."""
    for base in cls.__mro__:
        module = base.__module__.split(".")
        if base is cls or (module[0] == "sklearn_alchemist" and module[-1][0] == "_"):
            yield from vars(base).items()


def public_objects():
    for module in public_modules():
        for name in getattr(module, "__all__", ()):
            thing = getattr(module, name)
            if inspect.isclass(thing) or inspect.isfunction(thing):
                yield f"{thing.__module__}.{thing.__qualname__}"
            if inspect.isclass(thing):
                for member, value in members(thing):
                    if not member.startswith("_") and inspect.isfunction(
                        getattr(value, "__func__", value)
                    ):
                        yield f"{thing.__module__}.{thing.__qualname__}.{member}"


def imported_folders(path):
    """Names of our folders that a module imports, wherever in it."""
    depth = len(path.relative_to(ROOT).parts)
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            module = node.module or ""
            if node.level == depth:
                names = [module] if module else [alias.name for alias in node.names]
            elif module.startswith("sklearn_alchemist"):
                names = [module.removeprefix("sklearn_alchemist").strip(".")]
            else:
                continue
            yield from (name.split(".")[0] for name in names)


@pytest.mark.parametrize("folder", FOLDERS)
def test_dependencies_run_one_way(folder):
    may = MAY_IMPORT[folder] | {folder, "_utils", "exceptions", "__version__"}
    for path in (ROOT / folder).glob("*.py"):
        assert set(imported_folders(path)) <= may, path


def test_no_folder_imports_one_that_comes_later():
    assert set(MAY_IMPORT) == set(FOLDERS)
    before = set()
    for folder, others in MAY_IMPORT.items():
        assert others <= before, folder
        before.add(folder)


def test_litellm_is_imported_in_one_module():
    pattern = re.compile(r"^\s*(import|from) litellm", re.M)
    importers = [p.name for p in ROOT.rglob("*.py") if pattern.search(p.read_text())]
    assert importers == ["_provider.py"]


@pytest.mark.slow
def test_importing_the_package_imports_nothing_heavy():
    # scikit-learn itself imports pandas and rich where they are installed.
    code = f"""{SKLEARN}
import sys
before = set(sys.modules)
from sklearn_alchemist import *
print(sorted({{name.split(".")[0] for name in set(sys.modules) - before}}))
"""
    third_party = set(ast.literal_eval(python(code))) - set(sys.stdlib_module_names)
    assert third_party == {"sklearn_alchemist"}


@pytest.mark.slow
def test_importing_the_package_loads_nothing_that_only_asking_needs():
    code = "import sys; from sklearn_alchemist import *; print(sorted(sys.modules))"
    loaded = set(ast.literal_eval(python(code)))
    assert "sklearn_alchemist.synthesis._labeler" in loaded
    for late in ("zero_shot._statements", "llm._provider", "inspection", "metrics"):
        assert f"sklearn_alchemist.{late}" not in loaded


@pytest.mark.slow
def test_importing_the_package_adds_little_to_scikit_learn(tmp_path):
    # Against scikit-learn in the same process, so that no busy machine fails it.
    code = f"""
import time
start = time.process_time()
{SKLEARN}
middle = time.process_time()
from sklearn_alchemist import *
print((time.process_time() - middle) / (middle - start))
"""
    compiled = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(tmp_path)}
    python(code, **compiled)
    assert min(float(python(code, **compiled)) for _ in range(3)) < 0.08


def test_an_estimator_loads_what_it_needs():
    code = """
import sys, sklearn_alchemist
print(sum(name.startswith("sklearn") for name in sys.modules))
sklearn_alchemist.LabelModelAggregator
print({"sklearn_alchemist.llm", "sklearn_alchemist.images"} & set(sys.modules))
"""
    at_first, of_others = python(code).splitlines()
    assert int(at_first) < 10
    assert of_others == "set()"


def test_a_stage_is_there_without_an_import_of_its_own():
    code = f"""
import sklearn_alchemist
folders = {[name for name in FOLDERS if not name.startswith("_")]!r}
assert set(folders) <= set(dir(sklearn_alchemist))
print([getattr(sklearn_alchemist, name).__name__ for name in folders])
"""
    assert len(ast.literal_eval(python(code))) == len(FOLDERS) - 1


def test_public_names_exist_and_are_sorted():
    for module in public_modules():
        names = list(module.__all__)
        assert all(hasattr(module, name) for name in names)
        assert len(set(names)) == len(names)


# Summaries may start with a name, and class docstrings stand for constructors.
IGNORED = {
    "GL01",
    "GL02",
    "GL03",
    "GL08",
    "ES01",
    "SA01",
    "SA04",
    "EX01",
    "RT02",
    "SS06",
}


@pytest.mark.parametrize("name", sorted(set(public_objects())))
def test_public_docstrings_keep_to_numpydoc(name):
    errors = [error for error in validate(name)["errors"] if error[0] not in IGNORED]
    assert not errors


def test_the_package_is_typed():
    assert (ROOT / "py.typed").exists()
