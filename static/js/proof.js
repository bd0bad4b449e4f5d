// Solves the ALTCHA challenge of a guarded form (organizing/web/guard.py) while a person fills it in.
// The packaged widget needs inline styles and a worker from a blob, which this site's policy forbids.
(() => {
  "use strict";
  const BATCH = 250; // digests at a time; between batches the page stays answerable
  const solutions = new WeakMap(); // field -> promise of its solution

  const hex = (buffer) => Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, "0")).join("");

  async function solve(field) {
    const { algorithm, challenge, maxNumber, salt, signature } = JSON.parse(field.dataset.challenge);
    const text = new TextEncoder();
    const digest = async (number) => hex(await crypto.subtle.digest(algorithm, text.encode(salt + number)));
    for (let start = 0; start <= maxNumber; start += BATCH) {
      const digests = await Promise.all(Array.from({ length: BATCH }, (_, step) => digest(start + step)));
      const found = digests.indexOf(challenge);
      if (found >= 0) {
        field.value = btoa(JSON.stringify({ algorithm, challenge, number: start + found, salt, signature }));
        return;
      }
    }
  }

  function solution(form) {
    const field = form?.querySelector("input[data-challenge]");
    // Without a secure connection there is no crypto.subtle: the form goes without proof, as without JavaScript.
    if (!field || !window.crypto?.subtle) return null;
    if (!solutions.has(field)) {
      // A proof that fails must not keep a person from sending.
      const promise = solve(field).catch(() => undefined).then(() => { promise.done = true; });
      solutions.set(field, promise);
    }
    return solutions.get(field);
  }

  // Listening on the document serves forms that htmx brings in later, too.
  document.addEventListener("focusin", (event) => solution(event.target.closest?.("form")));
  document.addEventListener("submit", (event) => {
    const pending = solution(event.target);
    if (!pending || pending.done) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    pending.then(() => event.target.requestSubmit(event.submitter));
  }, { capture: true });
})();
