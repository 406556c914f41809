"use strict";
// What the program builder does beyond its buttons: lines are dragged, and the preview follows what is written. Without it the
// buttons up and down and the button Preview do the same.
const builder = document.getElementById("builder");
const rows = () => Array.from(builder.querySelectorAll("[data-row]"));
const depth = (row) => Number(row.querySelector('[name="depth"]').value);
let asked = 0;
async function preview() {
  const mine = ++asked;
  const form = new URLSearchParams(new FormData(builder));
  form.set("do", "preview");
  const answer = await fetch(builder.action, { method: "POST", body: form });
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.getElementById("preview");
  if (fresh && mine === asked) document.getElementById("preview").replaceChildren(...fresh.childNodes);
}
let waiting;
const soon = () => { clearTimeout(waiting); waiting = setTimeout(preview, 400); };
builder.addEventListener("input", soon);
let dragged = [];
rows().forEach((row) => {
  row.draggable = true;
  row.addEventListener("dragstart", (event) => {
    if (event.target.closest && event.target.matches("input,select")) return;
    const all = rows();
    let end = all.indexOf(row) + 1;
    while (end < all.length && depth(all[end]) > depth(row)) end++;
    dragged = all.slice(all.indexOf(row), end);
    event.dataTransfer.effectAllowed = "move";
  });
  row.addEventListener("dragover", (event) => { if (dragged.length && !dragged.includes(row)) event.preventDefault(); });
  row.addEventListener("drop", (event) => {
    event.preventDefault();
    const after = event.clientY > row.getBoundingClientRect().top + row.offsetHeight / 2;
    const by = depth(row) - depth(dragged[0]);
    dragged.forEach((d) => { d.querySelector('[name="depth"]').value = depth(d) + by; d.className = "row depth" + depth(d); });
    if (after) row.after(...dragged); else row.before(...dragged);
    dragged = [];
    builder.dispatchEvent(new Event("input"));
  });
});
