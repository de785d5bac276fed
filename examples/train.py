"""Split a data set, train three models side by side, evaluate them, keep the best."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import joblib
import pandas as pd
from sklearn.datasets import load_wine
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from flyte_kit import FlyteFile, current_context, task, workflow

MODELS = {
    "logistic": lambda: LogisticRegression(max_iter=2000),
    "forest": lambda: RandomForestClassifier(n_estimators=50, random_state=0),
    "neighbours": lambda: KNeighborsClassifier(5),
}


class Split(NamedTuple):
    train: pd.DataFrame
    test: pd.DataFrame


class Best(NamedTuple):
    model: FlyteFile
    metrics: dict[str, float]


@dataclass
class Score:
    name: str
    accuracy: float


@task
def split(test_share: float) -> Split:
    table = load_wine(as_frame=True).frame
    train, test = train_test_split(table, test_size=test_share, random_state=0, stratify=table["target"])
    return Split(train.reset_index(drop=True), test.reset_index(drop=True))


@task
def train(data: pd.DataFrame, model: str) -> FlyteFile:
    pipeline = make_pipeline(StandardScaler(), MODELS[model]())
    pipeline.fit(data.drop(columns="target"), data["target"])
    path = Path(current_context().working_directory) / f"{model}.joblib"
    joblib.dump(pipeline, path)
    return FlyteFile(str(path))


@task
def evaluate(model: FlyteFile, name: str, data: pd.DataFrame) -> Score:
    predicted = joblib.load(model.download()).predict(data.drop(columns="target"))
    return Score(name, float(accuracy_score(data["target"], predicted)))


@task
def pick(scores: list[Score], models: list[FlyteFile]) -> Best:
    print(json.dumps({score.name: score.accuracy for score in scores}))
    best = max(range(len(scores)), key=lambda i: scores[i].accuracy)
    return Best(models[best], {score.name: score.accuracy for score in scores})


@workflow
def wine(test_share: float = 0.3) -> Best:
    parts = split(test_share=test_share)
    models = [train(data=parts.train, model=name) for name in MODELS]
    scores = [evaluate(model=m, name=name, data=parts.test) for m, name in zip(models, MODELS, strict=True)]
    return pick(scores=scores, models=models)
