// Maps of the grid: drawn as rcmon/web/page/heatmap.py draws them, and gone through by pointer or arrow keys.

const WIDE = 14;
const NARROW = 7;
const FEW = 80;
const BAND = 160;
const PITCH = 16;
const TOP = 16;
const SVG = "http://www.w3.org/2000/svg";

const section = document.getElementById("maps");
const said = document.getElementById("square");
const shadeNames = new Map(
  Array.from(section.querySelectorAll(".key li"), (item) => [item.dataset.shade, item.dataset.name]),
);
const meanings = new Map(
  Array.from(section.querySelectorAll("#reasons div"), (row) => [row.querySelector("code").textContent, row.querySelector("dd").textContent]),
);
const HOW_MANY = 2;
const SOON = 200;

let known = null;
let places = [];
let base = "";
let open = () => {};
let at = null;
let timer = 0;
let asking = null;

const maps = () => section.querySelectorAll(".map");
const rowsOf = (map) => (map.dataset.map === "agents" ? known.agents : known.tasks);

function drawn(name, attributes) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

function set(element, name, value) {
  const text = String(value);
  if (element.getAttribute(name) !== text) element.setAttribute(name, text);
}

function paths(rows, part, column) {
  const found = new Map();
  rows.forEach((row, index) => {
    const y = TOP + index * PITCH + PITCH / 2;
    let place = 0;
    while (place < part.length) {
      const shade = row.shades[part[place]];
      let end = place + 1;
      while (end < part.length && row.shades[part[end]] === shade) end += 1;
      const line = `M${place * column} ${y}h${(end - place) * column}`;
      found.set(shade, (found.get(shade) ?? "") + line);
      place = end;
    }
  });
  return found;
}

function tiers(part, column) {
  const found = [];
  let before = null;
  part.forEach((number, place) => {
    const tier = known.sites[number][1] ?? "";
    if (tier === before) return;
    before = tier;
    const last = found[found.length - 1];
    if (last && place * column - last[0] < 20) found.pop();
    found.push([place * column, tier]);
  });
  return found;
}

function fillBand(band, map, rows, part, column) {
  const svg = band.querySelector("svg");
  const [width, height] = [part.length * column, TOP + rows.length * PITCH];
  for (const [name, value] of [["width", width], ["height", height], ["viewBox", `0 0 ${width} ${height}`]]) set(svg, name, value);
  const group = svg.querySelector("g");
  const wanted = paths(rows, part, column);
  const left = new Map(Array.from(group.children, (path) => [path.getAttribute("stroke"), path]));
  for (const [shade, line] of wanted) {
    const stroke = `url(#shade-${shadeNames.get(shade) ?? "unknown"})`;
    let path = left.get(stroke);
    if (path) left.delete(stroke);
    else {
      path = drawn("path", { stroke });
      group.append(path);
    }
    set(path, "d", line);
  }
  for (const path of left.values()) path.remove();
  const names = tiers(part, column);
  const texts = Array.from(svg.querySelectorAll("text"));
  names.forEach(([x, tier], number) => {
    const text = texts[number] ?? svg.insertBefore(drawn("text", { y: 11 }), group);
    set(text, "x", x);
    if (text.textContent !== tier) text.textContent = tier;
  });
  for (const text of texts.slice(names.length)) text.remove();
  const lines = svg.querySelector("rect:not(.cursor)");
  set(lines, "width", width);
  set(lines, "height", height - TOP);
  set(lines, "fill", `url(#lines-${column})`);
  set(band, "aria-label", `${map.querySelector("h3").textContent}, ${known.sites[part[0]][0]} to ${known.sites[part[part.length - 1]][0]}`);
  fillNames(band.querySelector(".rows"), rows);
}

function fillNames(list, rows) {
  const names = Array.from(list.children, (item) => item.textContent);
  if (names.length === rows.length && names.every((name, number) => name === rows[number].name)) return;
  list.replaceChildren(
    ...rows.map((row) => {
      const item = document.createElement("li");
      item.textContent = row.name;
      return item;
    }),
  );
}

/** Draw the sites at these places of a document, by name whatever the table's order is. */
export function draw(newer, chosen) {
  known = newer;
  places = [...chosen].sort((one, other) => one - other);
  const bands = Math.ceil(places.length / BAND);
  const size = bands ? Math.ceil(places.length / bands) : 0;
  const column = places.length <= FEW ? WIDE : NARROW;
  for (const map of maps()) {
    const rows = rowsOf(map);
    const box = map.querySelector(".bands");
    while (box.children.length > Math.max(bands, 1)) box.lastElementChild.remove();
    while (box.children.length < bands) box.append(box.lastElementChild.cloneNode(true));
    Array.from(box.children).forEach((band, number) => {
      band.hidden = number >= bands;
      if (bands) fillBand(band, map, rows, places.slice(number * size, (number + 1) * size), column);
    });
  }
  prepare();
  if (at) point(at.map, at.row, at.name, false);
}

function shape(map) {
  const bands = map.querySelectorAll(".band:not([hidden])").length;
  return { size: bands ? Math.ceil(places.length / bands) : 0, column: places.length <= FEW ? WIDE : NARROW };
}

