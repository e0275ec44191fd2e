"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const rowsOf = (table) => table ? table.rows.map((row) => Object.fromEntries(table.columns.map((name, at) => [name, row[at]]))) : [];
  const tables = Object.fromEntries(Object.entries(data).filter(([name]) => name !== "page").map(([name, table]) => [name, rowsOf(table)]));
  const isEstate = data.page.owner === null;
  const FILTERS = isEstate ? ["owner", "application", "environment", "account", "os", "patch_group"] : ["application", "environment", "account", "os", "patch_group"];
  const STEP = 100;
  const state = { q: "", page: 0, sort: {} };
  const chunks = new Map();
  let nodes = tables.nodes, isComplete = !data.nodes.files.length, isLoading = false;

  // ---- texts ----
  const number = (value) => value === null || value === undefined ? "–" : typeof value === "number" ? value.toLocaleString("en") : String(value);
  const share = (part, whole) => whole ? `${(Math.floor(1000 * part / whole) / 10).toFixed(1)} %` : "–";  // rounded down: never flatters
  const plural = (count, one, many = `${one}s`) => `${number(count)} ${count === 1 ? one : many}`;
  const sum = (rows, name) => rows.reduce((total, row) => total + (row[name] || 0), 0);
  const LABELS = { non_compliant: "not compliant", in_force: "in force", still_open: "still open", days_left: "days left", oldest_days: "oldest, days", exception_id: "exception", valid_until: "last day", valid_from: "from", patch_id: "patch", cve_ids: "CVEs", compliant_before: "compliant before", compliant_after: "after", days_ago: "seen, days ago", patch_group: "patch group", started_at: "started", ended_at: "ended", "": "(none)", cve: "CVE", os: "system", title: "name" };
  const label = (name) => LABELS[name] !== undefined ? LABELS[name] : String(name).replaceAll("_", " ");
  const TONES = { compliant: "good", non_compliant: "bad", unknown: "unknown", good: "good", bad: "bad", overdue: "bad", promote: "good", pause: "held", abort: "bad", open: "bad", closed: "good", vanished: "unknown", still_open: "bad", opened: "bad" };

  // ---- elements: text only, never markup ----
  const make = (name, attributes = {}, ...children) => {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) if (value !== null && value !== undefined) element.setAttribute(key, value);
    element.append(...children.filter((child) => child !== null));
    return element;
  };
  const draw = (name, attributes = {}, ...children) => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    element.append(...children);
    return element;
  };
  const figure = (id, value, text, tone) => make("b", { "data-figure": id, "data-value": value, class: tone }, text);

  // ---- filters ----
  const chosen = () => Object.fromEntries(FILTERS.filter((name) => state[name] !== undefined).map((name) => [name, state[name]]));
  const fits = (row) => Object.entries(chosen()).every(([name, value]) => !(name in row) || row[name] === value);
  const filtered = (name) => tables[name].filter(fits);
  const readAddress = () => {
    const given = new URLSearchParams(location.hash.slice(1));
    for (const name of FILTERS) { if (given.has(name)) state[name] = given.get(name); else delete state[name]; }
    state.q = given.get("q") || "";
    state.page = 0;
  };
  const writeAddress = () => {
    const given = new URLSearchParams({ ...chosen(), ...(state.q ? { q: state.q } : {}) });
    history.replaceState(null, "", `#${given}`);
  };
  const buildFilters = () => {
    const form = document.getElementById("filters");
    form.replaceChildren();
    for (const name of FILTERS) {
      const values = [...new Set(tables.compliance.map((row) => row[name]))].sort();
      if (values.length < 2 && state[name] === undefined) continue;
      const select = make("select", { name, id: `filter-${name}` }, make("option", { value: "*" }, "all"));
      for (const value of values) select.append(make("option", { value: `=${value}` }, value || "(none)"));
      select.value = state[name] === undefined ? "*" : `=${state[name]}`;
      select.addEventListener("change", () => { if (select.value === "*") delete state[name]; else state[name] = select.value.slice(1); state.page = 0; writeAddress(); render(); });
      form.append(make("label", {}, label(name), select));
    }
    const search = make("input", { type: "search", id: "search", value: state.q, placeholder: "node, patch, CVE, exception" });
    let timer;
    search.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(() => { state.q = search.value; state.page = 0; writeAddress(); render(); }, 150); });
    form.append(make("label", {}, "Search", search));
    form.addEventListener("submit", (event) => event.preventDefault());
  };
  const gather = (rows, keys, sums) => {
    const groups = new Map();
    for (const row of rows) {
      const key = JSON.stringify(keys.map((name) => row[name]));
      const group = groups.get(key) || Object.fromEntries([...keys.map((name) => [name, row[name]]), ...sums.map((name) => [name, 0])]);
      for (const name of sums) group[name] += row[name] || 0;
      groups.set(key, group);
    }
    return [...groups.values()];
  };
  const unfiltered = (name) => {
    const ignored = Object.keys(chosen()).filter((filter) => !data[name].columns.includes(filter));
    return ignored.length ? `Not filtered by ${ignored.map(label).join(", ")}.` : "";
  };
  const found = (rows) => {
    const words = state.q.toLowerCase().split(/\s+/).filter(Boolean);
    return words.length ? rows.filter((row) => { const text = Object.values(row).join(" ").toLowerCase(); return words.every((word) => text.includes(word)); }) : rows;
  };

  // ---- tables ----
  const cell = (value) => {
    if (value === null || value === undefined) return "";
    if (typeof value === "number") return String(value);
    const text = String(value);
    return /^\s*[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]/.test(text) ? `'${text}` : text;
  };
  const saveCsv = (name, columns, rows) => {
    const quote = (text) => /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
    const lines = [columns, ...rows.map((row) => columns.map((column) => cell(row[column])))].map((line) => line.map((text) => quote(String(text))).join(","));
    const link = make("a", { href: URL.createObjectURL(new Blob([`${lines.join("\n")}\n`], { type: "text/csv" })), download: `${name}.csv` });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  };
  const table = (name, columns, all, { most = 12, pages = false } = {}) => {
    const order = state.sort[name];
    const rows = order ? [...all].sort((a, b) => {
      const [x, y] = [a[order.by], b[order.by]];
      const by = x === y ? 0 : x === null ? 1 : y === null ? -1 : typeof x === "number" && typeof y === "number" ? x - y : String(x) < String(y) ? -1 : 1;
      return order.down ? -by : by;
    }) : all;
    const start = pages ? state.page * STEP : 0;
    const isOpen = state.open === name;
    const shown = rows.slice(start, start + (pages ? STEP : isOpen ? 200 : most));
    const isNumber = (column) => rows.some((row) => typeof row[column] === "number");
    const head = make("tr", {}, ...columns.map((column) => {
      const button = make("button", { type: "button", id: `${name}-${column}` }, label(column));
      button.addEventListener("click", () => { state.sort[name] = { by: column, down: order && order.by === column ? !order.down : isNumber(column) }; state.page = 0; render(button.id); });
      const sorted = order && order.by === column ? (order.down ? "descending" : "ascending") : "none";
      return make("th", { scope: "col", "aria-sort": sorted, class: isNumber(column) ? "num" : null }, button);
    }));
    const body = shown.map((row) => make("tr", {}, ...columns.map((column) => {
      const value = row[column];
      const tone = typeof value === "string" ? TONES[value] : value ? TONES[column] : null;
      const isTime = column.endsWith("_at") || column === "share", isWord = column === "state" || column === "status" || TONES[value];
      const text = isTime ? String(value || "–").slice(0, 16).replace("T", " ") : typeof value === "string" && isWord ? label(value) : number(value);
      return make("td", { class: [isNumber(column) ? "num" : "", isTime ? "time" : "", tone || ""].join(" ").trim() || null }, text);
    })));
    const save = make("button", { type: "button" }, `CSV of ${plural(rows.length, "row")}`);
    save.addEventListener("click", () => saveCsv(name, columns, rows));
    const tools = make("div", { class: "tools" }, save);
    if (pages) {
      const last = Math.max(0, Math.ceil(rows.length / STEP) - 1);
      for (const [text, to] of [["Previous", state.page - 1], ["Next", state.page + 1]]) {
        const button = make("button", { type: "button", id: `${name}-${text}` }, text);
        button.disabled = to < 0 || to > last;
        button.addEventListener("click", () => { state.page = to; render(button.id); });
        tools.append(button);
      }
      tools.append(make("span", { class: "note", role: "status" }, rows.length ? `${number(start + 1)} to ${number(start + shown.length)} of ${number(rows.length)}` : "none"));
    } else if (rows.length > most) {
      const more = make("button", { type: "button", id: `${name}-more` }, isOpen ? "Show fewer" : `Show more (${number(Math.min(rows.length, 200))})`);
      more.addEventListener("click", () => { state.open = isOpen ? "" : name; render(more.id); });
      tools.append(more, make("span", { class: "note" }, `${number(shown.length)} of ${number(rows.length)} shown`));
    }
    if (!rows.length) return make("p", { class: "note" }, "None.");
    const frame = make("table", { "aria-rowcount": rows.length + 1 }, make("thead", {}, head), make("tbody", {}, ...body));
    return make("div", {}, make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": `Table: ${label(name)}` }, frame), tools);
  };
  const WIDE = new Set(["nodes", "missing", "rollouts", "gates", "decisions"]);
  const section = (id, title, note, ...content) => make("section", { id, "aria-labelledby": `${id}-title`, class: WIDE.has(id) ? "wide" : null }, make("h2", { id: `${id}-title` }, title), note ? make("p", { class: "note" }, note) : null, ...content);

  // ---- figures ----
  const byDay = () => {
    const days = new Map();
    for (const row of tables.days.filter((item) => state.owner === undefined || item.owner === state.owner)) {
      const day = days.get(row.day) || { day: row.day, nodes: 0, compliant: 0, unknown: 0 };
      for (const name of ["nodes", "compliant", "unknown"]) day[name] += row[name];
      days.set(row.day, day);
    }
    return [...days.values()].sort((a, b) => a.day < b.day ? -1 : 1);
  };
  const dayNumber = (text) => Date.UTC(+text.slice(0, 4), +text.slice(5, 7) - 1, +text.slice(8, 10)) / 86400000;
  const grouped = (rows, name) => {
    const groups = new Map();
    for (const row of rows) {
      const group = groups.get(row[name]) || { [name]: row[name], nodes: 0, compliant: 0, non_compliant: 0, unknown: 0 };
      for (const column of ["nodes", "compliant", "non_compliant", "unknown"]) group[column] += row[column];
      groups.set(row[name], group);
    }
    const all = [...groups.values()].map((group) => ({ ...group, share: share(group.compliant, group.nodes) }));
    return all.sort((a, b) => (b.non_compliant + b.unknown) - (a.non_compliant + a.unknown));
  };
  const trend = (days) => {
    if (days.length < 2) return make("p", { class: "note" }, "A trend needs scans of two days.");
    const [width, height, left, bottom] = [640, 220, 40, 24];
    const [first, last] = [dayNumber(days[0].day), dayNumber(days[days.length - 1].day)];
    const x = (day) => left + (width - left - 8) * (dayNumber(day) - first) / (last - first);
    const y = (part) => 8 + (height - bottom - 8) * (1 - part);
    const path = (name) => days.map((day, at) => `${at ? "L" : "M"}${x(day.day).toFixed(1)} ${y(day[name] / day.nodes).toFixed(1)}`).join("");
    const chart = draw("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `Share of compliant nodes from ${days[0].day} to ${days[days.length - 1].day}; the table below has the figures` });
    for (const part of [0, .25, .5, .75, 1]) chart.append(draw("line", { x1: left, x2: width - 8, y1: y(part), y2: y(part), class: "axis" }), draw("text", { x: 0, y: y(part) + 4 }, `${part * 100} %`));
    chart.append(draw("text", { x: left, y: height - 6 }, days[0].day), draw("text", { x: width - 8, y: height - 6, "text-anchor": "end" }, days[days.length - 1].day));
    chart.append(draw("path", { d: path("unknown"), class: "unknown-share" }), draw("path", { d: path("compliant"), class: "share" }));
    const end = days[days.length - 1];
    chart.append(draw("circle", { cx: x(end.day), cy: y(end.compliant / end.nodes), r: 4, class: "dot" }));
    const rows = days.map((day) => ({ ...day, share: share(day.compliant, day.nodes) })).reverse();
    return make("div", {}, chart, make("p", { class: "note" }, "Line: compliant. Dashed: unknown."), make("details", {}, make("summary", {}, "Figures"), table("days", ["day", "nodes", "compliant", "unknown", "share"], rows)));
  };
  const AGES = ["0-7", "8-30", "31-90", "91+"];
  const ageing = (rows) => {
    const bars = AGES.map((age) => { const mine = rows.filter((row) => row.age === age); return { age, missing: sum(mine, "missing"), overdue: sum(mine, "overdue") }; });
    const most = Math.max(1, ...bars.map((bar) => bar.missing));
    const chart = draw("svg", { viewBox: "0 0 640 140", role: "img", "aria-label": "Missing patches by age in days; the table below has the figures" });
    bars.forEach((bar, at) => {
      const top = 6 + at * 34, wide = 430 * bar.missing / most, late = 430 * bar.overdue / most;
      chart.append(draw("text", { x: 0, y: top + 17 }, `${bar.age} days`), draw("rect", { x: 90, y: top, width: wide, height: 24, class: "bar ok" }), draw("rect", { x: 90, y: top, width: late, height: 24, class: "bar" }), draw("text", { x: 98 + wide, y: top + 17 }, number(bar.missing)));
    });
    return make("div", {}, chart, make("p", { class: "note" }, "Red: overdue."), table("ageing", ["age", "missing", "overdue"], bars));
  };

  // ---- answers ----
  const answers = (compliance, days, late, exceptions) => {
    const total = { nodes: sum(compliance, "nodes"), compliant: sum(compliance, "compliant"), unknown: sum(compliance, "unknown") };
    const last = days[days.length - 1];
    const before = last ? [...days].reverse().find((day) => dayNumber(day.day) <= dayNumber(last.day) - 28) : null;
    const change = before ? 100 * last.compliant / last.nodes - 100 * before.compliant / before.nodes : null;
    const better = change === null ? "–" : `${change >= 0 ? "+" : "−"}${Math.abs(change).toFixed(1)} points`;
    const overdue = sum(late, "overdue");
    const ending = exceptions.filter((row) => row.state === "in_force" && row.days_left <= 7);
    const changed = gather(filtered("changes"), ["change"], ["findings"]);
    const changes = Object.fromEntries(changed.map((row) => [row.change, row.findings]));
    const open = (changes.still_open || 0) + (changes.opened || 0), closed = changes.closed || 0;
    const who = isEstate ? "owner" : "application";
    const latest = new Map();
    for (const row of late) { const known = latest.get(row[who]) || { name: row[who], overdue: 0, oldest_days: 0 }; known.overdue += row.overdue; known.oldest_days = Math.max(known.oldest_days, row.oldest_days); latest.set(row[who], known); }
    const worst = [...latest.values()].sort((a, b) => b.overdue - a.overdue)[0];
    return make("ul", { class: "answers" },
      make("li", {}, make("span", {}, "Are we compliant?"), figure("compliant_share", `${total.compliant}/${total.nodes}`, share(total.compliant, total.nodes), !total.nodes ? "unknown" : total.compliant === total.nodes ? "good" : "bad"), `${number(total.compliant)} of ${plural(total.nodes, "node")}; ${number(total.unknown)} unknown`),
      make("li", {}, make("span", {}, "Is it getting better?"), figure("change", before ? `${before.day}:${before.compliant}/${before.nodes}` : "", better, change === null ? "unknown" : change >= 0 ? "good" : "bad"), before ? `since ${before.day}, at ${share(before.compliant, before.nodes)}` : "needs scans four weeks apart", hint("days")),
      make("li", {}, make("span", {}, "Who is late?"), figure("overdue", overdue, plural(overdue, "overdue patch", "overdue patches"), overdue ? "bad" : "good"), worst ? `most: ${worst.name || `no ${who}`}, ${number(worst.overdue)}; oldest ${plural(worst.oldest_days, "day")}` : tables.ageing.length ? "nothing is overdue, or no limits are published" : "no missing patches", hint("late")),
      make("li", {}, make("span", {}, "Which exceptions end within 7 days?"), figure("ending", ending.length, plural(ending.length, "exception"), ending.length ? "held" : "good"), ending.slice(0, 3).map((row) => `${row.exception_id} (${row.valid_until})`).join(", ") || "none", hint("exceptions")),
      make("li", {}, make("span", {}, "Did the last findings close?"), figure("closed", `${closed}/${open}`, changed.length ? `${number(closed)} closed, ${number(open)} open` : "–", changed.length && !open && !changes.vanished ? "good" : open ? "bad" : "unknown"), changed.length ? `${number(changes.vanished || 0)} vanished without proof` : "no findings were imported", hint("changes")));
  };

  const hint = (name) => unfiltered(name) ? make("span", {}, ` ${unfiltered(name)}`) : null;

  const nodesSection = () => {
    const rows = found(nodes.filter(fits));
    const columns = ["title", ...(isEstate ? ["owner"] : []), "application", "os", "account", "state", "code", "missing", "overdue", "days_ago"];
    const cut = data.nodes.count > data.nodes.rows.length && !data.nodes.files.length;
    const note = cut ? `The first ${number(data.nodes.rows.length)} of ${plural(data.nodes.count, "node")}; nodes.csv has all.` : null;
    if (isComplete) return section("nodes", "Nodes", note, table("nodes", columns, rows, { pages: true }));
    const load = make("button", { type: "button", id: "load-nodes" }, isLoading ? "Loading" : `Load ${plural(data.nodes.count, "node")}`);
    load.disabled = isLoading;
    load.addEventListener("click", () => { loadNodes(); render(); });
    return section("nodes", "Nodes", `Their rows are in ${data.nodes.files.length} files beside this page.`, load);
  };
  const loadNodes = () => {
    if (isLoading) return;
    isLoading = true;
    window.patchtideChunk = (index, rows) => {
      chunks.set(index, rows);
      if (chunks.size < data.nodes.files.length) return;
      const all = [...chunks.entries()].sort((a, b) => a[0] - b[0]).flatMap((entry) => entry[1]);
      nodes = rowsOf({ columns: data.nodes.columns, rows: all });
      isComplete = true;
      render(document.activeElement.id === "search" ? null : "nodes-title");
    };
    for (const file of data.nodes.files) {
      const script = make("script", { src: file });
      script.addEventListener("error", () => { document.getElementById("load-nodes").textContent = `${file} could not be read`; });
      document.body.append(script);
    }
  };

  const render = (focus) => {
    if (state.q && !isComplete) loadNodes();  // a search is also for nodes
    const compliance = filtered("compliance"), days = byDay(), late = filtered("late"), ages = filtered("ageing");
    const exceptions = gather(filtered("exceptions"), ["exception_id", "state", "valid_from", "valid_until", "days_left", "reason"], ["nodes"]);
    const counts = ["nodes", "good", "bad", "unknown", "compliant_before", "compliant_after", "installed"];
    const rollouts = gather(filtered("rollouts"), ["rollout", "policy", "started_at", "ended_at", "status"], counts);
    const causes = gather(filtered("causes"), ["month", "status", "code"], ["nodes"]);
    const coverage = gather(filtered("coverage"), ["problem"], ["nodes"]).sort((a, b) => b.nodes - a.nodes);
    const told = (name, text = "") => [text, unfiltered(name)].filter(Boolean).join(" ") || null;
    const groups = (isEstate ? ["owner"] : []).concat(["application", "os", "account", "environment", "patch_group"]);
    const by = groups.includes(state.by) ? state.by : groups[0];
    const pick = make("select", { id: "by" }, ...groups.map((name) => make("option", { value: name }, label(name))));
    pick.value = by;
    pick.addEventListener("change", () => { state.by = pick.value; render("by"); });
    const content = [
      section("trend", "Compliance over time", told("days"), trend(days)),
      section("groups", "Compliance today", null, make("label", {}, "By", pick), table("compliance", [by, "nodes", "compliant", "non_compliant", "unknown", "share"], found(grouped(compliance, by)))),
      section("late", "Who is late", told("late", "Patches that are missing for longer than the limit of their severity."), table("late", [...(isEstate ? ["owner"] : []), "application", "overdue", "nodes", "oldest_days"], found(late))),
      section("ageing", "Age of missing patches", told("ageing", "Days since a scan first found a patch missing on a node."), ageing(ages)),
      section("missing", "Most missing patches", told("missing"), table("missing", ["patch_id", "title", "severity", "nodes", "overdue", "oldest_days", "cve_ids"], found(tables.missing))),
      section("exceptions", "Exceptions", told("exceptions", "In force, upcoming and requested."), table("exceptions", ["exception_id", "state", "valid_until", "days_left", "nodes", "reason"], found(exceptions))),
      section("rollouts", "Rollouts", told("rollouts"), table("rollouts", ["started_at", "policy", "status", "nodes", "good", "bad", "unknown", "compliant_before", "compliant_after", "installed"], found(rollouts))),
      isEstate ? section("gates", "Waves and gates", told("gates"), table("gates", ["started_at", "wave", "nodes", "good", "bad", "unknown", "verdict", "reasons"], found(tables.gates))) : null,
      section("causes", "Causes of failures", told("causes"), table("causes", ["month", "status", "code", "nodes"], found(causes))),
      section("coverage", "Coverage", told("coverage", "What keeps nodes from being patched."), table("coverage", ["problem", "nodes"], found(coverage))),
      section("changes", "Findings of the last two imports", told("changes", "Why: what keeps an open finding from being closed; without a reason, a patch or a reboot is missing."), table("changes", ["change", "why", "findings"], found(gather(filtered("changes"), ["change", "why"], ["findings"])))),
      section("cves", "CVEs of the last two imports", told("cves", "Closed: the scanner says so. Vanished: it does not report the finding any more, which proves nothing."), table("cves", ["cve", "open", "closed", "vanished"], found(tables.cves))),
      isEstate ? section("decisions", "Who decided what", told("decisions"), table("decisions", ["decided_at", "act", "decided_by", "source", "subject", "reason"], found(tables.decisions))) : null,
      isEstate ? section("approvals", "Patches by approval", told("approvals"), table("approvals", ["os", "patch_group", "known", "released", "approved", "pending", "rejected", "missing"], found(tables.approvals))) : null,
      isEstate ? section("effort", "Effort", told("effort", "Steps that people took. How long they worked is recorded nowhere."), table("effort", ["month", "rollouts", "nodes", "hands_on_steps", "started_by_schedule", "waiting_minutes"], tables.effort)) : null,
      isEstate ? section("release", "Days from release to installation", told("release", "Only patches whose release is known."), table("release", ["month", "severity", "patches", "median_days"], tables.release)) : null,
      nodesSection(),
      data.page.links.length ? section("owners", "Pages of owners", "Each contains the rows of one owner.", make("p", {}, ...data.page.links.flatMap(([name, href]) => [make("a", { href }, name), " "]))) : null,
    ];
    const main = document.getElementById("main");
    main.replaceChildren(answers(compliance, days, late, exceptions), make("div", { class: "sections" }, ...content.filter(Boolean)));
    const target = focus && document.getElementById(focus);
    if (target) { if (!target.matches("button, select, input")) target.setAttribute("tabindex", "-1"); target.focus(); }
  };

  const about = tables.as_of[0] || {};
  document.getElementById("asof").textContent = about.as_of ? `As of ${about.as_of.slice(0, 16).replace("T", " ")} UTC. A node that no scan has seen for ${about.stale} days is unknown.` : "The history has no rows yet.";
  if (about.as_of) {
    const late = Math.floor(Date.now() / 86400000) - dayNumber(about.as_of);
    if (late > 2) { const age = document.getElementById("age"); age.textContent = `These figures are ${late} days old.`; age.hidden = false; }
  }
  window.addEventListener("hashchange", () => { readAddress(); buildFilters(); render(); });
  readAddress();
  buildFilters();
  render();
  document.documentElement.dataset.ready = String(Math.round(performance.now()));
})();
