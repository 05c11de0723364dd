"""Writes test/fixtures/translation-scores.json: translations with the scores that sacrebleu 2.4.3 gives them.

    pip install sacrebleu==2.4.3; python3 make_translation_scores.py
"""
import json
from pathlib import Path

import sacrebleu

# (what was given, references); the marks and numbers are there for the tokenizer.
SETS = {
    "plain": [
        ("The child is at home with her aunt.", ["The child is at home with her aunt."]),
        ("He beat my brother yesterday evening", ["He hit my brother last evening, near the shop."]),
        ("I am afraid to go back", ["I'm afraid to go home again"]),
    ],
    "references": [
        ("we will call the children's office tomorrow at 10.30", ["we'll call the children's office tomorrow at 10:30", "tomorrow we call the office for children, at half past ten"]),
        ("she is twelve, not 1,200 years-old!", ["she is twelve - not 1,200 years old", "She's 12."]),
    ],
    "nothing in common": [("mtoto yuko wapi sasa hivi leo", ["the child was found safe in town"])],
    "short": [("yes", ["yes"]), ("no", ["no it is not"])],
    "empty": [("", ["the child is here"]), ("she is here now with us", ["she is here now with us"])],
    "tokens": [("Call 0700-123-456 (\"now\") & wait; it's 5 $/min.", ["Call 0700-123-456 (\"now\") and wait; its 5 $ / min."]), ("a.b 3.5 x,y 4,000-5 <p>", ["a. b 3.5 x, y 4,000 - 5 <p>"])],
}


def main():
    found = []
    for name, pairs in SETS.items():
        most = max(len(references) for _, references in pairs)
        given = [text for text, _ in pairs]
        columns = [[references[index] if index < len(references) else None for _, references in pairs] for index in range(most)]
        found.append({
            "name": name, "pairs": [{"given": text, "references": references} for text, references in pairs],
            "bleu": sacrebleu.corpus_bleu(given, columns).score, "chrf": sacrebleu.corpus_chrf(given, columns).score,
        })
    path = Path(__file__).resolve().parents[2] / "test/fixtures/translation-scores.json"
    path.write_text(json.dumps({"sacrebleu": sacrebleu.__version__, "sets": found}, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
