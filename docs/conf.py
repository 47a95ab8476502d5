"""Configure the documentation."""

import sklearn_alchemist

project = "sklearn_alchemist"
author = copyright = "The sklearn_alchemist developers"
release = version = sklearn_alchemist.__version__
extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.doctest",
    "numpydoc",
]
templates_path = ["templates"]
exclude_patterns = ["_build", "templates", "synthesis_figures.rst"]
html_theme = "sphinx_rtd_theme"
autosummary_generate = True
autodoc_typehints = "none"
numpydoc_show_class_members = False
# Inherited docstrings refer to scikit-learn's own documentation.
suppress_warnings = ["ref.ref", "ref.term"]
