// Lets questions be dragged to another place. A drop presses what the arrows press: the same form, with another place.
// Where there is no mouse (touch, keyboard), the arrows do it.

let dragged = null;

function listOf(event) {
  return event.target instanceof Element ? event.target.closest("[data-reorder]") : null;
}

function showHandles() {
  for (const hidden of document.querySelectorAll("[data-reorder] .handle, .drag-hint")) hidden.hidden = false;
}

// A row can be dragged only while its handle is held, so that its words can still be selected.
document.addEventListener("pointerdown", (event) => {
  const handle = event.target instanceof Element ? event.target.closest("[data-reorder] .handle") : null;
  if (handle) handle.closest("li").draggable = true;
});
document.addEventListener("pointerup", () => {
  for (const row of document.querySelectorAll("[data-reorder] > li[draggable]")) row.draggable = false;
});

document.addEventListener("dragstart", (event) => {
  if (!listOf(event)) return;
  dragged = event.target.closest("li");
  event.dataTransfer.effectAllowed = "move";
  event.dataTransfer.setData("text/plain", dragged.id);
  dragged.classList.add("is-dragged");
});

document.addEventListener("dragover", (event) => {
  const list = listOf(event);
  if (!dragged || !list || !list.contains(dragged)) return;
  event.preventDefault();
  const row = event.target.closest("li");
  if (!row || row === dragged) return;
  const box = row.getBoundingClientRect();
  list.insertBefore(dragged, event.clientY < box.top + box.height / 2 ? row : row.nextSibling);
});

document.addEventListener("drop", (event) => {
  if (dragged && listOf(event)) event.preventDefault();
});

document.addEventListener("dragend", (event) => {
  if (!dragged) return;
  const row = dragged;
  dragged = null;
  row.draggable = false;
  row.classList.remove("is-dragged");
  const rows = [...row.parentElement.children];
  const from = Number(row.dataset.place);
  const to = rows.indexOf(row);
  if (event.dataTransfer.dropEffect === "none") {
    // Dropped elsewhere, or given up: back to where it was.
    rows.splice(to, 1);
    row.parentElement.insertBefore(row, rows[from] ?? null);
  } else if (to !== from) {
    const form = row.querySelector("form");
    const place = document.createElement("input");
    place.type = "hidden";
    place.name = "to";
    place.value = String(to);
    form.append(place);
    form.requestSubmit();
  }
});

// The arrow that moved a question to an end is disabled there; the other one takes its focus.
document.addEventListener("htmx:afterSettle", () => {
  showHandles();
  const pressed = document.activeElement === document.body ? lastPressed : null;
  const button = pressed && document.getElementById(pressed);
  if (button?.disabled) button.parentElement.querySelector("button:enabled")?.focus();
});
let lastPressed = null;
document.addEventListener("submit", (event) => {
  lastPressed = event.submitter?.id ?? null;
});

showHandles();
