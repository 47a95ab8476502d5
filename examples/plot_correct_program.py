"""
Correct a program, and see what changes before it does
======================================================

Three programs tell spam from other comments. One of them is wrong about a word. Which
records show it, what a correction would change, and what comes of it, is told without a
call and before anything is fitted. The comments are made up.
"""

# %%
# Programs and comments
# ---------------------

from dataclasses import replace

from sklearn.base import clone

from sklearn_alchemist import (
    DistilledAnnotator,
    LabelingProgram,
    ProgramSynthesisLabeler,
)
from sklearn_alchemist.inspection import (
    ProgramAgreementDisplay,
    compare_programs,
    disagreements,
    explain,
    program_summary,
)

link = LabelingProgram(
    "link", "def label(text): return 'spam' if 'http' in text else None"
)
asks = LabelingProgram(
    "asks",
    """
import re
def label(text):
    asked = re.search(r"\\b(subscribe|check|free|nice)\\b", text.lower())
    return "spam" if asked else "ham"
""",
)
praise = LabelingProgram(
    "praise",
    """
GOOD = {"love", "nice", "best", "song"}
def label(text):
    return "ham" if GOOD & set(text.lower().split()) else None
""",
)
comments = [
    "Subscribe to my channel",
    "What a nice song",
    "free stuff http://a.example",
    "I love it",
    "check http://b.example",
    "best song ever",
    "so nice",
    "subscribe, http://d.example",
    "love love love",
    "check this http://c.example now",
] * 30
labeler = ProgramSynthesisLabeler(
    classes=["ham", "spam"], programs=[link, asks, praise]
)
annotator = DistilledAnnotator(labeler, random_state=0).fit(comments)
print(program_summary(annotator, comments))

# %%
# Which programs agree
# --------------------

ProgramAgreementDisplay.from_estimator(annotator, comments)

# %%
# Where they contradict each other
# --------------------------------
# The record whose label depends most on which side is believed comes first.

print(disagreements(annotator, comments, n=2))

# %%
# Why one of these records got its label: `asks` takes "nice" for spam.

print(explain(annotator, "What a nice song"))

# %%
# What a correction would change
# ------------------------------

corrected = replace(asks, source=asks.source.replace("|nice", ""))
programs = [link, corrected, praise]
print(compare_programs(annotator, programs, comments))

# %%
# Fit again, without a call
# -------------------------

annotator = clone(annotator).set_params(labeler__programs=programs).fit(comments)
print(annotator.predict(["What a nice song", "free stuff http://a.example"]))
