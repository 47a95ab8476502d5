"""Label data with programs that a language model writes, as scikit-learn estimators."""

__version__ = "0.1.dev0"
