// Shows a layout as it is typed: what is drawn comes from the server, which draws it as it prints it.
"use strict";
(function () {
  const form = document.getElementById("layout"), seen = document.getElementById("preview"), paper = document.getElementById("paper"), unseen = document.getElementById("unseen");
  if (!form || !seen) return;
  let later = 0;
  function show() {
    const said = new URLSearchParams();
    for (const [name, value] of new FormData(form)) if (value !== "" && !["form", "key", "version"].includes(name)) said.set(name, value);
    seen.src = "/console/certificate-layouts/preview.svg?" + said;
    paper.href = "/console/certificate-layouts/preview.pdf?" + said;
  }
  seen.addEventListener("load", () => { unseen.hidden = true; });
  seen.addEventListener("error", () => { unseen.hidden = false; });
  form.addEventListener("input", () => { clearTimeout(later); later = setTimeout(show, 300); });
})();
