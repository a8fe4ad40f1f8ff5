"use strict";
// The page can be read without this; it switches what the heat shows, fits the graph, and filters the table.
const rows = document.querySelectorAll(".row[data-heat]");
function heat(kind) {
  for (const row of rows) {
    const cost = JSON.parse(row.dataset.heat)[kind];
    row.style.setProperty("--share", (0.55 * cost[0]).toFixed(3));
    row.querySelector(".bar").style.width = (4.4 * cost[0]).toFixed(2) + "rem";
    row.querySelector(".cost").textContent = cost[1];
  }
}
for (const choice of document.querySelectorAll("input[name=heat]"))
  choice.addEventListener("change", () => heat(choice.value));
const fit = document.getElementById("fit");
if (fit) fit.addEventListener("change", () => document.querySelector(".graph").classList.toggle("fit", fit.checked));
const filter = document.getElementById("filter");
const told = document.getElementById("count");
function sift() {
  const wanted = filter.value.toLowerCase();
  let shown = 0, all = 0, keep = true;
  for (const row of document.querySelectorAll("#trace tbody tr")) {
    if (row.cells[0].textContent) keep = row.dataset.text.includes(wanted);
    row.hidden = !keep;
    all += 1;
    shown += keep ? 1 : 0;
  }
  told.textContent = wanted ? `${shown} of ${all} rows` : "";
}
if (filter) filter.addEventListener("input", sift);
for (const button of document.querySelectorAll(".row button"))
  button.addEventListener("click", () => {
    filter.value = button.dataset.line;
    sift();
    document.getElementById("trace").scrollIntoView();
    filter.focus();
  });
