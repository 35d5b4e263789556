"""Gen-LM's draws with a toy filler: which words are replaced, how often, and that nothing but the keys decides it."""

from collections.abc import Callable, Sequence
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from uxla.algorithm.vicinity import MaskRequest, Vicinity, draw_positions, keyed_bits
from uxla.errors import ConfigError, DataError
from uxla.records import Corpus, Example


class Toy:
    """Replaces each drawn word by `new(word, request)` and remembers what it was asked."""

    def __init__(self, new: Callable[[str, MaskRequest], str]):
        self.new = new
        self.asked: list[MaskRequest] = []

    def units(self, texts: Sequence[str]) -> list[list[tuple[int, int]]]:
        spans = []
        for text in texts:
            ends = np.cumsum([len(word) + 1 for word in text.split(" ")]) - 1
            spans.append([(int(e) - len(w), int(e)) for w, e in zip(text.split(" "), ends, strict=True) if w])
        return spans

    def fill(self, requests: Sequence[MaskRequest]) -> list[str]:
        self.asked.extend(requests)
        made = []
        for request in requests:
            text = request.text
            for start, end in sorted(request.spans, reverse=True):
                text = text[:start] + self.new(text[start:end], request) + text[end:]
            made.append(text)
        return made


def starred() -> Toy:
    return Toy(lambda word, request: word + "*")


def corpus_of(*texts: str, name: str = "xx") -> Corpus:
    return Corpus.from_examples(
        name, ("O", "B"), [Example(f"e{i}", "xx", (t,), (0,) * len(t.split(" "))) for i, t in enumerate(texts)]
    )


def pairs_of(*pairs: tuple[str, str]) -> Corpus:
    return Corpus.from_examples("p", ("0", "1"), [Example(f"p{i}", "xx", p, (1,)) for i, p in enumerate(pairs)])


WORDS = st.lists(st.text("abcdeكमက字🙂\u200d\u00a0", min_size=1, max_size=4), min_size=1, max_size=12)


@given(
    texts=st.lists(WORDS.map(" ".join), min_size=1, max_size=5),
    share=st.floats(0.01, 1.0),
    copies=st.integers(1, 5),
)
def test_samples_differ_from_their_parent_at_the_drawn_words_only(texts, share, copies):
    corpus = corpus_of(*texts)
    result = Vicinity(starred(), share, (copies,), seed=3, keep_unchanged=True)(corpus)
    assert len(result.corpus) == result.drawn == copies * len(texts)
    for sample in result.corpus:
        parent = corpus[int(sample.id.split("~")[0][1:])]
        changed = [new != old for new, old in zip(sample.words, parent.words, strict=True)]
        assert all(new in (old, old + "*") for new, old in zip(sample.words, parent.words, strict=True))
        assert sum(changed) == max(1, int(np.floor(np.round(share * len(parent.words), 9))))


@pytest.mark.parametrize(
    ("share", "words", "drawn"), [(0.3, 10, 3), (0.3, 19, 5), (0.3, 1, 1), (0.29, 100, 29), (1.0, 7, 7)]
)
def test_the_number_of_replaced_words_is_the_floor_of_the_share_and_at_least_one(share, words, drawn):
    toy = starred()
    Vicinity(toy, share, (1,), seed=0)(corpus_of(" ".join("w" * words)))
    assert [len(request.spans) for request in toy.asked] == [drawn]


@given(data=st.data(), among=st.integers(1, 7), copies=st.integers(1, 40), key=st.text(max_size=5))
def test_a_set_of_positions_comes_again_only_when_all_have_come(data, among, copies, key):
    size = data.draw(st.integers(1, among))
    drawn = [set(p) for p, _ in draw_positions(keyed_bits(1, 0, 0, key), among=among, size=size, copies=copies)]
    assert all(len(positions) == size and max(positions) < among for positions in drawn)
    sets = comb(among, size)
    for start in range(0, copies, sets):
        one_round = [frozenset(positions) for positions in drawn[start : start + sets]]
        assert len(set(one_round)) == len(one_round)


def test_every_position_is_drawn_equally_often_in_the_long_run():
    """10,000 draws of 3 of 8: 3,750 each, standard deviation below 49; 250 is more than five of them."""
    counts = np.zeros(8, dtype=int)
    for i in range(10_000):
        ((positions, _),) = draw_positions(keyed_bits(0, 0, 0, f"id{i}"), among=8, size=3, copies=1)
        counts[list(positions)] += 1
    assert counts.sum() == 30_000
    assert np.abs(counts - 3_750).max() < 250


