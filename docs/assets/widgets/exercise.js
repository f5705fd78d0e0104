// Exercises with a blank: says what a wrong answer does, not only that it is wrong.

const plain = (text) => text.replace(/\s/g, "").replaceAll('"', "'").toLowerCase();
const code = (text) => text.replace(/[&<>]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;" })[c]).replace(/`([^`]+)`/g, "<code>$1</code>");

export function judge(answers, typed) {
  const given = plain(typed);
  if (!given) return { ok: false, text: "The blank is empty." };
  if (answers.right.some((right) => plain(right) === given)) return { ok: true, text: answers.praise };
  const known = Object.entries(answers.wrong).find(([mistake]) => plain(mistake) === given);
  return { ok: false, text: known ? known[1] : answers.otherwise };
}

if (typeof document !== "undefined")
  document.querySelectorAll("form.exercise").forEach((form) => {
    const answers = JSON.parse(form.dataset.answers), verdict = form.querySelector(".verdict");
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const { ok, text } = judge(answers, form.querySelector("input").value);
      verdict.className = `verdict ${ok ? "true" : "false"}`;
      verdict.innerHTML = `${ok ? "✓ Right." : "✕ Not yet."} ${code(text)}`;
      verdict.focus();
    });
  });
