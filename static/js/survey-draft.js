// Sends the form, and when there is no connection keeps it on this device until there is, for an hour at most.
//
// Kept is what would have been sent, under the number of the form, so that it is stored once however often it is sent.
// It is kept only after a sending failed, never shown again (the next person at a shared device must not read it), and
// gone once the server has answered. Several people may be waiting at one device.

const HOUR = 60 * 60 * 1000; // ms
const AGAIN = 15 * 1000; // ms between tries: school networks come back without telling the browser
const PATIENCE = 30 * 1000; // ms for one try

const form = document.getElementById("survey");
const notice = document.getElementById("kept");
const said = document.getElementById("kept-text");
const place = `survey-draft:${location.pathname}`;
const here = form.elements.submission_id.value;
let sending = false;
let timer = 0;

// Kept forms: {number: {body, until}}. Private windows may refuse to keep any; then the open page still holds its own.
const drafts = () => {
  try {
    const kept = Object.entries(JSON.parse(localStorage.getItem(place)) ?? {});
    return Object.fromEntries(kept.filter(([, draft]) => draft.until > Date.now()));
  } catch {
    return {};
  }
};

const write = (kept) => {
  try {
    if (Object.keys(kept).length) localStorage.setItem(place, JSON.stringify(kept));
    else localStorage.removeItem(place);
  } catch {
    // nothing can be kept here
  }
};

const keep = (body) => write({ ...drafts(), [here]: { body, until: Date.now() + HOUR } });

const forget = (number) => {
  const { [number]: _gone, ...rest } = drafts();
  write(rest);
};

const tell = (words) => {
  said.textContent = notice.dataset[words];
  for (const button of notice.querySelectorAll("button")) button.hidden = !["kept", "left"].includes(words);
  notice.hidden = false;
  notice.scrollIntoView({ block: "nearest" });
};

// Resolves to the server's answer, or to null when it could not be reached.
const post = async (body) => {
  try {
    const answer = await fetch(form.action, {
      method: "POST",
      body: new URLSearchParams(body),
      credentials: "omit",
      signal: AbortSignal.timeout?.(PATIENCE),
    });
    return answer.status >= 500 ? null : answer;
  } catch {
    return null;
  }
};

const settle = (number, answer) => {
  forget(number);
  if (number !== here) tell(answer.ok ? "sent" : "refused");
  else if (answer.ok) location.assign(form.dataset.thanks);
  else form.submit(); // once more, by the browser itself, which then shows what is to be mended
};

const sendKept = async () => {
  if (sending) return;
  sending = true;
  for (const [number, { body }] of Object.entries(drafts())) {
    const answer = await post(body);
    if (answer === null) break;
    settle(number, answer);
  }
  sending = false;
  const isWaiting = Object.keys(drafts()).length > 0;
  if (isWaiting) timer ||= setInterval(sendKept, AGAIN);
  else {
    clearInterval(timer);
    timer = 0;
  }
};

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (sending) return; // pressed twice
  sending = true;
  const body = new URLSearchParams(new FormData(form)).toString();
  const answer = await post(body);
  sending = false;
  if (answer !== null) return settle(here, answer);
  keep(body);
  tell("kept");
  timer ||= setInterval(sendKept, AGAIN);
});

document.getElementById("kept-send").addEventListener("click", sendKept);
document.getElementById("kept-clear").addEventListener("click", () => {
  write({});
  form.reset();
  tell("cleared");
});
addEventListener("online", sendKept);
// A form that comes back out of the browser's memory has been sent, or was somebody else's.
addEventListener("pageshow", (event) => event.persisted && location.reload());

if (Object.keys(drafts()).length) {
  tell("left");
  sendKept();
} else {
  write({}); // what is older than an hour goes
}
