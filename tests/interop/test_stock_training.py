"""The training workflow of the demo with stock flytekit, from registration to the loaded model."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from flyte_up import Stock

pytestmark = pytest.mark.interop
PROGRAM = Path(__file__).parents[2] / "examples" / "train.py"


def test_three_models_are_trained_side_by_side_and_the_best_one_loads(stock: Stock, tmp_path: Path) -> None:
    (tmp_path / "train_three.py").write_text(re.sub(r"\bflyte_kit\b", "flytekit", PROGRAM.read_text()))
    answer = stock.remote(
        f"""
        import sys
        sys.path.insert(0, {str(tmp_path)!r})
        import joblib, train_three
        workflow = remote.fast_register_workflow(train_three.wine, version="three")
        started = remote.execute(workflow, inputs={{"test_share": 0.3}})
        done = remote.wait(started, poll_interval=timedelta(seconds=1))
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
