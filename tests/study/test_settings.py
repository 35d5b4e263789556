"""The defaults that stand in three places, for three kinds of reader, are the same ones."""

from dataclasses import fields

from uxla.algorithm.cotraining import CoTraining
from uxla.config.run import RunConfig
from uxla.study.settings import UXLA, method_of


def test_a_configuration_has_the_settings_of_python():
    config = RunConfig.model_construct(warmup=None, adaptation=None)
    assert method_of(config) == UXLA()
    assert method_of(config.model_copy(update={"alpha": 0.5})) != UXLA()


def test_python_has_the_settings_of_algorithm_1():
    algorithm, settings = CoTraining(learner=None, vicinity=None), UXLA()
    assert algorithm.schedule == settings.epochs
    same = {field.name for field in fields(CoTraining)} & {field.name for field in fields(UXLA)}
    assert same == {"agreement", "alpha", "order", "collapse_share", "labelled_share"}
    assert {name: getattr(algorithm, name) for name in same} == {name: getattr(settings, name) for name in same}
