import warnings

import pytest
from common_checks import parametrize_with_checks
from offline_llm import offline_judge, offline_llm
from sklearn.base import clone
from sklearn.utils import estimator_checks
from sklearn.utils.validation import has_fit_parameter

from sklearn_alchemist import (
    CascadeAnnotator,
    DistilledAnnotator,
    LabelModelAggregator,
    ProgramSynthesisLabeler,
    ZeroShotAnnotator,
)

# The data of these checks have no column names and votes that mean nothing.
pytestmark = pytest.mark.filterwarnings(
    "ignore::sklearn_alchemist.exceptions.AlchemistWarning",
    "ignore::sklearn.exceptions.ConvergenceWarning",
    "ignore:X (does not have valid|has) feature names:UserWarning",
    "ignore:invalid value encountered in cast:RuntimeWarning",
)

LABELER = ProgramSynthesisLabeler(offline_llm(), task="Which kind?", n_programs=3)
# Those of the label model's methods are in its own file.
CHECKED = {
    "labeler": LABELER,
    "zero-shot": ZeroShotAnnotator(offline_judge(), task="Which kind?"),
    "annotator": DistilledAnnotator(LABELER),
    "annotator by votes": DistilledAnnotator(LABELER, predict_with="votes"),
    "cascade of people": CascadeAnnotator(DistilledAnnotator(LABELER)),
    "cascade of a model": CascadeAnnotator(
        DistilledAnnotator(LABELER), offline_judge(), max_rows=5
    ),
}
ESTIMATORS = [
    *CHECKED.values(),
    LabelModelAggregator(),
    LabelModelAggregator(method="majority_vote"),
]

# Checks of scikit-learn's own test_common.py that check_estimator leaves out.
EXTRA_CHECKS = [
    "check_all_zero_sample_weights_error",
    "check_dataframe_column_names_consistency",
    "check_get_feature_names_out_error",
    "check_global_output_transform_pandas",
    "check_global_set_output_transform_polars",
    "check_param_validation",
    "check_set_output_transform",
    "check_set_output_transform_pandas",
    "check_set_output_transform_polars",
    "check_transformer_get_feature_names_out",
    "check_transformer_get_feature_names_out_pandas",
]


@parametrize_with_checks(CHECKED)
def test_estimators_keep_to_scikit_learns_conventions(estimator, check):
    check(estimator)


def applies(check, estimator):
    if "sample_weights" in check:
        return has_fit_parameter(estimator, "sample_weight")
    if "output" in check or "feature_names_out" in check:
        return hasattr(estimator, "transform")
    return True


@pytest.mark.slow
@pytest.mark.parametrize(
    ("check", "estimator"),
    [(c, e) for c in EXTRA_CHECKS for e in ESTIMATORS if applies(c, e)],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_estimators_pass_the_checks_that_check_estimator_leaves_out(check, estimator):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        getattr(estimator_checks, check)(type(estimator).__name__, clone(estimator))
