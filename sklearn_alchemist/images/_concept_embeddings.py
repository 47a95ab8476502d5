"""Turn concepts into directions that images are compared with."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ._concept import Concept
from ._embedders import embed
from ._similarity import mean_direction


def check_templates(templates: Sequence[str]) -> Sequence[str]:
    """Check that each template has a place for a description.

    Parameters
    ----------
    templates : sequence of str
        Sentences that hold ``{}``.

    Returns
    -------
    templates : sequence of str
        The same.

    Raises
    ------
    ValueError
        If there is none, or one has no such place.
    """
    if not templates:
        raise ValueError("templates is empty: give at least ('{}',).")
    for template in templates:
        if not isinstance(template, str) or "{}" not in template:
            raise ValueError(
                f"the template {template!r} must be a str that holds {{}}, where the "
                "description goes."
            )
    return templates


def embed_concepts(
    embedder: Any, concepts: Sequence[Concept], templates: Sequence[str]
) -> np.ndarray:
    """Average the directions of all wordings of each concept.

    Parameters
    ----------
    embedder : object with ``encode``
        The model.

    concepts : sequence of Concept
        What to look for.

    templates : sequence of str
        Sentences that every phrase of a concept is put into.

    Returns
    -------
    directions : ndarray of shape (n_concepts, n_dimensions)
        Rows of length 1.

    Raises
    ------
    ValueError
        If the model cannot embed the texts, or a concept is similar to nothing.
    """
    wordings = [
        [
            template.replace("{}", phrase)
            for phrase in concept.phrases
            for template in templates
        ]
        for concept in concepts
    ]
    flat = [text for texts in wordings for text in texts]
    ends = np.cumsum([len(texts) for texts in wordings])[:-1]
    parts = np.split(embed(embedder, flat, "texts"), ends)
    means = [mean_direction(part) for part in parts]
    for concept, mean in zip(concepts, means, strict=True):
        if not mean.any():
            raise ValueError(
                f"the embedder gives {concept.name!r} a vector of zeros, which is "
                "similar to nothing: describe the concept in other words."
            )
    return np.stack(means)


def check_dimensions(n_image: int, n_text: int) -> None:
    """Check that embeddings of images and of texts can be compared.

    Parameters
    ----------
    n_image, n_text : int
        Numbers of dimensions.

    Raises
    ------
    ValueError
        If they differ.
    """
    if n_image != n_text:
        raise ValueError(
            f"images have embeddings of {n_image} dimensions and texts of {n_text}: "
            "both must come from one vision-language model."
        )
