"""How answers become programs: repair, prior knowledge, structured programs."""

import json

import numpy as np
import pytest
from chat_server import Reply

from sklearn_alchemist import LLM, LabelingProgram, ProgramSynthesisLabeler
from sklearn_alchemist.exceptions import LLMError, ProgramWarning
from sklearn_alchemist.synthesis import (
    Prompts,
    classes_never_answered,
    extract_source,
)
from sklearn_alchemist.synthesis._knowledge import chunk, read_documents, retrieve
from sklearn_alchemist.synthesis._selection import drop_useless
from sklearn_alchemist.synthesis._trial import synthetic_records

LINK = "def label(text):\n    return 'spam' if 'http' in text else 'ham'\n"
BROKEN = "def label(text):\n    return 1 / 0\n"
RECORDS = [f"see http://x.example {i}" for i in range(30)]
RECORDS += [f"a nice song {i}" for i in range(30)]


@pytest.fixture
def llm(server, own_store):
    return LLM("openai/test", api_base=server.api_base, store=own_store, n_concurrent=1)


def labeler(llm, **options):
    options = {"task": "Spam?", "classes": ["ham", "spam"], "n_programs": 3, **options}
    return ProgramSynthesisLabeler(llm, **options)


def last_user_message(request):
    return request["messages"][-1]["content"]


def is_repair(request):
    return len(request["messages"]) > 2


# --------------------------------------------------------------------- repair ----


@pytest.mark.slow
def test_a_broken_program_is_mended_by_one_more_call(server, llm):
    server.answer = lambda r: LINK if is_repair(r) else BROKEN
    fitted = labeler(llm, n_programs=1).fit(RECORDS)
    assert fitted.programs_[0].source == LINK
    assert fitted.programs_[0].provenance.repairs == 1
    assert fitted.usage_.repaired.calls == fitted.usage_.wasted.calls == 1
    assert fitted.usage_.paid.calls == 2


@pytest.mark.slow
def test_a_repair_tells_type_and_line_and_nothing_of_the_data(server, llm):
    server.answer = lambda r: LINK if is_repair(r) else BROKEN
    labeler(llm, n_programs=1).fit([f"a-secret-record {i} http" for i in range(9)])
    asked = last_user_message(server.requests[-1])
    assert "ZeroDivisionError in line 2" in asked
    assert "secret-record" not in str(server.requests)


def test_an_answer_that_was_cut_off_is_asked_for_in_short(server, llm):
    server.script = [Reply("```python\ndef label(te", finish_reason="length"), LINK]
    fitted = labeler(llm, n_programs=1).fit(RECORDS)
    assert "Write a shorter one" in last_user_message(server.requests[-1])
    assert fitted.programs_[0].provenance.repairs == 1


@pytest.mark.slow
@pytest.mark.parametrize(("n_failing", "n_repairs"), [(2, 0), (3, 1)])
def test_a_quarter_of_failing_records_asks_for_a_repair(
    server, llm, n_failing, n_repairs
):
    # Programs are tried on twelve records that are made up.
    failing = synthetic_records({"text": "str"})["text"][:n_failing]
    partly = f"def label(text):\n    if text in {failing!r}: raise ValueError\n"
    partly += "    return 'spam' if 'http' in text else 'ham'\n"
    server.answer = lambda r: LINK if is_repair(r) else partly
    fitted = labeler(llm, n_programs=1).fit(RECORDS)
    assert fitted.usage_.repaired.calls == n_repairs
    assert len(server.requests) == 1 + n_repairs


def test_repairs_end_at_their_number(server, llm):
    server.answer = lambda r: BROKEN
    with pytest.raises(Exception, match="none of 3 answers"):
        labeler(llm, max_repairs=2).fit(RECORDS)
    assert len(server.requests) == 3 + 2


def test_all_folds_share_repairs(server, llm):
    server.answer = lambda r: LINK if is_repair(r) else BROKEN
    for part in (RECORDS[:20], RECORDS[20:], RECORDS):
        labeler(llm, n_programs=2).fit(part)
    assert len(server.requests) == 4


# ----------------------------------------------------------------- the answers ----


