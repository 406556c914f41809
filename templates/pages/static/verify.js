// Compares a file with the one that was issued. It never leaves the browser.
"use strict";
(function () {
  const drop = document.getElementById("drop"), input = document.getElementById("file");
  if (!drop || !input) return;
  function show(id) {
    for (const name of ["same", "other", "cannot"]) document.getElementById(name).hidden = name !== id;
  }
  async function compare(file) {
    if (!file) return;
    if (!window.crypto || !crypto.subtle) return show("cannot");
    try {
      const sum = await crypto.subtle.digest("SHA-256", await file.arrayBuffer());
      const hex = Array.from(new Uint8Array(sum), (b) => b.toString(16).padStart(2, "0")).join("");
      show(hex === drop.dataset.sha256.toLowerCase() ? "same" : "other");
    } catch (e) {
      show("cannot");
    }
  }
  input.addEventListener("change", () => compare(input.files[0]));
  for (const name of ["dragover", "dragenter"]) drop.addEventListener(name, (e) => { e.preventDefault(); drop.classList.add("over"); });
  for (const name of ["dragleave", "drop"]) drop.addEventListener(name, () => drop.classList.remove("over"));
  drop.addEventListener("drop", (e) => { e.preventDefault(); compare(e.dataTransfer.files[0]); });
  if (!window.crypto || !crypto.subtle) show("cannot");
})();
