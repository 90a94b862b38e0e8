"use strict";
(() => {
  const byId = (id) => document.getElementById(id);
  const list = JSON.parse(byId("listing").textContent);
  const texts = JSON.parse(byId("texts").textContent);
  const { columns, codes } = list;
  const size = columns.ref.length;
  const svg = "http://www.w3.org/2000/svg";
  const fill = (text, places) => text.replace(/\{(\w+)\}/g, (whole, name) => (name in places ? places[name] : whole));
  const two = (number) => String(number).padStart(2, "0");
  const grouped = (number) => String(number).replace(/\B(?=(\d{3})+$)/g, ",");
  const money = (cents) => {
    const plain = Math.abs(cents);
    return `${cents < 0 ? "−" : ""}$${grouped(Math.floor(plain / 100))}.${two(plain % 100)}`;
  };
  const day = (iso) => (/^\d{4}-\d\d-\d\d$/.test(iso) ? iso.split("-").reverse().join("/") : iso);
  const moment = (seconds) => {
    if (!seconds) return "";
    const local = new Date((seconds - 6 * 3600) * 1000);
    return `${two(local.getUTCDate())}/${two(local.getUTCMonth() + 1)}/${local.getUTCFullYear()} ${two(local.getUTCHours())}:${two(local.getUTCMinutes())}`;
  };
  const make = (tag, className, text) => {
    const element = document.createElement(tag);
    if (className) element.className = className;
    if (text !== undefined) element.textContent = text;
    return element;
  };
  const isolated = (text, className) => make("bdi", className, text);
  const icon = (key) => {
    const element = document.createElementNS(svg, "svg");
    element.setAttribute("class", "icon");
    element.setAttribute("viewBox", "0 0 16 16");
    element.setAttribute("aria-hidden", "true");
    const use = document.createElementNS(svg, "use");
    use.setAttribute("href", `#i-${key}`);
    element.append(use);
    return element;
  };

  /* What the reader chose, remembered where the browser allows it: on a file from disk it may refuse */
  const memory = {
    name: "batch_issuer.report",
    read() {
      try {
        return JSON.parse(localStorage.getItem(this.name)) ?? {};
      } catch {
        return {};
      }
    },
    write(changes) {
      try {
        localStorage.setItem(this.name, JSON.stringify({ ...this.read(), ...changes }));
      } catch {
        /* nothing is remembered */
      }
    },
  };

  /* Copying */
  const copyButton = (text) => {
    const button = make("button", "copy");
    button.type = "button";
    button.setAttribute("aria-label", fill(texts.copy, { text }));
    button.title = button.getAttribute("aria-label");
    button.dataset.copy = text;
    return button;
  };
  const copyPlainly = (text) => {
    const area = make("textarea", "sr");
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  };
  const copy = async (text) => {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      return copyPlainly(text);
    }
  };
  const say = (text) => {
    byId("said").textContent = "";
    requestAnimationFrame(() => (byId("said").textContent = text));
  };
  const copyAndSay = async (text, button) => {
    if (!(await copy(text))) return;
    say(`${texts.copied}: ${text}`);
    if (!button) return;
    const before = button.getAttribute("aria-label");
    button.classList.add("done");
    button.setAttribute("aria-label", texts.copied);
    button.title = texts.copied;
    setTimeout(() => {
      button.classList.remove("done");
      button.setAttribute("aria-label", before);
      button.title = before;
    }, 1500);
  };
  for (const reference of document.querySelectorAll(".rows .ref, h3 > .ref")) reference.after(copyButton(reference.textContent));
  document.addEventListener("click", (event) => {
    const button = event.target.closest(".copy");
    if (button) copyAndSay(button.dataset.copy, button);
  });

  /* The next and the previous thing to look at */
  const stops = [...document.querySelectorAll("[data-stop]")];
  let stop = -1;
  const goTo = (next) => {
    if (!stops.length) return;
    stops[stop]?.classList.remove("stop-here");
    stop = Math.max(0, Math.min(stops.length - 1, next));
    stops[stop].classList.add("stop-here");
    stops[stop].tabIndex = -1;
    stops[stop].focus({ preventScroll: true });
    stops[stop].scrollIntoView({ block: "center", behavior: "auto" });
  };
  const keysOn = byId("keys-on");
  if (keysOn) {
    keysOn.checked = memory.read().keys !== false;
    keysOn.addEventListener("change", () => memory.write({ keys: keysOn.checked }));
    byId("keys-help").addEventListener("click", () => byId("help").showModal());
  }
  const typing = (target) => target.closest("input:not([type=checkbox]), select, textarea, dialog") !== null;
  const letters = {
    "/": () => byId("query").focus(),
    "?": () => byId("help").showModal(),
    j: () => goTo(stop + 1),
    k: () => goTo(stop - 1),
    c: () => stops[stop]?.querySelector(".copy")?.click(),
  };
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || typing(event.target) || !keysOn?.checked) return;
    if (!Object.hasOwn(letters, event.key)) return;
    event.preventDefault();
    letters[event.key]();
  });

  if (!size) return;

  /* The list of all documents: only the rows in sight are elements */
  const control = (at) => {
    const series = columns.series[at];
    if (series < 0) return "";
    const number = columns.number[at];
    return number < 0 ? list.series[series] : `${list.series[series]}-${String(number).padStart(15, "0")}`;
  };
  const shown = {
    state: (at) => list.states[columns.state[at]][1],
    ref: (at) => columns.ref[at],
    customer: (at) => list.customers[columns.customer[at]],
    type: (at) => list.types[columns.type[at]],
    branch: (at) => list.branches[columns.branch[at]],
    date: (at) => day(list.dates[columns.date[at]]),
    control,
    when: (at) => moment(columns.when[at]),
    cents: (at) => money(columns.cents[at]),
  };
  const box = byId("list");
  const body = byId("rows");
  const table = byId("table");
  const whenPrinted = [...body.children];
  const heads = [...table.tHead.rows[0].cells];
  const keys = heads.map((head) => head.dataset.key);
  let order = [];
  let selected = -1;
  let rowHeight = 34;

  const rowOf = (at, position) => {
    const row = make("tr");
    row.id = `row-${position}`;
    row.setAttribute("aria-rowindex", position + 2);
    row.dataset.position = position;
    row.setAttribute("aria-selected", position === selected);
    keys.forEach((key, column) => {
      const cell = make(key === "ref" ? "th" : "td", heads[column].className);
      if (key === "ref") cell.scope = "row";
      if (key === "state") {
        const state = make("span", `state s-${list.states[columns.state[at]][0]}`);
        state.append(icon(list.states[columns.state[at]][0]), shown.state(at));
        cell.append(state);
      } else {
        cell.append(isolated(shown[key](at), key === "ref" ? "ref" : ""));
        if (key === "control") cell.classList.add("code");
        if (key === "ref" || key === "customer") cell.title = shown[key](at);
      }
      if (key === "ref") {
        const button = copyButton(columns.ref[at]);
        button.tabIndex = -1;
        cell.append(button);
      }
      row.append(cell);
    });
    return row;
  };
  const space = (height) => {
    const row = make("tr", "space");
    row.setAttribute("aria-hidden", "true");
    row.append(make("td"));
    row.style.setProperty("--space", `${height}px`);
    return row;
  };
  const draw = () => {
    const first = Math.max(0, Math.floor(box.scrollTop / rowHeight) - 8);
    const last = Math.min(order.length, first + Math.ceil(box.clientHeight / rowHeight) + 18);
    const rows = [];
    if (first) rows.push(space(first * rowHeight));
    for (let position = first; position < last; position += 1) rows.push(rowOf(order[position], position));
    if (last < order.length) rows.push(space((order.length - last) * rowHeight));
    if (!order.length) {
      const row = make("tr");
      const cell = make("td", "empty", texts.nothing);
      cell.colSpan = heads.filter((head) => head.offsetParent).length;
      row.append(cell);
      rows.push(row);
    }
    body.replaceChildren(...rows);
    if (selected >= first && selected < last) table.setAttribute("aria-activedescendant", `row-${selected}`);
    else table.removeAttribute("aria-activedescendant");
  };
  let waiting = false;
  const drawSoon = () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      draw();
    });
  };

  /* Searching: one simplified text for each document, made while the browser has nothing else to do */
  const simplified = (text) => {
    const lower = text.toLowerCase();
    return /^[\x00-\x7f]*$/.test(lower) ? lower : lower.normalize("NFD").replace(/[\u0300-\u036f]/g, "");
  };
  const each = { customer: list.customers.map(simplified), branch: list.branches.map(simplified), place: list.places.map(simplified) };
  const haystack = [];
  const textOf = (at) => {
    const cents = columns.cents[at];
    const known = codes && at < codes.generation.length ? `${codes.generation[at]}\n${codes.stamp[at]}`.toLowerCase() : "";
    return `${simplified(columns.ref[at])}\n${each.customer[columns.customer[at]]}\n${each.branch[columns.branch[at]]}\n${shown.date(at)}\n${control(at).toLowerCase()}\n${shown.when(at)}\n${money(cents)}\n${(cents / 100).toFixed(2)}\n${each.place[columns.place[at]]}\n${known}`;
  };
  const prepare = (until) => {
    while (haystack.length < size && (haystack.length % 250 || until() > 1)) haystack.push(textOf(haystack.length));
  };
  const prepareIdly = () => {
    const go = (deadline) => {
      prepare(() => deadline.timeRemaining());
      if (haystack.length < size) prepareIdly();
    };
    if (window.requestIdleCallback) requestIdleCallback(go);
    else setTimeout(() => go({ timeRemaining: ((end) => () => end - performance.now())(performance.now() + 8) }));
  };

  /* Filters */
  const query = byId("query");
  const chosen = { state: byId("by-state"), type: byId("by-type"), branch: byId("by-branch"), reason: byId("by-reason") };
  const collator = new Intl.Collator(document.documentElement.lang, { numeric: true });
  const offer = (name, label, counts, values) => {
    for (const value of values) {
      const text = label(value) || "–";
      const option = make("option", "", `${text.length > 80 ? `${text.slice(0, 79)}…` : text} (${grouped(counts.get(value))})`);
      option.value = value;
      chosen[name].append(option);
    }
    chosen[name].closest("label").hidden = values.length < (name === "reason" ? 1 : 2);
  };
  const countOf = (numbers) => {
    const counts = new Map();
    for (const value of numbers) counts.set(value, (counts.get(value) ?? 0) + 1);
    return counts;
  };
  const offerColumn = (name, label, sort) => {
    const counts = countOf(columns[name]);
    offer(name, label, counts, [...counts.keys()].sort(sort ?? ((one, other) => collator.compare(label(one), label(other)))));
  };
  offerColumn("state", (value) => list.states[value][1], (one, other) => one - other);
  offerColumn("type", (value) => list.types[value]);
  offerColumn("branch", (value) => list.branches[value]);
  const reasonCounts = countOf(list.reason.flatMap((set) => list.sets[set]));
  offer("reason", (value) => list.reasons[value], reasonCounts, list.reasons.map((_, number) => number).filter((number) => reasonCounts.has(number)));

  /* Sorting: the place of each document in each order, computed once */
  const natural = (text) => simplified(text).replace(/\d+/g, (digits) => digits.padStart(15, "0"));
  const byNumber = (name) => columns[name];
  const byText = (name, dictionary) => {
    const ordered = dictionary.map((text, at) => [text, at]).sort((one, other) => collator.compare(one[0], other[0]));
    const place = new Map(ordered.map((entry, position) => [entry[1], position]));
    return columns[name].map((at) => place.get(at) ?? -1);
  };
  const sortable = {
    "": () => null,
    ref: () => columns.ref.map(natural),
    cents: () => byNumber("cents"),
    when: () => byNumber("when"),
    state: () => byNumber("state"),
    control: () => {
      const series = byText("series", list.series);
      return series.map((place, at) => place * 1e15 + columns.number[at]);
    },
    customer: () => byText("customer", list.customers),
    type: () => byText("type", list.types),
    date: () => byText("date", list.dates),
  };
  const ranks = {};
  const ranked = (key) => {
    if (!ranks[key]) {
      const values = sortable[key]();
      const all = Array.from({ length: size }, (_, at) => at);
      ranks[key] = values ? all.sort((one, other) => (values[one] < values[other] ? -1 : values[one] > values[other] ? 1 : one - other)) : all;
    }
    return ranks[key];
  };
  let sorted = { key: "", down: false };

  const select = () => {
    const words = simplified(query.value).split(/\s+/).filter(Boolean);
    if (words.length) prepare(() => Infinity);
    const wanted = Object.entries(chosen).filter(([name, field]) => name !== "reason" && field.value !== "").map(([name, field]) => [columns[name], Number(field.value)]);
    const reason = chosen.reason.value;
    const fits = reason === "" ? null : list.sets.map((set) => set.includes(Number(reason)));
    const base = ranked(sorted.key);
    const kept = [];
    let cents = 0;
    for (let step = 0; step < size; step += 1) {
      const at = base[sorted.down ? size - 1 - step : step];
      if (fits && !fits[list.reason[at]]) continue;
      if (wanted.every(([values, value]) => values[at] === value) && words.every((word) => haystack[at].includes(word))) {
        kept.push(at);
        cents += columns.cents[at];
      }
    }
    order = kept;
    selected = -1;
    box.scrollTop = 0;
    table.setAttribute("aria-rowcount", order.length + 1);
    byId("count").textContent = fill(texts.found, { n: grouped(order.length), all: grouped(size), money: money(cents) });
    byId("clear").hidden = !(query.value || Object.values(chosen).some((field) => field.value !== ""));
    draw();
  };
  const remember = () => {
    const values = Object.fromEntries(Object.entries(chosen).map(([name, field]) => [name, field.value]));
    memory.write({ sort: sorted, filters: { report: list.fingerprint, query: query.value, ...values } });
  };
  const changed = () => {
    select();
    remember();
  };
  const clear = () => {
    query.value = "";
    Object.values(chosen).forEach((field) => (field.value = ""));
  };
  const sortBy = (key, down) => {
    sorted = { key, down };
    heads.forEach((head) => {
      if (head.dataset.key === key) head.setAttribute("aria-sort", down ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    });
  };
  heads.forEach((head) => {
    const button = make("button", "", head.textContent);
    button.type = "button";
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      sortBy(head.dataset.key, sorted.key === head.dataset.key && !sorted.down);
      changed();
    });
  });

  /* One document whole */
  const detail = byId("detail");
  const open = (at) => {
    const facts = keys.filter((key) => key !== "ref").map((key) => [heads[keys.indexOf(key)].textContent.trim(), shown[key](at)]);
    facts.push([chosen.branch.closest("label").firstElementChild.textContent, shown.branch(at)]);
    facts.push([texts.where, `${list.places[columns.place[at]]} · ${columns.rows[at]}`]);
    if (columns.withheld[at]) facts.push([texts.withheld, money(columns.withheld[at])]);
    if (columns.difference[at]) facts.push([texts.difference, money(columns.difference[at])]);
    for (const number of list.sets[list.reason[at]]) facts.push([texts.reason, list.reasons[number]]);
    if (codes && at < codes.generation.length) facts.push([texts.generation, codes.generation[at]], [texts.stamp, codes.stamp[at]]);
    byId("detail-title").replaceChildren(isolated(columns.ref[at]), copyButton(columns.ref[at]));
    byId("detail-list").replaceChildren(...facts.filter((fact) => fact[1]).flatMap(([name, value]) => {
      const description = make("dd");
      description.append(isolated(value));
      if (name === texts.generation || name === texts.stamp) description.append(copyButton(value));
      return [make("dt", "", name), description];
    }));
    detail.showModal();
  };
  body.addEventListener("click", (event) => {
    const row = event.target.closest("tr[data-position]");
    if (!row || event.target.closest(".copy") || String(getSelection())) return;
    selected = Number(row.dataset.position);
    open(order[selected]);
    draw();
  });
  const moves = { ArrowDown: 1, ArrowUp: -1, PageDown: 15, PageUp: -15, Home: -size, End: size, j: 1, k: -1 };
  table.addEventListener("keydown", (event) => {
    const letter = event.key.length === 1;
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("button") || (letter && !keysOn.checked)) return;
    if (Object.hasOwn(moves, event.key) && order.length) {
      event.preventDefault();
      selected = Math.max(0, Math.min(order.length - 1, selected + moves[event.key]));
      const top = selected * rowHeight;
      const seen = box.clientHeight - table.tHead.offsetHeight - rowHeight;
      if (top < box.scrollTop) box.scrollTop = top;
      else if (top > box.scrollTop + seen) box.scrollTop = top - seen;
      draw();
    } else if (event.key === "Enter" && selected >= 0) {
      event.preventDefault();
      open(order[selected]);
    } else if (event.key === "c" && selected >= 0) {
      event.preventDefault();
      copyAndSay(columns.ref[order[selected]]);
    }
  });

  query.addEventListener("input", changed);
  query.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown") {
      event.preventDefault();
      table.focus();
    } else if (event.key === "Escape" && query.value) {
      event.preventDefault();
      query.value = "";
      changed();
    }
  });
  Object.values(chosen).forEach((field) => field.addEventListener("change", changed));
  byId("clear").addEventListener("click", () => {
    clear();
    changed();
    query.focus();
  });
  for (const link of document.querySelectorAll(".to-list")) {
    if (!reasonCounts.has(Number(link.dataset.reason))) continue;
    link.hidden = false;
    link.addEventListener("click", () => {
      clear();
      chosen.reason.value = link.dataset.reason;
      changed();
    });
  }
  byId("find").addEventListener("submit", (event) => event.preventDefault());
  box.addEventListener("scroll", drawSoon, { passive: true });
  const measure = () => {
    rowHeight = body.querySelector("tr[data-position]")?.offsetHeight || rowHeight;
    drawSoon();
  };
  addEventListener("resize", measure);
  addEventListener("beforeprint", () => {
    if (!whenPrinted.length) return;
    box.classList.remove("drawn");
    body.replaceChildren(...whenPrinted);
  });
  addEventListener("afterprint", () => {
    box.classList.add("drawn");
    draw();
  });
  box.hidden = false;
  box.classList.add("drawn");
  box.removeAttribute("tabindex");
  table.setAttribute("role", "grid");
  table.setAttribute("aria-readonly", "true");
  table.tabIndex = 0;
  byId("find").hidden = false;
  byId("keys").hidden = false;
  const { sort, filters } = memory.read();
  if (sort && Object.hasOwn(sortable, sort.key)) sortBy(sort.key, Boolean(sort.down));
  if (filters?.report === list.fingerprint) {
    query.value = filters.query ?? "";
    Object.entries(chosen).forEach(([name, field]) => {
      field.value = filters[name] ?? "";
      if (field.selectedIndex < 0) field.value = "";
    });
  }
  select();
  measure();
  prepareIdly();
})();
