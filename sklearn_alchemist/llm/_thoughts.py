"""Tell what a language model answers from what it thinks before."""

import re

_TAG = re.compile(r"<(/?)(?:think|thinking|thought|reasoning)>", re.IGNORECASE)


def without_thoughts(text: str) -> str:
    """Drop the thoughts that reasoning models write into their answers.

    Parameters
    ----------
    text : str
        The answer.

    Returns
    -------
    text : str
        What stands outside of think blocks. Thoughts whose beginning a server cut off
        are dropped too; thoughts without an end are kept, as there is nothing else.

    Examples
    --------
    >>> from sklearn_alchemist.llm import without_thoughts
    >>> without_thoughts("<think>Spam? No.</think>ham")
    'ham'
    """
    kept: list[str] = []
    end, opened = 0, None
    for tag in _TAG.finditer(text):
        if not tag[1]:
            opened = tag.start() if opened is None else opened
        elif opened is not None:
            kept.append(text[end:opened])
            end, opened = tag.end(), None
        else:
            kept.clear()
            end = tag.end()
    return "".join([*kept, text[end:]])
