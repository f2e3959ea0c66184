"""Writes sample.json: made-up dialogues about ten topics, as unbalanced as real ones are.

    python make_sample.py

The same seed gives the same file. Each dialogue mixes sentences of its own topic with small talk
and, now and then, a sentence of another topic, so that a model has something to learn.
"""

import json
import random
from pathlib import Path

TEXTS = 600
SEED = 0

# How often each topic comes, in hundredths, and the things that people say of it.
TOPICS = [
    (26, "breakfast umbrella kitchen bus laundry neighbour supermarket curtains bicycle haircut"),
    (5, "homework classroom teacher exam dormitory semester lecture library essay professor"),
    (2, "museum painting opera novel exhibition poet orchestra sculpture theatre violin"),
    (6, "temper courage patience regret confidence worry jealousy pride mood disappointment"),
    (32, "birthday wedding girlfriend brother dinner invitation apology cousin promise party"),
    (8, "passport hotel beach luggage airport guide souvenir museum mountain ticket"),
    (4, "headache dentist fever prescription diet nurse exercise cough vitamin surgery"),
    (12, "salary meeting boss resume interview deadline office promotion colleague overtime"),
    (2, "election minister parliament senator law vote government campaign treaty reform"),
    (3, "loan account interest cheque insurance stock deposit mortgage budget tax"),
]
ABOUT = [
    "What about the {} ?",
    "I keep thinking of the {} .",
    "Have you heard about the {} and the {} ?",
    "My sister told me all about her {} .",
    "We should talk about the {} tomorrow .",
    "Do not forget the {} this time .",
    "Without the {} nothing works .",
    "Is that your {} ?",
]
SMALL_TALK = [
    "How are you today ?",
    "I see what you mean .",
    "That sounds good to me .",
    "Are you sure ?",
    "Well , let us see .",
    "Thank you very much .",
    "I did not know that .",
    "See you later , then .",
]


def make_text(chance, topic):
    """Four to seven sentences, most of them about the topic."""
    sentences = []
    for _ in range(chance.randint(4, 7)):
        kind = chance.random()
        if kind < 0.45:
            sentences.append(chance.choice(SMALL_TALK))
            continue
        subject = topic if kind < 0.85 else chance.randrange(len(TOPICS))
        things = chance.sample(TOPICS[subject][1].split(), 2)
        sentences.append(chance.choice(ABOUT).format(*things))
    return " ".join(sentences)


def make_records():
    """All dialogues, each with the number of its topic."""
    chance = random.Random(SEED)  # noqa: S311 - made-up sentences are no secret
    shares = [share for share, _ in TOPICS]
    topics = chance.choices(range(len(TOPICS)), weights=shares, k=TEXTS)
    return [{"text": make_text(chance, topic), "label": topic} for topic in topics]


def write(records, file):
    """One record a line, so that people can read the file and compare two."""
    lines = ",\n".join(json.dumps(record) for record in records)
    file.write_text(f"[\n{lines}\n]\n", encoding="utf-8")


if __name__ == "__main__":
    write(make_records(), Path(__file__).with_name("sample.json"))
