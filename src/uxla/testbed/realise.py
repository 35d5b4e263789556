"""A language puts a tree of concepts into words, each with its IOB2 tag."""

from __future__ import annotations

from dataclasses import dataclass

from uxla.testbed.draws import Draws
from uxla.testbed.grammar import Clause, Phrase, Sentence
from uxla.testbed.languages import Language
from uxla.testbed.lexicon import Lexicon, Name, spell

Tokens = list[tuple[str, str]]
"""Words with their tags."""


@dataclass(frozen=True)
class Voice:
    """A language that can speak: its typology, its words, and the source's words, in which shared names are spelt."""

    language: Language
    lexicon: Lexicon
    source: Lexicon

    def sentence(self, sentence: Sentence) -> Tokens:
        """The words and tags of a sentence, with a full stop."""
        tokens = self.clause(sentence.clauses[0])
        for clause in sentence.clauses[1:]:
            tokens += self._word(sentence.conjunction) + self.clause(clause)
        if sentence.scramble is not None:
            tokens = Draws("scramble", sentence.scramble).shuffled(tokens)
        return [*tokens, (".", "O")]

    def clause(self, clause: Clause) -> Tokens:
        """Subject, verb, object, adjuncts in this language's order; in the passive, "by" the subject at its place."""
        verb = self._verb(clause)
        adjuncts = [token for word, phrase in clause.adjuncts for token in self._adjunct(word, phrase)]
        if clause.passive and isinstance(clause.object, Phrase):
            subject, object_ = self.phrase(clause.object), self._adjunct("by", clause.subject)
        else:
            subject, object_ = self.phrase(clause.subject), self._object(clause.object)
        body = subject + adjuncts + object_ + verb if self.language.verb_last else subject + verb + object_ + adjuncts
        if clause.time is None:
            return body
        time = self._word(clause.time)
        return time + body if clause.time_first or self.language.verb_last else body + time

    def _verb(self, clause: Clause) -> Tokens:
        """The verb between what makes it negative and passive, or both after it where it comes last."""
        verb = self._word(clause.verb, "past" if clause.past else None)
        not_ = self._word("not") if clause.negated else []
        was = self._word("was") if clause.passive else []
        return verb + was + not_ if self.language.verb_last else was + not_ + verb

    def _object(self, object_: Phrase | Clause) -> Tokens:
        if isinstance(object_, Phrase):
            return self.phrase(object_, case="object")
        that = self._word("that")
        return self.clause(object_) + that if self.language.verb_last else that + self.clause(object_)

    def _adjunct(self, word: str, phrase: Phrase) -> Tokens:
        if self.language.postpositions:
            return self.phrase(phrase) + self._word(word)
        return self._word(word) + self.phrase(phrase)

    def phrase(self, phrase: Phrase, *, case: str | None = None) -> Tokens:
        """A noun phrase; its last word carries the case where the language marks it."""
        tokens = self._core(phrase)
        if case and self.language.case_marks:
            word, tag = tokens[-1]
            tokens[-1] = (word + self.lexicon.suffixes[case], tag)
        if phrase.of:
            owner = self.phrase(phrase.of)
            of = self._word("of")
            tokens = owner + of + tokens if self.language.postpositions else tokens + of + owner
        if phrase.apposition:
            tokens = [*tokens, (",", "O"), *self.phrase(phrase.apposition), (",", "O")]
        return tokens

    def _core(self, phrase: Phrase) -> Tokens:
        if isinstance(phrase.head, Name):
            head = self._name(phrase.head)
            before = self._word(phrase.title) if phrase.title else []
        else:
            head = self._word(phrase.head, "plural" if phrase.plural else None)
            before = self._quality(phrase.quality)
        core = before + head
        return self._word(phrase.determiner) + core if phrase.determiner else core

    def _quality(self, quality: str | Name | None) -> Tokens:
        if quality is None:
            return []
        return self._name(quality) if isinstance(quality, Name) else self._word(quality)

    def _name(self, name: Name) -> Tokens:
        words = spell(name, self.language, self.lexicon, self.source)
        tags = [f"{'I' if index else 'B'}-{name.kind}" for index in range(len(words))]
        return list(zip(words, tags, strict=True))

    def _word(self, concept: str, inflection: str | None = None) -> Tokens:
        suffix = self.lexicon.suffixes[inflection] if inflection else ""
        return [(self.lexicon.words[concept] + suffix, "O")]
