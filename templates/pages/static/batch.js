// Asks every second how far what is made in the background is, and shows the whole page again when it is done.
"use strict";
(function () {
  const place = document.getElementById("batch");
  if (!place) return;
  async function ask() {
    try {
      const answer = await fetch(place.dataset.state, { headers: { Accept: "application/json" }, redirect: "error" });
      if (answer.ok) {
        const now = await answer.json();
        if (now.state === "done") return location.reload();
        document.getElementById("bar").value = now.percent;
        for (const number of place.querySelectorAll("[data-number]")) number.textContent = now[number.id];
      }
    } catch (e) {
      // The network went away for a moment: ask again later.
    }
    setTimeout(ask, 1000);
  }
  setTimeout(ask, 500);
})();
