import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from sklearn_alchemist.distillation import draw_queue, inclusion_probabilities

SIZES = hnp.arrays(float, st.integers(1, 30), elements=st.floats(1e-6, 1e6))


def rows(seed=0, n_rows=40):
    """Rows of which some are sure, with a few different votes."""
    rng = np.random.default_rng(seed)
    first = rng.beta(0.5, 0.5, n_rows)
    proba = np.column_stack([first, 1 - first])
    votes = rng.integers(-1, 2, (n_rows, 2))
    return proba, (proba + 0.5) / 2, proba, votes


@given(SIZES, st.data())
def test_chances_add_up_to_the_number_of_draws(size, data):
    n = data.draw(st.integers(0, len(size)))
    chance = inclusion_probabilities(size, n)
    assert ((chance >= 0) & (chance <= 1)).all()
    np.testing.assert_allclose(chance.sum(), n, rtol=1e-9)
    assert (np.diff(chance[np.argsort(size)]) >= -1e-12).all()


@given(st.integers(0, 50), st.integers(0, 60))
def test_as_many_different_rows_are_drawn_as_asked_for(seed, n):
    positions, chance = draw_queue(*rows(seed), n, random_state=seed)
    assert len(set(positions.tolist())) == len(positions) == min(n, 40)
    assert ((chance > 0) & (chance <= 1)).all()


@pytest.mark.slow
def test_rows_are_drawn_as_often_as_is_said():
    drawn, said = np.zeros(40), np.full(40, np.nan)
    for seed in range(1500):
        positions, chance = draw_queue(*rows(1), 8, random_state=seed)
        drawn[positions] += 1 / 1500
        said[positions] = chance
    np.testing.assert_allclose(drawn, said, atol=0.05)
    assert said.max() > 1.5 * said.min()
    # No label stands for more than twice the rows of a plain sample.
    assert said.min() > 0.5 * 8 / 40 - 1e-9


def test_rows_of_the_same_votes_get_their_share_and_no_more():
    """Half of the rows are told apart by nobody, and equally hard as the others."""
    proba = np.full((40, 2), 0.5)
    votes = np.repeat([0, 1], 20)[:, None]
    for seed in range(50):
        positions, _ = draw_queue(proba, proba, proba, votes, 10, random_state=seed)
        assert (positions < 20).sum() == 5


def test_half_a_queue_is_a_sample_of_the_same_kind():
    """Who stops early has seen as many hard rows as the queue holds on the mean."""
    first, whole = [], []
    for seed in range(500):
        positions, _ = draw_queue(*rows(1), 10, random_state=seed)
        first.append(positions[:5])
        whole.append(positions)
    hardness = np.abs(rows(1)[0][:, 0] - 0.5)
    assert abs(hardness[np.array(first)].mean() - hardness[np.array(whole)].mean()) < (
        0.01
    )
