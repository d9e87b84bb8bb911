"""Answers questions about a shop from a folder of Markdown passages, in their own words: no model is called."""

import re
from math import log
from pathlib import Path

from fastapi import FastAPI
from pydantic import BaseModel

CHUNK_WORDS = 60
RETRIEVED = 2
COMMON = set("a an and are at be can do does for how i if in is it my of on or that the there to what when with you".split())


def words(text):
    return {word.rstrip("s") for word in re.findall(r"[a-z0-9]+", text.lower()) if word not in COMMON}


def chunks(text):
    """Splits a passage into pieces of at most CHUNK_WORDS words."""
    found = text.split()
    return [" ".join(found[start : start + CHUNK_WORDS]) for start in range(0, len(found), CHUNK_WORDS)]


FILES = sorted((Path(__file__).parent / "passages").glob("*.md"))
PASSAGES = [(file.stem, chunk) for file in FILES for chunk in chunks(file.read_text("utf-8"))]


def weight(word):
    """A word that few passages have says more about a question."""
    return log(1 + len(PASSAGES) / (1 + sum(word in words(text) for _, text in PASSAGES)))


def overlap(question, text):
    return sum(weight(word) for word in words(question) & words(text))


class Question(BaseModel):
    question: str


app = FastAPI()


@app.get("/health")
def health():
    return {"passages": len(PASSAGES)}


@app.post("/answer")
def answer(asked: Question):
    def rank(text):
        return overlap(asked.question, text)

    sources = sorted(PASSAGES, key=lambda passage: rank(passage[1]), reverse=True)[:RETRIEVED]
    sentences = [sentence for _, text in sources for sentence in re.split(r"(?<=[.!?])\s+", text)]
    best = max(sentences, key=rank)
    # A model would count tokens; here they are words.
    read = sum(len(text.split()) for _, text in sources) + len(asked.question.split())
    return {
        "answer": best,
        "sources": [{"file": file, "text": text} for file, text in sources],
        "usage": {"prompt_tokens": read, "completion_tokens": len(best.split())},
    }
