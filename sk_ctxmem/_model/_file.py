"""The state of a classifier as plain data, and its file."""

import warnings

from sklearn.utils.validation import check_is_fitted

from .._doc_links import doc_link
from .._files._archive import read_archive, write_archive
from .._files._codec import PlainReader, PlainWriter, from_state, to_state
from .._input._parameters import check_parameters
from .._runtime import choose_device
from ..exceptions import ModelFileError
from ._build import build_network
from ._checks import check_learned
from ._trusted_classes import TRUSTED_CLASSES, check_safe_params

DOCUMENTS = ("config", "vocabulary")
# The moments of an optimiser and requests for metadata are of no use to predictions, a folder to
# write into is nothing that a file should name, and callbacks are code.
NOT_IN_FILES = ("_stream", "_metadata_request", "checkpoint", "callbacks", "_skl_callbacks")


class ModelFileMixin:
    """Save and load, and what pickle and skops keep: arrays and plain values.

    The class that takes it keeps its network in `_network` and its sizes in `_sizes`, sets it by
    `_set_network`, has a table `_legal_values` of its parameters, and predicts by `_smoke_test`.
    """

    def save(self, path):
        """Write the fitted classifier to a file that holds data only.

        Nothing in it is run when it is loaded, whoever wrote it. It is a zip of ``config.json``,
        ``vocabulary.json``, ``weights.safetensors`` and a ``manifest.json`` with their checksums,
        the version of the format, and the versions of what wrote it. An older file of this name
        stays whole until the new one is complete.

        It has all parameters but `checkpoint` and `callbacks`, and neither requests for metadata
        nor what `partial_fit` needs to go on.

        Parameters
        ----------
        path : str or path-like
            The file.

        Raises
        ------
        NotFittedError
            If there is nothing to save yet.
        TypeError
            If something is not plain data, such as a vectorizer of another class or with a
            function as a parameter, or asks for what a file must not; the message names it.
        OSError
            If the file cannot be written.

        See Also
        --------
        load : Reads it.
        """
        check_is_fitted(self)
        state = _state_of(self)
        weights = state.pop("_weights")
        for name in NOT_IN_FILES:
            state.pop(name, None)
        state["device"] = str(self.device)
        writer = PlainWriter(TRUSTED_CLASSES, check=check_safe_params)
        config = writer.write(state, type(self).__name__)
        documents = {"config": config, "vocabulary": writer.vocabularies}
        arrays = {f"network.{name}": array for name, array in weights.items()}
        write_archive(path, "model", documents, writer.arrays | arrays)

    @classmethod
    def load(cls, path):
        """Read a fitted classifier from a file written by `save`.

        Parameters
        ----------
        path : str or path-like
            The file.

        Returns
        -------
        classifier : ContextMemoryClassifier
            It predicts as the one that was saved, on the GPU or CPU that there is.

        Raises
        ------
        ModelFileError
            If the file is damaged, is none of ours, or is of a later format.
        OSError
            If it cannot be opened.
        """
        documents, arrays = read_archive(path, "model", DOCUMENTS)
        try:
            return _rebuild(cls, documents, arrays)
        except (MemoryError, Warning):  # the latter where warnings are errors
            raise
        except Exception as error:  # whatever the content of a file made up by anybody leads to
            raise ModelFileError(
                f"{str(path)!r} holds no whole classifier ({type(error).__name__}: "
                f"{error!s:.300}); save it anew, or fetch it again." + doc_link("model-files")
            ) from error

    def __getstate__(self):
        """Return arrays and plain values, and the objects of classes that are not known here."""
        state = _state_of(self)
        weights = state.pop("_weights", None)
        return to_state(state, type(self).__name__, TRUSTED_CLASSES, check_safe_params) | {
            "weights": weights
        }

    def __setstate__(self, state):
        """Rebuild everything, on the device that there is now."""
        _restore(self, from_state(state, TRUSTED_CLASSES, check_safe_params), state["weights"])


def _state_of(classifier):
    """Return all that a classifier holds, with weights as arrays in the place of the network."""
    state = dict(vars(classifier))
    network = state.pop("_network", None)
    state.pop("_device", None)
    state.pop("_shared_model", None)  # which sessions make anew
    if network is not None:
        weights = network.state_dict().items()
        state["_weights"] = {name: value.float().cpu().numpy() for name, value in weights}
    return state


def _rebuild(cls, documents, arrays):
    """Make a classifier from the content of a file, and try it out."""
    weights = {n.removeprefix("network."): a for n, a in arrays.items() if n.startswith("network.")}
    reader = PlainReader(TRUSTED_CLASSES, arrays, documents["vocabulary"], check=check_safe_params)
    state = reader.read(documents["config"])
    if state.keys() & set(NOT_IN_FILES):
        raise ValueError(f"a file must not hold {sorted(state.keys() & set(NOT_IN_FILES))}")
    classifier = cls()
    _restore(classifier, state | {"_stream": None}, weights, stacklevel=5)
    check_parameters(classifier, cls._legal_values)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        classifier._smoke_test()
    return classifier


def _restore(classifier, state, weights, stacklevel=4):
    """Give a classifier its attributes and, if there are weights, its network.

    A warning points to the line that is so many levels above.
    """
    parameters = classifier._get_param_names()
    if weights is not None:
        state = {"stop_reason_": ""} | state  # older files and pickles have none
    for name, value in state.items():
        if name not in parameters and (hasattr(type(classifier), name) or not name.isidentifier()):
            raise ValueError(f"a classifier cannot have {name!r:.60}")
        setattr(classifier, name, value)
    if weights is not None:
        check_learned(classifier)
        network = build_network(classifier._sizes, weights)
        classifier._set_network(network, _find_device(classifier, stacklevel))


def _find_device(classifier, stacklevel):
    """Return the device of this machine that comes nearest to the parameter."""
    try:
        return choose_device(classifier.device)
    except ValueError:
        warnings.warn(
            f"device={classifier.device!r} is not to be had here: the classifier runs on the CPU.",
            stacklevel=stacklevel,
        )
        return "cpu"
