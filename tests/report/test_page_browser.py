"""The report in a real headless browser: it is searched, filtered, followed and looked at; nothing leaks or breaks."""

import json
import shutil
import time

import numpy as np
import pyarrow.parquet as pq
import pytest

from uxla.algorithm.agreement import Agreed
from uxla.algorithm.events import CoLabelled, Step
from uxla.records import Corpus, Example, Predictions
from uxla.study.inputs import Target
from uxla.study.trace import Trace, write_trace

selenium = pytest.importorskip("selenium", reason="no selenium: pip install 'uxla[browser]'")
CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
pytestmark = pytest.mark.skipif(CHROMIUM is None or DRIVER is None, reason="no Chromium with its chromedriver")

FLAGS = ("headless", "no-sandbox", "disable-gpu", "disable-dev-shm-usage", "no-first-run", "disable-sync")
FLAGS += ("disable-background-networking", "disable-component-update", "disable-quic", "hide-scrollbars")
NASTY = "</script><img src=x onerror=hacked()>\"' \u202eevil\u202c &amp; {{ 7 * 7 }}"


class Browser:
    """A page open in Chromium, with what a reader does to it."""

    def __init__(self, driver):
        self.driver = driver

    def open(self, file):
        """The file, once its sentences are unpacked."""
        self.driver.get(file.as_uri())
        self.until("return document.documentElement.dataset.ready === 'yes'")

    def until(self, script, seconds=20):
        """Wait until `script` returns something true."""
        end = time.monotonic() + seconds
        while not (value := self.driver.execute_script(script)):
            assert time.monotonic() < end, f"in vain: {script}"
            time.sleep(0.02)
        return value

    def texts(self, selector):
        """The text of every element that matches."""
        return self.driver.execute_script(
            "return [...document.querySelectorAll(arguments[0])].map((e) => e.textContent)", selector
        )

    def set(self, id_, value, event="change"):
        """Fill in a field as a person does."""
        self.driver.execute_script(
            "const e = document.getElementById(arguments[0]); e.value = arguments[1];"
            "e.dispatchEvent(new Event(arguments[2]))",
            id_,
            value,
            event,
        )

    def search(self, words, expected):
        """Search, and wait until so many labellings are left."""
        self.set("search", words, "input")
        self.until(f"return document.getElementById('status').textContent.startsWith('{expected:,} of')")

    def click(self, selector, index=0):
        """Click on the element that matches."""
        self.driver.execute_script("document.querySelectorAll(arguments[0])[arguments[1]].click()", selector, index)

    @property
    def complaints(self):
        """Script errors and whatever else the console was told."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    @property
    def requests(self):
        """Every address that was asked for since the last look."""
        messages = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        return [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    from selenium.webdriver import Chrome
    from selenium.webdriver.chrome.options import Options
    from selenium.webdriver.chrome.service import Service

    options = Options()
    options.binary_location = CHROMIUM
    for flag in (*FLAGS, f"user-data-dir={tmp_path_factory.mktemp('chromium')}", "window-size=1200,900"):
        options.add_argument(f"--{flag}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = Chrome(options=options, service=Service(DRIVER))
    yield driver
    driver.quit()


@pytest.fixture
def browser(chromium):
    chromium.get("about:blank")
    chromium.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    chromium.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    for log in ("browser", "performance"):
        chromium.get_log(log)
    return Browser(chromium)


@pytest.fixture
def opened(browser, make_run, report):
    """A browser that shows the report of a run made of `options`."""

    def open_(*runs, **options):
        runs = runs or (make_run(**options),)
        file = runs[0] / "report.html"
        report(*runs, out=file)
        browser.open(file)
        return browser

    return open_


def traced_with(run, change):
    """The run with other rows in its trace: `change` says what of each."""
    found = pq.read_table(run / "trace/far.parquet")
    rows = [row | change(row) for row in found.to_pylist()]
    pq.write_table(type(found).from_pylist(rows, found.schema), run / "trace/far.parquet")
    return run


def test_the_page_asks_for_nothing_outside_and_runs_without_a_complaint(opened):
    page = opened()
    page.search("river", 2)
    page.click(".row")
    (only,) = page.requests
    assert only.startswith("file:")
    assert page.complaints == []


def test_searching_finds_words_and_ids(opened):
    page = opened()
    page.set("epoch", "")
    page.search("EBRO", 2)
    assert set(page.texts(".row .text")) == {"the river Ebro"}
    page.search("far:1~1", 1)
    assert page.texts(".row .text") == ["the river new"]
    page.search("no such word", 0)
    assert page.texts(".row") == []


def test_filters_choose_by_data_epoch_and_fate(opened):
    page = opened()
    page.set("epoch", "1")
    assert page.texts(".row .fate") == [
        "used",
        "dropped: peers disagree",
        "dropped: neither peer sure enough",
        "dropped: a model collapsed",
    ]
    page.set("fate", "0")
    assert page.texts(".row .text") == ["Ana lives here"]
    page.set("fate", "1")
    assert len(page.texts(".row")) == 3
    page.set("fate", "")
    page.set("epoch", "2")
    page.set("data", "far~")
    assert all("~1 · epoch 2" in about for about in page.texts(".row .about"))
    assert len(page.texts(".row")) == 4


def test_training_sentences_that_taught_a_wrong_label_are_found(opened, make_run):
    run = make_run()
    assert opened(run).texts("#fate option")[-1] == "used, with a wrong label"
    page = opened(traced_with(run, lambda row: {"labels": [1] * len(row["labels_k"])} if row["used"] else {}))
    page.set("epoch", "1")
    page.set("fate", "6")
    assert page.texts(".row .fate") == ["used"]
    page = opened(traced_with(run, lambda row: {"labels": [0] * len(row["labels_k"])} if row["used"] else {}))
    page.set("fate", "6")
    assert page.texts(".row") == []


def test_wrong_test_sentences_stand_beside_their_gold_labels_and_are_filtered(opened, make_run):
    page = opened(make_run(right=False))
    page.until("return document.querySelector('.mistakes').dataset.ready === 'yes'")
    assert page.texts(".cases li > .about")[0] == "still wrong · confidence 99 %"
    assert page.texts(".cases li:first-child .side") == ["gold", "zero-shot and UXLA"]
    assert len(page.texts(".cases li")) == 20
    choose = "const e = document.querySelector('.mistakes .kind'); e.value = arguments[0];"
    page.driver.execute_script(choose + "e.dispatchEvent(new Event('change'))", "fixed")
    assert page.texts(".mistakes .found") == ["0 shown, the surest first"]


def test_fixed_test_sentences_are_shown_when_asked_for(opened):
    page = opened()
    page.until("return document.querySelector('.mistakes').dataset.ready === 'yes'")
    assert page.texts(".cases li") == []
    choose = "const e = document.querySelector('.mistakes .kind'); e.value = 'fixed';"
    page.driver.execute_script(choose + "e.dispatchEvent(new Event('change'))")
    assert len(page.texts(".cases li")) == 20
    assert page.texts(".cases li:first-child .side") == ["gold", "zero-shot", "UXLA"]
    assert set(page.texts(".cases mark.entity small")) == {"PER"}
    assert page.texts(".cases .differs") == []
    find = "const e = document.querySelector('.mistakes .query'); e.value = 'EBRO';"
    page.driver.execute_script(find + "e.dispatchEvent(new Event('input'))")
    assert page.texts(".mistakes .found") == ["5 shown, the surest first"]


def test_what_the_agreement_took_of_one_trusted_peer_was_dropped_by_a_collapse(opened, make_run):
    run = make_run()
    taken = lambda row: {"labels": row["labels_j"], "selected_by_k": False}  # noqa: E731
    page = opened(traced_with(run, lambda row: taken(row) if row["id"] == "far:1" else {}))
    page.set("epoch", "1")
    dropped = ["dropped: a model collapsed", "dropped: neither peer sure enough", "dropped: a model collapsed"]
    assert page.texts(".row .fate") == ["used", *dropped]


@pytest.mark.parametrize(
    ("k", "j", "labels", "said"),
    [
        ([0, 1, 2], [0, 1, 2], [0, 1, 2], "model 2, gold."),
        ([0, 1, 2], [0, 1, 1], [0, 1, 1], "Model 2’s labels taught."),
        ([0, 1, 2], [0, 1, 1], [0, 1, -100], "Words on which the two differ taught nothing."),
        ([0, 1, 2], [0, 1, 1], [0, -100, 0], "These labels taught: O – O."),
    ],
)
def test_which_labels_taught_is_said_where_it_is_not_those_of_both(opened, make_run, k, j, labels, said):
    peers = {"labels_k": k, "labels_j": j, "labels": labels}
    page = opened(traced_with(make_run(), lambda row: peers if row["id"] == "far:0" and row["used"] else {}))
    page.set("epoch", "1")
    page.click(".row")
    assert page.texts("#detail .note")[0].endswith(said)


def test_a_sample_is_followed_to_its_parent_and_back(opened):
    page = opened()
    page.search("far:1~1", 1)
    page.click(".row")
    assert page.texts("#detail h3 bdi") == ["far:1~1", "far~"]
    assert page.texts("#detail .words mark") == ["new"]
    page.click("#detail button.parent")
    assert page.texts("#detail h3 bdi") == ["far:1", "far"]
    assert page.texts("#detail button.sample") == ["the river new"]
    assert page.texts("#detail button.sample mark") == ["new"]
    page.click("#detail button.sample")
    assert page.texts("#detail h3 bdi") == ["far:1~1", "far~"]


def test_both_peers_labels_and_the_gold_one_stand_under_each_word(opened):
    page = opened()
    page.set("epoch", "1")
    page.search("river", 1)
    page.click(".row")
    assert page.texts("#detail .word") == [f"{word}B-PERI-PERO" for word in ("the", "river", "Ebro")]
    assert page.texts("#detail small.differs") == ["I-PER"] * 3
    assert "model 1 is 60.0 % sure, trusted; model 2 is 60.0 % sure, trusted" in page.texts("#detail p")[0]


def test_the_changed_word_of_a_sample_of_one_word_is_marked(opened, make_run, samples_of):
    page = opened(samples_of(make_run(), ["one", "two", "six", "ten"], ["won", "two", "six", "ten"]))
    page.search("far:0~1", 1)
    page.click(".row")
    assert page.texts("#detail .words mark") == ["won"]


def test_a_long_text_without_spaces_is_cut_in_the_list_and_has_a_node_a_stretch(opened, make_run, samples_of):
    long = "\u5b57" * 5000
    page = opened(samples_of(make_run(), [long, "b", "c", "d"], [f"{long[:2]}\u6587{long[3:]}", "b", "c", "d"]))
    page.search("far:0~1", 1)
    (shown,) = page.texts(".row .text")
    assert len(shown) < 500
    assert shown.endswith(" …")
    assert page.texts(".row .text mark") == ["\u6587"]
    assert page.driver.execute_script("return document.querySelector('.row .text').childNodes.length") == 4


def test_right_to_left_text_runs_from_the_right(opened):
    page = opened()
    page.set("epoch", "1")
    page.search("far:2", 1)
    page.click(".row")
    directions = (
        "return ['.row .text', '#detail .words'].map((s) => getComputedStyle(document.querySelector(s)).direction)"
    )
    assert page.driver.execute_script(directions) == ["rtl", "rtl"]
    places = "return [...document.querySelectorAll('#detail .word')].map((e) => e.getBoundingClientRect().left)"
    lefts = page.driver.execute_script(places)
    assert lefts == sorted(lefts, reverse=True)


def test_no_text_of_a_users_is_executed(opened, make_run):
    labels = ("O", "B-<img src=x onerror=hacked()>", "I-</script><script>hacked()</script>")
    words = (NASTY, "a <b>bold</b> word", "c d", "e f")
    page = opened(make_run("<img src=x onerror=hacked()>", words=words, source=NASTY, labels=labels))
    page.set("epoch", "")
    for row in range(len(page.texts(".row"))):
        page.click(".row", row)
        assert page.texts("#detail img, #detail b, #detail script, #rows img, #rows b") == []
    assert page.texts("img") == []
    assert NASTY in page.texts(".row .text")
    assert NASTY in page.texts(".pair bdi")
    assert page.complaints == []
    assert len(page.requests) == 1


@pytest.mark.parametrize("width", [390, 800, 1280])
def test_no_table_is_cut_at_any_width(opened, width):
    page = opened()
    size = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 600}
    page.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    page.driver.execute_script("document.querySelectorAll('details').forEach((e) => { e.open = true; })")
    cut = (
        "return [...document.querySelectorAll('table, svg, pre')].filter((e) => {"
        "  const box = e.closest('.wide'), right = e.getBoundingClientRect().right;"
        "  const scrolls = box && getComputedStyle(box).overflowX === 'auto' && box.tabIndex === 0;"
        "  return !scrolls && right > document.documentElement.clientWidth; }).map((e) => e.outerHTML.slice(0, 99))"
    )
    assert page.driver.execute_script(cut) == []
    assert page.driver.execute_script("return document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("width", [360, 1400])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_width_and_no_scheme_makes_it_unreadable(opened, width, scheme):
    page = opened()
    size = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 600}
    page.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
    page.click(".row")
    assert page.driver.execute_script("return document.documentElement.scrollWidth") <= width
    colours = "const s = getComputedStyle(document.body); return [s.color, s.backgroundColor]"
    ink, paper = (sum(map(int, c[4:-1].split(","))) for c in page.driver.execute_script(colours))
    assert (ink < paper) == (scheme == "light")
    assert abs(ink - paper) > 500


def test_a_large_report_holds_only_the_rows_in_sight(opened, make_run):
    run = make_run()
    size, words = 20_000, "one two three four five six seven eight"
    texts = (Example(f"far:{i}", "far", (f"{i} {words}",)) for i in range(size))
    corpus = Corpus.from_examples("far", ("O", "B-PER", "I-PER"), texts)
    probs = np.random.default_rng(0).dirichlet([1, 1, 1], 9 * size).astype(np.float32)
    table, chosen = Predictions(probs, 9 * np.arange(size + 1)), np.arange(size) % 2 == 0
    trace = Trace(size)
    for place in ((1, 0, 1, 2), (1, 0, 2, 1), (1, 1, 2, 0)):
        both = {"predictions": (table, table), "selected": (chosen, chosen), "chosen": chosen}
        both["found"] = Agreed(chosen, chosen, table.pseudo_labels)
        trace(CoLabelled(step=Step(*place), corpus=corpus, classes={}, **both))
    write_trace(run / "trace", trace, Target(corpus, name="far"), corpus.part(0, 0).renamed("src"))
    page = opened(run)
    page.set("peers", "")
    assert page.texts("#status") == ["60,000 of 60,000 labellings of 20,000 texts"]
    assert 5 < len(page.texts(".row")) < 30
    jump = "const l = document.getElementById('list'); l.scrollTop = l.scrollHeight; return l.scrollTop"
    page.driver.execute_script(jump)
    page.until("return document.getElementById('rows').textContent.includes('far:19999')")
    assert len(page.texts(".row")) < 30
    assert page.texts(".row .text")[-1] == f"19999 {words}"
