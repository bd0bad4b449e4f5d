// Shows a long form part by part, and takes the code out of the address. Without this the form is one page.

const form = document.getElementById("survey");
const parts = [...form.querySelectorAll(".part")];
const steps = document.getElementById("steps");
const back = document.getElementById("back");
const on = document.getElementById("on");
const far = document.getElementById("far");
const label = document.querySelector("label[for=far]");
let at = 0;

const show = (wanted, { moved = true } = {}) => {
  at = wanted;
  for (const [place, part] of parts.entries()) part.hidden = place !== at;
  for (const number of form.querySelectorAll(".part-number")) number.hidden = true;
  for (const opening of document.querySelectorAll(".opening")) opening.hidden = at > 0;
  back.hidden = at === 0;
  on.hidden = at === parts.length - 1;
  far.value = at + 1;
  label.textContent = label.dataset.partOf.replace("{part}", at + 1).replace("{parts}", parts.length);
  if (moved) {
    parts[at].tabIndex = -1;
    parts[at].focus({ preventScroll: true });
    scrollTo(0, 0);
  }
};

// Hidden fields cannot be complained about, so each part is checked when it is left.
const mayGoOn = () => [...form.elements].filter((field) => field.offsetParent).every((field) => field.reportValidity());

if (parts.length > 1 && !document.getElementById("mistakes")) {
  steps.hidden = far.hidden = false;
  show(0, { moved: false });
  on.addEventListener("click", () => mayGoOn() && show(at + 1));
  back.addEventListener("click", () => show(at - 1));
  // Enter in a text field would send the whole form from its first part.
  form.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.target.matches("textarea, button") || at === parts.length - 1) return;
    event.preventDefault();
    on.click();
  });
}

// What stands behind the # of an address never leaves the browser: so the slip's QR code brings the code this way.
const code = document.getElementById("code");
if (code && location.hash.length > 8) {
  code.value = decodeURIComponent(location.hash.slice(1));
  history.replaceState(null, "", location.pathname + location.search);
}

document.getElementById("mistakes")?.focus();