/** Put the cursor on a square and say what it is. */
function point(map, row, name, focus) {
  const rows = rowsOf(map);
  const index = places.findIndex((place) => known.sites[place][0] === name);
  section.querySelector(".cursor")?.remove();
  if (index < 0 || !rows[row]) {
    at = null;
    return;
  }
  const { size, column } = shape(map);
  const band = map.querySelectorAll(".band:not([hidden])")[Math.floor(index / size)];
  const x = (index % size) * column;
  band.querySelector("svg").append(
    drawn("rect", { class: "cursor", x: x - 0.5, y: TOP + row * PITCH + 0.5, width: column, height: PITCH - 1 }),
  );
  at = { map, row, name, index };
  if (focus) {
    if (document.activeElement !== band) band.focus({ preventScroll: true });
    band.querySelector(".cursor").scrollIntoView({ block: "nearest", inline: "nearest" });
  }
  tell(map, rows[row], name, places[index]);
}

function tell(map, row, name, place) {
  const shade = row.shades[place];
  const reason = known.reasons[row.reasons[place]];
  const meaning = reason ? `: ${meanings.get(reason) ?? reason}` : "";
  const text = `${name}, ${row.name}: ${known.shades[shade] ?? "not known"}${meaning}`;
  if (said.dataset.said === text) return;
  said.dataset.said = text;
  said.textContent = text;
  clearTimeout(timer);
  asking?.abort();
  if (reason) timer = setTimeout(() => explain(map, row.name, name, text), SOON);
}

/** Ask for names and numbers of what stands against a square. */
async function explain(map, row, name, text) {
  asking = new AbortController();
  const asked = new URLSearchParams({ site: name, [map.dataset.map === "agents" ? "agent" : "task"]: row });
  try {
    const answer = await fetch(`${base}api/why?${asked}`, { signal: asking.signal });
    if (!answer.ok) return;
    const found = (await answer.json()).answers.filter((one) => one.reason && one.reason !== "threshold_missing");
    const details = [...new Set(found.map((one) => one.detail))];
    if (said.dataset.said !== text || !details.length) return;
    const more = details.length > HOW_MANY ? ` And ${details.length - HOW_MANY} more.` : "";
    said.textContent = `${text} ${details.slice(0, HOW_MANY).join(" ")}${more}`;
  } catch {
    // what is known already stays
  }
}

function under(event) {
  const band = event.target.closest(".band");
  const svg = band?.querySelector("svg");
  if (!svg || !svg.contains(event.target)) return null;
  const map = band.closest(".map");
  const bounds = svg.getBoundingClientRect();
  const { size, column } = shape(map);
  const row = Math.floor((event.clientY - bounds.top - TOP) / PITCH);
  const number = Array.from(map.querySelectorAll(".band:not([hidden])")).indexOf(band);
  const index = number * size + Math.floor((event.clientX - bounds.left) / column);
  if (row < 0 || row >= rowsOf(map).length || index < 0 || index >= places.length) return null;
  return { map, row, name: known.sites[places[index]][0] };
}

function step(key, rows) {
  const { row, index } = at;
  const last = places.length - 1;
  switch (key) {
    case "ArrowLeft": return [row, Math.max(index - 1, 0)];
    case "ArrowRight": return [row, Math.min(index + 1, last)];
    case "ArrowUp": return [Math.max(row - 1, 0), index];
    case "ArrowDown": return [Math.min(row + 1, rows - 1), index];
    case "Home": return [row, 0];
    case "End": return [row, last];
    default: return null;
  }
}

function pressed(event) {
  const band = event.target.closest(".band");
  if (!band || event.target !== band || event.ctrlKey || event.metaKey || event.altKey) return;
  const map = band.closest(".map");
  if (event.key === "Enter" && at?.map === map) {
    open(at.name);
    return;
  }
  if (!/^(Arrow(Left|Right|Up|Down)|Home|End)$/.test(event.key)) return;
  event.preventDefault();
  if (at?.map !== map) {
    const { size } = shape(map);
    const number = Array.from(map.querySelectorAll(".band:not([hidden])")).indexOf(band);
    point(map, 0, known.sites[places[number * size]][0], true);
    return;
  }
  const to = step(event.key, rowsOf(map).length);
  point(map, to[0], known.sites[places[to[1]]][0], true);
}

function prepare() {
  for (const band of section.querySelectorAll(".band")) {
    band.setAttribute("role", "application");
    band.setAttribute("aria-describedby", "square");
  }
}

/** Let somebody go through the maps; `ready` gives a promise of `draw`, `opened` shows a site. */
export function start(root, ready, opened) {
  base = root;
  open = opened;
  section.addEventListener("pointermove", async (event) => {
    await ready();
    const found = known && under(event);
    if (found && (at?.name !== found.name || at?.row !== found.row || at?.map !== found.map)) point(found.map, found.row, found.name, false);
  });
  section.addEventListener("click", async (event) => {
    await ready();
    const found = known && under(event);
    if (found) open(found.name);
  });
  section.addEventListener("keydown", async (event) => {
    if (/^(Arrow|Home|End)/.test(event.key) && event.target.matches(".band")) event.preventDefault();
    await ready();
    if (known) pressed(event);
  });
  section.addEventListener("focusin", () => ready());
  prepare();
}
