// Charts of jobs and the slots for them, from the API's history: in place of the picture that the page came with.

import { on } from "./bus.js";
import { number } from "./words.js";
import { uPlot } from "./vendor/uplot.js";

const HEIGHT = 180;
const dark = matchMedia("(prefers-color-scheme: dark)");
const drawn = new Map();
let asked = "";

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** Sum agents up at each step; what nobody knows of stays unknown. */
function sum(series, name) {
  const columns = series.map((one) => one.points.map((point) => point[name]));
  return (columns[0] ?? []).map((_, place) => {
    const known = columns.map((column) => column[place]).filter((value) => value !== null);
    return known.length ? known.reduce((total, value) => total + value, 0) : null;
  });
}

/** How times stand below a chart: by the distance of its marks, UTC, 24 hours. */
const TIMES = [
  [31536000, "{YYYY}", null, null, null, null, null, null, 1],
  [2419200, "{YYYY}-{MM}", null, null, null, null, null, null, 1],
  [86400, "{MM}-{DD}", "\n{YYYY}", null, null, null, null, null, 1],
  [60, "{HH}:{mm}", "\n{YYYY}-{MM}-{DD}", null, "\n{MM}-{DD}", null, null, null, 1],
  [1, "{HH}:{mm}:{ss}", "\n{YYYY}-{MM}-{DD}", null, "\n{MM}-{DD}", null, null, null, 1],
];

function options(name, slots, width) {
  const axis = { stroke: colour("--ink-3"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false }, font: "12px system-ui" };
  const jobs = colour(name === "running" ? "--accent" : "--accent-2");
  return {
    width,
    height: HEIGHT,
    tzDate: (time) => uPlot.tzDate(new Date(time * 1e3), "Etc/UTC"),
    cursor: { sync: { key: "site" }, points: { size: 6 } },
    legend: { live: true },
    scales: { y: { range: (_, low, high) => [0, high > 0 ? high * 1.08 : 1] } },
    axes: [{ ...axis, values: TIMES }, { ...axis, size: 64, values: (_, ticks) => ticks.map((each) => (Number.isInteger(each) ? number(each) : "")) }],
    series: [
      { label: "UTC", value: (_, time) => (time === null ? "\u2013" : new Date(time * 1e3).toISOString().slice(0, 16).replace("T", " ")) },
      { label: `${name} jobs`, stroke: jobs, fill: `${jobs}33`, width: 1.5, paths: uPlot.paths.stepped({ align: 1 }), points: { show: false }, value: (_, value) => number(value) },
      { label: slots.replace("_", " "), stroke: colour("--warn-fill"), width: 2, dash: [6, 4], paths: uPlot.paths.stepped({ align: 1 }), points: { show: false }, value: (_, value) => number(value) },
    ],
  };
}

function draw(figure, name, data, slots) {
  const plot = figure.querySelector(".plot");
  const kept = drawn.get(name);
  if (kept?.plot === plot && kept.dark === dark.matches && kept.slots === slots) {
    kept.chart.setData(data);
    return;
  }
  kept?.chart.destroy();
  plot.replaceChildren();
  const chart = new uPlot(options(name, slots, plot.clientWidth), data, plot);
  chart.root.setAttribute("aria-hidden", "true"); // the table has it in words
  chart.root.dataset.points = String(data[0].length);
  drawn.set(name, { chart, plot, dark: dark.matches, slots });
}

/** Ask for what the page says of its charts, and draw it; where there is no answer the picture stays. */
export async function show() {
  const box = document.getElementById("charts");
  if (!box) return;
  const { site, agent, task, from, to, step } = box.dataset;
  const query = new URLSearchParams({ from, to, step });
  if (agent) query.set("agent", agent);
  if (task) query.set("task", task);
  const base = document.querySelector(".brand").getAttribute("href");
  const url = `${base}api/sites/${encodeURIComponent(site)}/history?${query}`;
  asked = url;
  let told;
  try {
    const answer = await fetch(url, { headers: { Accept: "application/json" } });
    if (!answer.ok) return;
    told = await answer.json();
  } catch {
    return;
  }
  if (asked !== url) return; // a newer question is on its way
  if (!told.series.length) return; // nothing is kept: the picture has what holds now
  const times = told.series[0].points.map((point) => Date.parse(point.time) / 1000);
  const slots = { running: task ? "max_slots" : "running_slots", pending: "pending_slots" };
  for (const name of ["running", "pending"]) {
    const figure = document.getElementById(`chart-${name}`);
    if (figure) draw(figure, name, [times, sum(told.series, `${name}_jobs`), sum(told.series, slots[name])], slots[name]);
  }
  box.dataset.drawn = to;
}

export function start() {
  show();
  on("refreshed", show);
  dark.addEventListener("change", show);
  const fit = new ResizeObserver(() => {
    for (const { chart, plot } of drawn.values()) {
      if (plot.clientWidth && plot.clientWidth !== chart.width) chart.setSize({ width: plot.clientWidth, height: HEIGHT });
    }
  });
  const box = document.getElementById("charts");
  if (box) fit.observe(box);
}
