// Takes files that are dropped, shows how far they are being sent, and then how far they are being tried or taken in.
"use strict";
(function () {
  const input = document.getElementById("file"), drop = document.getElementById("drop"), chosen = document.getElementById("chosen"), form = document.getElementById("send");
  const bar = document.getElementById("bar");
  if (input && drop && chosen) {
    input.addEventListener("change", () => {
      chosen.hidden = input.files.length < 2;
      chosen.replaceChildren(...Array.from(input.files, (f) => { const line = document.createElement("li"); line.textContent = f.name; return line; }));
    });
    for (const event of ["dragover", "dragenter"]) drop.addEventListener(event, (e) => { e.preventDefault(); drop.classList.add("over"); });
    for (const event of ["dragleave", "drop"]) drop.addEventListener(event, () => drop.classList.remove("over"));
    drop.addEventListener("drop", (e) => { e.preventDefault(); input.files = e.dataTransfer.files; input.dispatchEvent(new Event("change")); });
  }
  if (form && bar) form.addEventListener("submit", (e) => {
    e.preventDefault();
    const line = document.getElementById("taking"), button = document.getElementById("try"), send = new XMLHttpRequest();
    line.hidden = false;
    button.disabled = true;
    const failed = () => { line.textContent = form.dataset.failed; line.classList.add("bad"); button.disabled = false; };
    send.upload.addEventListener("progress", (p) => { if (p.lengthComputable) bar.value = 100 * p.loaded / p.total; });
    send.addEventListener("error", failed);
    send.addEventListener("load", () => {
      if (send.status >= 200 && send.status < 300 && send.responseURL && new URL(send.responseURL).pathname !== form.getAttribute("action")) return window.location.assign(send.responseURL);
      const page = new DOMParser().parseFromString(send.responseText, "text/html"), why = page.getElementById("faults") || page.querySelector("main p");
      if (why) line.textContent = why.textContent;
      else line.textContent = form.dataset.failed;
      line.classList.add("bad");
      button.disabled = false;
    });
    send.open("POST", form.action);
    send.send(new FormData(form));
  });
  const running = document.getElementById("running");
  if (running && bar) {
    const timer = setInterval(async () => {
      try {
        const answer = await fetch(running.dataset.progress, { headers: { Accept: "application/json" }, redirect: "error" });
        if (!answer.ok) return;
        const now = await answer.json();
        bar.value = now.percent;
        if (!now.running) { clearInterval(timer); window.location.reload(); }
      } catch (e) {
        // The page is being left, or the network went away for a moment.
      }
    }, 400);
  }
})();
