/* The page "Try it in the browser": a conversation, and what try_it_model.js says of its turns. */
"use strict";
(() => {
  const { Model, logOdds } = SkCtxmem;
  const SPEAKERS = { user: "Customer", system: "Assistant" };
  const ACTS = {
    AFFIRM: "confirms the details", AFFIRM_INTENT: "agrees to the action",
    CONFIRM: "asks to confirm", GOODBYE: "says goodbye", INFORM: "gives details",
    INFORM_COUNT: "says how many", INFORM_INTENT: "says what they want", NEGATE: "says no",
    NEGATE_INTENT: "declines the action", NOTIFY_FAILURE: "reports a failure",
    NOTIFY_SUCCESS: "reports success", OFFER: "makes an offer", OFFER_INTENT: "proposes an action",
    REQUEST: "asks for details", REQUEST_ALTS: "asks for another", REQ_MORE: "asks if there is more",
    SELECT: "takes the offer", THANK_YOU: "thanks",
  };
  const EXAMPLES = { // the customer begins
    yes: ["Can you find me a place to eat in Berkeley?", "What kind of food do you like?",
      "Italian, please.", "How about Agrodolce? It is a nice restaurant in Berkeley.",
      "Yes, that would be great.", "Would you like to book a table there?",
      "Yes, that would be great.", "What time?", "At 7 pm.",
      "Please confirm: a table for 2 at Agrodolce at 7 pm today.", "Yes, that would be great."],
    no: ["That sounds good.", "Do you want to buy tickets?", "No.",
      "Is there anything else I can help you with?", "I also need a hotel in London.",
      "For how many days?", "Two days.",
      "Please confirm: a hotel in London for 2 days, from March 1st.", "No.",
      "What is the right date?", "March 3rd.", "Your room is booked. Anything else?", "No."],
    empty: [],
  };
  EXAMPLES.no.unshift("I want to see a film tonight.", "How about Aladdin? It is playing at AMC.");
  const TRIED = 12; // earlier turns that are left out, one at a time
  const LONG = 40; // turns of a conversation whose hidden turns are not laid out
  const BARS = 5;
  const SHOWN = 4; // earlier turns in the list
  const LEAST = 0.2; // change of the log-odds that counts
  const FULL = 6; // change of the log-odds with the strongest shade

  const root = document.getElementById("tryit");
  const find = (name) => root.querySelector(`.tryit-${name}`);
  const [list, form] = ["turns", "form"].map(find);
  const live = root.querySelector("[role=status]");
  const input = document.getElementById("tryit-text");
  const model = new Model(globalThis.SK_CTXMEM_MODEL);
  const hint = find("hint").textContent;
  let turns = [];
  let chosen = null;

  /* Make an element; what people type is only ever set as text. */
  function make(tag, name, text = "", parent = null) {
    const element = document.createElement(tag);
    if (name) element.className = `tryit-${name}`;
    element.textContent = text;
    if (parent) parent.append(element);
    return element;
  }

  const describe = (c) => model.classes[c].split(" ").map((act) => ACTS[act] || act).join(" + ");
  const percent = (p) => (p > 0.995 ? "> 99 %" : p < 0.005 ? "< 1 %" : `${Math.round(100 * p)} %`);
  const best = (probabilities) => probabilities.indexOf(Math.max(...probabilities));
  const short = (text, n = 60) => (text.length > n ? `${[...text].slice(0, n).join("")}…` : text);

  function makeTurn(text, speaker) {
    const features = model.read(text);
    const turn = { text, speaker, features, out: false };
    turn.alone = model.step(model.begin(), features, speaker)[1];
    turn.node = make("li", `turn tryit-${speaker}`);
    turn.main = make("button", "say", "", turn.node);
    turn.main.type = "button";
    make("span", "speaker", SPEAKERS[speaker], turn.main);
    make("span", "text", text, turn.main).dir = "auto";
    const line = make("span", "line", "", turn.main);
    turn.label = make("span", "label", "", line);
    turn.share = make("span", "share", "", line);
    turn.count = make("span", "count", "", turn.node);
    const actions = make("div", "actions", "", turn.node);
    turn.toggle = makeAction("", () => leaveOut(turn), actions);
    turn.remove = makeAction("Remove", () => remove(turn), actions);
    turn.main.addEventListener("click", () => { choose(turn); });
    turn.main.addEventListener("keydown", (event) => press(event, turn));
    return turn;
  }

  function makeAction(text, act, parent) {
    const button = make("button", "action", text, parent);
    button.type = "button";
    button.addEventListener("click", act);
    return button;
  }

  /* Predict the turns from a place on; those before it stay as they are. */
  function predict(start) {
    let state = model.begin();
    turns.forEach((turn, place) => {
      if (place >= start) {
        turn.before = state;
        [turn.after, turn.probabilities] = model.step(state, turn.features, turn.speaker);
      }
      if (!turn.out) state = turn.after;
    });
  }

  /* Return how each of the turns before a turn counts for its class, by leaving it out. */
  function findCounts(turn) {
    const kept = turns.slice(0, turns.indexOf(turn)).filter(({ out }) => !out);
    const c = best(turn.probabilities);
    return kept.slice(-TRIED).map((left) => {
      let state = left.before;
      for (const other of kept.slice(kept.indexOf(left) + 1)) {
        [state] = model.step(state, other.features, other.speaker);
      }
      const without = model.step(state, turn.features, turn.speaker)[1];
      const change = logOdds(turn.probabilities[c]) - logOdds(without[c]);
      return { left, change, without };
    });
  }

  function add(text, speaker) {
    const start = performance.now();
    const turn = makeTurn(text, speaker);
    turns.push(turn);
    list.append(turn.node);
    predict(turns.length - 1);
    choose(turn);
    scrollToEnd();
    find("time").textContent = `This turn took ${(performance.now() - start).toFixed(1)} ms.`;
  }

  /* Scroll now, and again when turns that come into view have got their true heights. */
  function scrollToEnd(times = 3) {
    list.scrollTop = list.scrollHeight;
    if (times) requestAnimationFrame(() => scrollToEnd(times - 1));
  }

  function remove(turn) {
    const place = turns.indexOf(turn);
    turns.splice(place, 1);
    turn.node.remove();
    predict(place);
    const next = turns[Math.min(place, turns.length - 1)] || null;
    choose(chosen === turn ? next : chosen);
    (next ? next.main : input).focus();
  }

  function leaveOut(turn) {
    turn.out = !turn.out;
    predict(turns.indexOf(turn) + 1);
    choose(chosen);
    if (root.contains(document.activeElement)) return;
    const item = [...find("counts").children].find((each) => each.turn === turn);
    (item ? item.querySelector("button") : chosen.main).focus(); // the list is a new one
  }

  function start(name) {
    turns = EXAMPLES[name].map((text, n) => makeTurn(text, n % 2 ? "system" : "user"));
    list.replaceChildren(...turns.map(({ node }) => node));
    predict(0);
    choose(turns[turns.length - 1] || null);
    setSpeaker(turns.length % 2 ? "system" : "user");
    scrollToEnd();
    find("time").textContent = "";
  }

  function setSpeaker(speaker) {
    form.elements.speaker.value = speaker;
    input.placeholder = `What the ${SPEAKERS[speaker].toLowerCase()} says`;
  }

  function press(event, turn) {
    const place = turns.indexOf(turn);
    const next = { ArrowUp: place - 1, ArrowDown: place + 1, Home: 0, End: turns.length - 1 };
    if (event.key === "Delete") remove(turn);
    else if (turns[next[event.key]]) {
      choose(turns[next[event.key]]);
      chosen.main.focus();
    } else return;
    event.preventDefault();
  }

  /* Show what the model says of a turn, and shade the turns that counted. */
  function choose(turn) {
    chosen = turn;
    const counts = turn ? findCounts(turn) : [];
    const changes = new Map(counts.map(({ left, change }) => [left, change]));
    for (const each of turns) showTurn(each, changes.get(each) || 0);
    root.classList.toggle("tryit-empty", !turn);
    root.classList.toggle("tryit-long", turns.length > LONG);
    showSame();
    if (!turn) {
      live.textContent = "The conversation is empty.";
      return;
    }
    showBars(turn);
    showCounts(turn, counts);
    const c = best(turn.probabilities);
    live.textContent = `${SPEAKERS[turn.speaker]}: ${short(turn.text)} ` +
      `Predicted: ${describe(c)}, ${percent(turn.probabilities[c])}.`;
  }

  function showTurn(turn, change) {
    const { node, main, probabilities } = turn;
    const c = best(probabilities);
    const counted = Math.abs(change) >= LEAST;
    const shown = [c, percent(probabilities[c]), counted && signed(change), turn === chosen, turn.out];
    if (turn.shown === String(shown)) return; // in long conversations, most turns stay as they are
    turn.shown = String(shown);
    node.classList.toggle("tryit-is-chosen", turn === chosen);
    node.classList.toggle("tryit-is-out", turn.out);
    node.classList.toggle("tryit-is-against", change < 0);
    node.style.setProperty("--shade", `${Math.min(1, Math.abs(change) / FULL) * 34 * counted}%`);
    main.setAttribute("aria-current", turn === chosen);
    for (const button of [main, turn.toggle, turn.remove]) button.tabIndex = turn === chosen ? 0 : -1;
    turn.label.textContent = describe(c);
    turn.share.textContent = percent(probabilities[c]);
    turn.count.textContent = turn.out ? "left out" : counted ? signed(change) : "";
    turn.toggle.textContent = turn.out ? "Put back" : "Leave out";
  }

  const signed = (change) => `${change < 0 ? "−" : "+"}${Math.abs(change).toFixed(1)}`;

  function showBars(turn) {
    const { probabilities, alone } = turn;
    const order = [...probabilities.keys()].sort((a, b) => probabilities[b] - probabilities[a]);
    const shown = order.slice(0, BARS);
    if (!shown.includes(best(alone))) shown[BARS - 1] = best(alone);
    const head = find("chosen");
    head.replaceChildren();
    make("p", "quote", `${SPEAKERS[turn.speaker]}: “${short(turn.text, 120)}”`, head).dir = "auto";
    make("p", "answer", describe(shown[0]), head);
    const bars = find("bars");
    while (bars.children.length < shown.length) makeBar(bars);
    shown.forEach((c, place) => {
      const { name, acts, share, fill, tick } = bars.children[place].parts;
      name.textContent = describe(c);
      acts.textContent = model.classes[c].replaceAll(" ", " + ");
      share.textContent = percent(probabilities[c]);
      fill.style.width = `${100 * probabilities[c]}%`;
      tick.style.left = `${100 * alone[c]}%`;
      tick.title = `as a first turn: ${percent(alone[c])}`;
    });
  }

  function makeBar(bars) {
    const item = make("li", "bar", "", bars);
    const name = make("span", "bar-name", "", item);
    const share = make("span", "bar-share", "", item);
    const track = make("span", "track", "", item);
    const acts = make("span", "acts", "", item);
    item.parts = { name, share, acts, fill: make("span", "fill", "", track),
      tick: make("span", "tick", "", track) };
  }

  /* List the turns that counted most, and those that are left out. */
  function showCounts(turn, counts) {
    const out = turns.slice(0, turns.indexOf(turn)).filter((each) => each.out);
    const most = counts.filter(({ change }) => Math.abs(change) >= LEAST)
      .sort((a, b) => Math.abs(b.change) - Math.abs(a.change)).slice(0, SHOWN);
    const items = find("counts");
    items.replaceChildren();
    for (const { left, change, without } of most) {
      const c = best(without);
      showCount(items, left, signed(change), `Without it: ${describe(c)}, ${percent(without[c])}`);
    }
    for (const left of out) showCount(items, left, "", "Is left out.");
    if (!items.children.length) {
      make("li", "none", counts.length ? "None: the words alone say the same." :
        "There are no turns before it.", items);
    }
  }

  function showCount(items, left, number, remark) {
    const item = make("li", "counted", "", items);
    item.turn = left;
    make("span", `number${number.startsWith("−") ? " tryit-against" : ""}`, number, item);
    const words = make("span", "counted-words", "", item);
    make("span", "counted-text", `${SPEAKERS[left.speaker]}: “${short(left.text)}”`, words).dir = "auto";
    make("span", "remark", remark, words);
    const button = makeAction(left.out ? "Put back" : "Leave out", () => leaveOut(left), item);
    button.setAttribute("aria-label", `${button.textContent}: ${short(left.text)}`);
  }

  /* Say so if the same words were said more than once, and have different labels. */
  function showSame() {
    const line = find("same");
    const text = chosen ? chosen.text.trim().toLowerCase() : "";
    const said = turns.filter((turn) => turn.text.trim().toLowerCase() === text && !turn.out);
    const labels = [...new Set(said.map((turn) => describe(best(turn.probabilities))))];
    line.hidden = labels.length < 2;
    line.replaceChildren();
    if (line.hidden) return;
    make("strong", "", `“${short(chosen.text)}”`, line);
    line.append(` does ${labels.length} things here: `);
    labels.forEach((label, n) => {
      if (n) line.append(" ");
      make("span", "meaning", label, line);
    });
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!input.value.trim()) {
      live.textContent = find("hint").textContent = "Type the words of a turn first.";
      return;
    }
    find("hint").textContent = hint;
    const speaker = form.elements.speaker.value;
    add(input.value, speaker);
    input.value = "";
    setSpeaker(speaker === "user" ? "system" : "user");
  });
  form.addEventListener("change", () => setSpeaker(form.elements.speaker.value));
  for (const button of root.querySelectorAll("[data-example]")) {
    button.addEventListener("click", () => start(button.dataset.example));
  }
  root.addEventListener("pointerdown", () => root.classList.add("tryit-moves"), { once: true });
  root.addEventListener("keydown", () => root.classList.add("tryit-moves"), { once: true });
  start("yes");

  /* With #check, compare with Python, and measure turns with their layout on the page. */
  async function check() {
    for (const name of ["vectors", "check"]) {
      const script = make("script", "");
      script.src = `_static/try_it_${name}.js`;
      await new Promise((resolve) => { script.onload = resolve; document.head.append(script); });
    }
    const { talks } = globalThis.SK_CTXMEM_VECTORS;
    const longest = talks.reduce((one, other) => (other.length > one.length ? other : one));
    start("empty");
    const times = longest.map(([text], n) => {
      const begin = performance.now();
      add(text, n % 2 ? "system" : "user");
      root.getBoundingClientRect(); // waits for the layout
      return performance.now() - begin;
    });
    start("yes");
    const report = find("report");
    report.textContent = SkCtxmemCheck.check(model, globalThis.SK_CTXMEM_VECTORS, times).join("\n");
    report.hidden = false;
    report.scrollIntoView();
  }
  const checkIfAsked = () => { if (location.hash === "#check") check(); };
  addEventListener("hashchange", checkIfAsked);
  checkIfAsked();
})();
