"""Tests of the fast kernels against those of torch."""

import numpy as np
import pytest
import torch
from scipy import sparse

from sk_ctxmem._network._batch import SparseFeatures
from sk_ctxmem._network._kernels import draw_normal_, draw_uniform_, drop, fast_tanh, table_product
from sk_ctxmem._rows._row_set import ColumnSorter


@pytest.fixture(autouse=True)
def _keep_random_state():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


def _features(X, *, training):
    return SparseFeatures(
        torch.from_numpy(X.indices.astype(np.int64)),
        torch.from_numpy(X.data),
        torch.from_numpy(X.indptr[:-1].astype(np.int64)),
        ColumnSorter(X.shape[1]).sort(X) if training else None,
    )


@pytest.mark.parametrize("n_outputs", [1, 3, 128])
def test_table_product_is_the_matrix_product(n_outputs):
    """Check value and gradient against the dense product; untouched rows have no gradient."""
    X = sparse.random_array((7, 40), density=0.1, format="csr", random_state=0)
    X = sparse.csr_array(X, dtype=np.float32)
    table = torch.nn.Parameter(torch.randn(40, n_outputs))
    found = table_product(table, _features(X, training=True))
    expected = torch.from_numpy(X.toarray()) @ table
    torch.testing.assert_close(found, expected)
    weight = torch.randn_like(found)
    (gradient,) = torch.autograd.grad((found * weight).sum(), table)
    (dense_gradient,) = torch.autograd.grad((expected * weight).sum(), table)
    assert gradient.is_sparse
    assert gradient.coalesce().indices()[0].tolist() == np.unique(X.indices).tolist()
    torch.testing.assert_close(gradient.to_dense(), dense_gradient)
    torch.testing.assert_close(table_product(table, _features(X, training=False)), expected)


def test_dropout_keeps_the_mean():
    """Check the fraction of dropped values and the scale of the others, in value and gradient."""
    values = torch.ones(200_001, requires_grad=True)
    dropped = drop(values, 0.3)
    assert (dropped == 0).float().mean().item() == pytest.approx(0.3, abs=0.005)
    assert dropped.max().item() == pytest.approx(1 / 0.7, rel=1e-3)
    dropped.sum().backward()
    torch.testing.assert_close(values.grad, dropped)
    assert drop(values, 0.0) is values


def test_dropout_draws_from_the_seed():
    """Check that equal seeds drop the same values, and that successive draws differ."""
    draws = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        draws += [drop(torch.ones(100), 0.5), drop(torch.ones(100), 0.5)]
    assert torch.equal(draws[0], draws[2])
    assert not torch.equal(draws[0], draws[1])
    assert not torch.equal(draws[0], draws[4])


@pytest.mark.parametrize("shape", [(3,), (1000, 77)], ids=str)
def test_first_weights_have_mean_zero_and_the_scale(shape):
    """Check the moments of initial weights, and that scale 0 gives zeros."""
    values = torch.empty(shape)
    draw_uniform_(values, 0.5)
    assert values.abs().max() <= 0.5 * 3**0.5
    if values.numel() > 1000:
        assert values.mean().item() == pytest.approx(0, abs=0.01)
        assert values.std().item() == pytest.approx(0.5, rel=0.02)
        assert len(values.unique()) > 30_000
    draw_uniform_(values, 0.0)
    assert (values == 0).all()


def test_fast_tanh_is_the_hyperbolic_tangent():
    """Check value and gradient, far from zero too."""
    values = torch.linspace(-50, 50, 1001, dtype=torch.float64, requires_grad=True)
    torch.testing.assert_close(fast_tanh(values), values.tanh())
    assert torch.autograd.gradcheck(fast_tanh, values)


@pytest.mark.parametrize("draw", [draw_uniform_, draw_normal_])
def test_nothing_is_drawn_for_tensors_without_values(draw):
    """Check that initial weights on "meta" leave the generator as it was."""
    before = torch.random.get_rng_state()
    draw(torch.empty(100, device="meta"), 0.5)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_normal_weights_have_mean_zero_and_the_scale():
    """Check the moments, and that the numbers are those of torch."""
    torch.manual_seed(0)
    values = torch.nn.Parameter(torch.empty(100_000))
    draw_normal_(values, 0.5)
    assert values.mean().item() == pytest.approx(0, abs=0.01)
    assert values.std().item() == pytest.approx(0.5, rel=0.02)
    torch.manual_seed(0)
    assert torch.equal(values, torch.nn.init.normal_(torch.empty(100_000), std=0.5))
