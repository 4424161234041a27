// Numbers and durations in words, as rcmon/web/page/overview.py writes them.

const THIN = "\u202f";
const UNITS = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];

/** Write a number for reading; what is not known is a dash. */
export function number(value) {
  return value === null || value === undefined ? "\u2013" : String(value).replace(/\B(?=(\d{3})+$)/g, THIN);
}

/** Write a duration in its two largest units. */
export function span(seconds) {
  if (seconds === null || seconds === undefined) return "\u2013";
  const whole = Math.max(0, Math.round(seconds));
  const at = UNITS.findIndex(([size]) => whole >= size);
  if (at < 0) return "0 s";
  const [size, unit] = UNITS[at];
  const [smaller, name] = UNITS[at + 1] ?? [1, ""];
  const rest = name ? Math.floor((whole % size) / smaller) : 0;
  return `${Math.floor(whole / size)} ${unit}` + (rest ? ` ${rest} ${name}` : "");
}
