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
  for (const reference of document.querySelectorAll(".rows .ref, h3 > .ref")) reference.after(copyButton(reference.textContent));
  document.addEventListener("click", async (event) => {
    const button = event.target.closest(".copy");
    if (!button || !(await copy(button.dataset.copy))) return;
    const before = button.getAttribute("aria-label");
    button.classList.add("done");
    button.setAttribute("aria-label", texts.copied);
    button.title = texts.copied;
    setTimeout(() => {
      button.classList.remove("done");
      button.setAttribute("aria-label", before);
      button.title = before;
    }, 1500);
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
  const typing = (target) => target.closest("input:not([type=checkbox]), select, textarea, dialog") !== null;
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target) || !byId("keys-on")?.checked) return;
    if (event.key === "/") {
      event.preventDefault();
      byId("query").focus();
    } else if ((event.key === "j" || event.key === "k") && !byId("list").contains(event.target)) {
      event.preventDefault();
      goTo(stop + (event.key === "j" ? 1 : -1));
    }
  });

  if (!size) return;

  /* The list of all documents: only the rows in sight are elements */
  const box = byId("list");
  const body = byId("rows");
  const table = byId("table");
  const whenPrinted = [...body.children];
  const heads = [...table.tHead.rows[0].cells];
  const keys = heads.map((head) => head.dataset.key);
  let order = Uint32Array.from({ length: size }, (_, at) => at);
  let rank = null;
  let sorted = { key: "", down: false };
  let selected = -1;
  let rowHeight = 34;

  const simplified = (text) => text.toLowerCase().normalize("NFD").replace(/[\u0300-\u036f]/g, "");
  let haystack = null;
  const searched = () => {
    haystack ??= Array.from({ length: size }, (_, at) => simplified([
      columns.ref[at], shown.customer(at), shown.branch(at), shown.date(at), control(at), shown.when(at), shown.cents(at),
      (columns.cents[at] / 100).toFixed(2), list.places[columns.place[at]], codes && at < codes.generation.length ? `${codes.generation[at]} ${codes.stamp[at]}` : "",
    ].join("\n")));
    return haystack;
  };

  const rowOf = (at, position) => {
    const row = make("tr");
    row.setAttribute("aria-rowindex", position + 2);
    row.dataset.position = position;
    if (position === selected) row.setAttribute("aria-selected", "true");
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

  /* Filters */
  const chosen = { state: byId("by-state"), type: byId("by-type"), branch: byId("by-branch") };
  const offer = (name, labels) => {
    const counts = new Map();
    for (const value of columns[name]) counts.set(value, (counts.get(value) ?? 0) + 1);
    const collator = new Intl.Collator(document.documentElement.lang, { numeric: true });
    const values = [...counts.keys()];
    if (name !== "state") values.sort((one, other) => collator.compare(labels(one), labels(other)));
    else values.sort((one, other) => one - other);
    for (const value of values) {
      const option = make("option", "", `${labels(value) || "–"} (${grouped(counts.get(value))})`);
      option.value = value;
      chosen[name].append(option);
    }
    chosen[name].closest("label").hidden = values.length < 2;
  };
  offer("state", (value) => list.states[value][1]);
  offer("type", (value) => list.types[value]);
  offer("branch", (value) => list.branches[value]);

  const compare = {
    ref: () => {
      const collator = new Intl.Collator(document.documentElement.lang, { numeric: true });
      return (one, other) => collator.compare(columns.ref[one], columns.ref[other]);
    },
    cents: () => (one, other) => columns.cents[one] - columns.cents[other],
    when: () => (one, other) => columns.when[one] - columns.when[other],
    state: () => (one, other) => columns.state[one] - columns.state[other],
    control: () => (one, other) => byText("series")(one, other) || columns.number[one] - columns.number[other],
    customer: () => byText("customer"),
    type: () => byText("type"),
    date: () => byText("date"),
  };
  const dictionaries = { customer: list.customers, type: list.types, date: list.dates, series: list.series };
  const places = {};
  const byText = (name) => {
    if (!places[name]) {
      const collator = new Intl.Collator(document.documentElement.lang, { numeric: true });
      const ordered = dictionaries[name].map((text, at) => [text, at]).sort((one, other) => collator.compare(one[0], other[0]));
      places[name] = new Map(ordered.map((entry, position) => [entry[1], position]));
    }
    const place = (at) => places[name].get(columns[name][at]) ?? -1;
    return (one, other) => place(one) - place(other);
  };
  const ranked = () => {
    rank ??= sorted.key ? Uint32Array.from({ length: size }, (_, at) => at).sort(compare[sorted.key]()) : Uint32Array.from({ length: size }, (_, at) => at);
    return rank;
  };

  const select = () => {
    const words = simplified(byId("query").value).split(/\s+/).filter(Boolean);
    const texts_ = words.length ? searched() : null;
    const wanted = Object.entries(chosen).filter(([, field]) => field.value !== "").map(([name, field]) => [columns[name], Number(field.value)]);
    const base = ranked();
    const kept = [];
    let cents = 0;
    for (let step = 0; step < size; step += 1) {
      const at = base[sorted.down ? size - 1 - step : step];
      if (wanted.every(([values, value]) => values[at] === value) && words.every((word) => texts_[at].includes(word))) {
        kept.push(at);
        cents += columns.cents[at];
      }
    }
    order = kept;
    selected = -1;
    box.scrollTop = 0;
    table.setAttribute("aria-rowcount", order.length + 1);
    byId("count").textContent = fill(texts.found, { n: grouped(order.length), all: grouped(size), money: money(cents) });
    draw();
  };

  heads.forEach((head) => {
    const button = make("button", "", head.textContent);
    button.type = "button";
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      const down = sorted.key === head.dataset.key && !sorted.down;
      if (sorted.key !== head.dataset.key) rank = null;
      sorted = { key: head.dataset.key, down };
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      select();
    });
  });

  /* One document whole */
  const detail = byId("detail");
  const open = (at) => {
    const facts = keys.filter((key) => key !== "ref").map((key) => [heads[keys.indexOf(key)].textContent.trim(), shown[key](at)]);
    facts.push([byId("by-branch").closest("label").firstElementChild.textContent, shown.branch(at)]);
    facts.push([texts.where, `${list.places[columns.place[at]]} · ${columns.rows[at]}`]);
    if (columns.withheld[at]) facts.push([texts.withheld, money(columns.withheld[at])]);
    if (columns.difference[at]) facts.push([texts.difference, money(columns.difference[at])]);
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
  box.addEventListener("keydown", (event) => {
    const letters = byId("keys-on").checked;
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: 15, PageUp: -15, Home: -size, End: size, ...(letters ? { j: 1, k: -1 } : {}) };
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("button")) return;
    if (event.key in steps && order.length) {
      event.preventDefault();
      selected = Math.max(0, Math.min(order.length - 1, selected + steps[event.key]));
      const top = selected * rowHeight;
      const seen = box.clientHeight - table.tHead.offsetHeight - rowHeight;
      if (top < box.scrollTop) box.scrollTop = top;
      else if (top > box.scrollTop + seen) box.scrollTop = top - seen;
      draw();
    } else if (event.key === "Enter" && selected >= 0) {
      event.preventDefault();
      open(order[selected]);
    }
  });

  byId("query").addEventListener("input", select);
  Object.values(chosen).forEach((field) => field.addEventListener("change", select));
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
  byId("find").hidden = false;
  byId("keys").hidden = false;
  select();
  measure();
})();
