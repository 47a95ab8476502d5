"""Parametrize tests with the checks that scikit-learn has for all estimators."""

import pytest
from sklearn.utils.estimator_checks import estimator_checks_generator


def parametrize_with_checks(estimators):
    """As scikit-learn's function of that name, but for the names.

    Its names hold an estimator as it prints itself, which is long and takes, for
    hundreds of checks, longer than what some of them do.

    Parameters
    ----------
    estimators : dict of str to estimator
        The estimators by what to call them.
    """
    return pytest.mark.parametrize(
        ("estimator", "check"),
        [
            pytest.param(one, check, id=f"{name}-{_name(check)}")
            for name, estimator in estimators.items()
            for one, check in estimator_checks_generator(estimator)
        ],
    )


def _name(check):
    options = ",".join(f"{key}={value}" for key, value in check.keywords.items())
    return check.func.__name__ + (f"({options})" if options else "")
