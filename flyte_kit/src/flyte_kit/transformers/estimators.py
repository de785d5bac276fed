"""Estimators of scikit-learn, saved by joblib."""

from __future__ import annotations

from typing import Any

import joblib
import sklearn.base

from flyte_kit.core.type_engine import TypeEngine
from flyte_kit.transformers.one_file import OneFileTransformer


class SklearnEstimatorTransformer(OneFileTransformer):
    """``sklearn.base.BaseEstimator``."""

    format = "SklearnEstimator"
    suffix = ".joblib"

    def __init__(self) -> None:
        super().__init__("Sklearn Estimator", sklearn.base.BaseEstimator)

    def save(self, value: Any, path: str) -> None:
        """Write an estimator."""
        joblib.dump(value, path)

    def load(self, path: str) -> Any:
        """Read an estimator."""
        return joblib.load(path)


TypeEngine.register(SklearnEstimatorTransformer())
