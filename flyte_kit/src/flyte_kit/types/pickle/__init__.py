"""Values that travel as pickle files."""

from flyte_kit.types.pickle.pickle import PICKLE_FORMAT, FlytePickle

__all__ = ["PICKLE_FORMAT", "FlytePickle"]
