"""What a loss must do whatever the scores are."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from training.losses import DISTILLATIONS, LOSSES, kl_distillation, margin_mse, padded

SCORES = st.lists(st.floats(-20, 20, width=32), min_size=2, max_size=9)


@pytest.mark.parametrize("loss", LOSSES.values(), ids=list(LOSSES))
@settings(deadline=None, max_examples=40)
@given(scores=SCORES, place=st.integers(0, 8))
def test_every_loss_lifts_the_right_candidate_and_lowers_the_others(loss, scores, place):
    logits, right = torch.tensor([scores], requires_grad=True), torch.zeros(1, len(scores), dtype=torch.bool)
    right[0, place % len(scores)] = True
    loss(logits, right).sum().backward()
    assert logits.grad is not None
    assert (logits.grad[right] <= 1e-6).all()
    assert (logits.grad[~right] >= -1e-6).all()


@pytest.mark.parametrize("loss", LOSSES.values(), ids=list(LOSSES))
@settings(deadline=None, max_examples=40)
@given(scores=SCORES, more=st.integers(1, 4))
def test_padding_changes_neither_loss_nor_gradient(loss, scores, more):
    right = torch.zeros(1, len(scores), dtype=torch.bool)
    right[0, 0] = True
    plain = torch.tensor([scores], requires_grad=True)
    alone = loss(plain, right).sum()
    alone.backward()
    wide = torch.tensor([scores], requires_grad=True)
    filler = torch.full((1, more), -torch.inf)
    with_padding = loss(torch.cat([wide, filler], dim=1), torch.cat([right, filler > 0], dim=1)).sum()
    with_padding.backward()
    torch.testing.assert_close(with_padding, alone, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(wide.grad, plain.grad, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("distillation", DISTILLATIONS.values(), ids=list(DISTILLATIONS))
def test_a_student_that_follows_its_teacher_ends_with_the_same_order(distillation):
    teacher = torch.tensor([[3.0, -1.0, 0.5, 0.0], [0.0, 2.0, 1.0, -torch.inf]])
    right = torch.tensor([[True, False, False, False], [False, True, False, False]])
    student = torch.zeros(2, 4, requires_grad=True)
    optimizer = torch.optim.Adam([student], lr=0.1)
    for _ in range(200):
        optimizer.zero_grad()
        distillation(student.masked_fill(~torch.isfinite(teacher), -torch.inf), teacher, right).mean().backward()
        optimizer.step()
    assert student[0].argmax() == 0
    assert student[1, :3].argmax() == 1
    assert torch.isfinite(student).all()


def test_a_distillation_is_zero_only_for_what_it_compares():
    teacher, right = torch.tensor([[2.0, 1.0, 0.0]]), torch.tensor([[True, False, False]])
    assert float(kl_distillation(teacher + 7.0, teacher)) == pytest.approx(0, abs=1e-6)
    assert float(margin_mse(teacher * 2, teacher, right)) == pytest.approx((1 + 4) / 2)
    assert float(kl_distillation(teacher * 2, teacher)) > 0.01


def test_lists_of_different_lengths_are_padded_at_their_ends():
    matrix = padded(torch.arange(5.0), torch.tensor([0, 1, 1, 1, 2]), 3)
    assert matrix.tolist() == [[0.0, -torch.inf, -torch.inf], [1.0, 2.0, 3.0], [4.0, -torch.inf, -torch.inf]]
