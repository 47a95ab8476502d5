"""Ask the way the paper does: one prompt, sent as often as programs are wanted."""

from collections.abc import Mapping

from sklearn_alchemist.llm import Question

SYSTEM = "You are a helpful assistant who helps users in a classification task."

USER = """\
Your task is to write a bug-free Python function that can label a {record}. \
The question is: {task}

{returns}
If it cannot be decided, return -1.

The function takes the text as its only argument:

def label_function({record_name}):

Reply with the Python function in one code block.\
"""


def plain_questions(
    task: str, classes: Mapping[str, str], record: str, n_programs: int
) -> list[Question]:
    """Write one question as often as programs are wanted.

    One step, a role, a sentence for the task, one line a class that says what to
    return, the signature: the one-step mode of Huang et al. (NeurIPS 2024).
    """
    returns = "\n".join(
        f"If it is {name!r} ({description}), return {index}."
        for index, (name, description) in enumerate(classes.items())
    )
    user = USER.format(
        record=record, record_name=record.split()[-1], task=task, returns=returns
    )
    messages = (
        {"role": "system", "content": SYSTEM},
        {"role": "user", "content": user},
    )
    return [Question(messages, sample) for sample in range(n_programs)]
