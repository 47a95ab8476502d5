"""What looks like a secret is refused; what does not, is not."""

import base64
from urllib.parse import quote

import pytest

from sklearn_alchemist import LLM
from sklearn_alchemist.llm._failures import printable


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


@pytest.mark.parametrize(
    "text",
    [
        *("x-api-key: hunter2hunter2", "api-key: " + "hunter2" * 4, "API key=hunter2a"),
        *('{"api_key": "hunter2hunter2"}', '{\\"apiKey\\": \\"hunter2hunter2\\"}'),
        *("Authorization: Basic hunter2aGVsbG8=", "authorization: hunter2!"),
        *("u:hunter2@h.example/x", "?x=1&sig=hunter2a&y=2", "{'password': 'hunter2'}"),
        *("Ocp-Apim-Subscription-Key: hunter2", "Cookie: session=hunter2"),
        *("Incorrect API key provided: hunter2h", "client_secret=hunter2"),
    ],
)
def test_a_value_is_blanked_out_where_its_name_says_that_it_is_secret(text):
    shown = printable(text)
    assert "hunter2" not in shown
    assert "***" in shown


@pytest.mark.parametrize(
    "text",
    [
        *("api_key: missing", "x-api-key header is required", "max_tokens: 100000"),
        *("prompt_tokens=12345", "Unexpected key: 'temperature'", "at 12:30:45, retry"),
        "authorization: invalid",
    ],
)
def test_what_names_a_secret_and_holds_none_is_shown(text):
    assert printable(text) == text


@pytest.mark.parametrize(
    "write",
    [
        str,
        lambda key: quote(key, safe=""),
        lambda key: quote(key, safe="").replace("%2B", "%2b"),
        *(
            lambda key, before=before: (
                base64.b64encode(f"{before}{key}".encode()).decode().rstrip("=")
            )
            for before in ("", "u:", "ab:", "abc:")
        ),
    ],
)
def test_a_key_of_the_environment_is_blanked_out_however_it_is_written(
    monkeypatch, write
):
    key = "A+very/secret=key of mine"
    monkeypatch.setenv("MY_API_KEY", key)
    written = write(key)
    shown = printable(f"who is {written}?")
    assert "***" in shown
    assert written[6:-6] not in shown
