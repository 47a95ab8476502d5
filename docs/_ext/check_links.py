"""Check every link inside of the built pages: files, and anchors in them.

    python docs/_ext/check_links.py docs/_build/html

Links to other hosts are left to Sphinx's own ``linkcheck``, which needs a network.
"""

import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit


class Links(HTMLParser):
    """Collect what a page links to, and which anchors it has."""

    def __init__(self, text):
        super().__init__()
        self.targets, self.anchors = [], set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        """Read one tag."""
        given = dict(attrs)
        self.anchors.update(v for k, v in attrs if k in ("id", "name") and v)
        self.targets += [given[name] for name in ("href", "src") if given.get(name)]


def broken_links(folder):
    """Yield page and link of each link that leads nowhere."""
    pages = {
        path.resolve(): Links(path.read_text(encoding="utf-8"))
        for path in Path(folder).rglob("*.html")
        if "_static" not in path.parts  # templates of the theme lie there
    }
    for path, links in pages.items():
        for link in links.targets:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = path
            if parts.path:
                target = (path.parent / unquote(parts.path)).resolve()
            anchor = unquote(parts.fragment)
            there = pages.get(target)
            if not target.is_file() or (
                there and anchor and anchor not in there.anchors
            ):
                yield path, link


if __name__ == "__main__":
    found = list(broken_links(sys.argv[1]))
    for page, link in found:
        print(f"{page}: {link}")
    if not list(Path(sys.argv[1]).glob("*.html")):
        sys.exit(f"{sys.argv[1]} holds no pages: make docs builds them.")
    print(f"{len(found)} links lead nowhere")
    sys.exit(bool(found))
