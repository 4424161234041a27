// The service's clock, told by what a page says of the moment it was made: this machine's may be wrong.

let madeAt = 0;
let since = 0;

/** Take up what a page says; seconds since the epoch. */
export function set(now) {
  madeAt = now;
  since = performance.now();
}

/** Tell the service's time, seconds since the epoch. */
export function now() {
  return madeAt + (performance.now() - since) / 1000;
}
