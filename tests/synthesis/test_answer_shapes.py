"""Whatever the shape of an answer, the program that is meant is read from it."""

import contextlib
import json

import pytest
from timing import least_seconds

from sklearn_alchemist.synthesis import extract_source

DRAFT = "def label(text):\n    return 'ham'\n"
FINAL = (
    "def label(text):\n    if 'free' in text:\n        return 'spam'\n    return None\n"
)


def fence(source, language="python", marks="```"):
    return f"{marks}{language}\n{source}{marks}"


D, F = fence(DRAFT), fence(FINAL)
THOUGHT = f"Let me draft:\n\n{D}\n\nThat labels everything ham, so improve it.\n"


def around(begin, end):
    return f"{begin}{THOUGHT}{end}\n\n{F}"


def indented(source, indent="    "):
    return "".join(f"{indent}{line}\n" for line in source.splitlines())


def numbered(source):
    lines = source.splitlines()
    return "".join(f"{i:>3} | {line}\n" for i, line in enumerate(lines, start=1))


def prompted(source):
    first, *rest = source.splitlines()
    return f">>> {first}\n" + "".join(f"... {line}\n" for line in rest) + "...\n"


def quoted(text):
    return "".join(f"> {line}\n" for line in text.splitlines())


DIFF = """\
--- a/program.py
+++ b/program.py
@@ -1,2 +1,4 @@
 def label(text):
-    return 'ham'
+    if 'free' in text:
+        return 'spam'
+    return None
"""
PLUS = "".join(f"+{line}\n" for line in FINAL.splitlines())
SEARCH = """\
<<<<<<< SEARCH
    return 'ham'
=======
    if 'free' in text:
        return 'spam'
    return None
>>>>>>> REPLACE
"""
ESCAPED = FINAL.replace("\n", "\\n")
NOTEBOOK = {
    "cells": [
        {"cell_type": "markdown", "source": ["# A labeling program\n"]},
        {"cell_type": "code", "source": FINAL.splitlines(keepends=True)},
    ]
}