@pytest.mark.parametrize(
    ("answer", "votes"),
    [
        ("def label(text): return 1 if 'http' in text else 0", [1, 0]),
        ("def label(x):\n r = -1\n if 'http' in x: r = 1\n return r", [1, -1]),
        ("def label(x): return 1 if x.count('spam http') > 2 else 0", [0, 0]),
        ("def label(x): return ['ham', 'Spam '][0 + ('http' in x)]", [1, 0]),
        ("def label(x):\n r = 'SPAM' if 'http' in x else None\n return r", [1, -1]),
        ("def classify(x): return 'spam' if 'http' in x else None", [1, -1]),
        ("<think>def label(x): pass</think>" + LINK, [1, 0]),
        ("thoughts without a beginning</think>" + LINK, [1, 0]),
        (f"A helper:\n```\ndef clean(t): return t\n```\nAnd:\n```\n{LINK}```", [1, 0]),
    ],
)
def test_what_can_be_understood_is_not_asked_for_again(server, llm, answer, votes):
    server.answer = lambda r: answer
    fitted = labeler(llm, n_programs=1).fit(RECORDS)
    assert fitted.transform(["http", "song"]).ravel().tolist() == votes
    assert len(server.requests) == 1


def test_an_endless_answer_is_no_program():
    with pytest.raises(ValueError, match="10,000,000 characters"):
        extract_source("x" * 10_000_000)


def test_an_answer_that_a_filter_stopped_says_so(server, llm):
    server.answer = lambda r: Reply("", finish_reason="content_filter")
    with pytest.raises(Exception, match="filter stopped it"):
        labeler(llm, n_programs=1).fit(RECORDS)


def test_a_budget_that_ends_midway_leaves_the_programs_so_far(server, llm):
    server.answer = lambda r: LINK
    capped = LLM(
        "openai/test",
        api_base=server.api_base,
        prices={"input": 1.0, "output": 2.0},
        params={"max_tokens": 1000},
        max_cost=0.005,
        n_concurrent=1,
    )
    with pytest.warns(ProgramWarning, match="of 10 programs are there: the next call"):
        fitted = labeler(capped, n_programs=10).fit(RECORDS)
    assert 1 <= len(fitted.programs_) < 10
    assert fitted.usage_.dollars <= 0.005


def test_a_fit_that_failed_midway_goes_on_from_what_was_received(server, llm):
    server.script = [Reply(BROKEN), Reply(LINK), Reply("key revoked", 401)]
    with pytest.raises(LLMError, match="2 of 3 answers were received and are kept"):
        labeler(llm).fit(RECORDS)
    server.answer = lambda r: LINK
    fitted = labeler(llm).fit(RECORDS)
    assert fitted.usage_.cached.calls == 2
    assert fitted.usage_.paid.calls == 2  # the third program and one repair


def test_two_fits_of_structured_programs_share_a_refresh(server, llm):
    server.answer = lambda r: rules("http")
    fresh = llm.having(refresh=True)
    for part in (RECORDS[:40], RECORDS[20:]):
        labeler(fresh, program_style="rules", n_programs=2).fit(part)
    assert len(server.requests) == 2


# ------------------------------------------------------------- prior knowledge ----


def test_prior_knowledge_is_asked_once_and_told_with_every_program(server, llm):
    def answer(request):
        if "Reply in plain text" in last_user_message(request):
            return "Links give spam away."
        return LINK

    server.answer = answer
    labeler(llm, prior_knowledge="rules").fit(RECORDS)
    first, *others = server.requests
    assert "State the rules" in last_user_message(first)
    assert all("Links give spam away." in last_user_message(r) for r in others)
    assert len(others) == 3


def test_several_kinds_of_knowledge_are_mixed_over_the_programs(server, llm):
    server.answer = lambda r: (
        "KEYWORDS" if "List for every class" in last_user_message(r) else LINK
    )
    labeler(llm, n_programs=4, prior_knowledge=["keywords", "examples"]).fit(RECORDS)
    told = ["KEYWORDS" in last_user_message(r) for r in server.requests]
    assert told == [False, False, True, False, True, False]


def test_a_second_model_may_write_the_knowledge(server, llm, own_store):
    server.answer = lambda r: LINK
    other = LLM("openai/other", api_base=server.api_base, store=own_store)
    labeler(llm, prior_knowledge="rules", prior_llm=other).fit(RECORDS)
    assert [r["model"] for r in server.requests] == ["other", "test", "test", "test"]