def test_the_draw_order_is_not_the_order_of_the_sentence():
    toy = starred()
    Vicinity(toy, 0.5, (20,), seed=0)(corpus_of("a b c d e f g h"))
    assert any(list(request.spans) != sorted(request.spans) for request in toy.asked)


def test_more_samples_only_add_to_fewer():
    few, more = (Vicinity(starred(), 0.4, (n,), seed=5)(corpus_of("a b c d e f g")).corpus for n in (2, 6))
    assert [e.segments for e in more][:2] == [e.segments for e in few]


def test_the_draws_of_a_corpus_are_known_values():
    """Written down once: a change of the key, the bits or the ranking changes every generated corpus."""
    drawn = draw_positions(keyed_bits(13, 0, 0, "train:7"), among=10, size=3, copies=2)
    assert drawn == [((5, 9, 0), 3444413804628288500), ((0, 1, 8), 99712536591239634)]


def test_neither_order_nor_chunk_nor_neighbours_change_a_sample():
    texts = ["a b c d e f", "g h i j", "k l m n o p q", "r"]
    corpus = corpus_of(*texts)
    whole = {e.id: e.segments for e in Vicinity(starred(), 0.3, (3,), seed=1, keep_unchanged=True)(corpus).corpus}
    for part in (corpus.take([3, 2, 1, 0]), corpus.take([1, 2]), corpus.renamed("other")):
        made = Vicinity(starred(), 0.3, (3,), seed=1, keep_unchanged=True, together=1)(part).corpus
        assert {e.id: e.segments for e in made}.items() <= whole.items()
        assert len(made) == 3 * len(part)


def test_seed_draw_and_segment_each_draw_anew():
    text = "a b c d e f g h i j k l m n o p q r s t"

    def sample(seed: int, draw: int) -> tuple[str, ...]:
        pair = Vicinity(starred(), 0.3, (1, 1), seed=seed)(pairs_of((text, text)), draw).corpus[0].segments
        assert pair[0] != pair[1]
        return pair

    assert sample(0, 0) == sample(0, 0)
    assert len({sample(0, 0), sample(0, 1), sample(1, 0)}) == 3


def test_requests_carry_different_seeds_also_for_equal_positions():
    toy = starred()
    Vicinity(toy, 1.0, (4,), seed=0)(corpus_of("a b", "a b"))
    assert len({request.seed for request in toy.asked}) == 8


def test_cross_is_the_product_of_both_parts_in_order():
    result = Vicinity(starred(), 0.3, (2, 3), seed=0)(pairs_of(("a b c d", "e f g h")))
    samples = list(result.corpus)
    assert [e.id for e in samples] == [f"p0~{n}" for n in range(1, 7)]
    first = [e.segments[0] for e in samples]
    second = [e.segments[1] for e in samples]
    assert first == [first[0]] * 3 + [first[3]] * 3
    assert second == second[:3] * 2
    assert len(set(first)) == 2
    assert len(set(second)) == 3


def test_each_part_of_a_pair_is_filled_once_a_copy_not_once_a_combination():
    toy = starred()
    Vicinity(toy, 0.3, (2, 3), seed=0)(pairs_of(("a b c d", "e f g h")))
    assert len(toy.asked) == 5


def test_a_part_without_units_stays_as_it_is():
    result = Vicinity(starred(), 0.3, (2, 3), seed=0)(pairs_of(("a b c d", "")))
    assert [e.segments[1] for e in result.corpus] == ["", ""]
    assert result.without_units == 0


def test_the_white_space_of_free_text_is_kept_in_every_sample_of_a_cross():
    """The toy's words are split at single spaces: doubled ones and those at the ends lie outside all of them."""
    first, second = " a  b c\n", "\u3000d   e\u00a0 f "
    samples = list(Vicinity(starred(), 0.5, (2, 2), seed=0)(pairs_of((first, second))).corpus)
    assert len(samples) == 4
    assert [tuple(part.replace("*", "") for part in e.segments) for e in samples] == [(first, second)] * 4


def test_unchanged_and_repeated_samples_are_counted_and_dropped():
    """One word, four samples: "a" itself, "b", "b" again, "c"; ids keep their number."""
    answers = iter("abbc")
    result = Vicinity(Toy(lambda word, request: next(answers)), 1.0, (4,), seed=0)(corpus_of("a"))
    assert [(e.id, e.segments[0]) for e in result.corpus] == [("e0~2", "b"), ("e0~4", "c")]
    assert (result.drawn, result.unchanged, result.duplicates) == (4, 1, 1)


