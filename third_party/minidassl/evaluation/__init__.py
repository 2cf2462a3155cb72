"""Evaluators by config name."""

from minidassl.evaluation.build import EVALUATOR_REGISTRY, build_evaluator
from minidassl.evaluation.evaluator import Classification, EvaluatorBase

__all__ = ["EVALUATOR_REGISTRY", "Classification", "EvaluatorBase", "build_evaluator"]