def test_knowledge_is_answered_from_the_nearest_passages(server, llm, tmp_path):
    server.answer = lambda r: LINK
    table = tmp_path / "codes.csv"
    table.write_text("code,meaning\n17,spam from a robot\n")
    documents = ["Cats purr. " * 300, table, "A comment with a link is spam."]
    labeler(llm, knowledge=documents).fit(RECORDS)
    asked = last_user_message(server.requests[0])
    assert "code: 17; meaning: spam from a robot" in asked
    assert "A comment with a link is spam." in asked


def test_chunks_overlap_and_hold_the_whole_text():
    text = "".join(chr(97 + i % 26) for i in range(2500))
    pieces = chunk(text)
    assert [len(piece) for piece in pieces] == [1000, 1000, 540]
    assert pieces[0] + pieces[1][20:] + pieces[2][20:] == text


def test_an_embedder_finds_passages():
    class Lengths:
        def encode(self, texts):
            return [[len(text), 1.0] for text in texts]

    assert retrieve(["a" * 900, "bb"], "cc", embedder=Lengths(), n_chunks=1) == ["bb"]


@pytest.mark.parametrize(
    ("vectors", "message"),
    [
        (lambda n: [[1.0, 2.0]], r"shape \(1, 2\)"),
        (lambda n: [1.0] * n, "one vector a text"),
        (lambda n: [[float("nan")]] * n, "not finite"),
    ],
)
def test_an_embedder_that_gives_no_vectors_is_an_error_before_a_call(
    server, llm, vectors, message
):
    class Embedder:
        def encode(self, texts):
            return vectors(len(texts))

    with pytest.raises(ValueError, match=message):
        labeler(llm, knowledge="Links are spam.", embedder=Embedder()).fit(RECORDS)
    assert server.requests == []


@pytest.mark.parametrize("knowledge", ["", [], [" ", "\n"]])
def test_knowledge_without_text_is_an_error_before_a_call(server, llm, knowledge):
    with pytest.raises(ValueError, match="holds no text"):
        labeler(llm, knowledge=knowledge).fit(RECORDS)
    assert server.requests == []


@pytest.mark.slow
def test_knowledge_is_told_without_thoughts_and_within_bounds(server, llm):
    answer = "<think>Which links?</think>Links. " + "x" * 10_000_000
    server.script = [Reply(answer), *[Reply(LINK)] * 3]
    labeler(llm, prior_knowledge="rules").fit(RECORDS)
    told = [last_user_message(request) for request in server.requests[1:]]
    assert all("Links. xxx" in text and "Which" not in text for text in told)
    assert max(map(len, told)) < 30_000


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_csv_file_may_come_from_a_spreadsheet(tmp_path, separator):
    path = tmp_path / "codes.csv"
    path.write_text(f"code{separator}meaning\n17{separator}one\n", "utf-8-sig")
    assert read_documents(path) == ["code: 17; meaning: one"]


def test_a_file_that_is_given_as_a_text_is_an_error(tmp_path):
    path = tmp_path / "guideline.md"
    path.write_text("Links are spam.")
    assert read_documents(path) == ["Links are spam."]
    with pytest.raises(ValueError, match=r"write Path\("):
        read_documents(str(path))


def test_a_value_of_a_csv_file_may_have_several_lines(tmp_path):
    path = tmp_path / "codes.csv"
    path.write_text('code,meaning\n17,"one\ntwo"\n')
    assert read_documents([path]) == ["code: 17; meaning: one\ntwo"]


def test_a_document_that_cannot_be_read_is_an_error_before_a_call(tmp_path):
    with pytest.raises(ValueError, match="nowhere"):
        read_documents(tmp_path / "nowhere.md")


# --------------------------------------------------------- structured programs ----


def rules(*phrases):
    return json.dumps(
        {
            "phrases": [{"text": phrase, "weight": 2} for phrase in phrases],
            "patterns": [{"regex": "(", "weight": 1}],
            "against": ["not spam"],
            "threshold": 2,
        }
    )


def test_rules_become_programs_that_can_be_read(server, llm):
    server.answer = lambda r: (
        rules("http")
        if "for the class 'spam'" in last_user_message(r)
        else rules("song")
    )
    fitted = labeler(llm, program_style="rules", n_programs=2).fit(RECORDS)
    votes = fitted.transform(["see HTTP", "a song", "http, not spam"])
    assert votes.tolist() == [[-1, 1], [0, -1], [-1, -1]]
    assert "'http': 2," in fitted.programs_[1].source
    assert server.requests[0]["response_format"]["type"] == "json_schema"


