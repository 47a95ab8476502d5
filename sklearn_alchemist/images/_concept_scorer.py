"""Score images against visual concepts that a language model names."""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from numbers import Integral
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.callback import CallbackContext, CallbackSupportMixin
from sklearn.utils import Tags
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.validation import check_is_fitted, validate_data

from .. import llm as _llm
from .._utils import DocLinks, LabelsLike, _fit_context
from ..data import Classes, parameter_names
from ..exceptions import SynthesisError
from ..llm import LLM, Completion, Ledger, Question, Usage, as_llm
from . import _concept_prompts as _prompts
from ._concept import Concept, as_concepts
from ._concept_embeddings import check_dimensions, check_templates, embed_concepts
from ._embedders import embed, embed_in_batches, resolve_embedder
from ._image_input import check_images, embed_images, none_readable
from ._similarity import cosine_similarities, scale, softmax

SPURIOUS_PREFIX = "spurious_"
# The range of a concept; single odd images do not stretch it.
_QUANTILES = (0.01, 0.99)


class ConceptScorer(CallbackSupportMixin, TransformerMixin, DocLinks, BaseEstimator):
    """Score images against visual concepts that a language model names.

    A language model is asked once for concepts that tell the classes apart, and for
    descriptions of them; it sees no image. A vision-language model, such as CLIP, then
    scores on this machine how well each image matches each concept. The scores are a
    table with one named column a concept, which labeling programs can read: put a
    `ProgramSynthesisLabeler` behind it, and ``set_output(transform="pandas")`` in
    between, so that the names come along; `describe_scores` tells its `task` what they
    are.

    Parameters
    ----------
    llm : str, LLM or None, default=None
        The language model that names concepts. None asks nothing and needs `concepts`.

    task : str, default=None
        What is to be decided about an image, in one sentence. Needed to ask a model.

    classes : list, or dict of class to description, default=None
        The classes to tell apart. None takes them from the `y` given to `fit`. Without
        an `llm` none are needed.

    embedder : str, object with ``encode``, or callable, default="clip-ViT-B-32"
        The vision-language model: name or folder of a sentence-transformers model
        (``"clip-ViT-B-32"``, ``"clip-ViT-L-14"``, a SigLIP), which needs the extra
        ``images``; any object whose ``encode`` takes a list of str as well as a list of
        RGB PIL images and returns one row each; or a function that makes one.

    concepts : list of str or Concept, or dict of str to str or list, default=None
        Concepts, or names -> descriptions. With them no model is asked.

    n_concepts : int, default=4
        Number of concepts a class to ask for.

    n_spurious : int, default=0
        Number of spurious concepts to ask for in all, such as backgrounds. Their
        columns start with ``"spurious_"``, so that programs can tell when they are
        misled.

    templates : sequence of str, default=("a photo of {}.", "a close-up of {}.")
        Sentences that each description is put into; all are averaged. ``("{}",)``
        takes descriptions as they are.

    input : {"path", "image", "embedding"}, default="path"
        What `X` holds: paths of image files; PIL images or arrays of pixels; or a table
        of embeddings that `embedder` made, of which only the texts are embedded here.

    score : {"scaled", "cosine", "softmax"}, default="scaled"
        Cosine similarity scaled between 0 and 1, so that 0 and 1 are the 1 % and 99 %
        quantiles of each concept over the images given to `fit`; the bare cosine; or
        the shares of the concepts of an image, which add up to 1, as CLIP classifies.

    on_broken : {"raise", "nan"}, default="raise"
        Whether an image that cannot be read is an error, or gets NaN and a warning.

    batch_size : int, default=32
        Number of images in memory at a time.

    cache : str or path, default=None
        SQLite file that keeps embeddings of images, by their content and model.

    max_repairs : int, default=2
        Most calls that ask to mend an answer which cannot be used.

    Attributes
    ----------
    concepts_ : list of Concept
        The concepts, in the order of the columns.

    concept_embeddings_ : ndarray of shape (n_concepts, n_dimensions)
        Direction of each concept, averaged over templates and descriptions.

    ranges_ : ndarray of shape (2, n_concepts)
        The cosines that are scaled to 0 and to 1.

    conversation_ : list of (Question, Completion)
        All that was said to the language model and what it answered.

    usage_ : Usage
        Calls, tokens and dollars.

    n_features_in_ : int
        Number of dimensions seen during ``fit``, with ``input="embedding"`` only.

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of these dimensions, when all of them are strings.

    See Also
    --------
    ProgramSynthesisLabeler : Gets programs written that read the scores.
    ImageEmbedder : Gives the embeddings themselves, for a student.

    Notes
    -----
    The embeddings of images never leave this machine, nor do the images: the language
    model is told the task and the classes.

    References
    ----------
    .. [1] A. Radford et al., "Learning Transferable Visual Models From Natural Language
       Supervision", ICML 2021.
    .. [2] T.-H. Huang, C. Cao, V. Bhargava and F. Sala, "The ALCHEmist: Automated
       Labeling 500x CHEaper Than LLM Data Annotators", NeurIPS 2024.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_alchemist import ConceptScorer
    >>> class Colours:  # a toy: as many dimensions as colours
    ...     def encode(self, inputs):
    ...         return [[float("red" in t), float("blue" in t)] for t in inputs]
    >>> scorer = ConceptScorer(
    ...     concepts=["red bill", "blue wings"],
    ...     embedder=Colours(),
    ...     input="embedding",
    ...     score="cosine",
    ... )
    >>> scorer.fit_transform(np.array([[2.0, 0.0], [3.0, 4.0]]))
    array([[1. , 0. ],
           [0.6, 0.8]])
    >>> scorer.get_feature_names_out()
    array(['red_bill', 'blue_wings'], dtype=object)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "llm": [str, LLM, None],
        "task": [str, None],
        "classes": ["array-like", dict, None],
        "embedder": [str, HasMethods("encode"), callable],
        "concepts": [list, tuple, dict, None],
        "n_concepts": [Interval(Integral, 1, None, closed="left")],
        "n_spurious": [Interval(Integral, 0, None, closed="left")],
        "templates": [list, tuple],
        "input": [StrOptions({"path", "image", "embedding"})],
        "score": [StrOptions({"scaled", "cosine", "softmax"})],
        "on_broken": [StrOptions({"raise", "nan"})],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "cache": [str, os.PathLike, None],
        "max_repairs": [Interval(Integral, 0, None, closed="left")],
    }

    def __init__(
        self,
        llm: str | LLM | None = None,
        *,
        task: str | None = None,
        classes: Iterable[Any] | dict[Any, str | None] | None = None,
        embedder: Any = "clip-ViT-B-32",
        concepts: Iterable[Any] | Mapping[str, Any] | None = None,
        n_concepts: int = 4,
        n_spurious: int = 0,
        templates: Sequence[str] = ("a photo of {}.", "a close-up of {}."),
        input: str = "path",  # noqa: A002 -- as scikit-learn calls it
        score: str = "scaled",
        on_broken: str = "raise",
        batch_size: int = 32,
        cache: "str | os.PathLike[str] | None" = None,
        max_repairs: int = 2,
    ) -> None:
        self.llm = llm
        self.task = task
        self.classes = classes
        self.embedder = embedder
        self.concepts = concepts
        self.n_concepts = n_concepts
        self.n_spurious = n_spurious
        self.templates = templates
        self.input = input
        self.score = score
        self.on_broken = on_broken
        self.batch_size = batch_size
        self.cache = cache
        self.max_repairs = max_repairs

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: LabelsLike | None = None) -> Self:
        """Get concepts named, and learn the range of their similarities.

        Parameters
        ----------
        X : array-like of shape (n_samples,), or (n_samples, n_dimensions)
            Paths, images or embeddings, see `input`.

        y : array-like of shape (n_samples,), default=None
            Labels. They name the classes where `classes` does not, and are not used
            otherwise.

        Returns
        -------
        self : ConceptScorer
            The fitted scorer.

        Raises
        ------
        ValueError, TypeError, FileNotFoundError
            If images, concepts, templates or the embedder cannot be used; before the
            language model is asked, as far as one image shows it.

        ImportError
            If Pillow or sentence-transformers is needed and not installed.

        LLMError
            If the language model cannot be asked.

        SynthesisError
            If no answer names concepts that can be used.

        Warns
        -----
        ImageWarning
            If images cannot be read, with ``on_broken="nan"``.
        """
        self.fit_transform(X, y)
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    def fit_transform(self, X: Any, y: LabelsLike | None = None) -> np.ndarray:
        """Get concepts named and score the images, which are embedded once.

        Parameters
        ----------
        X : array-like of shape (n_samples,), or (n_samples, n_dimensions)
            Paths, images or embeddings, see `input`.

        y : array-like of shape (n_samples,), default=None
            Labels, used as in `fit`.

        Returns
        -------
        scores : ndarray of shape (n_samples, n_concepts)
            One column a concept, NaN for images that cannot be read.
        """
        context = self._init_callback_context(max_subtasks=1)
        context.call_on_fit_task_begin(estimator=self, X=X, y=y)
        templates = check_templates(self.templates)
        given = None if self.concepts is None else _named(self.concepts)
        images = self._check_images(X, reset=True)
        embedder = resolve_embedder(self.embedder)
        self.conversation_: list[tuple[Question, Completion]] = []
        self.usage_ = Usage()
        if given is None:
            # What can fail without the language model fails before it is asked.
            n_text = embed(embedder, ["a photo"], "texts").shape[1]
            self._try_image(embedder, images, n_text)
            given = _named(self._ask(X, y), skip_repeated=True)
        self._column_names = list(given)
        self.concepts_ = list(given.values())
        self.concept_embeddings_ = embed_concepts(embedder, self.concepts_, templates)
        cosines = self._compare(embedder, images, context)
        self.ranges_ = np.nanquantile(cosines, _QUANTILES, axis=0)
        context.call_on_fit_task_end(estimator=self, X=X, y=y)
        return self._score(cosines)

    def transform(self, X: Any) -> np.ndarray:
        """Score images.

        Parameters
        ----------
        X : array-like of shape (n_samples,), or (n_samples, n_dimensions)
            Paths, images or embeddings, see `input`.

        Returns
        -------
        scores : ndarray of shape (n_samples, n_concepts)
            One column a concept, NaN for images that cannot be read.

        Warns
        -----
        ImageWarning
            If images cannot be read, with ``on_broken="nan"``.
        """
        check_is_fitted(self)
        images = self._check_images(X, reset=False)
        by_hand = self.input == "embedding"
        embedder = None if by_hand else resolve_embedder(self.embedder)
        return self._score(self._compare(embedder, images))

    def describe_scores(self) -> str:
        """Say what the scores mean, for the `task` of the labeler that reads them.

        Returns
        -------
        description : str
            One or two sentences; they depend on parameters only, not on images.

        Examples
        --------
        >>> from sklearn_alchemist import ConceptScorer
        >>> task = f"Is it a cat? {ConceptScorer(score='cosine').describe_scores()}"
        """
        given = () if self.concepts is None else as_concepts(self.concepts)
        spurious = any(concept.spurious for concept in given)
        asked = self.concepts is None and self.n_spurious > 0
        return _prompts.describe_scores(self.score, spurious=spurious or asked)

    def get_feature_names_out(
        self, input_features: ArrayLike | None = None
    ) -> np.ndarray:
        """Name the concepts, as programs read them.

        Parameters
        ----------
        input_features : array-like of str or None, default=None
            Ignored: the columns are concepts, whatever they are scored on.

        Returns
        -------
        feature_names_out : ndarray of shape (n_concepts,) of str objects
            Identifiers; those of spurious concepts start with ``"spurious_"``.
        """
        check_is_fitted(self)
        return np.array(self._column_names, dtype=object)

    def _check_images(self, X: Any, *, reset: bool) -> Any:
        if self.input == "embedding":
            return validate_data(self, X, dtype=np.float64, reset=reset)
        return check_images(X, self.input, on_broken=self.on_broken)

    def _try_image(self, embedder: Any, images: Any, n_text: int) -> None:
        """See that images and texts meet in one space, from one image that is read."""
        if self.input == "embedding":
            check_dimensions(images.shape[1], n_text)
            return
        tried = embed_in_batches(
            embedder, images, batch_size=1, skip_broken=self.on_broken == "nan"
        )
        for positions, embeddings, _ in tried:
            if positions:
                check_dimensions(embeddings.shape[1], n_text)
                return
        raise ValueError(none_readable(len(images)))

    def _ask(self, X: Any, y: LabelsLike | None) -> list[Concept]:
        """Have concepts named; keep what was said and what it cost."""
        if self.llm is None:
            raise ValueError(
                "there is nothing to score: give an llm to name concepts, or concepts."
            )
        if self.task is None or not self.task.strip():
            raise ValueError(
                "task is empty: say in one sentence what is to be decided about an "
                "image, such as task='Is the bird a waterbird or a landbird?'."
            )
        labels = y if self.classes is None else None  # else nothing depends on them
        described = Classes.resolve(
            self.classes, labels, n_samples=len(X), estimator=self
        ).described
        llm = as_llm(self.llm)
        messages = _prompts.write_messages(
            self.task,
            described,
            n_concepts=self.n_concepts,
            n_spurious=self.n_spurious,
        )
        ledger = Ledger(llm)
        for _ in range(1 + self.max_repairs):
            try:
                answers = _llm.ask(llm, [Question(messages)], ledger=ledger)
            finally:  # what was paid is seen, however it ends
                self.conversation_, self.usage_ = ledger.conversation, ledger.usage
            (completion,) = answers.completions
            try:
                return _prompts.read_concepts(completion.text, list(described))
            except ValueError as error:
                reason = str(error)
                if completion.finish_reason == "length":
                    reason += "; it was cut off: raise params['max_tokens']"
                messages = _prompts.write_repair(messages, completion.text, reason)
        raise SynthesisError(
            f"none of {len(self.conversation_)} answers names concepts that can be "
            f"used (the last: {reason}). Another model may help, or concepts=[...] of "
            "your own. The answers are in the attribute conversation_, and stay in the "
            "store."
        )

    def _compare(
        self, embedder: Any, images: Any, context: CallbackContext | None = None
    ) -> np.ndarray:
        """Compare each image with each concept; NaN where one cannot be read."""
        concepts = self.concept_embeddings_
        if self.input == "embedding":
            check_dimensions(images.shape[1], concepts.shape[1])
            return cosine_similarities(images, concepts)
        cosines = np.full((len(images), len(concepts)), np.nan)
        n_batches = -(-len(images) // self.batch_size)
        on_batch, done = _report_batches(self, context, n_batches)
        for positions, embeddings in embed_images(
            embedder,
            self.embedder,
            images,
            batch_size=self.batch_size,
            cache=self.cache,
            on_broken=self.on_broken,
            on_batch=on_batch,
            in_fit=context is not None,
        ):
            check_dimensions(embeddings.shape[1], concepts.shape[1])
            cosines[positions] = cosine_similarities(embeddings, concepts)
        done()
        return cosines

    def _score(self, cosines: np.ndarray) -> np.ndarray:
        if self.score == "cosine":
            return cosines
        if self.score == "softmax":
            return softmax(cosines)
        return scale(cosines, *self.ranges_)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "ranges_")

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        asks = self.concepts is None
        tags.target_tags.required = asks and self.classes is None
        tags.input_tags.two_d_array = self.input == "embedding"
        tags.input_tags.string = self.input == "path"
        tags.transformer_tags.preserves_dtype = []
        return tags


def _named(concepts: Any, *, skip_repeated: bool = False) -> dict[str, Concept]:
    """Give each concept the name of its column; the first that has it keeps it."""
    concepts = as_concepts(concepts)
    names = [
        SPURIOUS_PREFIX + c.name.removeprefix(SPURIOUS_PREFIX) if c.spurious else c.name
        for c in concepts
    ]
    named: dict[str, Concept] = {}
    for name, concept in zip(names, concepts, strict=True):
        (slug,) = parameter_names([name])
        if slug in named and not skip_repeated:
            raise ValueError(
                f"the concepts {named[slug].name!r} and {concept.name!r} would have "
                f"the same column, {slug!r}: rename one of them."
            )
        named.setdefault(slug, concept)
    return named


def _report_batches(
    scorer: ConceptScorer, context: CallbackContext | None, n_batches: int
) -> tuple[Callable[[], None], Callable[[], None]]:
    """Turn finished batches into steps of a progress bar, where there is one."""
    if context is None:
        return (lambda: None), (lambda: None)
    task = context.subcontext("score images", max_subtasks=n_batches)
    task.call_on_fit_task_begin(estimator=scorer)

    def on_batch() -> None:
        step = task.subcontext("batch").call_on_fit_task_begin(estimator=scorer)
        step.call_on_fit_task_end(estimator=scorer)

    return on_batch, lambda: task.call_on_fit_task_end(estimator=scorer)
