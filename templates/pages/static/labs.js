// Shows every few seconds who is in now. While somebody's focus is on the board, it is put back on the same button.
"use strict";
(function () {
  const board = document.getElementById("board");
  if (!board) return;
  async function look() {
    try {
      const answer = await fetch(location.href, { redirect: "error" });
      if (answer.ok) {
        const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("board");
        const on = document.activeElement, row = on && on.closest("#board li");
        if (fresh) {
          board.replaceChildren(...fresh.childNodes);
          const again = row && row.id && document.getElementById(row.id);
          const button = again && again.querySelector('button[value="' + on.value + '"]');
          if (button) button.focus();
        }
      }
    } catch (e) {
      // The network went away for a moment: ask again later.
    }
    setTimeout(look, 3000);
  }
  setTimeout(look, 3000);
})();