@pytest.mark.parametrize(
    "complaint",
    ["response_format is not supported", "Structured outputs are unsupported here"],
)
def test_a_server_without_schemas_is_asked_without(server, llm, complaint):
    def answer(request):
        if "response_format" in request:
            return Reply(complaint, 400)
        return f"Here you are:\n```json\n{rules('http')}\n```"

    server.answer = answer
    with pytest.warns(UserWarning, match="response_format"):
        fitted = labeler(llm, program_style="rules", n_programs=1).fit(RECORDS)
    assert "'http': 2," in fitted.programs_[0].source


def test_numbers_that_no_float_holds_are_read(server, llm):
    huge = "1" + "0" * 400
    server.answer = lambda r: (
        f'{{"phrases": [{{"text": "http", "weight": {huge}}}], "threshold": {huge}}}'
    )
    fitted = labeler(llm, program_style="rules", n_programs=1).fit(RECORDS)
    assert (fitted.transform(["http", "song"]).ravel() >= 0).tolist() == [True, False]
    assert len(server.requests) == 1


def test_rules_that_were_cut_off_are_read_as_far_as_they_are_complete(server, llm):
    server.answer = lambda r: Reply(rules("http", "link")[:65], finish_reason="length")
    fitted = labeler(llm, program_style="rules", n_programs=1).fit(RECORDS)
    assert "'http': 2," in fitted.programs_[0].source
    assert "link" not in fitted.programs_[0].source
    assert len(server.requests) == 1


# ------------------------------------------------------------------- selection ----


@pytest.mark.slow
def test_programs_that_say_nothing_or_repeat_another_are_dropped_with_the_reason(
    server, llm
):
    sources = [
        LINK,
        "def label(text): return None",
        LINK.replace("'http' in text", "text.startswith('see')"),
        "def label(text): return 'ham'",
        "def label(text): return 'ham' if '7' in text else None",
        "def label(text): return 'spam' if '3' in text else None",
    ]
    server.script = [Reply(source) for source in sources]
    with pytest.warns(ProgramWarning, match="3 of 6 programs were dropped.*never vot"):
        fitted = labeler(llm, n_programs=6).fit(RECORDS)
    assert [p.name[-1] for p in fitted.programs_] == ["0", "4", "5"]
    reasons = [rejection.reason for rejection in fitted.rejected_]
    assert "never votes" in reasons[0]
    assert "one and the same answer" in reasons[1]
    assert "votes as 'keywords_0'" in reasons[2]
    assert fitted.usage_.wasted.calls == 3


def test_three_programs_are_kept_whatever_they_say():
    votes = np.zeros((50, 4), dtype=np.int8)
    kept, dropped = drop_useless(list("abc"), votes[:, :3])
    assert (len(kept), dropped) == (3, [])


@pytest.mark.parametrize("unknown", [None, np.nan, -1])
def test_labels_are_learned_from_only_where_the_user_asks(server, llm, unknown):
    wrong = (
        LINK.replace("'spam'", "'x'").replace("'ham'", "'spam'").replace("'x'", "'ham'")
    )
    other = [f"def label(text): return 'ham' if '{i}' in text else None" for i in "12"]
    server.script = [Reply(source) for source in [LINK, wrong, *other]]
    y = ["spam"] * 30 + ["ham"] * 30
    names = [p.name for p in labeler(llm, n_programs=4).fit(RECORDS, y).programs_]
    assert len(names) == 4
    few = [label if i % 2 else unknown for i, label in enumerate(y)]
    learning = labeler(llm, n_programs=4, learn_from_labels=True)
    with pytest.warns(ProgramWarning, match="free_1: it is right on"):
        learning.fit(RECORDS, few)
    assert [p.name for p in learning.programs_] == [n for n in names if n != "free_1"]
    assert "labelled records" in learning.rejected_[0].reason


def test_a_class_without_a_program_is_warned_of(server, llm):
    sources = [
        f"def label(text): return 'ham' if '{i}' in text else None" for i in "123"
    ]
    server.script = [Reply(source) for source in sources]
    with pytest.warns(ProgramWarning, match="no program votes for 'spam'"):
        labeler(llm).fit(RECORDS)


