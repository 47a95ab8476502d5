"""Measure how similar images are to texts, and bring it to a scale from 0 to 1."""

import numpy as np


def normalize(vectors: np.ndarray) -> np.ndarray:
    """Scale rows to length 1.

    Parameters
    ----------
    vectors : ndarray of shape (n_rows, n_dimensions)
        Vectors.

    Returns
    -------
    directions : ndarray of shape (n_rows, n_dimensions)
        The same directions; a row of zeros stays one.
    """
    # The largest entry first: squares of very small or large ones are lost.
    peaks = np.abs(vectors).max(axis=1, keepdims=True)
    vectors = vectors / np.where(peaks > 0, peaks, 1)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.where(lengths > 0, lengths, 1)


def mean_direction(vectors: np.ndarray) -> np.ndarray:
    """Average the directions of several phrasings of one concept.

    Parameters
    ----------
    vectors : ndarray of shape (n_phrases, n_dimensions)
        Embeddings.

    Returns
    -------
    direction : ndarray of shape (n_dimensions,)
        A vector of length 1, as CLIP's prompt ensembles.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_alchemist.images import mean_direction
    >>> mean_direction(np.array([[2.0, 0.0], [0.0, 5.0]]))
    array([0.70710678, 0.70710678])
    """
    return normalize(normalize(vectors).mean(axis=0, keepdims=True))[0]


def cosine_similarities(images: np.ndarray, concepts: np.ndarray) -> np.ndarray:
    """Compare each image with each concept.

    Parameters
    ----------
    images : ndarray of shape (n_images, n_dimensions)
        Embeddings of images.

    concepts : ndarray of shape (n_concepts, n_dimensions)
        Embeddings of concepts.

    Returns
    -------
    similarities : ndarray of shape (n_images, n_concepts)
        Cosines, between -1 and 1.
    """
    cosines = np.einsum("ij,kj->ik", normalize(images), normalize(concepts))
    return np.clip(cosines, -1, 1)


def scale(cosines: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Map each concept's usual range to 0 to 1.

    Parameters
    ----------
    cosines : ndarray of shape (n_images, n_concepts)
        Similarities.

    low, high : ndarray of shape (n_concepts,)
        What becomes 0 and 1; beyond them scores are clipped. Where both are equal,
        scores are 0.5.

    Returns
    -------
    scores : ndarray of shape (n_images, n_concepts)
        Between 0 and 1.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_alchemist.images import scale
    >>> scale(np.array([[0.2], [0.25], [0.4]]), np.array([0.2]), np.array([0.3]))
    array([[0. ],
           [0.5],
           [1. ]])
    """
    width = high - low
    known = width > 1e-12
    scores = (cosines - low) / np.where(known, width, 1)
    blank = np.where(np.isnan(cosines), np.nan, 0.5)
    return np.where(known, np.clip(scores, 0, 1), blank)


def softmax(cosines: np.ndarray, temperature: float = 0.01) -> np.ndarray:
    """Turn the similarities of an image into shares that add up to 1, as CLIP does.

    Parameters
    ----------
    cosines : ndarray of shape (n_images, n_concepts)
        Similarities.

    temperature : float, default=0.01
        What they are divided by; CLIP learned 0.01.

    Returns
    -------
    shares : ndarray of shape (n_images, n_concepts)
        Between 0 and 1.
    """
    logits = cosines / temperature
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    return weights / weights.sum(axis=1, keepdims=True)
