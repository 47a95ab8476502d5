"""Tell what to do with pickled fits whose model is not used any more."""

import sys
from typing import Any, NoReturn


class Parameters:
    """What the pickles of earlier fits hold."""

    def __setstate__(self, state: Any) -> NoReturn:
        raise ValueError(
            "This LabelModelAggregator was fitted by an earlier version, with a model "
            "that is not used any more: fit it again on its votes, or load it with the "
            "version that made it (commit 30516c1 or before)."
        )


VotingRule = Parameters
for _name in ("_parameters", "_voting_rule"):
    sys.modules.setdefault(f"{__package__}.{_name}", sys.modules[__name__])