def test_a_program_that_votes_rarely_is_looked_for_among_more_records(server, llm):
    records = [*RECORDS * 30, *["a rare bird 3"] * 30]
    rare = "def label(text): return 'ham' if 'rare bird' in text else None"
    others = [
        f"def label(text): return 'spam' if '{i}' in text else None" for i in "12"
    ]
    server.script = [Reply(source) for source in [LINK, rare, *others]]
    fitted = labeler(llm, n_programs=4).fit(records)
    assert len(fitted.programs_) == 4


def test_records_that_alternate_are_tried_as_if_they_were_shuffled(server, llm):
    records = [("see http://x", "nice song", "hello")[i % 3] for i in range(600)]
    words = ("http", "song", "see", "hello")
    answers = [
        f"def label(text): return {'spam' if word in ('http', 'see') else 'ham'!r} "
        f"if {word!r} in text else None"
        for word in words
    ]
    server.script = [Reply(source) for source in answers]
    with pytest.warns(ProgramWarning, match="votes as 'keywords_0' does"):
        fitted = labeler(llm, n_programs=4).fit(records)
    assert len(fitted.programs_) == 3


# ------------------------------------------------------- classes without a program ----


def test_a_program_that_was_deleted_stays_deleted(server, llm, tmp_path):
    words = {"http": "spam", "song": "ham", "nice": "ham"}
    sources = [
        f"def label(text): return {label!r} if {word!r} in text else None"
        for word, label in words.items()
    ]
    server.script = [Reply(source) for source in sources]
    fitted = labeler(llm).fit(RECORDS)
    fitted.export_programs(tmp_path / "p")
    (tmp_path / "p" / "free_1.py").unlink()
    # The model writes the same program once more, under another name.
    server.script = [Reply(sources[1])]
    filled = labeler(llm, programs=tmp_path / "p")
    with pytest.warns(ProgramWarning, match="scores_3: it is the program that was del"):
        filled.fit(RECORDS)
    assert [p.name for p in filled.programs_] == ["keywords_0", "patterns_2"]


def test_what_is_asked_aims_at_classes_that_given_programs_never_answer(server, llm):
    server.answer = lambda r: (
        "def label(text): return 'scam' if 'see' in text else None"
    )
    given = [
        LabelingProgram("a", LINK),
        LabelingProgram("b", "def label(text): return 'ham' if '3' in text else None"),
    ]
    fitting = labeler(
        llm, n_programs=3, programs=given, classes=["ham", "scam", "spam"]
    )
    fitting.fit(RECORDS)
    (request,) = server.requests
    assert "No program so far answers 'scam'" in request["messages"][-1]["content"]
    server.answer = lambda r: (
        "def label(text): return 'spam' if 'see' in text else None"
    )
    labeler(llm, n_programs=3, programs=given).fit(RECORDS)
    assert "No program so far" not in server.requests[-1]["messages"][-1]["content"]


@pytest.mark.parametrize(
    ("source", "returns", "missing"),
    [
        ("def label(text): return 'a' if 'b' in text else None", "class", ["b"]),
        ("def label(text): return 0 if 'b' in text else -1", "index", ["b"]),
        ("B = 'b'\ndef label(text): return B", "class", ["a"]),
        ("def label(text):\n    r = 'a'\n    r = 'b'\n    return r", "class", []),
        ("def label(text): return {'x': 'a'}.get(text)", "class", ["b"]),
        ("def label(text): pass", "class", ["a", "b"]),
    ],
)
def test_classes_that_are_never_answered_are_read_from_the_source(
    source, returns, missing
):
    program = LabelingProgram("p", source, returns=returns)
    assert classes_never_answered([program], ["a", "b"]) == missing


# --------------------------------------------------------------------- prompts ----


def test_prompts_can_be_replaced_and_leave_their_mark(server, llm):
    server.answer = lambda r: LINK
    words = "{task} {classes} {signature} {columns} {approach}"
    prompts = Prompts(system="", program=f"Bitte: {words}")
    fitted = labeler(llm, n_programs=1, prompts=prompts).fit(RECORDS)
    (message,) = server.requests[0]["messages"]
    assert message["content"].startswith("Bitte: Spam?")
    assert fitted.programs_[0].provenance.prompt_version == prompts.version != "1"


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("{task}", "lacks"),
        ("{task} {tsak}", "'tsak'"),
        ("{", "no template"),
    ],
)
def test_a_prompt_that_cannot_be_filled_in_is_an_error_at_once(program, message):
    with pytest.raises(ValueError, match=message):
        Prompts(program=program)
