"""Tests of the docstrings: what they say is what the code does."""

import inspect
import re

import pytest

import sk_ctxmem
import sk_ctxmem.comparison
import sk_ctxmem.datasets
import sk_ctxmem.distributed
import sk_ctxmem.inspection
import sk_ctxmem.testing
from sk_ctxmem import ContextMemoryClassifier, TextSequenceVectorizer, WindowTfidfVectorizer

docscrape = pytest.importorskip("numpydoc.docscrape")

PUBLIC = {
    f"{module.__name__}.{name}": getattr(module, name)
    for module in (
        sk_ctxmem,
        sk_ctxmem.comparison,
        sk_ctxmem.datasets,
        sk_ctxmem.distributed,
        sk_ctxmem.inspection,
        sk_ctxmem.testing,
    )
    for name in module.__all__
    if callable(getattr(module, name))
}


def _own_methods(cls):
    """List the public methods that our package wrote, not those inherited from scikit-learn."""
    return {
        name: method
        for name, method in inspect.getmembers(cls, inspect.isfunction)
        if not name.startswith("_") and method.__module__.startswith("sk_ctxmem")
    }


def _documented_callables():
    """Map dotted names to the public functions, classes and methods."""
    callables = {}
    for name, thing in PUBLIC.items():
        is_exception = inspect.isclass(thing) and issubclass(thing, Exception)
        if not is_exception:
            callables[name] = thing
            if inspect.isclass(thing):
                methods = _own_methods(thing).items()
                callables |= {f"{name}.{method}": function for method, function in methods}
    return callables


CALLABLES = _documented_callables()
each_callable = pytest.mark.parametrize("thing", CALLABLES.values(), ids=CALLABLES.keys())


def _parse(thing):
    if inspect.isclass(thing):
        return docscrape.ClassDoc(thing, config={"show_class_members": False})
    return docscrape.FunctionDoc(thing)


def _signature_parameters(thing):
    parameters = inspect.signature(thing).parameters
    return {name: parameter for name, parameter in parameters.items() if name != "self"}


def _documented_types(thing):
    """Map each parameter in the docstring to its type line; one entry may name several."""
    return {
        name.lstrip("*"): parameter.type
        for parameter in _parse(thing)["Parameters"]
        for name in parameter.name.split(", ")
    }


@pytest.mark.parametrize("thing", PUBLIC.values(), ids=PUBLIC.keys())
def test_every_public_name_has_a_summary(thing):
    """Check that the docstring is the name's own and starts with one sentence."""
    assert thing.__doc__, "has no docstring"
    summary = thing.__doc__.strip().split("\n\n")[0]
    assert summary.endswith("."), summary


@each_callable
def test_underlines_of_sections_stand_alone(thing):
    """Check that no line begins with dashes and goes on with text, which pages show as they are."""
    assert re.findall(r"^ *-{3,} .*", thing.__doc__, re.MULTILINE) == []


@each_callable
def test_every_parameter_is_documented_in_order(thing):
    """Check that the entries of Parameters are the signature's, in its order."""
    assert list(_documented_types(thing)) == list(_signature_parameters(thing))


@each_callable
def test_every_default_is_documented_as_it_is(thing):
    """Check that each `default=` equals the signature's, and stands where there is one."""
    documented = _documented_types(thing)
    for name, parameter in _signature_parameters(thing).items():
        if documented[name] == "Ignored":  # scikit-learn's word for the y of a transformer
            continue
        match = re.search(r"default=(.+)$", documented[name])
        if parameter.default is inspect.Parameter.empty:
            assert match is None, f"{name} has no default"
        else:
            assert match, f"{name} has an undocumented default {parameter.default!r}"
            assert match[1].replace('"', "'") == repr(parameter.default), name


@pytest.mark.parametrize(
    "thing",
    [thing for thing in CALLABLES.values() if not inspect.isclass(thing)],
    ids=[name for name, thing in CALLABLES.items() if not inspect.isclass(thing)],
)
def test_every_function_says_what_it_returns(thing):
    """Check that functions and methods have a section Returns or Yields."""
    doc = _parse(thing)
    assert doc["Returns"] or doc["Yields"] or "return " not in inspect.getsource(thing)


def _fitted_classifier():
    return ContextMemoryClassifier(max_epochs=1).fit(["a b", "c d"] * 20, [0, 1] * 20)


def _fitted_vectorizer():
    return TextSequenceVectorizer().fit(["a b", "c d"] * 20)


def _fitted_window():
    return WindowTfidfVectorizer((0, 0)).fit(["a b", "c d"])


@pytest.mark.parametrize("make", [_fitted_classifier, _fitted_vectorizer, _fitted_window])
def test_attributes_are_those_of_a_fitted_object(make):
    """Check that Attributes lists all that fit learned, and nothing else."""
    estimator = make()
    documented = {attribute.name for attribute in docscrape.ClassDoc(type(estimator))["Attributes"]}
    learned = {name for name in vars(estimator) if name.endswith("_") and not name.startswith("_")}
    missing = learned - documented
    assert missing == set(), f"not documented: {missing}"
    of_columns = {"n_features_in_", "feature_names_in_"}  # a list of texts has no columns
    unknown = {name for name in documented - of_columns if not hasattr(estimator, name)}
    assert unknown == set(), f"documented, but not there after fit: {unknown}"
