// Takes a file that is dropped, with its name, and shows how far a file is that is being taken in.
"use strict";
(function () {
  const input = document.getElementById("file"), drop = document.getElementById("drop"), name = document.getElementById("name");
  if (input && drop && name) {
    input.addEventListener("change", () => { if (input.files[0]) name.value = input.files[0].name; });
    for (const event of ["dragover", "dragenter"]) drop.addEventListener(event, (e) => { e.preventDefault(); drop.classList.add("over"); });
    for (const event of ["dragleave", "drop"]) drop.addEventListener(event, () => drop.classList.remove("over"));
    drop.addEventListener("drop", (e) => { e.preventDefault(); input.files = e.dataTransfer.files; input.dispatchEvent(new Event("change")); });
  }
  for (const form of document.querySelectorAll("form[data-progress]")) form.addEventListener("submit", () => {
    const line = document.getElementById("taking"), bar = document.getElementById("bar"), once = form.elements.once;
    line.hidden = false;
    if (once) setInterval(async () => {
      try {
        const answer = await fetch("/console/imports/progress?once=" + encodeURIComponent(once.value), { headers: { Accept: "application/json" }, redirect: "error" });
        const now = answer.ok ? await answer.json() : {};
        if (now.known) bar.value = now.percent;
      } catch (e) {
        // The page is being left, or the network went away for a moment.
      }
    }, 400);
  });
})();
