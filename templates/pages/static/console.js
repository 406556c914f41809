"use strict";
// What the console does beyond forms; every page works without it.
// Leaving a form that was changed asks first, so that nothing is lost.
document.querySelectorAll("form[data-keep]").forEach((form) => {
  let changed = form.dataset.keep === "changed";
  form.addEventListener("input", () => { changed = true; });
  form.addEventListener("submit", () => { changed = false; });
  window.addEventListener("beforeunload", (event) => { if (changed) event.preventDefault(); });
});
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