SHAPES = {
    # thoughts, whatever the marks
    "think": around("<think>", "</think>"),
    "thinking": around("<thinking>\n", "\n</thinking>"),
    "think with an attribute": around('<think effort="high">', "</think>"),
    "brackets": around("[THINK]", "[/THINK]"),
    "triangles": around("\u25c1think\u25b7", "\u25c1/think\u25b7"),
    "a colon": around("<seed:think>", "</seed:think>"),
    "begin and end": around("<|begin_of_thought|>", "<|end_of_thought|>"),
    "full-width bars": around(
        "<\uff5cbegin\u2581of\u2581thinking\uff5c>",
        "<\uff5cend\u2581of\u2581thinking\uff5c>",
    ),
    "start and end": around("<|thought_start|>", "<|thought_end|>"),
    "lenticular brackets": around("\u3010think\u3011", "\u3010/think\u3011"),
    "an unheard-of name": around("<inner-voice>", "</inner-voice>"),
    "another language": around("<pens\u00e9e>", "</pens\u00e9e>"),
    "details": around("<details><summary>Thinking</summary>\n", "</details>"),
    "scratchpad": around("<scratchpad>", "</scratchpad>"),
    "no beginning": f"{THOUGHT}</think>\n\n{F}",
    "no end": f"<think>{THOUGHT}{F}",
    "nothing but thoughts": f"<think>{THOUGHT}So:\n\n{F}\n</think>",
    "a fence of thoughts": f"````thinking\n{THOUGHT}````\n\n{F}",
    "a quotation of thoughts": f"{quoted(THOUGHT)}\n{F}",
    "headings": f"## Thinking\n\n{THOUGHT}\n\n## Answer\n\n{F}",
    "channels": f"<|channel|>analysis<|message|>{THOUGHT}<|end|><|start|>assistant"
    f"<|channel|>final<|message|>\n{F}<|return|>",
    "channels without marks": f"analysis{THOUGHT}assistantfinal{F}",
    "a channel without a fence": f"<|channel|>final<|message|>{FINAL}<|return|>",
    "afterthoughts": f"{F}\n<reflection>\nCould it be\n{D}\n? No.\n</reflection>",
    "an answer marked before thoughts": f"<answer>\n{F}\n</answer>\nDrafts:\n{D}",
    "an answer without a fence": f"<think>{DRAFT}</think><answer>{FINAL}</answer>",
    # drafts
    "a first draft": f"First draft:\n\n{D}\n\nImproved version:\n\n{F}",
    "a naive example": f"A naive program would be:\n\n{D}\n\nUse this:\n\n{F}",
    "a bad example last": f"{F}\n\nDo not write it like this:\n\n{D}\n",
    "an alternative last": f"Here:\n\n{F}\n\nA simpler alternative:\n\n{D}\n",
    "for comparison": f"{F}\n\nFor comparison, the previous version:\n\n{D}",
    "drafts without a fence": f"Draft:\n\n{DRAFT}\nBetter:\n\n{FINAL}\nDone.",
    "a draft in a fence only": f"Draft:\n\n{D}\n\nBetter:\n\n{FINAL}",
    "a signature": f"{fence('def label(text):' + chr(10) + '    ...' + chr(10))}\n{F}",
    "a signature last": f"{F}\n\nIts interface:\n\n"
    + fence("def label(text: str) -> str:\n    raise NotImplementedError\n"),
    "a sketch with gaps": f"{F}\nIn short:\n"
    + fence("def label(text):\n    # ... same as before ...\n    return None\n"),
    "tests last": f"{F}\n\n"
    + fence("def test_label():\n    assert label('free') == 'spam'\n"),
    "a use last": f"{F}\n\n```python\nprint(label('free'))\n```",
    # how the code is given
    "tildes": fence(FINAL, marks="~~~"),
    "four backticks": fence(FINAL, marks="````"),
    "nested fences": f"````markdown\n# Program\n\n{F}\n````",
    "nested fences of one length": f"```markdown\n# Program\n\n{F}\n```",
    "a fence behind words": f"Here it is: {F}",
    "an end behind code": f"```python\n{FINAL.rstrip()}```",
    "a language in braces": f"```{{python}}\n{FINAL}```",
    "a language with options": f'```python title="p.py" linenums="1"\n{FINAL}```',
    "the language on a line": f"```\npython\n{FINAL}```",
    "capitals": fence(FINAL, "Python"),
    "the wrong language": fence(FINAL, "javascript"),
    "a list": f"1. Here it is:\n\n{indented(F, '   ')}\n2. Enjoy.",
    "a quotation": quoted(F),
    "no fence": FINAL,
    "no fence, prose around": f"Sure, here it is.\n\n{FINAL}\nIt looks for 'free'.",
    "no fence, indented": f"Here it is:\n\n{indented(FINAL)}\nBye.",
    "a page": f"<pre><code class='python'>{FINAL}</code></pre>",
    "entities": F.replace("'", "&#39;"),
    "a prompt": fence(prompted(FINAL)),
    "numbers of lines": fence(numbered(FINAL)),
    "a diff": f"{D}\n\nNow change it:\n\n{fence(DIFF, 'diff')}",
    "a diff of nothing": fence(
        f"--- /dev/null\n+++ b/p.py\n@@ -0,0 +1,4 @@\n{PLUS}", "diff"
    ),
    "plus signs": fence(PLUS, "diff"),
    "search and replace": f"{D}\n\n{SEARCH}",
    "a command of a notebook": fence(f"%%time\n!pip install x\n{FINAL}"),
    "a function of a model": f"<tool_call>\n"
    f"{json.dumps({'name': 'python', 'arguments': {'code': FINAL}})}\n</tool_call>",
    "parameters": f"<function=f>\n<parameter=code>\n{FINAL}</parameter>\n</function>",
    "a tag of Python": f"<|python_tag|>{FINAL}<|eom_id|>",
    "calls in brackets": "[TOOL_CALLS]"
    + json.dumps([{"name": "run", "arguments": {"code": FINAL}}]),
    "CDATA": f"<program><![CDATA[{FINAL}]]></program>",
    # JSON
    "JSON": json.dumps({"code": FINAL}),
    "fenced JSON": fence(json.dumps({"code": FINAL}, indent=1) + "\n", "json"),
    "JSON of a fence": json.dumps({"code": F}),
    "JSON of lines": json.dumps({"code": FINAL.split("\n")}),
    "JSON behind prose": "Here:\n\n" + json.dumps({"program": FINAL, "why": "x"}),
    "JSON with a draft": json.dumps({"draft": DRAFT, "program": FINAL}),
    "JSON with a draft last": json.dumps({"program": FINAL, "first_draft": DRAFT}),
    "JSON with tests": json.dumps({"code": FINAL, "tests": "def test():\n    pass"}),
    "JSON within JSON": json.dumps({"arguments": json.dumps({"code": FINAL})}),
    "a string of JSON": json.dumps(FINAL),
    "JSON with line feeds": '{"code": "' + FINAL + '"}',
    "a dict of Python": repr({"code": FINAL}),
    "a long number in JSON": '{"n": '
    + "9" * 5000
    + ', "code": '
    + json.dumps(FINAL)
    + "}",
    "a notebook": json.dumps(NOTEBOOK),
    "escaped line feeds": ESCAPED,
    # characters
    "a byte-order mark": "\ufeff" + FINAL,
    "a byte-order mark before a fence": "\ufeff" + F,
    "a space of no width": "\u200b" + FINAL,
    "spaces of no width before fences": "\u200b" + F.replace("\n```", "\n\u200b```"),
    "spaces that do not break": F.replace("    ", "\u00a0" * 4),
    "full-width spaces": F.replace("    ", "\u3000\u3000"),
    "curly quotes": F.replace("'free'", "\u2018free\u2019"),
    "double curly quotes": F.replace("'free'", "\u201cfree\u201d"),
    "full-width punctuation": F.replace(":", "\uff1a")
    .replace("(", "\uff08")
    .replace(")", "\uff09"),
    "line feeds of old": F.replace("\n", "\r"),
    "line feeds of Windows": F.replace("\n", "\r\n"),
    "separators of lines": FINAL.replace("\n", "\u2028"),
    "everything at once": "\ufeff<think>"
    + DRAFT
    + "</think>\r\n"
    + json.dumps({"code": F.replace("    ", "\u00a0" * 4)}),
}


