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
  try {
    const answer = await fetch(builder.action, { method: "POST", body: form });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.getElementById("preview");
    if (fresh && mine === asked) document.getElementById("preview").replaceChildren(...fresh.childNodes);
  } catch {
    // without a network the preview stays as it was; the button says what is wrong
  }
}
let waiting;
builder.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(preview, 400); });
document.getElementById("passed").addEventListener("input", () => builder.dispatchEvent(new Event("input")));
// The buttons of a line name its place.
function renumber() {
  rows().forEach((row, i) => {
    row.querySelectorAll('button[name="do"]').forEach((button) => { button.value = button.value.replace(/\d+$/, String(i)); });
    row.querySelector(".place").textContent = String(i + 1);
  });
}
let dragged = [];
rows().forEach((row) => {
  const group = row.querySelector('[name="kind"]').value === "group";
  row.draggable = true;
  row.addEventListener("dragstart", (event) => {
    if (event.target !== row) return;
    const all = rows();
    let end = all.indexOf(row) + 1;
    while (end < all.length && depth(all[end]) > depth(row)) end++;
    dragged = all.slice(all.indexOf(row), end);
    dragged.forEach((d) => d.classList.add("dragged"));
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", "");
  });
  row.addEventListener("dragend", () => { rows().forEach((d) => d.classList.remove("dragged", "over")); dragged = []; });
  row.addEventListener("dragleave", () => row.classList.remove("over"));
  row.addEventListener("dragover", (event) => {
    if (!dragged.length || dragged.includes(row)) return;
    event.preventDefault();
    row.classList.add("over");
  });
  row.addEventListener("drop", (event) => {
    event.preventDefault();
    if (!dragged.length || dragged.includes(row)) return;
    const after = event.clientY > row.getBoundingClientRect().top + row.offsetHeight / 2;
    const by = depth(row) + (after && group ? 1 : 0) - depth(dragged[0]); // the lower half of a group leads into it
    dragged.forEach((d) => { d.querySelector('[name="depth"]').value = depth(d) + by; d.className = "row depth" + depth(d); });
    if (after) row.after(...dragged); else row.before(...dragged);
    renumber();
    builder.dispatchEvent(new Event("input"));
  });
});
// A field inside of a line that can be dragged would not let its text be chosen with the mouse.
builder.querySelectorAll("[data-row] input, [data-row] select").forEach((field) => {
  const row = field.closest("[data-row]");
  field.addEventListener("pointerdown", () => { row.draggable = false; });
  field.addEventListener("blur", () => { row.draggable = true; });
});
