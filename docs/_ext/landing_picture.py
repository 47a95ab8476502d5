"""Draw the picture of the landing page: comments, votes, probabilities.

Programs, votes and probabilities are real: five programs are run and weighed here. The
picture is drawn on each build of the documentation, light and dark.
"""

from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch, Rectangle

from sklearn_alchemist import (
    LabelingProgram,
    LabelModelAggregator,
    ProgramSynthesisLabeler,
)

CLASSES = ["ham", "spam"]
# Programs as a model writes them, shortened to what decides here.
SOURCES = {
    "links": """
def label(text):
    return "spam" if "http" in text or ".com" in text else None
""",
    "asks": """
import re
def label(text):
    asked = re.search(r"subscribe|check out|follow me", text.lower())
    return "spam" if asked else None
""",
    "money": """
def label(text):
    return "spam" if "$" in text or "free" in text.lower() else None
""",
    "praise": """
WORDS = {"love", "nice", "best", "beautiful", "voice"}
def label(text):
    return "ham" if WORDS & set(text.lower().split()) else None
""",
    "song": """
def label(text):
    words = text.lower().split()
    return "ham" if "song" in words or "lyrics" in words else None
""",
}
COMMENTS = [
    "Check out http://win.com",
    "What a beautiful song",
    "Subscribe for free stuff",
    "I love the lyrics",
    "Nice song, follow me",
    "Earn $500, see pay.com",
    "Her voice is the best",
]
# Colours that people who see no red or green tell apart.
COLOURS = {"ham": "#3b8ac4", "spam": "#e07b39"}
INKS = {"light": ("#222832", "#d8dce1"), "dark": ("#e6e8eb", "#48566b")}


def label_comments():
    """Run the programs and weigh their votes; return votes and P(spam)."""
    programs = [LabelingProgram(name, source) for name, source in SOURCES.items()]
    labeler = ProgramSynthesisLabeler(classes=CLASSES, programs=programs)
    votes = labeler.fit_transform(COMMENTS * 8)
    model = LabelModelAggregator(classes=CLASSES).fit(votes)
    return votes[: len(COMMENTS)], model.predict_proba(votes[: len(COMMENTS)])[:, 1]


def draw(path, mode):
    """Draw the picture for a light or a dark page into an SVG file."""
    ink, faint = INKS[mode]
    votes, p_spam = label_comments()
    n_rows = len(votes)
    # Equal builds give equal files.
    settings = {"svg.hashsalt": "landing", "font.family": "DejaVu Sans"}
    with mpl.rc_context(settings):
        figure = Figure(figsize=(7.4, 3.5))
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set(xlim=(0, 14.8), ylim=(n_rows + 0.05, -1.75))
        axes.axis("off")
        text = {"color": ink, "va": "center"}
        axes.text(0.1, -1.3, "any number of records", weight="bold", **text)
        axes.text(8.15, -1.3, "votes of programs", weight="bold", ha="center", **text)
        axes.text(12.65, -1.3, "probabilities", weight="bold", ha="center", **text)
        for j, name in enumerate(SOURCES):
            axes.text(6.08 + j, -0.35, name, ha="center", fontsize=9, **text)
        axes.text(10.95, -0.35, "ham", fontsize=9, **(text | {"color": COLOURS["ham"]}))
        axes.text(
            14.35,
            -0.35,
            "spam",
            ha="right",
            fontsize=9,
            **(text | {"color": COLOURS["spam"]}),
        )
        for i, comment in enumerate(COMMENTS):
            axes.text(0.1, i + 0.5, comment, fontsize=10, **text)
            for j, vote in enumerate(votes[i]):
                said = vote >= 0
                cell = FancyBboxPatch(
                    (5.72 + j, i + 0.2),
                    0.72,
                    0.6,
                    boxstyle="round,pad=0,rounding_size=0.12",
                    facecolor=COLOURS[CLASSES[vote]] if said else "none",
                    edgecolor="none" if said else faint,
                )
                axes.add_patch(cell)
            ham = 3.4 * (1 - p_spam[i])
            for left, width, name in ((0, ham, "ham"), (ham, 3.4 - ham, "spam")):
                sure = (p_spam[i] > 0.5) == (name == "spam")
                axes.add_patch(
                    Rectangle(
                        (10.95 + left, i + 0.2),
                        width,
                        0.6,
                        facecolor=COLOURS[name],
                        alpha=1 if sure else 0.35,
                    )
                )
        for x in (5.3, 10.65):
            axes.plot([x, x], [-1.6, n_rows - 0.05], color=faint, linewidth=0.8)
        figure.savefig(path, format="svg", transparent=True, metadata={"Date": None})


def write_pictures(app):
    """Draw both pictures beside the pages."""
    folder = Path(app.srcdir) / "generated"
    folder.mkdir(exist_ok=True)
    for mode in INKS:
        draw(folder / f"landing_{mode}.svg", mode)


def setup(app):
    """Draw before the pages are read."""
    app.connect("builder-inited", write_pictures)
    return {"parallel_read_safe": True}