def votes(source):
    """What a program answers, which is what counts of it."""
    namespace = {}
    exec(source, namespace)
    return [namespace["label"](text) for text in ("free cash", "a song")]


@pytest.mark.parametrize("shape", SHAPES)
def test_the_program_that_is_meant_is_read(shape):
    assert votes(extract_source(SHAPES[shape])) == ["spam", None]
    assert len(SHAPES) >= 60


CUT = "def label(text):\n    if ('so"
UNFINISHED = {
    "within thoughts": f"<think>{THOUGHT} But if",
    "within unknown thoughts": f"[THINK]{THOUGHT} But if",
    "within the program": f"Draft:\n\n{D}\n\nBetter:\n\n```python\n{CUT}",
    "within plain text": f"Draft:\n\n{DRAFT}\nBetter:\n\n{CUT}",
    "after a helper": f"def has(text):\n    return True\n\n\n{CUT}",
}


@pytest.mark.parametrize("shape", UNFINISHED)
def test_a_draft_is_no_program_where_the_answer_breaks_off(shape):
    with pytest.raises(ValueError, match="breaks off"):
        extract_source(UNFINISHED[shape], cut_off=True)


@pytest.mark.parametrize(
    "answer",
    [
        F.removesuffix("```"),
        FINAL,
        f"{D}\n\nThat labels everything as ham. An improved version:\n",
    ],
)
def test_what_may_have_gone_on_is_no_program(answer):
    with pytest.raises(ValueError, match="breaks off"):
        extract_source(answer, cut_off=True)


def test_a_program_that_has_ended_is_taken_though_its_explanation_breaks_off():
    answer = f"{F}\n\nThis program looks for the word free, which"
    assert extract_source(answer, cut_off=True) == FINAL


def test_a_signature_alone_is_no_program():
    with pytest.raises(ValueError, match="signature"):
        extract_source("```python\ndef label(text):\n    ...\n```")


