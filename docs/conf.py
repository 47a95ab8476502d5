"""Configure the documentation."""

import sys
import warnings
from pathlib import Path

import sklearn_alchemist

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

# Examples show what a warning says, and not in which folder they were built.
warnings.formatwarning = lambda message, category, *_, **__: (
    f"{category.__name__}: {message}\n"
)

project = "sklearn_alchemist"
author = copyright = "The sklearn_alchemist developers"
release = version = sklearn_alchemist.__version__
extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.doctest",
    "myst_parser",
    "numpydoc",
    "sphinx_copybutton",
    "sphinx_gallery.gen_gallery",
    "landing_picture",
    "llms_txt",
]
templates_path = ["templates"]
exclude_patterns = [
    "_build",
    "templates",
    "synthesis_figures.rst",
    "gallery/*.py",
    "gallery/*.ipynb",
    "gallery/*.md5",
]
autosummary_generate = True
# "fit", not "DistilledAnnotator.fit": the column is narrow.
toc_object_entries_show_parents = "hide"
autodoc_typehints = "none"
numpydoc_show_class_members = False
# Inherited docstrings refer to scikit-learn's own documentation.
suppress_warnings = ["ref.ref", "ref.term", "config.cache"]

html_theme = "pydata_sphinx_theme"
html_title = "sklearn_alchemist"
html_static_path = ["_static"]
html_css_files = ["alchemist.css"]
html_show_sourcelink = False
html_sidebars = {"index": [], "benchmarks": [], "gallery/index": []}
html_theme_options = {
    "show_prev_next": True,
    "navigation_with_keys": False,
    "secondary_sidebar_items": {"**": ["page-toc"], "index": []},
    "show_nav_level": 2,
    "footer_start": ["copyright"],
    "footer_end": [],
}

# What a reader copies is what runs: no prompts, no output.
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "gallery",
    "filename_pattern": r"/plot_",
    "abort_on_example_error": True,
    "capture_repr": ("_repr_html_",),
    "download_all_examples": False,
    "show_memory": False,
    "show_signature": False,
    "remove_config_comments": True,
    "min_reported_time": 1e9,
    # Part of the articles and of the images, so that the pages are built quickly.
    "reset_argv": "gallery_arguments.of_script",
}


def setup(app):
    """Read Markdown where a page includes it, and nowhere else."""
    # The README beside the recordings would become a page of the gallery.
    app.registry.source_suffix.pop(".md", None)
