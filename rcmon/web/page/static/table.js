// The table of sites: its rows are those that the service wrote, patched in place. They move when somebody asks.

import { columns, COLUMNS, exported, isFiltered, read, select, USUAL, write } from "./view.js";
import { number } from "./words.js";

const section = document.getElementById("sites");
const form = document.getElementById("filter");
const table = document.getElementById("table");
const body = table.tBodies[0];
const count = document.getElementById("count");
const resort = document.getElementById("resort");
const base = document.querySelector(".brand").getAttribute("href");
const sitePage = section.dataset.page;
const AT_ONCE = 200;
const most = Number(section.dataset.most);

/** Whether every site fits in the table; else the service filters. */
export const whole = () => section.dataset.whole === "yes";

/** The newest document of all sites; null: nobody asked for it yet. */
export let known = null;
/** Each site's row as it was last written. */
const written = new Map();
export let view = read(location.search);

const elements = new Map(Array.from(body.rows, (row) => [row.dataset.site, row]));

export const pageOf = (name) => sitePage.replace("%7B%7D", encodeURIComponent(name));

function setText(cell, text) {
  const node = cell.firstChild;
  if (node?.nodeType === Node.TEXT_NODE && node === cell.lastChild) {
    if (node.data !== text) node.data = text;
  } else cell.textContent = text;
}

/** Name the class that draws how full something is, as rcmon/web/page/overview.py does. */
function fill(jobs, slots) {
  if (jobs === null || slots === null) return "";
  const percent = slots ? Math.min(Math.round((100 * jobs) / slots), 100) : jobs ? 100 : 0;
  return ` p${5 * Math.ceil(percent / 5)}${jobs > 1.2 * slots ? " over" : ""}`;
}

function setShare(cell, key, jobs, slots) {
  setText(cell, number(slots));
  const wanted = `c-${key} num${fill(jobs, slots)}`;
  if (cell.className.trim() !== wanted) cell.className = wanted;
}

function pill(state, agents) {
  const made = document.createElement("span");
  const word = document.createElement("b");
  made.className = `state state-${state.toLowerCase()}`;
  word.textContent = state;
  made.append(word);
  if (agents.length) {
    const who = document.createElement("span");
    who.className = "who";
    who.textContent = agents.join(", ");
    made.append(" ", who);
  }
  return made;
}

function setStates(row, cell, states) {
  const names = Object.keys(states);
  cell.replaceChildren(...(names.length ? names.map((name) => pill(name, states[name])) : [pill("unknown", [])]));
  row.classList.toggle("differs", names.length > 1);
}

function patch(row, site, before) {
  const cells = row.cells;
  const [, tier, states, running, runningSlots, pending, pendingSlots, agents] = site;
  if (before?.[1] !== tier) setText(cells[1], tier ?? "\u2013");
  if (!before || JSON.stringify(before[2]) !== JSON.stringify(states)) setStates(row, cells[2], states);
  if (before?.[3] !== running) setText(cells[3], number(running));
  if (before?.[3] !== running || before[4] !== runningSlots) setShare(cells[4], "running_slots", running, runningSlots);
  if (before?.[5] !== pending) setText(cells[5], number(pending));
  if (before?.[5] !== pending || before[6] !== pendingSlots) setShare(cells[6], "pending_slots", pending, pendingSlots);
  if (before?.[7] !== agents) setText(cells[7], number(agents));
  row.classList.remove("gone");
}

const HEADINGS = [
  ["c-tier", "Tier"], ["c-state states", null], ["c-running_jobs num", "Running jobs"], ["c-running_slots num", "of slots"],
  ["c-pending_jobs num", "Pending jobs"], ["c-pending_slots num", "of slots"], ["c-agents num", "Agents"],
];

function made(name) {
  const row = document.createElement("tr");
  const head = document.createElement("th");
  const link = document.createElement("a");
  row.dataset.site = name;
  head.scope = "row";
  link.href = pageOf(name);
  link.textContent = name;
  head.append(link);
  row.append(head);
  for (const [kind, label] of HEADINGS) {
    const cell = document.createElement("td");
    cell.className = kind;
    if (label) cell.dataset.label = label;
    row.append(cell);
  }
  return row;
}

function rowOf(site) {
  const name = site[0];
  let row = elements.get(name);
  if (!row) {
    row = made(name);
    elements.set(name, row);
    written.delete(name);
  }
  if (written.get(name) !== site) {
    patch(row, site, written.get(name));
    written.set(name, site);
  }
  return row;
}

/** The sites that are shown, as places in the document. */
export const shown = () => select(known, view);

function tellCount(all) {
  const total = known.sites.length;
  if (!total) count.textContent = "No site is known yet.";
  else count.textContent = all ? `${number(all)} of ${number(total)} sites.` : "No site matches this filter.";
}

/** Put the rows in the order that is asked for. */
export function arrange() {
  const places = shown();
  const focused = document.activeElement;
  body.replaceChildren(...places.slice(0, most).map((place) => rowOf(known.sites[place])));
  if (body.contains(focused)) focused.focus({ preventScroll: true });
  resort.hidden = true;
  tellCount(places.length);
  return places;
}

