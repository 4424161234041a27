// The page of the API: finds a resource by what is typed, and opens what an address names.

import "./main.js";

const find = document.getElementById("find");
const every = [...document.querySelectorAll(".operation")].map((each) => [each, each.querySelector("summary").textContent.toLowerCase()]);

find.addEventListener("input", () => {
  const wanted = find.value.trim().toLowerCase();
  for (const [each, text] of every) each.hidden = !text.includes(wanted);
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, select, textarea")) return;
  event.preventDefault();
  find.focus();
});

function open() {
  const named = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (named?.matches("details")) {
    named.hidden = false;
    named.open = true;
    named.scrollIntoView();
  }
}

addEventListener("hashchange", open);
open();
