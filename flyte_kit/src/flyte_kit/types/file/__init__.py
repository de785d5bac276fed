"""Files: one object of a store, fetched when it is opened."""

from typing import Any

from flyte_kit.types.blob_format import with_format
from flyte_kit.types.file.file import FlyteFile

HDF5EncodedFile: Any = with_format(FlyteFile, "hdf5")
HTMLPage: Any = with_format(FlyteFile, "html")
JoblibSerializedFile: Any = with_format(FlyteFile, "joblib")
JPEGImageFile: Any = with_format(FlyteFile, "jpeg")
PDFFile: Any = with_format(FlyteFile, "pdf")
PNGImageFile: Any = with_format(FlyteFile, "png")
PythonPickledFile: Any = with_format(FlyteFile, "python_pickle")
PythonNotebook: Any = with_format(FlyteFile, "ipynb")
SVGImageFile: Any = with_format(FlyteFile, "svg")
CSVFile: Any = with_format(FlyteFile, "csv")
ONNXFile: Any = with_format(FlyteFile, "onnx")
TFRecordFile: Any = with_format(FlyteFile, "tfrecord")
JSONLFile: Any = with_format(FlyteFile, "jsonl")

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
