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
// A browser takes a suggestion for the whole field. Where a field holds several keys, each suggestion therefore begins with what stands there.
const known = Array.from(document.getElementById("courses").options);
const further = document.createElement("datalist");
further.id = "further";
builder.append(further);
document.querySelectorAll("[data-several]").forEach((field) => {
  const suggest = () => {
    const before = field.value.replace(/[^\s,;]*$/, "");
    const there = before.split(/[\s,;]+/);
    further.replaceChildren(...known.filter((course) => !there.includes(course.value)).map((course) => new Option(course.text, before + course.value)));
  };
  field.setAttribute("list", "further");
  field.addEventListener("focus", suggest);
  field.addEventListener("input", suggest);
});
// The buttons of a line name its place.
function renumber() {
  rows().forEach((row, i) => {
    row.querySelectorAll('button[name="do"]').forEach((button) => { button.value = button.value.replace(/\d+$/, String(i)); });
    row.querySelector(".place").textContent = String(i + 1);
  });
}
// Where a line goes that is let go over the list: the row whose place it takes, or after which it stands, and how deep. Rows have air between
// them, so the nearest row counts, not the one under the pointer. On a group: above its upper edge before it, else into it, as its first.
// Below the last row, or left of the row that it would follow, it leaves the group that ends there.
function target(event) {
  const still = rows().filter((row) => !dragged.includes(row));
  let found = null;
  still.forEach((row) => { if (event.clientY >= row.getBoundingClientRect().top) found = row; });
  if (!still.length) return null;
  if (!found) return { row: still[0], where: "before", depth: depth(still[0]) };
  const box = found.getBoundingClientRect();
  const share = (event.clientY - box.top) / box.height;
  if (kind(found) === "group") return share < 0.25 ? { row: found, where: "before", depth: depth(found) } : { row: found, where: "into", depth: depth(found) + 1 };
  if (share < 0.5) return { row: found, where: "before", depth: depth(found) };
  const next = still[still.indexOf(found) + 1];
  const least = next ? depth(next) : 0; // no deeper row may lose the group that it stands in
  const outside = event.clientX < box.left || (!next && event.clientY > box.bottom);
  return { row: found, where: "after", depth: outside ? Math.min(least, depth(found)) : depth(found) };
}
const kind = (row) => row.querySelector('[name="kind"]').value;
const list = builder.querySelector("ol.builder");
let dragged = [];
function unmark() { rows().forEach((row) => row.classList.remove("before", "into", "after")); }
list.addEventListener("dragover", (event) => {
  const at = dragged.length && target(event);
  if (!at) return;
  event.preventDefault();
  unmark();
  at.row.classList.add(at.where);
});
list.addEventListener("dragleave", (event) => { if (!list.contains(event.relatedTarget)) unmark(); });
list.addEventListener("drop", (event) => {
  const at = dragged.length && target(event);
  if (!at) return;
  event.preventDefault();
  const by = at.depth - depth(dragged[0]);
  dragged.forEach((d) => { d.querySelector('[name="depth"]').value = depth(d) + by; d.className = "row depth" + depth(d); });
  if (at.where === "before") at.row.before(...dragged); else at.row.after(...dragged);
  unmark();
  renumber();
  builder.dispatchEvent(new Event("input"));
});
rows().forEach((row) => {
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
  row.addEventListener("dragend", () => { unmark(); dragged.forEach((d) => d.classList.remove("dragged")); dragged = []; });
});
// A field inside of a line that can be dragged would not let its text be chosen with the mouse.
builder.querySelectorAll("[data-row] input, [data-row] select").forEach((field) => {
  const row = field.closest("[data-row]");
  field.addEventListener("pointerdown", () => { row.draggable = false; });
  field.addEventListener("blur", () => { row.draggable = true; });
});
