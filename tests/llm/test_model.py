import copy
import dataclasses
import pickle

import joblib
import pytest
from sklearn.base import clone

from sklearn_alchemist import LLM, ProgramSynthesisLabeler


def echo(prompt):
    return prompt


@pytest.mark.parametrize(
    "params",
    [
        {"api_key": "anything"},
        {"extra_headers": {"Authorization": "Bearer abc"}},
        {"headers": {"x-api-key": "abc"}},
        {"metadata": ["sk-" + "a" * 20]},
        {"aws_secret_access_key": "abc"},
    ],
)
def test_secrets_are_refused_in_params(params):
    with pytest.raises(ValueError, match="environment"):
        LLM("openai/gpt-4o-mini", params=params)


@pytest.mark.parametrize("param", [{"max_tokens": 5}, {"max_completion_tokens": 5}])
def test_parameters_that_count_tokens_are_no_secrets(param):
    assert param.items() <= LLM("m/x", params=param).request_params.items()


@pytest.mark.parametrize(
    "api_base",
    [
        "http://me:pa55w0rd@host/v1",
        "http://host/v1?key=pa55w0rd",
        "host/v1",
        "ftp://host",
    ],
)
def test_an_address_with_a_secret_or_without_a_scheme_is_refused_unrepeated(api_base):
    with pytest.raises(ValueError, match="api_base must") as raised:
        LLM("openai/x", api_base=api_base)
    assert "pa55w0rd" not in str(raised.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"timeout": 0}, "timeout must be a number above 0"),
        ({"timeout": float("nan")}, "timeout"),
        ({"n_concurrent": 1.5}, "n_concurrent must be a whole number"),
        ({"max_cost": -1}, "max_cost"),
        ({"max_calls": True}, "max_calls"),
        ({"prices": {"input": 1}}, "per million tokens"),
        ({"params": {"stream": True}}, "stream"),
        ({"params": {"n": 3}}, "set by LLM itself"),
    ],
)
def test_values_that_make_no_sense_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        LLM("openai/x", **options)


@pytest.mark.parametrize(
    "options", [{"params": {"stop": object()}}, {"params": [1]}, {"store": True}]
)
def test_values_of_a_wrong_type_are_refused(options):
    with pytest.raises(TypeError):
        LLM("openai/x", **options)


def test_a_model_without_a_name_is_refused():
    with pytest.raises(TypeError, match="litellm writes it"):
        LLM("  ")


def test_it_is_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        LLM("openai/x").model = "openai/y"


@pytest.mark.parametrize(
    "twin", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))]
)
def test_it_copies_and_pickles(twin):
    llm = LLM("openai/x", params={"temperature": 0}, max_calls=3)
    assert twin(llm) == llm


def test_it_survives_the_clone_of_an_estimator():
    labeler = ProgramSynthesisLabeler(LLM.from_callable(echo, name="echo"))
    assert clone(labeler).llm == labeler.llm


def test_a_parameter_of_none_is_left_out():
    assert LLM("m/x", params={"temperature": None}).request_params == {
        "max_tokens": 4096
    }


def test_an_unnamed_function_is_never_stored():
    assert LLM.from_callable(echo).store is False


def test_what_is_no_function_cannot_be_wrapped():
    with pytest.raises(TypeError, match="callable"):
        LLM.from_callable("echo")


def test_equal_models_have_equal_hashes():
    one, other = (LLM("m", params={"temperature": 0}) for _ in range(2))
    assert hash(one) == hash(other)
    assert joblib.hash(one) == joblib.hash(other)
    assert joblib.hash(one) != joblib.hash(LLM("m"))
    assert pickle.loads(pickle.dumps(one)) == one
    fresh = LLM("m", refresh=True)
    assert pickle.loads(pickle.dumps(fresh)).made == fresh.made
