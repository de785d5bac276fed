"""Files: one object of a store, fetched when it is opened."""

from typing import Annotated

from flyte_kit.types.blob_format import FileExt
from flyte_kit.types.file.file import FlyteFile

# Formats as flytekit names them; type checkers take `FlyteFile[csv]`, where `FlyteFile["csv"]` is a name to them.
hdf5 = Annotated[str, FileExt("hdf5")]
html = Annotated[str, FileExt("html")]
joblib = Annotated[str, FileExt("joblib")]
jpeg = Annotated[str, FileExt("jpeg")]
pdf = Annotated[str, FileExt("pdf")]
png = Annotated[str, FileExt("png")]
python_pickle = Annotated[str, FileExt("python_pickle")]
ipynb = Annotated[str, FileExt("ipynb")]
svg = Annotated[str, FileExt("svg")]
csv = Annotated[str, FileExt("csv")]
onnx = Annotated[str, FileExt("onnx")]
tfrecords_file = Annotated[str, FileExt("tfrecord")]
jsonl_file = Annotated[str, FileExt("jsonl")]

HDF5EncodedFile = FlyteFile[hdf5]
HTMLPage = FlyteFile[html]
JoblibSerializedFile = FlyteFile[joblib]
JPEGImageFile = FlyteFile[jpeg]
PDFFile = FlyteFile[pdf]
PNGImageFile = FlyteFile[png]
PythonPickledFile = FlyteFile[python_pickle]
PythonNotebook = FlyteFile[ipynb]
SVGImageFile = FlyteFile[svg]
CSVFile = FlyteFile[csv]
ONNXFile = FlyteFile[onnx]
TFRecordFile = FlyteFile[tfrecords_file]
JSONLFile = FlyteFile[jsonl_file]

__all__ = [
    "CSVFile",
    "FileExt",
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
