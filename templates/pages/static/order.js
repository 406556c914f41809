// Asks every few seconds whether the order has moved, and shows the new page when it has.
"use strict";
(function () {
  const place = document.getElementById("state");
  if (!place) return;
  let wait = 1500;
  async function ask() {
    try {
      const answer = await fetch("/orders/" + encodeURIComponent(place.dataset.order) + "/state", { headers: { Accept: "application/json" }, redirect: "error" });
      if (answer.ok && (await answer.json()).state !== place.dataset.state) {
        location.reload();
        return;
      }
    } catch (e) {
      // The network went away for a moment: ask again later.
    }
    wait = Math.min(wait * 1.3, 15000);
    setTimeout(ask, wait);
  }
  setTimeout(ask, wait);
})();
