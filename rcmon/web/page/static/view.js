// What is shown, as the address has it: filters, order and columns. The same words as `rcmon/web/page/form.py`.

const LISTS = ["site", "state", "tier", "agent"];
export const COLUMNS = [
  "tier", "state", "running_jobs", "running_slots", "pending_jobs", "pending_slots", "agents",
];
export const USUAL = COLUMNS.slice(0, -1);
const PLACE = {
  name: 0, tier: 1, running_jobs: 3, running_slots: 4, pending_jobs: 5, pending_slots: 6, agents: 7,
};

const items = (texts) => texts.flatMap((text) => text.split(",")).map((text) => text.trim()).filter(Boolean);

/** Read an address. */
export function read(query) {
  const asked = new URLSearchParams(query);
  const view = { sort: items(asked.getAll("sort")), columns: items(asked.getAll("columns")) };
  for (const name of LISTS) view[name] = items(asked.getAll(name));
  return view;
}

/** Write it; what is as usual is left out. */
export function write(view) {
  const asked = new URLSearchParams();
  for (const name of LISTS) for (const item of view[name]) asked.append(name, item);
  if (view.sort.length) asked.set("sort", view.sort.join(","));
  if (view.columns.length && view.columns.join() !== USUAL.join()) asked.set("columns", view.columns.join(","));
  const text = asked.toString().replaceAll("%2C", ",");
  return text && `?${text}`;
}

export const columns = (view) => (view.columns.length ? view.columns : USUAL);
export const isFiltered = (view) => LISTS.some((name) => view[name].length > 0);

/** Make a test of whole names, as Python's fnmatch has it. */
function glob(pattern, flags) {
  let text = "";
  for (let at = 0; at < pattern.length; at += 1) {
    const end = pattern[at] === "[" ? pattern.indexOf("]", at + (pattern[at + 1] === "!" ? 3 : 2)) : -1;
    if (pattern[at] === "*") text += ".*";
    else if (pattern[at] === "?") text += ".";
    else if (end > 0) {
      const inner = pattern.slice(at + 1, end).replaceAll("\\", "\\\\").replace(/^!/, "^");
      text += `[${inner}]`;
      at = end;
    } else text += pattern[at].replace(/[.*+?^${}()|[\]\\/]/, "\\$&");
  }
  try {
    return new RegExp(`^(?:${text})$`, `s${flags}`);
  } catch {
    return /^\b$/; // a range that is none finds nothing
  }
}

function named(part) {
  if (/[*?[]/.test(part)) {
    const whole = glob(part, "i");
    return (name) => whole.test(name);
  }
  const low = part.toLowerCase();
  return (name) => name.toLowerCase().includes(low);
}

const holds = (states, wanted) => {
  const count = Object.keys(states).length;
  if (wanted === "differing") return count > 1;
  return wanted === "unknown" ? count === 0 : wanted in states;
};

/** Pick and order the sites of a document: the places of their rows in it. */
export function select(known, view) {
  const names = view.site.map(named);
  const agents = view.agent.map((pattern) => glob(pattern, ""));
  const rows = agents.length ? known.agents.filter((row) => agents.some((one) => one.test(row.name))) : [];
  const picked = [];
  known.sites.forEach((site, place) => {
    const [name, tier, states] = site;
    if (
      (!names.length || names.some((one) => one(name))) &&
      (!view.tier.length || view.tier.includes(tier)) &&
      (!view.state.length || view.state.some((one) => holds(states, one))) &&
      (!agents.length || rows.some((row) => row.shades[place] !== "."))
    ) picked.push(place);
  });
  for (const key of [...view.sort].reverse()) order(known.sites, picked, key);
  return picked;
}

function order(sites, picked, key) {
  const down = key.startsWith("-");
  const name = key.replace(/^-/, "");
  const value = (place) => {
    const site = sites[place];
    if (name !== "state") return site[PLACE[name]];
    const states = Object.keys(site[2]);
    return states.length === 1 ? states[0] : null;
  };
  picked.sort((one, other) => {
    const [a, b] = [value(one), value(other)];
    if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1; // what is not known comes last
    const sign = a < b ? -1 : a > b ? 1 : 0;
    return down ? -sign : sign;
  });
}

/** Write what somebody typed as the API's patterns have it: whole names, in one case. */
function anywhere(part) {
  const whole = /[*?[]/.test(part) ? part : `*${part}*`;
  return whole
    .split(/(\[[^\]]*\])/)
    .map((piece) => (piece.startsWith("[") ? piece : piece.replace(/[a-z]/gi, (one) => `[${one.toLowerCase()}${one.toUpperCase()}]`)))
    .join("");
}

/** Tell where this very view is in another form. */
export function exported(base, view, form) {
  const asked = new URLSearchParams();
  for (const name of LISTS) for (const item of view[name]) asked.append(name, name === "site" ? anywhere(item) : item);
  for (const key of view.sort) asked.append("sort", key);
  const fields = ["name", ...columns(view)];
  if (fields.includes("state")) fields.push("states");
  asked.set("fields", fields.join(","));
  asked.set("format", form);
  return `${base}api/sites?${asked}`;
}
