"""Load images, embed them, and score them against concepts that a model names."""

from ._concept import Concept, as_concepts
from ._concept_embeddings import check_dimensions, check_templates, embed_concepts
from ._concept_scorer import ConceptScorer
from ._embedders import Embedder, embed, embed_in_batches, model_key, resolve_embedder
from ._embedding_cache import EmbeddingCache
from ._image_embedder import ImageEmbedder
from ._loading import check_path_type, check_paths, content_key, load_image
from ._similarity import cosine_similarities, mean_direction, scale, softmax

__all__ = [
    "Concept",
    "ConceptScorer",
    "Embedder",
    "EmbeddingCache",
    "ImageEmbedder",
    "as_concepts",
    "check_dimensions",
    "check_path_type",
    "check_paths",
    "check_templates",
    "content_key",
    "cosine_similarities",
    "embed",
    "embed_concepts",
    "embed_in_batches",
    "load_image",
    "mean_direction",
    "model_key",
    "resolve_embedder",
    "scale",
    "softmax",
]