def test_a_diff_changes_the_program_of_an_earlier_answer():
    assert extract_source(fence(DIFF, "diff"), earlier=DRAFT) == FINAL


LAMBDA = "label = lambda text: 'spam' if 'free' in text else None\n"


@pytest.mark.parametrize(
    "answer",
    [
        LAMBDA,
        fence(LAMBDA),
        f"{D}\n\nBetter:\n\n{LAMBDA}",
        json.dumps({"code": LAMBDA}),
    ],
)
def test_a_lambda_called_label_is_a_program(answer):
    assert extract_source(answer) == LAMBDA


@pytest.mark.parametrize(
    "line",
    [
        "if 'as in <think> aloud' in text: return 'ham'",
        "if '</think> so' in text or \"it's </think>\" in text: return 'ham'",
        "text = text.replace('[THINK] ', '')  # don't </think>",
        '"""Look for </thinking>, which is no word."""',
        "# <reasoning> is no word",
    ],
)
@pytest.mark.parametrize("thought", ["", f"<think>{THOUGHT}</think>"])
def test_marks_of_thoughts_within_a_program_are_its_own(line, thought):
    source = f"def label(text):\n    {line}\n    return 'spam'\n"
    assert extract_source(thought + fence(source)) == source
    if "#" not in line and '"""' not in line:
        assert extract_source(thought + source) == source


def test_strings_keep_their_characters():
    cue = "'\u201cfree\u201d\u00a0don\u2019t'"
    source = f"def label(text):\n    return 'spam' if {cue} in text else None\n"
    broken = source.replace("    return", "\u00a0" * 4 + "return")
    assert extract_source(fence(source)) == extract_source(fence(broken)) == source


PIECES = [
    *("\n", "<think>", "</think>", "`", "```\n", "~~~python\n", "def f(", "x = ("),
    *("{", "[", '{"a":', '"', "\\", "(", "def label(x):\n", "x=1\n", "'a',", "<", "<|"),
    *("<a>", "</a>", "[A]", ">", "> ", "+", "@@\n", "\u201c", "\u00a0", "\ufeff"),
    *(">>> ", "1\n", "<a></a>", "```json\n{\n```\n", "<|channel|>", "analysis", "-"),
    *(
        "def label(x): return 1\n",
        "lambda:",
        "a if b else ",
        "{'def ':",
        "\u2018def f(",
    ),
    *("def f():\n", "def f(:\n", "<<<<<<< SEARCH\n", "=======\n", "`def f(", "&lt;"),
    *(
        "def f(x):\n    return 1\n\nWell done\n",
        "```python\ndef f(x):\n  return 1\n```\n",
    ),
    *("@a\n", "*a,", "a.", '{"a": "def f(x):"}', "9", "0x", "\u2028", "\r", "\t"),
    *("</s>", "<|a|>", "<answer>", "</answer>", "import x\n", "if x:\n", "  x\n"),
]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("begin", "pieces"),
    [
        ("", PIECES),
        ("def label(text):\n", PIECES),
        # Every other one is enough to notice what grows with the square.
        ("```python\n", PIECES[::2]),
        ('{"code": "', PIECES[1::2]),
    ],
    ids=["plain", "program", "fence", "JSON"],
)
def test_no_answer_takes_long_to_read(begin, pieces):
    seconds = {}
    for piece in pieces:
        answer = begin + piece * ((199_000 - len(begin)) // len(piece))

        def read(answer=answer):
            with contextlib.suppress(ValueError):
                extract_source(answer)

        seconds[piece] = least_seconds(read, enough=2)
    assert {piece: t for piece, t in seconds.items() if t >= 2} == {}


def test_a_program_as_long_as_answers_may_be_takes_not_long_to_read():
    words = "".join(f"    'word {i}',\n" for i in range(5_000))
    source = f"WORDS = [\n{words}]\n\n\n{FINAL}"
    answer = f"Here:\n{fence(source)}\n{'bla ' * 20_000}"
    assert extract_source(answer) == source
    assert least_seconds(lambda: extract_source(answer), enough=2) < 2
