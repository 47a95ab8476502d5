import pickle

import numpy as np
import pytest
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import make_pipeline

from sklearn_alchemist.distillation import (
    share_features,
    table_student,
    text_student,
    unspaced_share,
)

# Words of two topics and words of none, in scripts with and without spaces.
LEXICON = {
    "chinese": ("比赛 球队 进球 教练", "股票 市场 银行", "今天 我们 认为 可以"),
    "japanese": ("サッカー 試合 選手", "ぎんこう 投資 金利", "きょう わたし とても"),
    "thai": ("ฟุตบอล นักเตะ ประตู", "หุ้น ธนาคาร ดอกเบี้ย", "วันนี้ เรา และ ที่ มี"),
    "khmer": ("បាល់ទាត់ កីឡាករ", "ធនាគារ ភាគហ៊ុន", "ថ្ងៃនេះ យើង និង មាន"),
    "none at all": ("goal team coach", "bank stock rate", "today they with for"),
}  # fmt: skip


def corpus(language, n=120, length=80, space=""):
    rng = np.random.default_rng(0)
    *topics, filler = [words.split() for words in LEXICON[language]]
    y = rng.integers(0, 2, n)
    texts = [
        space.join(
            rng.choice(topics[c]) if rng.random() < 0.12 else rng.choice(filler)
            for _ in range(length)
        )
        for c in y
    ]
    return texts, y


@pytest.mark.parametrize("language", LEXICON)
def test_texts_without_spaces_are_learned_from(language):
    texts, y = corpus(language, n=240)
    assert unspaced_share(texts) == 1
    student = text_student(texts[:120]).fit(texts[:120], y[:120])
    assert student.score(texts[120:], y[120:]) > 0.9


@pytest.mark.parametrize("language", ["chinese", "thai"])
def test_short_texts_of_such_a_script_are_found_by_their_letters(language):
    texts, _ = corpus(language, length=2)
    assert unspaced_share(texts) == 1


@pytest.mark.parametrize(
    "texts",
    [
        ["see https://a.example/watch?v=0123456789abcdefghijkl now please"],
        ["https://a.example/watch?v=0123456789abcdefghijklmn"],
        ["Donaudampfschifffahrtsgesellschaft ist ein langes Wort, sagt man oft"],
        ["한국어 문장은 띄어쓰기를 합니다", "كتب الولد رسالة طويلة", "यह एक वाक्य है"],
        ["", "   ", None],
    ],
)
def test_texts_with_spaces_are_told_from_them(texts):
    assert unspaced_share(texts) == 0


def test_a_part_of_texts_without_spaces_is_enough_to_count_characters():
    chinese, y = corpus("chinese", n=40)
    english, _ = corpus("none at all", n=160, space=" ")
    student = text_student([*chinese, *english])
    student.fit([*chinese, *english], [*y, *[2] * 160])
    assert student.score(chinese, y) > 0.9


def test_many_different_texts_of_one_word_leave_terms_to_learn_from():
    texts = [f"w{i}" for i in range(1500)]
    shared = share_features(text_student(texts), texts)
    fitted = shared.rest.fit(shared.features, np.arange(1500) % 2)
    student = pickle.loads(pickle.dumps(shared.join(fitted)))
    assert student.predict(texts[:3]).tolist() == [0, 1, 0]


@pytest.mark.parametrize(
    "texts", [[f"w{i}" for i in range(1500)], [""] * 50, [" ", "\n"] * 50]
)
def test_a_column_of_rare_or_empty_texts_leaves_the_others_to_learn_from(texts):
    numbers = np.arange(len(texts)) % 2
    X = np.array([texts, numbers], dtype=object).T
    student = table_student([False, True], {0: texts}).fit(X, numbers)
    assert student.score(X, numbers) > 0.9
    assert student.predict([["never seen", 1]]).tolist() == [1]


@pytest.mark.parametrize(
    ("texts", "student", "advice"),
    [
        (["", " ", "\n"], None, "are empty. Look at X"),
        (
            ["the of"],
            make_pipeline(CountVectorizer(stop_words="english"), MultinomialNB()),
            "are empty, or hold only what its CountVectorizer leaves out",
        ),
    ],
)
def test_texts_without_a_word_are_refused_in_one_sentence(texts, student, advice):
    texts = texts * 10
    message = r"nothing to learn from in \d+ texts, such as '.*': they "
    with pytest.raises(ValueError, match=message + advice):
        share_features(student or text_student(texts), texts)


def test_a_fold_without_a_word_ends_no_fit():
    texts = [""] * 29 + ["free cash"]
    shared = share_features(text_student(texts), texts)
    y = np.arange(29) % 2
    fitted = shared.rest.fit(shared.features[:29], y)
    assert fitted.predict_proba(shared.features).shape == (30, 2)
