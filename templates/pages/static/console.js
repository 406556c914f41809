"use strict";
// What the console does beyond forms; every page works without it.
// Leaving a form that was changed asks first, so that nothing is lost.
document.querySelectorAll("form[data-keep]").forEach((form) => {
  let changed = form.dataset.keep === "changed";
  form.addEventListener("input", () => { changed = true; });
  form.addEventListener("submit", () => { changed = false; });
  window.addEventListener("beforeunload", (event) => { if (changed) event.preventDefault(); });
});
// On a phone a long form begins folded: its parts, and the chapters in them, but for those where something is wrong or the keyboard goes on.
// A link to a field unfolds what it stands in.
if (matchMedia("(max-width:47.99rem)").matches) {
  document.querySelectorAll("form.paper > fieldset[id]").forEach((part) => {
    const fold = document.createElement("details"), summary = document.createElement("summary");
    const name = part.querySelector(":scope > legend"), on = part.contains(document.activeElement) ? document.activeElement : null;
    fold.className = "fold";
    fold.id = part.id + "-part";
    summary.textContent = name.textContent;
    name.className = "unseen";
    part.before(fold);
    fold.append(summary, part);
    if (on) on.focus();
  });
  document.querySelectorAll("form.paper details.fold").forEach((fold) => {
    fold.open = Boolean(fold.querySelector(".wrong, .fault, .badge.bad, [autofocus], :focus, :target"));
  });
}
// What was unfolded stays so when a button of the form sends the page again; on paper everything is unfolded.
const folds = Array.from(document.querySelectorAll("details.fold"));
const kept = "unfolded " + location.pathname;
if (folds.length) {
  const open = (sessionStorage.getItem(kept) || "").split(" ");
  sessionStorage.removeItem(kept);
  folds.forEach((fold) => { if (open.includes(fold.id)) fold.open = true; });
  folds[0].closest("form").addEventListener("submit", () => { sessionStorage.setItem(kept, folds.filter((fold) => fold.open).map((fold) => fold.id).join(" ")); });
}
let folded = [];
window.addEventListener("beforeprint", () => { folded = Array.from(document.querySelectorAll("details:not([open])")); folded.forEach((d) => { d.open = true; }); });
window.addEventListener("afterprint", () => { folded.forEach((d) => { d.open = false; }); });
