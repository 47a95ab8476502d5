"""Write ``llms.txt``: what each page says in a sentence, for language models.

The format is that of https://llmstxt.org: a title, a summary, and lists of links. The
links lead to the sources of the pages, which are plain text.
"""

from pathlib import Path

from docutils import nodes
from sphinx import addnodes


def first_sentence(doctree):
    """First sentence of the first paragraph of a page, or an empty string."""
    for paragraph in doctree.findall(nodes.paragraph):
        # What the gallery and the reference put above the text is no part of it.
        if isinstance(paragraph.parent, nodes.section) and paragraph.astext().strip():
            text = " ".join(paragraph.astext().split())
            return text.split(". ")[0].rstrip(".:") + "."
    return ""


def pages_in_order(env, name, seen):
    """Names of pages in the order of the tables of contents, each once."""
    if name in seen:
        return
    seen.add(name)
    yield name
    for toctree in env.get_doctree(name).findall(addnodes.toctree):
        for _, child in toctree["entries"]:
            if child in env.found_docs:
                yield from pages_in_order(env, child, seen)


def write(app, error):
    """Write the file beside the pages, if they were built."""
    if error or app.builder.format != "html":
        return
    env, root = app.env, app.config.root_doc
    summary = first_sentence(env.get_doctree(root))
    sections = {"Guide": [], "Examples": [], "Design": [], "Reference": []}
    for name in pages_in_order(env, root, set()):
        folder = name.partition("/")[0]
        if name == root:
            continue
        section = {"gallery": "Examples", "design": "Design", "generated": "Reference"}
        source = f"_sources/{name}{app.config.html_sourcelink_suffix}"
        source = source.replace(".txt", ".rst.txt")
        title = env.titles[name].astext().replace("\n", " ")
        said = first_sentence(env.get_doctree(name))
        sections[section.get(folder, "Guide")].append(f"- [{title}]({source}): {said}")
    lines = [f"# {app.config.project}", "", f"> {summary}"]
    for section, links in sections.items():
        lines += ["", f"## {section}", "", *links]
    text = "\n".join(lines) + "\n"
    Path(app.outdir, "llms.txt").write_text(text, encoding="utf-8")


def setup(app):
    """Write at the end of a build."""
    app.connect("build-finished", write)
    return {"parallel_read_safe": True}
