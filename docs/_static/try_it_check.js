/* Compare the JavaScript of the page with what Python computed: open try_it.html#check, or run
   `node try_it_check.js`. The texts and conversations are in try_it_vectors.js. */
"use strict";
(() => {
  const TYPES = { uint16: Uint16Array, float32: Float32Array };

  function decode({ dtype, data }) {
    const bytes = Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
    return new TYPES[dtype](bytes.buffer);
  }

  /* Return the texts whose columns differ, and the largest relative difference of a value. */
  function checkTexts(model, { texts, lengths, ids, values }) {
    const [columns, weights] = [decode(ids), decode(values)];
    const wrong = [];
    let [start, largest] = [0, 0];
    texts.forEach((text, number) => {
      const found = model.vectorize(text);
      const end = start + lengths[number];
      if (String(found.ids) !== String([...columns.subarray(start, end)])) wrong.push(text);
      else {
        found.values.forEach((value, i) => {
          const expected = weights[start + i];
          largest = Math.max(largest, Math.abs(value - expected) / Math.abs(expected));
        });
      }
      start = end;
    });
    return { texts: texts.length, features: start, wrong, largest };
  }

  /* Return the number of turns, and the largest difference of a probability. */
  function checkTalks(model, { talks, probabilities }) {
    const expected = decode(probabilities);
    let [at, turns, largest] = [0, 0, 0];
    for (const talk of talks) {
      const read = talk.map(([text, speaker]) => ({ features: model.read(text), speaker }));
      for (const step of SkCtxmem.run(model, read)) {
        turns += 1;
        for (const p of step.probabilities) {
          largest = Math.max(largest, Math.abs(p - expected[at++]));
        }
      }
    }
    return { talks: talks.length, turns, largest: at === expected.length ? largest : NaN };
  }

  /* Return the median and the largest of some times in milliseconds, as text. */
  function describeTimes(times) {
    const sorted = [...times].sort((one, other) => one - other);
    const middle = sorted[Math.floor(sorted.length / 2)];
    return `${middle.toFixed(1)} ms (median of ${sorted.length}), ` +
      `${sorted[sorted.length - 1].toFixed(1)} ms (worst)`;
  }

  /* Return the report in lines; `times` are those of turns, in milliseconds. */
  function check(model, vectors, times) {
    const texts = checkTexts(model, vectors);
    const talks = checkTalks(model, vectors);
    const same = texts.wrong.length ? `${texts.wrong.length} with other ids` : "same ids and values";
    return [
      `${texts.texts} texts, ${texts.features} features: ${same} ` +
        `(largest relative difference ${texts.largest.toExponential(1)})`,
      ...texts.wrong.slice(0, 5).map((text) => `differs: ${JSON.stringify(text.slice(0, 60))}`),
      `${talks.talks} conversations, ${talks.turns} turns: largest difference of a probability ` +
        talks.largest.toExponential(1),
      `a turn takes ${describeTimes(times)}`,
    ];
  }

  /* Return how long each turn of the longest conversation takes, without a page. */
  function timeTurns(model, { talks }) {
    const longest = talks.reduce((one, other) => (other.length > one.length ? other : one));
    let state = model.begin();
    return longest.map(([text, speaker]) => {
      const start = performance.now();
      [state] = model.step(state, model.read(text), speaker);
      return performance.now() - start;
    });
  }

  globalThis.SkCtxmemCheck = { check };
  if (typeof require === "function" && require.main === module) {
    for (const name of ["model", "weights", "vectors"]) require(`./try_it_${name}.js`);
    const model = new SkCtxmem.Model(globalThis.SK_CTXMEM_MODEL);
    const vectors = globalThis.SK_CTXMEM_VECTORS;
    console.log(check(model, vectors, timeTurns(model, vectors)).join("\n"));
  }
})();
