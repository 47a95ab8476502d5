"""Use the installed package as a user would, without its checkout and its extras."""

from sklearn_alchemist import (
    DistilledAnnotator,
    LabelingProgram,
    ProgramSynthesisLabeler,
    __version__,
)

link = LabelingProgram(
    "link", "def label(text): return 'spam' if 'http' in text else 'ham'"
)
labeler = ProgramSynthesisLabeler(classes=["ham", "spam"], programs=[link])
annotator = DistilledAnnotator(labeler).fit(["http://a b", "nice song", "http c", "d"])
assert annotator.predict(["http", "song"]).tolist() == ["spam", "ham"]
print(f"sklearn_alchemist {__version__} works as installed")
