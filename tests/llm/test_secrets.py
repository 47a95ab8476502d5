"""What looks like a secret is refused; what does not, is not."""

import pytest

from sklearn_alchemist import LLM


@pytest.mark.parametrize(
    "name",
    [
        *("Ocp-Apim-Subscription-Key", "X-Functions-Key", "X-Api-Key", "apikey"),
        *("Authorization", "X-Auth", "Proxy-Authorization", "Cookie", "X-Signature"),
        *("aws_session_token", "vertex_credentials", "client_secret", "password"),
    ],
)
def test_names_of_secrets_are_refused_wherever_they_stand(name):
    with pytest.raises(ValueError, match="environment"):
        LLM("openai/m", params={"extra_headers": {name: "x"}})


@pytest.mark.parametrize(
    "params",
    [
        {"max_tokens": 5, "top_k": 3, "prompt_cache_key": "mine", "logit_bias": {}},
        {"extra_headers": {"X-Title": "my app"}},
        {"response_format": {"properties": {"author": {"type": "string"}}}},
    ],
)
def test_other_names_are_taken(params):
    assert LLM("openai/m", params=params).params == params


@pytest.mark.parametrize(
    "value",
    [
        *("Bearer x", "sk-12345678", "hf_12345678", "AIzaSyB12345", "xai-12345678"),
        *("github_pat_1", "glpat-1", "nvapi-1", "pplx-1", "AKIA12345678"),
    ],
)
def test_values_that_look_like_secrets_are_refused(value):
    with pytest.raises(ValueError, match="looks like a secret"):
        LLM("openai/m", params={"user": value})
