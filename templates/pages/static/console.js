"use strict";
// What the console does beyond forms; every page works without it.
// Leaving a form that was changed asks first, so that nothing is lost.
document.querySelectorAll("form[data-keep]").forEach((form) => {
  let changed = form.dataset.keep === "changed";
  form.addEventListener("input", () => { changed = true; });
  form.addEventListener("submit", () => { changed = false; });
  window.addEventListener("beforeunload", (event) => { if (changed) event.preventDefault(); });
});
