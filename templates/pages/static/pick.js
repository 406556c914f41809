"use strict";
// Finds among the boxes of a choice: what has not all the words that are typed goes out of sight, but for what is ticked.
document.querySelectorAll("fieldset.pick .filter").forEach((filter) => {
  const all = filter.parentElement, input = filter.querySelector("input"), found = filter.querySelector("output");
  const plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
  filter.hidden = false;
  input.addEventListener("input", () => {
    const words = plain(input.value).split(/\s+/).filter(Boolean);
    let shown = 0;
    all.querySelectorAll("fieldset").forEach((group) => {
      let some = 0;
      group.querySelectorAll("label").forEach((label) => {
        const text = plain(group.querySelector("legend").textContent + " " + label.textContent);
        label.hidden = !label.querySelector("input").checked && !words.every((w) => text.includes(w));
        some += label.hidden ? 0 : 1;
      });
      group.hidden = !some;
      shown += some;
    });
    found.textContent = words.length ? found.dataset.found.replace("{0}", shown) : "";
  });
  input.addEventListener("keydown", (event) => { if (event.key === "Enter") event.preventDefault(); }); // it finds; the button shows
});
