"""Files: one object of a store, fetched when it is opened."""

from typing import Any

from flyte_kit.types.file.file import FlyteFile

HDF5EncodedFile: Any = FlyteFile["hdf5"]
HTMLPage: Any = FlyteFile["html"]
JoblibSerializedFile: Any = FlyteFile["joblib"]
JPEGImageFile: Any = FlyteFile["jpeg"]
PDFFile: Any = FlyteFile["pdf"]
PNGImageFile: Any = FlyteFile["png"]
PythonPickledFile: Any = FlyteFile["python_pickle"]
PythonNotebook: Any = FlyteFile["ipynb"]
SVGImageFile: Any = FlyteFile["svg"]
CSVFile: Any = FlyteFile["csv"]
ONNXFile: Any = FlyteFile["onnx"]
TFRecordFile: Any = FlyteFile["tfrecord"]
JSONLFile: Any = FlyteFile["jsonl"]

__all__ = [
    "CSVFile",
    "FlyteFile",
    "HDF5EncodedFile",
    "HTMLPage",
    "JPEGImageFile",
    "JSONLFile",
    "JoblibSerializedFile",
    "ONNXFile",
    "PDFFile",
    "PNGImageFile",
    "PythonNotebook",
    "PythonPickledFile",
    "SVGImageFile",
    "TFRecordFile",
]
