"use strict";
// Whatever comes from records, programs or files is shown by textContent alone.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const { report, classes, programs, records } = data;
  const FORMAT = "sklearn_alchemist corrections 1";
  const PAGE = 20;
  const N_COLOURS = 8;
  const LONG = 500; // characters from which on a value is folded
  const MANY = 12; // votes from which on their programs are
  const $ = (id) => document.getElementById(id);
  const codeOf = new Map([...data.alphabet].map((char, place) => [char, place - 1]));
  const placeOf = new Map((records?.position ?? []).map((p, row) => [p, row]));
  const originals = new Map(report.programs.map((p, place) => [p.name, place]));

  // What the expert corrects: position -> class, and of each program its state.
  const answers = new Map();
  const states = programs.map(() => ({ use: true, remark: "" }));
  let saved = true;

  function make(tag, attributes = {}, ...children) {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name === "text") node.textContent = value;
      else if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
      else if (value === true) node.setAttribute(name, "");
      else if (value !== false && value != null) node.setAttribute(name, value);
    }
    node.append(...children);
    return node;
  }

  function dot(code) {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    const circle = document.createElementNS("http://www.w3.org/2000/svg", "circle");
    svg.setAttribute("class", "dot");
    svg.setAttribute("viewBox", "0 0 10 10");
    svg.setAttribute("aria-hidden", "true");
    circle.setAttribute("class", `c${code % N_COLOURS}`);
    for (const name of ["cx", "cy", "r"]) circle.setAttribute(name, "5");
    svg.append(circle);
    return svg;
  }

  // Control characters have pictures, one for one, so that marks stay in place.
  const visible = (text) =>
    text.replace(/[\u0000-\u0008\u000b-\u001f\u007f]/g, (c) =>
      c === "\u007f" ? "\u2421" : String.fromCharCode(0x2400 + c.charCodeAt(0)));
  const vote = (row, program) => codeOf.get(records.votes[row][program]);
  const plural = (n, word) => `${n.toLocaleString("en")} ${word}${n === 1 ? "" : "s"}`;

  // ---- corrections: kept, shown, saved and loaded ---------------------------------

  const key = `sklearn_alchemist corrections ${report.digest}`;

  function written() {
    const labels = [...answers].sort((a, b) => a[0] - b[0]);
    return {
      format: FORMAT,
      report,
      labels: labels.map(([position, code]) => ({ position, label: report.classes[code] })),
      programs: states
        .map((state, place) => ({ name: report.programs[place].name, ...state }))
        .filter((state) => !state.use || state.remark),
    };
  }

  // Returns what is wrong with a file, or null once it is taken over.
  function take(text) {
    let answer;
    try {
      answer = JSON.parse(text);
    } catch {
      return "This file holds no corrections.";
    }
    if (answer?.format !== FORMAT) return "This file holds no corrections.";
    if (answer.report?.digest !== report.digest) {
      return "This file belongs to another page: its records, classes or programs are not the same.";
    }
    for (const { position, label } of answer.labels ?? []) {
      const code = report.classes.indexOf(String(label));
      if (code >= 0 && placeOf.has(position)) answers.set(position, code);
    }
    for (const { name, use, remark } of answer.programs ?? []) {
      if (originals.has(name)) {
        states[originals.get(name)] = { use: use !== false, remark: String(remark ?? "") };
      }
    }
    return null;
  }

  function remember() {
    try {
      localStorage.setItem(key, JSON.stringify(written()));
    } catch {
      // Not every browser keeps something for a file, and none for a frame.
    }
  }

  function changed() {
    saved = false;
    remember();
    showTally();
  }

  function showTally() {
    const touched = states.filter((state) => !state.use || state.remark).length;
    const parts = [];
    if (answers.size) parts.push(plural(answers.size, "record"));
    if (touched) parts.push(plural(touched, "program"));
    const any = parts.length > 0;
    $("tally").textContent = any ? `Corrected: ${parts.join(" and ")}` : "No corrections yet";
    $("summary").textContent = any ? `${parts.join(" and ")}.` : "None so far.";
    $("download").disabled = !any;
    $("listed").replaceChildren(...listed());
    showScores();
  }

  function* listed() {
    for (const [place, { use, remark }] of states.entries()) {
      if (use && !remark) continue;
      const name = make("bdi", { text: programs[place] });
      yield make("li", {}, "Program ", name, use ? "" : " switched off", remark ? `: ${visible(remark)}` : "");
    }
    for (const [position, code] of [...answers].sort((a, b) => a[0] - b[0])) {
      const to = make("bdi", { text: classes[code] });
      const undo = make("button", {
        type: "button",
        text: "Undo",
        "aria-label": `Undo the answer for record ${position}`,
        onclick: () => { answers.delete(position); changed(); showPage(); },
      });
      yield make("li", {}, `Record ${position}: `, to, " ", undo);
    }
  }

  function showScores() {
    if (!records) return;
    const known = [...answers].map(([position, code]) => [placeOf.get(position), code]);
    for (const [place] of programs.entries()) {
      let n = 0;
      let hits = 0;
      for (const [row, code] of known) {
        const said = vote(row, place);
        if (said >= 0) n += 1;
        if (said === code) hits += 1;
      }
      const cell = $(`program-${place}`).querySelector(".mine");
      cell.textContent = n ? `${hits} of ${n} right` : "-";
      cell.classList.toggle("against", n > 0 && hits < n);
    }
  }

  $("download").addEventListener("click", () => {
    const text = JSON.stringify(written(), null, 1);
    const url = URL.createObjectURL(new Blob([text], { type: "application/json" }));
    const link = make("a", { href: url, download: `corrections-${report.digest.slice(0, 8)}.json` });
    link.click();
    setTimeout(() => URL.revokeObjectURL(url), 10000);
    saved = true;
    $("told").textContent = `Saved as ${link.download}.`;
  });
  $("load").addEventListener("click", () => $("file").click());
  $("file").addEventListener("change", async () => {
    const [file] = $("file").files;
    if (!file) return;
    const fault = take(await file.text());
    $("told").textContent = fault ?? "The corrections of the file were added.";
    $("file").value = "";
    if (!fault) {
      changed();
      showStates();
      showPage();
    }
  });
  $("discard").addEventListener("click", () => {
    if (!answers.size && states.every((state) => state.use && !state.remark)) return;
    if (!confirm("Discard all corrections?")) return;
    answers.clear();
    for (const place of states.keys()) states[place] = { use: true, remark: "" };
    changed();
    showStates();
    showPage();
  });
  window.addEventListener("beforeunload", (event) => {
    const any = answers.size || states.some((state) => !state.use || state.remark);
    if (!saved && any) event.preventDefault();
  });

  // ---- programs ------------------------------------------------------------------

  const bodies = [...$("program-table").tBodies];

  function unfold(body, open) {
    body.querySelector(".detail").classList.toggle("open", open);
    body.querySelector(".toggle").setAttribute("aria-expanded", String(open));
  }

  function showStates() {
    for (const body of bodies) {
      const state = states[Number(body.dataset.place)];
      body.classList.toggle("off", !state.use);
      body.querySelector(".use").checked = state.use;
      body.querySelector(".remarked").hidden = !state.remark;
      const remark = body.querySelector("textarea");
      if (remark.value !== state.remark) remark.value = state.remark;
    }
  }

  for (const body of bodies) {
    const place = Number(body.dataset.place);
    const toggle = body.querySelector(".toggle");
    toggle.addEventListener("click", () => unfold(body, toggle.getAttribute("aria-expanded") !== "true"));
    body.querySelector(".use").addEventListener("change", (event) => {
      states[place].use = event.target.checked;
      changed();
      showStates();
    });
    body.querySelector("textarea").addEventListener("input", (event) => {
      states[place].remark = event.target.value;
      changed();
      showStates();
    });
    for (const button of body.querySelectorAll("[data-show]")) {
      button.addEventListener("click", () => {
        $("filters").reset();
        $("by-program").value = String(place);
        $("by-vote").value = button.dataset.show;
        search();
        $("records").scrollIntoView();
        $("by-program").focus({ preventScroll: true });
      });
    }
  }

  function orderPrograms() {
    const by = $("program-order").value;
    const value = (body) => Number(body.dataset[by]);
    bodies.sort((a, b) => value(a) - value(b) || a.dataset.place - b.dataset.place);
    $("program-table").append(...bodies);
  }
  $("program-order").addEventListener("change", orderPrograms);
  $("open-all").addEventListener("click", () => {
    const open = $("open-all").textContent.startsWith("Open");
    for (const body of bodies) unfold(body, open);
    $("open-all").textContent = open ? "Close all sources" : "Open all sources";
  });

  // ---- records -------------------------------------------------------------------

  let found = [];
  let page = 0;
  const whole = new Set(); // rows that are unfolded
  // Sorted once, so that a search only leaves rows out.
  const rowsByPlace = records?.position.map((_, row) => row) ?? [];
  const rowsByDoubt = [...rowsByPlace].sort((a, b) => records.confidence[a] - records.confidence[b]);
  const orders = { place: rowsByPlace, doubt: rowsByDoubt, sure: [...rowsByDoubt].reverse() };
  const haystack = records?.values.map((row) => row.join("\n").toLowerCase());

  function search() {
    const words = $("search").value.toLowerCase().split(/\s+/).filter(Boolean);
    const label = $("by-label").value;
    const doubt = $("by-doubt").value;
    const program = $("by-program").value;
    const how = $("by-vote").value;
    const mine = $("by-mine").value;
    const gold = $("by-gold")?.value;
    const below = $("by-confidence").value === "" ? Infinity : 10 * Number($("by-confidence").value);
    $("by-vote").disabled = program === "";
    found = [];
    for (const row of orders[$("order").value]) {
      const given = records.label[row];
      if (label !== "" && given !== Number(label)) continue;
      if (records.confidence[row] >= below) continue;
      const why = records.doubts[records.doubt[row]];
      if (doubt === "some" ? !why : doubt === "none" ? why : doubt && why !== doubt) continue;
      if (program !== "") {
        const said = vote(row, Number(program));
        if (how === "abstains" ? said >= 0 : said < 0) continue;
        if (how === "against" && said === given) continue;
      }
      if (mine) {
        const answer = answers.get(records.position[row]);
        if (mine === "no" ? answer !== undefined : answer === undefined) continue;
        if (mine === "changed" && answer === given) continue;
      }
      if (gold) {
        const known = records.gold[row];
        if (gold === "unknown" ? known >= 0 : known < 0) continue;
        if (gold !== "unknown" && (known === given) !== (gold === "right")) continue;
      }
      if (!words.every((word) => haystack[row].includes(word))) continue;
      found.push(row);
    }
    page = 0;
    showPage();
  }

  function showPage() {
    if (!records) return;
    const n = Math.max(1, Math.ceil(found.length / PAGE));
    page = Math.min(page, n - 1);
    const rows = found.slice(page * PAGE, (page + 1) * PAGE);
    const active = document.activeElement?.id;
    $("record-table").tBodies[0].replaceChildren(...rows.map(showRecord));
    if (active) $(active)?.focus({ preventScroll: true });
    const all = found.length === haystack.length ? "" : ` of ${haystack.length.toLocaleString("en")}`;
    $("found").replaceChildren(`${found.length.toLocaleString("en")}${all} records`, ...chosenProgram());
    $("page").textContent = `Page ${page + 1} of ${n}`;
    $("previous").disabled = page === 0;
    $("next").disabled = page >= n - 1;
  }

  // What the filter asks of a program, and the way back to it.
  function chosenProgram() {
    const place = $("by-program").value;
    if (place === "") return [];
    const says = $("by-vote").selectedOptions[0].textContent;
    const back = make("a", { href: `#program-${place}`, text: "Back to it", onclick: () => unfold($(`program-${place}`), true) });
    return [", on which ", make("bdi", { text: programs[place] }), ` ${says}. `, back];
  }

  function showRecord(row) {
    const position = records.position[row];
    const known = records.gold ? records.gold[row] : -1;
    const cells = [
      make("th", { scope: "row", "data-head": "No.", text: position }),
      make("td", { "data-head": "Record" }, showContents(row)),
      make("td", { "data-head": "Label" }, ...showLabel(row)),
      make("td", { "data-head": "Votes" }, showVotes(row)),
    ];
    if ($("by-gold")) {
      const wrong = known >= 0 && known !== records.label[row] ? "against" : "";
      cells.push(make("td", { "data-head": "Known label", class: wrong, text: known < 0 ? "-" : classes[known] }));
    }
    cells.push(make("td", { "data-head": "Right class" }, choice(position, row)));
    return make("tr", { class: answers.has(position) ? "corrected" : null }, ...cells);
  }

  function showLabel(row) {
    const code = records.label[row];
    const name = code < 0 ? make("span", { text: "none" }) : make("bdi", { text: classes[code] });
    const sure = make("small", { text: `${(records.confidence[row] / 10).toFixed(0)} % sure, by ${
      { both: "student and votes", student: "the student", votes: "votes", gold: "a known label" }[
        records.sources[records.source[row]]] ?? records.sources[records.source[row]]}` });
    const parts = code < 0 ? [name, " ", sure] : [dot(code), name, " ", sure];
    const doubt = records.doubts[records.doubt[row]];
    if (doubt) parts.push(make("div", { class: "against" }, make("small", { class: "against", text: doubt })));
    return parts;
  }

  function showVotes(row) {
    const byClass = new Map();
    for (const place of programs.keys()) {
      const code = vote(row, place);
      if (code >= 0) byClass.set(code, [...(byClass.get(code) ?? []), place]);
    }
    if (!byClass.size) return make("span", { text: "no program votes" });
    const groups = [...byClass].sort((a, b) => b[1].length - a[1].length);
    const folds = groups.reduce((sum, [, places]) => sum + places.length, 0) > MANY;
    return make("ul", { class: "votes" }, ...groups.map(([code, places]) => {
      const title = [dot(code), make("bdi", { text: classes[code] }), ` ${places.length}`];
      const names = () => places.flatMap((place, n) => [n ? ", " : "", make("a", {
        href: `#program-${place}`,
        class: String(place) === $("by-program").value ? "chosen" : null,
        dir: "auto",
        text: programs[place],
        onclick: () => unfold($(`program-${place}`), true),
      })]);
      if (!folds) return make("li", {}, ...title, ": ", ...names());
      const folded = make("details", {}, make("summary", {}, ...title));
      folded.addEventListener("toggle", () => folded.append(...names()), { once: true });
      return make("li", {}, folded);
    }));
  }

  function showContents(row) {
    const values = records.values[row];
    const marks = records.marks[row] ?? [];
    const only = $("by-program").value;
    const shown = values.map((value, column) => {
      const spans = marks.filter((m) => m[1] === column && (only === "" || m[0] === Number(only)));
      const long = (value ?? "").length > LONG;
      const text = make("span", { class: long && !whole.has(row) ? "text" : "text whole", dir: "auto" });
      if (value === null) text.append(make("small", { text: "missing" }));
      else text.append(...marked(value, spans));
      return [text, long, records.length[row] ? records.length[row][column] : 0];
    });
    const box = make("div");
    if (values.length === 1) box.append(shown[0][0]);
    else {
      const list = make("dl", { class: "fields" });
      for (const [column, [text]] of shown.entries()) {
        list.append(make("dt", { dir: "auto", text: records.names[column] }), make("dd", {}, text));
      }
      box.append(list);
    }
    const cut = shown.filter(([, , length]) => length);
    if (cut.length) {
      const lengths = cut.map(([, , length]) => length.toLocaleString("en")).join(", ");
      box.append(make("small", { text: `Cut: ${lengths} characters long. ` }));
    }
    if (shown.some(([, long]) => long)) {
      const open = whole.has(row);
      box.append(make("button", {
        type: "button",
        id: `more-${row}`,
        class: "more",
        text: open ? "Less" : "More",
        "aria-expanded": String(open),
        onclick: () => { open ? whole.delete(row) : whole.add(row); showPage(); },
      }));
    }
    return box;
  }

  function marked(text, spans) {
    if (!spans.length) return [visible(text)];
    const ends = [...new Set([0, text.length, ...spans.flatMap((span) => [span[2], span[3]])])];
    ends.sort((a, b) => a - b);
    const pieces = [];
    for (let n = 0; n + 1 < ends.length; n += 1) {
      const [start, stop] = [ends[n], ends[n + 1]];
      const piece = visible(text.slice(start, stop));
      const by = spans.filter((span) => span[2] <= start && span[3] >= stop).map((span) => programs[span[0]]);
      pieces.push(by.length ? make("mark", { text: piece, title: [...new Set(by)].join(", ") }) : piece);
    }
    return pieces;
  }

  function choice(position, row) {
    const select = make("select", {
      id: `choice-${position}`,
      "aria-label": `Right class of record ${position}`,
      onchange: () => {
        if (select.value === "") answers.delete(position);
        else answers.set(position, Number(select.value));
        select.closest("tr").classList.toggle("corrected", select.value !== "");
        changed();
      },
    }, make("option", { value: "", text: "not answered" }));
    for (const [code, name] of classes.entries()) select.append(make("option", { value: code, text: name }));
    const answer = answers.get(position);
    select.value = answer === undefined ? "" : String(answer);
    return select;
  }

  if (records) {
    for (const [code, name] of classes.entries()) $("by-label").append(make("option", { value: code, text: name }));
    for (const [place, name] of programs.entries()) $("by-program").append(make("option", { value: place, text: name }));
    $("filters").addEventListener("submit", (event) => event.preventDefault());
    $("filters").addEventListener("input", search);
    $("filters").addEventListener("reset", () => setTimeout(search));
    $("previous").addEventListener("click", () => { page -= 1; showPage(); $("records").scrollIntoView(); });
    $("next").addEventListener("click", () => { page += 1; showPage(); $("records").scrollIntoView(); });
  }

  try {
    const kept = localStorage.getItem(key);
    if (kept) take(kept);
  } catch {
    // As above.
  }
  document.documentElement.classList.add("ready");
  orderPrograms();
  showStates();
  showTally();
  if (records) search();
})();
