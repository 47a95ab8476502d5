"""Link estimators to their pages in the documentation."""


class DocLinks:
    """Mixin, left of `BaseEstimator`: what the HTML repr of an estimator links to."""

    _doc_link_module = "sklearn_alchemist"
    _doc_link_template = (
        "https://sklearn-alchemist.readthedocs.io/en/latest/generated/"
        "{estimator_module}.{estimator_name}.html"
    )
