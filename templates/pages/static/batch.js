// Asks every second how far the batch is, and shows the whole page again when it is done.
"use strict";
(function () {
  const place = document.getElementById("batch");
  if (!place) return;
  async function ask() {
    try {
      const answer = await fetch("/console/certificate-batches/" + encodeURIComponent(place.dataset.batch) + "/state", { headers: { Accept: "application/json" }, redirect: "error" });
      if (answer.ok) {
        const now = await answer.json();
        if (now.state === "done") return location.reload();
        document.getElementById("bar").value = now.percent;
        for (const name of ["issued", "printed", "refused"]) document.getElementById(name).textContent = now[name];
      }
    } catch (e) {
      // The network went away for a moment: ask again later.
    }
    setTimeout(ask, 1000);
  }
  setTimeout(ask, 500);
})();
