"""Arguments with which the gallery runs an example."""

from pathlib import Path

ARGUMENTS = {
    "plot_label_news.py": ["--articles", "300"],
    "plot_label_images.py": ["--images", "120"],
}


def of_script(gallery_conf, script_vars):
    """Arguments of the example that is run next."""
    return ARGUMENTS.get(Path(script_vars["src_file"]).name, [])
