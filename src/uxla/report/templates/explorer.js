"use strict";
// The explorer: every labelling of a sentence by two peers, and what became of it. Only rows in sight are in the page;
// all text goes in as text nodes, never as markup.
(async () => {
  const ROW = 58, TALLEST = 8e6, EXTRA = 4, MOST_WORDS = 80, CHARACTERS = 4, MOST_SAMPLES = 50;
  const KEPT_K = 1, KEPT_J = 2, USED = 4, TAKEN = 8;
  const FATES = ["used", "dropped", "dropped: peers disagree", "dropped: one peer not sure enough",
    "dropped: neither peer sure enough", "dropped: a model collapsed", "used, with a wrong label"];
  const WRONG = 6; // what the filter alone asks for: the fate is "used"

  // A decision d is the place at[d] of block of[d]: where its text, flags, confidences and labels stand.
  function prepare(set) {
    let size = 0;
    for (const block of set.blocks) {
      let row = 0;
      block.rows = Int32Array.from(block.rows, (step) => (row += step));
      size += block.rows.length;
    }
    set.of = new Uint16Array(size);
    set.at = new Int32Array(size);
    let d = 0;
    set.blocks.forEach((block, b) => {
      for (let i = 0; i < block.rows.length; i++, d++) { set.of[d] = b; set.at[d] = i; }
    });
    return set;
  }

  const block = (d) => set.blocks[set.of[d]];
  const textOf = (d) => block(d).rows[set.at[d]];
  const segments = (t) => { const text = set.texts.text[t]; return typeof text === "string" ? [text] : text; };
  const labelsOf = (code) => Array.from(set.sequences[code] ?? "", (c) => set.labels[c.charCodeAt(0) - 49] ?? "–");
  const sure = (d, peer) => (block(d).sure[peer][set.at[d]] / 10).toFixed(1) + " %";

  function fate(flags) {
    if (flags & USED) return 0;
    if (flags & TAKEN) return 5; // by the agreement
    if (!(flags & (KEPT_K | KEPT_J))) return 4;
    return flags & KEPT_K && flags & KEPT_J ? 2 : 3;
  }

  // Whether any label that taught is not the gold one.
  function taughtWrong(d) {
    const b = block(d), i = set.at[d], right = set.sequences[set.texts.gold[textOf(d)]];
    if (right === undefined) return false;
    return [...set.sequences[b.labels[2][i]]].some((code, w) => code !== right[w] && right[w] !== "0" && code !== "0");
  }

  // ---- filters
  function choices(select, pairs, chosen) {
    select.replaceChildren(...pairs.map(([value, name]) => new Option(name, value, false, String(value) === String(chosen))));
  }

  function fillFilters() {
    const epochs = [...new Set(set.blocks.map((b) => b.epoch))];
    const peers = [...new Set(set.blocks.map((b) => `${b.k}·${b.j}`))];
    const data = [...new Set(set.blocks.map((b) => b.data))];
    choices($("epoch"), [["", "all"], ...epochs.map((e) => [e, e])], epochs.at(-1));
    choices($("peers"), [["", "all"], ...peers.map((p) => [p, p])], peers[0]);
    choices($("data"), [["", "all"], ...data.map((name) => [name, name.endsWith("~") ? `${name.slice(0, -1)}, generated` : name])], "");
    const known = set.texts.gold.some((code) => code >= 0);
    choices($("fate"), [["", "all"], ...FATES.map((name, i) => [i, name]).filter(([i]) => known || i !== WRONG)], "");
  }

  function matching(query) {
    if (!query) return null;
    const { text, id } = set.texts, found = new Uint8Array(text.length);
    set.lower ??= text.map((t) => (typeof t === "string" ? t : t.join("\n")).toLowerCase());
    for (let t = 0; t < found.length; t++) found[t] = set.lower[t].includes(query) || id[t].toLowerCase() === query ? 1 : 0;
    return found;
  }

  function filter() {
    const [data, epoch, peers, chosen] = ["data", "epoch", "peers", "fate"].map((id) => $(id).value);
    const hits = matching($("search").value.trim().toLowerCase());
    const shown = new Int32Array(set.of.length);
    let size = 0, d = 0;
    for (const b of set.blocks) {
      const wanted = (!data || b.data === data) && (!epoch || b.epoch === +epoch) && (!peers || `${b.k}·${b.j}` === peers);
      for (let i = 0; i < b.rows.length; i++, d++) {
        if (!wanted || (hits && !hits[b.rows[i]])) continue;
        const found = fate(b.flags[i]);
        const asked = +chosen === WRONG ? found === 0 && taughtWrong(d) : found === +chosen || (chosen === "1" && found);
        if (!chosen || asked) shown[size++] = d;
      }
    }
    visible = shown.subarray(0, size);
    $("status").textContent = `${number(size)} of ${number(set.of.length)} labellings of ${number(set.texts.id.length)} texts`;
    $("space").style.height = `${Math.min(size * ROW, TALLEST)}px`;
    $("list").scrollTop = 0;
    draw();
  }

  // ---- the list: a scroll bar over all rows, elements for those in sight
  function firstInSight() {
    const list = $("list"), room = $("space").offsetHeight - list.clientHeight;
    return room <= 0 ? 0 : (list.scrollTop / room) * (visible.length - list.clientHeight / ROW);
  }

  function draw() {
    const list = $("list"), first = firstInSight(), start = Math.max(0, Math.floor(first) - EXTRA);
    const stop = Math.min(visible.length, Math.ceil(first + list.clientHeight / ROW) + EXTRA);
    const rows = [];
    for (let i = start; i < stop; i++) rows.push(row(i));
    $("rows").style.transform = `translateY(${list.scrollTop + (start - first) * ROW}px)`;
    $("rows").replaceChildren(...rows);
  }

  function row(i) {
    const d = visible[i], t = textOf(d), b = block(d), flags = b.flags[set.at[d]];
    const text = make("div", "text");
    text.dir = "auto";
    marked(text, t);
    const about = make("div", "about", make("bdi", "", set.texts.id[t]),
      ` · epoch ${b.epoch} · model ${b.k}: ${sure(d, 0)}, model ${b.j}: ${sure(d, 1)}`);
    const said = make("div", `fate ${flags & USED ? "used" : "dropped"}`, FATES[fate(flags)]);
    const element = make("div", d === open ? "row open" : "row", text, about, said);
    element.setAttribute("role", "option");
    element.setAttribute("aria-selected", String(d === open));
    element.addEventListener("click", () => show(t, d));
    return element;
  }

  // ---- text with what a sample changed; where a script has no spaces, the characters that differ
  function marked(into, t, most = MOST_WORDS) {
    const parent = set.texts.parent[t], changed = set.texts.changed[t] || [];
    segments(t).forEach((segment, s) => {
      if (s) into.append(" ‖ ");
      const spots = new Set(changed[s]);
      const old = parent >= 0 ? segments(parent)[s] : "";
      if (spots.size && !segment.includes(" ")) return characters(into, segment, old, CHARACTERS * most);
      const words = segment.split(" ");
      words.slice(0, most).forEach((word, i) => {
        if (i) into.append(" ");
        into.append(spots.has(i) ? make("mark", "", word) : word);
      });
      if (words.length > most) into.append(" …");
    });
  }

  function characters(into, text, old, most) {
    const now = [...text], before = [...old];
    let start = 0, end = 0;
    const least = Math.min(now.length, before.length);
    while (start < least && now[start] === before[start]) start++;
    while (end < least - start && now.at(-1 - end) === before.at(-1 - end)) end++;
    const same = now.length === before.length;
    const differs = (i) => (same ? now[i] !== before[i] : i >= start && i < now.length - end);
    const stop = Math.min(now.length, most);
    for (let i = 0, j; i < stop; i = j) { // a node for each stretch, not for each character
      for (j = i + 1; j < stop && differs(j) === differs(i);) j++;
      const stretch = now.slice(i, j).join("");
      into.append(differs(i) ? make("mark", "", stretch) : stretch);
    }
    if (stop < now.length) into.append(" …");
  }

  // ---- one sentence: both peers' labels, its parent, its samples, its other labellings
  function show(t, d = null) {
    open = d;
    const detail = $("detail"), name = set.texts.names[set.texts.data[t]];
    const parts = [make("h3", "", make("bdi", "", set.texts.id[t]), " ", make("span", "quiet", make("bdi", "", name)))];
    if (d === null) {
      const text = make("p", "plain");
      text.dir = "auto";
      marked(text, t, Infinity);
      parts.push(text, make("p", "note", "No peer labelled this sentence. It is shown as the parent of a sample."));
    } else {
      parts.push(verdict(d), set.tagging ? tagged(t, d) : classified(t, d));
    }
    parts.push(...family(t), ...history(t, d));
    detail.replaceChildren(...parts);
    detail.hidden = false;
    draw();
  }

  function verdict(d) {
    const b = block(d), flags = b.flags[set.at[d]];
    const trusted = (bit) => (flags & bit ? "trusted" : "not trusted");
    return make("p", "", make("strong", flags & USED ? "used" : "dropped", FATES[fate(flags)]),
      ` · epoch ${b.epoch} · model ${b.k} is ${sure(d, 0)} sure, ${trusted(KEPT_K)}; ` +
      `model ${b.j} is ${sure(d, 1)} sure, ${trusted(KEPT_J)}`);
  }

  function tagged(t, d) {
    const b = block(d), [k, j] = [0, 1].map((peer) => labelsOf(b.labels[peer][set.at[d]]));
    const gold = set.texts.gold[t] < 0 ? null : labelsOf(set.texts.gold[t]);
    const spots = new Set((set.texts.changed[t] || [])[0]);
    const words = make("div", "words");
    words.dir = "auto";
    segments(t)[0].split(" ").forEach((word, i) => {
      const shown = spots.has(i) ? make("mark", "", word) : make("span", "", word);
      const labels = [k[i], j[i], ...(gold ? [gold[i]] : [])].map((label, n) => {
        const wrong = n === 2 ? false : n === 1 && label !== k[i];
        const small = make("small", wrong ? "differs" : "", label ?? "–");
        small.dir = "ltr"; // so that the word alone decides the sentence's direction
        return small;
      });
      words.append(make("span", "word", shown, ...labels));
    });
    const rows = [`model ${b.k}`, `model ${b.j}`, ...(gold ? ["gold"] : [])].join(", ");
    return make("div", "", words, make("p", "note", `Under each word: ${rows}.${taught(d)}`));
  }

  // Which labels taught, where it is not those of both peers.
  function taught(d) {
    const b = block(d), i = set.at[d], [k, j, own] = b.labels.map((codes) => codes[i]);
    if (!(b.flags[i] & USED) || (own === k && own === j)) return "";
    if (own === k || own === j) return ` Model ${own === k ? b.k : b.j}’s labels taught.`;
    const [ofK, ofJ] = [k, j].map((code) => set.sequences[code]);
    if ([...set.sequences[own]].every((code, w) => code === (ofK[w] === ofJ[w] ? ofK[w] : "0"))) {
      return " Words on which the two differ taught nothing.";
    }
    return ` These labels taught: ${labelsOf(own).join(" ")}.`;
  }

  function classified(t, d) {
    const b = block(d), text = make("p", "plain"), rows = make("p", "");
    text.dir = "auto";
    marked(text, t, Infinity);
    [b.k, b.j].forEach((model, peer) => {
      rows.append(peer ? "; " : "", `model ${model}: `, make("bdi", "", labelsOf(b.labels[peer][set.at[d]])[0]));
    });
    if (set.texts.gold[t] >= 0) rows.append("; gold: ", make("bdi", "", labelsOf(set.texts.gold[t])[0]));
    rows.append(".", taught(d));
    return make("div", "", text, rows);
  }

  function link(t, kind) {
    const button = make("button", `link ${kind}`);
    button.type = "button";
    button.dir = "auto";
    marked(button, t);
    button.addEventListener("click", () => show(t, latest(t)));
    return make("li", "", button);
  }

  function latest(t) {
    for (let d = set.of.length - 1; d >= 0; d--) if (textOf(d) === t) return d;
    return null;
  }

  function family(t) {
    const parts = [], parent = set.texts.parent[t];
    if (parent >= 0) parts.push(make("h4", "", "Generated from"), make("ul", "links", link(parent, "parent")));
    const samples = [];
    set.texts.parent.forEach((p, i) => { if (p === t) samples.push(i); });
    if (samples.length) {
      parts.push(make("h4", "", `Samples of this sentence: ${samples.length}`),
        make("ul", "links", ...samples.slice(0, MOST_SAMPLES).map((i) => link(i, "sample"))));
    }
    return parts;
  }

  function history(t, shown) {
    const rows = [];
    for (let d = 0; d < set.of.length; d++) {
      if (textOf(d) !== t || d === shown) continue;
      const b = block(d), button = make("button", "link", FATES[fate(b.flags[set.at[d]])]);
      button.type = "button";
      button.addEventListener("click", () => show(t, d));
      const cells = [b.epoch, `${b.k} · ${b.j}`, `${sure(d, 0)} · ${sure(d, 1)}`, button];
      rows.push(make("tr", "", ...cells.map((cell) => make("td", "", cell))));
    }
    if (!rows.length) return [];
    const heads = ["epoch", "peers", "sure", "fate"].map((name) => make("th", "", name));
    const table = make("table", "", make("thead", "", make("tr", "", ...heads)), make("tbody", "", ...rows));
    return [make("h4", "", "Other labellings of this sentence"), make("div", "wide", table)];
  }

  function step(event) {
    const move = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!move || !visible.length) return;
    event.preventDefault();
    const next = Math.min(Math.max(visible.indexOf(open) + move, 0), visible.length - 1);
    show(textOf(visible[next]), visible[next]);
    const list = $("list"), first = firstInSight(), room = list.clientHeight / ROW;
    if (next < first || next + 1 > first + room) {
      const share = Math.max(0, next - (move > 0 ? room - 1 : 0)) / Math.max(visible.length - room, 1);
      list.scrollTop = share * ($("space").offsetHeight - list.clientHeight);
    }
  }

  let sets, set, visible = new Int32Array(0), open = null;
  function choose() {
    set = sets[+$("set").value];
    if (!set.of) prepare(set);
    open = null;
    $("detail").hidden = true;
    fillFilters();
    filter();
  }

  try {
    await new Promise((done) => setTimeout(done)); // the page first
    sets = await unpack($("explorer-data"));
    choices($("set"), sets.map((s, i) => [i, `${s.run}: ${s.target}`]), 0);
    $("set-label").hidden = sets.length === 1;
    $("set").addEventListener("change", choose);
    for (const id of ["data", "epoch", "peers", "fate"]) $(id).addEventListener("change", filter);
    let waiting;
    $("search").addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(filter, 120); });
    $("list").addEventListener("scroll", draw, { passive: true });
    $("list").addEventListener("keydown", step);
    window.addEventListener("resize", draw);
    choose();
    document.documentElement.dataset.ready = "yes";
  } catch (error) {
    $("status").textContent = "This browser cannot unpack the sentences; any browser since 2023 can.";
    throw error;
  }
})();
