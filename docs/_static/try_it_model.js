/* A fitted ContextMemoryClassifier in plain JavaScript: its vectorizer, and its step by turns.

   Of the package it does what "Try it in the browser" needs: words and characters inside words,
   a gated memory, attention over earlier turns, and the class of the turn before. Everything is
   computed as in Python; try_it_check.js compares the two. Runs in browsers and in Node. */
"use strict";
(() => {
  // What Python takes for white space and for a part of a word; \s and \w of JavaScript differ.
  const SPACE = "\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f" +
    "\\u205f\\u3000";
  const WORD = "\\p{L}\\p{N}_";
  const TOKEN = new RegExp(`[${WORD}]+|[^${WORD}${SPACE}]`, "gu");
  const SPACES = new RegExp(`[${SPACE}]+`, "u");
  const LONGEST_WORD = 1000; // characters of a word that are read
  const LARGEST_NORM = 2; // of the features of a turn
  const NEGLIGIBLE = 1e-12; // probability of a class of the turn before
  const TYPES = { int8: Int8Array, float32: Float32Array };

  /* Return the typed array that the builder wrote as base64. */
  function decode({ dtype, data }) {
    const binary = atob(data);
    const bytes = new Uint8Array(binary.length);
    for (let i = 0; i < bytes.length; i++) bytes[i] = binary.charCodeAt(i);
    return new TYPES[dtype](bytes.buffer);
  }

  /* Split a text into tokens, and cut it after the last of them. */
  function readTokens(text, limit) {
    const lower = text.toLowerCase();
    const tokens = [];
    let end = 0;
    for (const match of lower.matchAll(TOKEN)) {
      if (tokens.length === limit) break;
      tokens.push(match[0]);
      end = match.index + match[0].length;
    }
    return { tokens, cut: lower.slice(0, end) };
  }

  /* Add the number of times that each known n-gram of the parts occurs. */
  function countNGrams(parts, separator, [smallest, largest], columns, times, counts) {
    for (let begin = 0; begin < parts.length; begin++) {
      let gram = parts[begin];
      for (let n = 1; n <= largest; n++) {
        const id = n < smallest ? undefined : columns.get(gram);
        if (id !== undefined) counts.set(id, (counts.get(id) || 0) + times);
        if (begin + n >= parts.length) break;
        gram += separator + parts[begin + n];
      }
    }
  }

  /* Return how often each value occurs. */
  function count(values) {
    const counts = new Map();
    for (const value of values) counts.set(value, (counts.get(value) || 0) + 1);
    return counts;
  }

  /* Return matrix x vector (+ bias); the matrix lies row after row in one array. */
  function linear(matrix, vector, bias = null) {
    const n = vector.length;
    const result = new Float64Array(bias || matrix.length / n);
    for (let row = 0, at = 0; row < result.length; row++) {
      let sum = 0;
      for (let i = 0; i < n; i++, at++) sum += matrix[at] * vector[i];
      result[row] += sum;
    }
    return result;
  }

  /* Replace logits by their probabilities, and return them. */
  function softmax(logits) {
    let [largest, total] = [-Infinity, 0];
    for (const logit of logits) largest = Math.max(largest, logit);
    for (let i = 0; i < logits.length; i++) total += logits[i] = Math.exp(logits[i] - largest);
    for (let i = 0; i < logits.length; i++) logits[i] /= total;
    return logits;
  }

  /* Return two arrays one after the other. */
  function join(first, second) {
    const both = new Float64Array(first.length + second.length);
    both.set(first);
    both.set(second, first.length);
    return both;
  }

  const sigmoid = (x) => 1 / (1 + Math.exp(-x));

  class Model {
    constructor(data) {
      Object.assign(this, data);
      this.weights = {};
      for (const [name, array] of Object.entries(data.arrays)) this.weights[name] = decode(array);
      this.kinds = data.kinds.map((kind) => ({ ...kind, columns: new Map() }));
      let id = 0;
      for (const kind of this.kinds) for (const gram of kind.grams) kind.columns.set(gram, id++);
    }

    /* Return the columns of the n-grams of a text, and their scaled weights. */
    vectorize(text) {
      const { tokens, cut } = readTokens(text, this.maxLength);
      const features = { ids: [], values: [] };
      for (const kind of this.kinds) {
        const counts = new Map();
        if (kind.inside === "text") {
          countNGrams(tokens, " ", kind.range, kind.columns, 1, counts);
        } else {
          for (const [word, times] of count(cut.split(SPACES).filter(Boolean))) {
            const letters = [" ", ...Array.from(word).slice(0, LONGEST_WORD), " "];
            countNGrams(letters, "", kind.range, kind.columns, times, counts);
          }
        }
        this.weigh(counts, features);
      }
      return this.scale(features);
    }

    /* Append the weights of one kind of n-grams, whose Euclidean norm is 1. */
    weigh(counts, features) {
      const ids = [...counts.keys()].sort((one, other) => one - other);
      const values = ids.map((id) =>
        Math.fround(Math.fround(Math.log(counts.get(id)) + 1) * this.weights.idf[id]));
      const norm = Math.hypot(...values);
      ids.forEach((id, i) => {
        features.ids.push(id);
        features.values.push(values[i] / norm);
      });
    }

    /* Divide by the norm of the rows of the fit, and cap the norm of this one. */
    scale({ ids, values }) {
      const norm = Math.hypot(...values) / this.norm;
      const factor = LARGEST_NORM / Math.max(norm, LARGEST_NORM) / this.norm;
      return { ids, values: values.map((value) => Math.fround(value * factor)) };
    }

    /* Return what the network reads in a text, whatever was said before. */
    read(text) {
      const { ids, values } = this.vectorize(text);
      const { table, scales } = this.weights;
      const size = this.width + this.classes.length;
      const sums = new Float64Array(size);
      ids.forEach((id, i) => {
        const factor = values[i] * scales[id];
        for (let k = 0; k < size; k++) sums[k] += factor * table[id * size + k];
      });
      return { read: sums.subarray(0, this.width), wide: sums.subarray(this.width) };
    }

    /* Return the state of a conversation before its first turn. */
    begin() {
      const before = new Float64Array(this.classes.length + 1);
      before[0] = 1; // there is no turn before
      return { memory: new Float64Array(this.width), rows: [], before, turns: 0 };
    }

    /* Return the state after a turn, and the probabilities of its classes. */
    step(state, { read, wide }, speaker) {
      const encoding = this.encode(state, read, speaker);
      const memory = this.remember(state.memory, encoding);
      const { project, project_bias } = this.weights;
      const projected = linear(project, join(memory, encoding), project_bias);
      const [q, k] = [this.keyWidth, 2 * this.keyWidth];
      const row = { key: projected.subarray(q, k), value: projected.subarray(k), speaker };
      const rows = [...state.rows, row].slice(-this.window);
      const attended = linear(this.weights.attended, this.attend(projected, rows));
      const logits = linear(this.weights.decoder, memory, this.weights.decoder_bias);
      for (let c = 0; c < logits.length; c++) logits[c] += attended[c] + wide[c];
      const found = this.follow(state.before, softmax(logits));
      const before = join([0], found);
      const cooled = found.map((p) => Math.log(Math.max(p, 2 ** -126)) / this.temperature);
      return [{ memory, rows, before, turns: state.turns + 1 }, softmax(cooled)];
    }

    /* Return the encoding of a turn: its text, place and speaker. */
    encode({ rows, turns }, read, speaker) {
      const { bias, extras, speakers } = this.weights;
      const last = rows.length ? rows[rows.length - 1].speaker === speaker : null;
      const place = Math.log1p(Math.min(turns, this.longest - 1)) / 5;
      const described = [place, !turns, last === false, last === true];
      const added = linear(extras, new Float64Array(described));
      const at = (this.speakers[speaker] || 0) * this.width;
      return read.map((value, i) => Math.tanh(value + bias[i] + added[i] + speakers[at + i]));
    }

    /* Return the memory after a turn: a gated recurrent unit. */
    remember(memory, encoding) {
      const driven = linear(this.weights.input, encoding, this.weights.input_bias);
      const recalled = linear(this.weights.recurrent, memory, this.weights.recurrent_bias);
      const width = this.width;
      return memory.map((old, i) => {
        const reset = sigmoid(driven[i] + recalled[i]);
        const kept = sigmoid(driven[width + i] + recalled[width + i]);
        const fresh = Math.tanh(driven[2 * width + i] + reset * recalled[2 * width + i]);
        return (1 - kept) * fresh + kept * old;
      });
    }

    /* Return the mean of the values of these turns and those before, weighted by attention. */
    attend(query, rows) {
      const heads = this.headScales.length;
      const n = rows[0].value.length / heads;
      const found = new Float64Array(heads * n);
      for (let head = 0; head < heads; head++) {
        const weights = softmax(this.scores(query, rows, head));
        for (let place = 0; place < rows.length; place++) {
          const { value } = rows[place];
          for (let i = head * n; i < (head + 1) * n; i++) found[i] += weights[place] * value[i];
        }
      }
      return found;
    }

    /* Return the scores of turns in one head: what they say, how far, and by whom. */
    scores(query, rows, head) {
      const { distances, same } = this.weights;
      const [n, factor] = [this.keyWidth / this.headScales.length, this.headScales[head]];
      const kept = same.length / this.headScales.length; // turns of the same speaker
      const { speaker } = rows[rows.length - 1];
      const scores = new Float64Array(rows.length);
      for (let place = rows.length - 1, number = -1; place >= 0; place--) {
        const { key, speaker: other } = rows[place];
        let product = 0;
        for (let i = head * n; i < (head + 1) * n; i++) product += query[i] * key[i];
        const distance = distances[(head + 1) * this.window - rows.length + place];
        scores[place] = product / Math.sqrt(n) + factor * distance;
        if (other !== speaker) continue;
        if (number >= 0 && number < kept) scores[place] += factor * same[head * kept + number];
        number += 1; // the first is the turn itself
      }
      return scores;
    }

    /* Return the probabilities of the classes, averaged over the class of the turn before. */
    follow(before, factors) {
      const { spread } = this.weights; // the probability of each class after each class
      const n = factors.length;
      const found = new Float64Array(n);
      for (let k = 0; k < before.length; k++) {
        if (before[k] < NEGLIGIBLE) continue;
        let total = 0;
        for (let c = 0; c < n; c++) total += spread[k * n + c] * factors[c];
        const share = before[k] / total;
        for (let c = 0; c < n; c++) found[c] += share * spread[k * n + c] * factors[c];
      }
      return found;
    }
  }

  /* Return the logarithm of the odds of a probability, which is never infinite. */
  const logOdds = (p) => Math.log(Math.max(p, 1e-12)) - Math.log(Math.max(1 - p, 1e-12));

  /* Run over turns ({ features, speaker }) after a state; return all states and probabilities. */
  function run(model, turns, state = model.begin()) {
    const steps = [];
    for (const turn of turns) {
      const [after, probabilities] = model.step(state, turn.features, turn.speaker);
      steps.push({ before: state, probabilities });
      state = after;
    }
    return steps;
  }

  const isWordPart = (character) => new RegExp(`^[${WORD}]$`, "u").test(character);
  const isSpace = (character) => new RegExp(`^[${SPACE}]$`, "u").test(character);

  globalThis.SkCtxmem = { Model, run, logOdds, isWordPart, isSpace };
})();
