"use strict";
// The test sentences that went wrong: a filter, a search, and for each sentence gold and predicted labels side by side.
for (const section of document.querySelectorAll(".mistakes")) {
  const PAGE = 20;
  const KINDS = { broken: "broken by adaptation", wrong: "still wrong", fixed: "fixed by adaptation" };
  const find = (name) => section.querySelector(`.${name}`);
  let set, shown = [], most = PAGE;

  function filter() {
    const kind = find("kind").value, query = find("query").value.trim().toLowerCase();
    const asked = (row) => (kind ? row.kind === kind : row.kind !== "fixed");
    shown = set.rows.filter((row) => asked(row) && (!query || row.text.join("\n").toLowerCase().includes(query)));
    most = PAGE;
    draw();
  }

  function draw() {
    find("found").textContent = `${number(shown.length)} shown, the surest first`;
    find("cases").replaceChildren(...shown.slice(0, most).map(example));
    find("more").hidden = shown.length <= most;
  }

  function example(row) {
    const [gold, ...predicted] = row.labels, alike = new Set(predicted.map(JSON.stringify)).size === 1;
    const names = alike ? [set.methods.join(" and ")] : set.methods;
    const about = make("p", "about", make("strong", row.kind, set.methods.length > 1 ? KINDS[row.kind] : "wrong"),
      ` · confidence ${(100 * row.sure).toFixed(0)} %`);
    const sides = [side("gold", row, gold, gold), ...names.map((name, i) => side(name, row, predicted[i], gold))];
    if (set.tagging) return make("li", "", about, make("div", "sides", ...sides));
    const text = make("p", "plain", row.text.join(" ‖ "));
    text.dir = "auto";
    return make("li", "", about, text, make("div", "sides", ...sides));
  }

  // One labelling: for sentence tasks its label, for tagging the text with its entities; what is not as in gold differs.
  function side(name, row, labels, gold) {
    const title = make("span", "side", name);
    if (!set.tagging) return make("div", "", title, make("bdi", labels === gold ? "" : "differs", labels));
    const words = row.text[0].split(" "), text = make("p", "plain"), right = new Set(gold.map(String));
    text.dir = "auto";
    let next = 0;
    for (const [type, start, stop] of labels) {
      if (start > next) text.append(words.slice(next, start).join(" "), " ");
      const label = make("small", "", type);
      label.dir = "ltr";
      text.append(make("mark", right.has(String([type, start, stop])) ? "entity" : "entity differs",
        words.slice(start, stop).join(" "), " ", label), " ");
      next = stop;
    }
    text.append(words.slice(next).join(" "));
    return make("div", "", title, text);
  }

  (async () => {
    set = await unpack(find("packed"));
    find("kind").addEventListener("change", filter);
    find("query").addEventListener("input", filter);
    find("more").addEventListener("click", () => { most += PAGE; draw(); });
    filter();
    section.dataset.ready = "yes";
  })();
}
