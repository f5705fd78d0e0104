// The search's worker: Material's own and the site's index, both loaded with the reader's first question, as they weigh
// more than a page. Material's page and worker send each other { type, data }: 0 set up with an index, 1 ready,
// 2 a question, 3 its answer. The index that the page sends holds no documents (findable.py).

/** Words that say nothing in a question ("how do I …"): the search would match their beginnings anywhere. */
const EMPTY = new Set(
  "a an and are as at be by can do does for from have how i in is it its me my of on or so the this to was we what when where which who why will with you your".split(" "),
);

function withoutEmpty(question) {
  const words = question.split(/\s+/);
  const kept = words.filter((word) => words.length === 1 || !EMPTY.has(word.toLowerCase().replace(/[?!.,]/g, "")));
  return (kept.length ? kept : words).join(" ");
}

/** Hand a message to Material's worker, which listens here. */
function tell(type, data) {
  dispatchEvent(new MessageEvent("message", { data: { type, data } }));
}

let setUp;
let ready;

async function start() {
  importScripts(new URL(location.search.slice(1), location));
  const answer = await fetch(new URL("../search/documents.json", location));
  if (!answer.ok) throw new Error(`${answer.url}: ${answer.status}`);
  tell(0, { ...setUp, ...(await answer.json()) });
  await new Promise((done) => setTimeout(done)); // it is set up when what it had to wait for is done
}

addEventListener("message", async (event) => {
  if (!event.isTrusted) return; // from here, for Material's worker
  event.stopImmediatePropagation();
  const { type, data } = event.data;
  if (type === 0) {
    setUp = data;
    postMessage({ type: 1 });
  } else if (data.trim()) {
    await (ready ??= start());
    tell(type, withoutEmpty(data));
  } else {
    postMessage({ type: 3, data: { items: [] } });
  }
});
