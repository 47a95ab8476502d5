"""Warn so that the line of the user is shown, and not one of ours."""

import os
import sys
import warnings

from .exceptions import AlchemistWarning

_PACKAGE = os.path.dirname(__file__) + os.sep  # noqa: PTH120 -- a prefix, no path


def warn(message: str | Warning, category: type[Warning] = AlchemistWarning) -> None:
    """Issue a warning in the name of whoever called the package.

    Parameters
    ----------
    message : str or Warning
        What to say, or a warning that says it and carries more.

    category : type of Warning, default=AlchemistWarning
        What kind of warning it is.
    """
    warnings.warn(message, category, stacklevel=_level_outside())


def _level_outside() -> int:
    """Count the frames up to the first that belongs to no part of a fit."""
    frame, level = sys._getframe(1), 1
    skipped = (_PACKAGE, os.sep + "sklearn" + os.sep, os.sep + "joblib" + os.sep)
    while frame.f_back is not None and any(
        part in frame.f_code.co_filename for part in skipped
    ):
        frame, level = frame.f_back, level + 1
    return level
