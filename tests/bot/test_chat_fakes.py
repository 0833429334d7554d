"""The pipeline of these tests must not drift from the real one."""

from __future__ import annotations

import inspect
from dataclasses import fields

import chat_fakes
import pytest

from bot import answers, pipeline


@pytest.mark.parametrize("name", ["RankedAnswer", "Answer", "Explanation", "Evidence"])
def test_the_nouns_have_the_same_fields(name):
    real = [field.name for field in fields(getattr(answers, name))]
    assert [field.name for field in fields(getattr(chat_fakes, name))] == real


@pytest.mark.parametrize("name", ["answer", "answer_many", "explain", "refresh_feedback", "conversation", "close"])
def test_the_methods_take_the_same_arguments(name):
    real = list(inspect.signature(getattr(pipeline.Pipeline, name)).parameters.values())
    fake = list(inspect.signature(getattr(chat_fakes.FakePipeline, name)).parameters.values())
    assert [one.default for one in fake] == [one.default for one in real]
    assert len(fake) == len(real)


def test_a_pipeline_opens_as_the_commands_open_it():
    assert list(inspect.signature(pipeline.Pipeline.open).parameters) == ["desk", "ranker", "on_progress"]
    for name in ("ranker_name", "threshold"):
        assert isinstance(getattr(pipeline.Pipeline, name), property)
    assert "self.notices: list[str]" in inspect.getsource(pipeline.Pipeline)