/** Bring the rows that are there up to date; where they would be others, or in another order, say so. */
export async function patchAll(newer) {
  known = newer;
  const places = new Map(newer.sites.map((site, place) => [site[0], place]));
  const rows = Array.from(body.rows);
  for (let start = 0; start < rows.length; start += AT_ONCE) {
    if (start) await new Promise((resolve) => setTimeout(resolve)); // who types or scrolls comes first
    if (known !== newer) return;
    for (const row of rows.slice(start, start + AT_ONCE)) {
      const place = places.get(row.dataset.site);
      if (place === undefined) row.classList.add("gone");
      else rowOf(newer.sites[place]);
    }
  }
  const wanted = shown();
  tellCount(wanted.length);
  resort.hidden =
    wanted.length === body.rows.length &&
    wanted.every((place, at) => newer.sites[place][0] === body.rows[at].dataset.site);
}

/** Take a document as what the service's own rows were made of, where nothing is known yet. */
export function learn(document_) {
  known = document_;
}

/** Bring rows that are there up to date from the same page, asked for again. */
export function patchFrom(fresh, morph) {
  const others = new Map(Array.from(fresh.querySelectorAll("#table tbody tr"), (row) => [row.dataset.site, row]));
  for (const row of body.rows) {
    const other = others.get(row.dataset.site);
    if (other && other.innerHTML !== row.innerHTML) morph(row, other);
  }
  const names = Array.from(others.keys());
  resort.hidden = names.length === body.rows.length && names.every((name, at) => name === body.rows[at].dataset.site);
}

/** Show of the form, of headings and links what the view is. */
export function tellView() {
  const fields = form.elements;
  const typed = view.site.join(", ");
  if (document.activeElement !== fields.site || read(`?site=${encodeURIComponent(fields.site.value)}`).site.join(", ") !== typed) {
    fields.site.value = typed;
  }
  for (const name of ["state", "tier", "agent"]) fields[name].value = view[name].length === 1 ? view[name][0] : "";
  const order = view.sort.join(",");
  fields.sort.value = order === "name" ? "" : order;
  if (fields.sort.selectedIndex < 0) fields.sort.add(new Option(order, order, false, true)); // written by hand
  const chosen = columns(view);
  for (const box of fields.columns) box.checked = chosen.includes(box.value);
  for (const name of COLUMNS) table.classList.toggle(`no-${name}`, !chosen.includes(name));
  form.querySelector(".clear").hidden = !isFiltered(view);
  const current = view.sort[0] ?? "name";
  for (const link of table.tHead.querySelectorAll("a[data-sort]")) {
    const sorted = current.replace(/^-/, "") === link.dataset.sort;
    link.closest("th").ariaSort = !sorted ? "none" : current.startsWith("-") ? "descending" : "ascending";
    link.href = `${base}${write({ ...view, sort: [next(link.dataset.sort)] })}#sites`;
  }
  document.getElementById("as-csv").href = exported(base, view, "csv");
  document.getElementById("as-json").href = exported(base, view, "json");
}

function next(key) {
  const numeric = table.tHead.querySelector(`a[data-sort="${key}"]`).closest("th").classList.contains("num");
  const [first, second] = numeric ? [`-${key}`, key] : [key, `-${key}`];
  return (view.sort[0] ?? "name") === first ? second : first;
}

/** Say what the view is; it is not shown yet. */
export function become(changed) {
  view = { ...view, ...changed };
}

/** Read the view of the address again. */
export function fromAddress() {
  view = read(location.search);
}

/** Call `asked` with what somebody wants to see otherwise, and whether that is a step to go back from. */
export function listen(asked) {
  const fields = form.elements;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    asked({ site: read(`?site=${encodeURIComponent(fields.site.value)}`).site }, true);
  });
  fields.site.addEventListener("input", () => {
    asked({ site: read(`?site=${encodeURIComponent(fields.site.value)}`).site }, false);
  });
  for (const name of ["state", "tier", "agent"]) {
    fields[name].addEventListener("change", () => asked({ [name]: fields[name].value ? [fields[name].value] : [] }, true));
  }
  fields.sort.addEventListener("change", () => asked({ sort: fields.sort.value ? fields.sort.value.split(",") : [] }, true));
  for (const box of fields.columns) {
    box.addEventListener("change", () => {
      const chosen = Array.from(fields.columns).filter((one) => one.checked).map((one) => one.value);
      asked({ columns: chosen.length ? chosen : USUAL }, true);
    });
  }
  form.querySelector(".clear").addEventListener("click", (event) => {
    event.preventDefault();
    asked({ site: [], state: [], tier: [], agent: [] }, true);
    fields.site.focus();
  });
  table.tHead.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-sort]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    asked({ sort: [next(link.dataset.sort)] }, true);
  });
  resort.addEventListener("click", () => asked({}, false));
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, select, textarea, [contenteditable]")) return;
    event.preventDefault();
    fields.site.focus();
    fields.site.select();
  });
  fields.site.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown") {
      event.preventDefault();
      body.querySelector("a")?.focus();
    }
  });
  body.addEventListener("keydown", (event) => {
    const row = event.target.closest("tr");
    const to = { ArrowDown: row?.nextElementSibling, ArrowUp: row?.previousElementSibling, Home: body.rows[0], End: body.rows[body.rows.length - 1] }[event.key];
    if (!to) return;
    event.preventDefault();
    to.querySelector("a").focus();
  });
}
