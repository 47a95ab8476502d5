"""Compare free-form and structured programs of a small model on a server of its own.

Start any OpenAI-compatible server, for instance::

    llama-server -m qwen2.5-coder-1.5b-instruct-q4_k_m.gguf --port 8080 -c 8192

then, with the folder of ``youtube.csv.gz``::

    python benchmarks/small_model.py DATA --api-base http://localhost:8080/v1

Both styles ask for ten programs with the package's own prompts, temperature and checks;
what is compared is the majority vote on the test split.
"""

import argparse
import warnings
from pathlib import Path

from _tasks import TASKS
from synthesis import load

from sklearn_alchemist import LLM, LabelModelAggregator, ProgramSynthesisLabeler
from sklearn_alchemist.exceptions import AlchemistWarning, SynthesisError


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="folder with NAME.csv.gz")
    parser.add_argument("--name", default="youtube", choices=list(TASKS))
    parser.add_argument("--model", default="openai/local", help="as litellm names it")
    parser.add_argument("--api-base", help="address of the server")
    parser.add_argument("--store", type=Path, help="file that keeps the answers")
    parser.add_argument("--timeout", type=float, default=600.0, help="seconds a call")
    parser.add_argument("--max-tokens", type=int, default=1500, help="of an answer")
    parser.add_argument("--n-programs", type=int, default=10)
    chosen = parser.parse_args(arguments)
    warnings.simplefilter("ignore", AlchemistWarning)
    data, task = load(chosen.data, chosen.name), TASKS[chosen.name]
    llm = LLM(
        chosen.model,
        api_base=chosen.api_base,
        params={"max_tokens": chosen.max_tokens},
        timeout=chosen.timeout,
        n_concurrent=1,
        store=chosen.store,
    )
    for style in ("python", "rules"):
        labeler = ProgramSynthesisLabeler(
            llm,
            task=task.task,
            classes=task.classes,
            n_programs=chosen.n_programs,
            program_style=style,
            max_repairs=0,
        )
        try:
            labeler.fit(data.train)
        except SynthesisError as error:
            print(f"{style}: {error}", flush=True)
            continue
        majority = LabelModelAggregator(
            method="majority_vote", classes=labeler.classes_, class_prior="uniform"
        )
        majority.fit(labeler.transform(data.train))
        votes = labeler.transform(data.test)
        accuracy = (majority.predict(votes) == data.gold).mean()
        print(
            f"{style}: majority vote {accuracy:.3f} from {len(labeler.programs_)} "
            f"programs, coverage {(votes >= 0).mean():.2f}; {labeler.usage_}",
            flush=True,
        )
        for rejection in labeler.rejected_:
            print(f"  {rejection.name}: {rejection.reason.splitlines()[0]}", flush=True)


if __name__ == "__main__":
    main()
