"""A training workflow of stock flytekit, from registration to the loaded model."""

from __future__ import annotations

import pytest

from flyte_up import Stock

pytestmark = pytest.mark.interop


def test_three_models_are_trained_side_by_side_and_the_best_one_loads(stock: Stock) -> None:
    answer = stock.remote(
        """
        import joblib, train_three
        workflow = remote.fast_register_workflow(train_three.wine, version="three")
        done = remote.execute(workflow, inputs={"test_share": 0.3}, wait=True, poll_interval=timedelta(seconds=1))
        result["phase"] = done.closure.phase
        result["metrics"] = done.outputs.get("metrics", as_type=dict[str, float])
        model = joblib.load(done.outputs.get("model", as_type=train_three.FlyteFile).download())
        result["features"] = model.n_features_in_
        """,
        seconds=300,
    )
    assert answer["phase"] == 4, "SUCCEEDED"
    metrics = answer["metrics"]
    assert isinstance(metrics, dict)
    assert sorted(metrics) == ["forest", "logistic", "neighbours"]
    assert min(metrics.values()) > 0.9
    assert answer["features"] == 13
