// Predicts with exported graphs: node predict.js onnxruntime-node rows.onnx step.onnx task.json
const [ortFolder, rowsPath, stepPath, taskPath] = process.argv.slice(2);
const fs = require("fs");
const ort = require(ortFolder);

function integers(values) {
  return new ort.Tensor("int64", BigInt64Array.from(values, BigInt), [values.length]);
}

// Speaker codes have 64 bits, so they are strings in JSON.
function feedOf({ ids, values, offsets, codes, speakers }) {
  return {
    ids: integers(ids),
    values: new ort.Tensor("float32", Float32Array.from(values), [values.length]),
    offsets: integers(offsets),
    speaker_codes: integers(codes),
    speakers: integers(speakers),
  };
}

function firstState(states) {
  const feed = {};
  for (const [name, [shape, type, first]] of Object.entries(states)) {
    const size = shape.reduce((product, each) => product * each, 1);
    const array = type === "int64" ? new BigInt64Array(size) : new Float32Array(size);
    array[0] = type === "int64" ? BigInt(first) : first;
    feed[`state.${name}`] = new ort.Tensor(type, array, [1, ...shape]);
  }
  return feed;
}

async function main() {
  const task = JSON.parse(fs.readFileSync(taskPath, "utf8"));
  const rows = await ort.InferenceSession.create(rowsPath);
  const step = await ort.InferenceSession.create(stepPath);
  const batch = await rows.run({ ...feedOf(task.rows), groups: integers(task.groups) });
  const turns = [];
  for (const conversation of task.conversations) {
    let state = firstState(task.state);
    for (const turn of conversation) {
      const found = await step.run({ ...feedOf(turn), ...state });
      turns.push(...found.probabilities.data);
      state = {};
      for (const name of Object.keys(task.state)) {
        state[`state.${name}`] = found[`next.${name}`];
      }
    }
  }
  console.log(JSON.stringify({ rows: [...batch.probabilities.data], turns }));
}

main();
