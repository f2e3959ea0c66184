"""Makes dailydialog.json of two files of the DailyDialog data set.

    python from_dailydialog.py dialogues_text.txt dialogues_topic.txt

Line by line the first holds a dialogue, the second the number of its topic, from 1 to 10.
"""

import json
import sys
from pathlib import Path


def read_text(file):
    """What a file holds; ends with a message when it cannot be read."""
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise SystemExit(f"cannot read {file}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise SystemExit(f"cannot read {file}: it is no UTF-8 text") from None


def read_records(texts, topics):
    """A record for each dialogue; its label is the topic's number from 0."""
    dialogues = read_text(texts).splitlines()
    numbers = read_text(topics).split()
    if len(dialogues) != len(numbers):
        raise SystemExit(f"found {len(dialogues)} dialogues and {len(numbers)} topics")
    return [
        {"text": text.strip(), "label": int(number) - 1}
        for text, number in zip(dialogues, numbers, strict=True)
    ]


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    records = read_records(Path(sys.argv[1]), Path(sys.argv[2]))
    file = Path(__file__).with_name("dailydialog.json")
    file.write_text(json.dumps(records), encoding="utf-8")
    print(f"{file}: {len(records):,} dialogues")
