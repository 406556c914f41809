// Says what a file is. The file never leaves the browser: its hash is sent, and the code that it carries or that was typed.
"use strict";
(function () {
  const drop = document.getElementById("drop"), input = document.getElementById("file"), code = document.getElementById("code"), more = document.getElementById("more");
  if (!drop || !input) return;
  function show(state, found) {
    for (const name of ["valid", "replaced", "revoked", "altered", "unknown", "cannot"]) document.getElementById("said-" + name).hidden = name !== state;
    more.hidden = !found;
    if (found) more.firstElementChild.href = "/verify/" + encodeURIComponent(found);
  }
  async function examine(file) {
    if (!file) return;
    if (!window.crypto || !crypto.subtle || file.size > 20000000) return show("cannot");
    try {
      const bytes = await file.arrayBuffer();
      const sum = Array.from(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)), (b) => b.toString(16).padStart(2, "0")).join("");
      const carried = /cursus-certificate ([0-9a-z]{26})/.exec(new TextDecoder("latin1").decode(bytes));
      const typed = code.value.replace(/[^0-9A-Za-z]/g, "").slice(0, 64);
      const asked = new URLSearchParams({ sha256: sum });
      if (carried || typed) asked.set("code", carried ? carried[1] : typed);
      const answer = await fetch("/v1/verifications?" + asked, { headers: { Accept: "application/json" }, redirect: "error" });
      if (answer.status === 404) return show("unknown");
      if (!answer.ok) return show("cannot");
      const said = await answer.json();
      show(said.state, said.code);
    } catch (e) {
      show("cannot");
    }
  }
  input.addEventListener("change", () => examine(input.files[0]));
  for (const name of ["dragover", "dragenter"]) drop.addEventListener(name, (e) => { e.preventDefault(); drop.classList.add("over"); });
  for (const name of ["dragleave", "drop"]) drop.addEventListener(name, () => drop.classList.remove("over"));
  drop.addEventListener("drop", (e) => { e.preventDefault(); examine(e.dataTransfer.files[0]); });
})();
