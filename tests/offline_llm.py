"""A language model that needs no network: it writes simple programs for any prompt."""

import ast
import json
import re

from sklearn_alchemist import LLM

_TEXT = """
def label({column}):
    return {classes}[len({column} or "") % {k}]
"""
_TABLE = """
def label({column}):
    value = {column}
    if isinstance(value, str):
        return {classes}[len(value) % {k}]
    if value is None:
        return None
    return {classes}[int(abs(value) * {scale}) % {k}]
"""


def write_program(prompt):
    """Write a program that votes by a remainder, from what a prompt says."""
    classes = [
        ast.literal_eval(name)
        for name in re.findall(r"^- ('[^']*'|-?[\d.]+|True|False)(?::|$)", prompt, re.M)
    ]
    text = re.search(r"def label\((\w+): str\):", prompt)
    columns = re.findall(r"^- (\w+): (?:int|float|str|bool)", prompt, re.M)
    # The same prompt gives the same program, another strategy another one.
    scale = 1 + len(prompt) % 3
    column = text[1] if text else columns[len(prompt) % len(columns)]
    template = _TEXT if text else _TABLE
    return template.format(column=column, classes=classes, k=len(classes), scale=scale)


def offline_llm(name="offline"):
    return LLM.from_callable(write_program, name=name)


def judge_record(prompt):
    """Answer a class by the length of the record that a prompt holds."""
    listed = re.search(r"spelled exactly like this:\n(.*?)\n\n", prompt, re.DOTALL)[1]
    classes = [re.sub("^- ", "", line) for line in listed.splitlines()]
    record = re.search(r"^The record:\n(.*)$", prompt, re.MULTILINE)[1]
    return json.dumps({"label": classes[len(record) % len(classes)]})


def offline_judge():
    return LLM.from_callable(judge_record)