def test_keep_unchanged_keeps_and_still_counts():
    answers = iter("abbc")
    toy = Toy(lambda word, request: next(answers))
    result = Vicinity(toy, 1.0, (4,), seed=0, keep_unchanged=True)(corpus_of("a"))
    assert [e.segments[0] for e in result.corpus] == list("abbc")
    assert (result.drawn, result.unchanged, result.duplicates) == (4, 1, 1)


def test_equal_samples_of_different_parents_are_all_kept():
    result = Vicinity(Toy(lambda word, request: "z"), 1.0, (1,), seed=0)(corpus_of("a", "b"))
    assert [e.id for e in result.corpus] == ["e0~1", "e1~1"]


def test_an_example_without_units_is_counted_and_has_no_sample():
    result = Vicinity(starred(), 0.3, (2,), seed=0)(corpus_of("", "a b"))
    assert {e.id.split("~")[0] for e in result.corpus} == {"e1"}
    assert result.without_units == 1


@given(WORDS.map(" ".join))
def test_words_shorter_than_asked_are_never_drawn(text):
    toy = starred()
    Vicinity(toy, 1.0, (2,), seed=0, min_word_chars=3)(corpus_of(text))
    assert all(end - start >= 3 for request in toy.asked for start, end in request.spans)
    assert bool(toy.asked) == any(len(word) >= 3 for word in text.split(" "))


@pytest.mark.parametrize(
    ("words", "drawn"), [("names", {"EFE", "Él", "x7", "٣"}), ("others", {"río", ",", "नदी", "一"})]
)
def test_names_alone_or_all_others_are_drawn(words, drawn):
    toy, text = starred(), "EFE río , Él x7 नदी ٣ 一"
    Vicinity(toy, 1.0, (2,), seed=0, words=words)(corpus_of(text))
    assert [{text[slice(*span)] for span in request.spans} for request in toy.asked] == [drawn, drawn]


def test_the_share_is_of_all_words_whichever_are_drawn():
    """0.3 of ten words are three; of two names both."""
    for text, count in [("A B C D e f g h i j", 3), ("A b c d e f g h i J", 2)]:
        toy = starred()
        Vicinity(toy, 0.3, (1,), seed=0, words="names")(corpus_of(text))
        assert [len(request.spans) for request in toy.asked] == [count]


def test_the_result_has_no_labels_and_a_name_of_its_own():
    corpus = corpus_of("a b c", name="es")
    made = Vicinity(starred(), 0.3, (2,), seed=0)(corpus).corpus
    assert made.name == "es~"
    assert made.label_names == corpus.label_names
    assert all(e.labels is None and e.lang == "xx" for e in made)


def test_an_empty_corpus_gives_an_empty_corpus_for_which_no_model_is_asked():
    result = Vicinity(None, 0.3, (2,), seed=0)(corpus_of())
    assert (len(result.corpus), result.drawn) == (0, 0)


def test_only_a_chunk_of_examples_is_held_at_a_time():
    sizes = []

    class Counting(Toy):
        def fill(self, requests: Sequence[MaskRequest]) -> list[str]:
            sizes.append(len(requests))
            return super().fill(requests)

    toy = Counting(lambda word, request: word + "*")
    result = Vicinity(toy, 0.3, (2,), seed=0, together=10)(corpus_of(*["a b c d"] * 25))
    assert sizes == [20, 20, 10]
    assert result.drawn == 50


@pytest.mark.parametrize("share", [0.0, -0.1, 30.0])
def test_a_share_out_of_range_is_refused(share):
    with pytest.raises(ConfigError, match=r"30 % is 0\.3"):
        Vicinity(starred(), share, (1,), seed=0)


@pytest.mark.parametrize("copies", [(), (0,), (2, 0)])
def test_fewer_than_one_copy_is_refused(copies):
    with pytest.raises(ConfigError, match="at least 1"):
        Vicinity(starred(), 0.3, copies, seed=0)


def test_copies_that_do_not_fit_the_segments_are_refused():
    with pytest.raises(DataError, match="example e0 has 1 segments, expected 2"):
        Vicinity(starred(), 0.3, (2, 2), seed=0)(corpus_of("a b"))
