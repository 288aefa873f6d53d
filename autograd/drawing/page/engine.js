// What are all numbers of the graph when a leaf has another one? Forward, local derivatives, backward, update.

// model: what Python recorded. rules: for each operation, by its name and number of operands, {value, derivatives}.
// A point holds the numbers of all nodes (v, g), and of each node's operand slots (l, c, b, a). It is never changed.
function makeEngine(model, rules) {
  const { nodes, steps, root, moved, after } = model, constants = [], doneAt = { forward: {}, backward: {}, update: {} };
  // A constant becomes one more leaf, behind all nodes, so that all operands are alike.
  const operands = nodes.map((node) => node[3].map((x) => x.length ? nodes.length - 1 + constants.push(fromJSON(x[0])) : x));
  const isLeaf = (i) => !operands[i].length, leaves = [...nodes.keys()].filter(isLeaf), arrivals = nodes.map(() => []);
  steps.forEach((step, k) => { doneAt[step.phase][step.node] = k + 1; });
  const updated = steps.length && steps[steps.length - 1].phase === "update" ? steps.length : Infinity;
  const order = steps.filter((step) => step.phase === "backward").map((step) => step.node);
  for (const i of order) operands[i].forEach((j, slot) => arrivals[j] && arrivals[j].push([i, slot]));

  // The backward pass. A factor that is exactly 0 gives 0, whatever the other is.
  function withGradients(v, l) {
    const g = v.map((x, i) => Number(i === root)), c = [], b = [], a = [];
    for (const i of order) {
      [c[i], b[i], a[i]] = [[], [], []];
      operands[i].forEach((j, slot) => {
        b[i][slot] = g[j];
        c[i][slot] = product(g[i], l[i][slot]);
        a[i][slot] = g[j] += c[i][slot];
      });
    }
    return { v, l, g, c, b, a };
  }

  function product(x, y) {
    return x === 0 || y === 0 ? 0 : x * y;
  }

  function recordedPoint(data, locals) {
    return withGradients(Float64Array.from([...data.map(fromJSON), ...constants]), locals.map((list) => (list || []).map(fromJSON)));
  }

  // Everything anew, from the numbers of the leaves.
  function computed(numbers) {
    const v = numbers.slice(), l = [];
    operands.forEach((list, i) => {
      if (isLeaf(i)) return;
      const xs = list.map((j) => v[j]), rule = rules[`${nodes[i][0]} ${xs.length}`];
      v[i] = rule.value(...xs);
      l[i] = rule.derivatives(v[i], ...xs);
    });
    return withGradients(v, l);
  }

  const recorded = recordedPoint(nodes.map((node) => node[2]), model.locals);
  const rate = fromJSON(model.lr ?? 0.1);
  let now, before, next, lr;

  // The point after the update.
  function updatedPoint() {
    if (!next && now === recorded && Object.is(lr, rate) && after) next = recordedPoint(after.data, after.locals);
    if (next || model.live !== true) return next || now;
    const numbers = now.v.slice();
    for (const i of moved) numbers[i] -= lr * now.g[i];
    return next = computed(numbers);
  }

  // What the gradients at one point promise the root to change by at another.
  function promise(from, to) {
    // A leaf that is nan counts as moved, as in Python.
    return leaves.reduce((sum, i) => from.v[i] === to.v[i] ? sum : sum + product(from.g[i], to.v[i] - from.v[i]), 0);
  }

  function rootMeanSquare(numbers) {
    const most = Math.max(0, ...numbers.map(Math.abs)); // scaled by it, no square overflows
    return most > 0 && most < Infinity ? most * Math.hypot(...numbers.map((x) => x / most)) / Math.sqrt(numbers.length) : most;
  }

  function read(point, [, kind, i, slot]) {
    if (kind === "v" || kind === "g") return point[kind][i];
    if (kind === "q") return rootMeanSquare(model.boxes[i].nodes.map((j) => point.g[j]));
    const x = (place) => point.v[operands[i][place]];
    return kind === "m" ? x(+slot) * x(+slot + (operands[i].length >> 1)) : point[kind][i][slot];
  }

  function move(point) {
    [now, next] = [point, null];
  }

  const apart = (code) => /(.)(\d*)\.?(\d*)$/.exec(code);
  const engine = {
    leaves,
    // The number that a code stands for, whatever the step is.
    number(code) {
      const parts = apart(code), [, kind, i] = parts;
      if (kind === "r" || kind === "p") return kind === "r" ? lr : promise(now, updatedPoint());
      if (kind === "d") return updatedPoint().v[i] - now.v[i];
      return kind === "n" ? updatedPoint().v[i] : read(now, parts);
    },
    // The same as the picture shows it when k steps are done; undefined where it is not known yet.
    known(code, k) {
      const parts = apart(code), [, kind, i, slot] = parts, isDone = (phase, j = i) => doneAt[phase][j] <= k;
      if (k >= updated && !"nrpd".includes(kind)) return read(updatedPoint(), parts);
      if (kind === "v" && isLeaf(i)) return (isDone("update") ? updatedPoint() : now).v[i];
      if (kind === "q") {
        const numbers = model.boxes[i].nodes.map((j) => engine.known(`g${j}`, k)).filter((x) => x !== undefined);
        return numbers.length ? rootMeanSquare(numbers) : undefined;
      }
      if (kind === "g" && +i !== root) {
        const last = arrivals[i].findLast(([head]) => isDone("backward", head));
        return last && now.a[last[0]][last[1]];
      }
      const phase = "vlm".includes(kind) ? "forward" : "nd".includes(kind) ? "update" : "backward";
      return isDone(phase) || "rp".includes(kind) || isLeaf(root) ? engine.number(code) : undefined;
    },
    // A node's number before the last change that the picture shows, by the update or by hand; undefined if there is none.
    old(i, k) {
      const isUpdated = k >= updated || doneAt.update[i] <= k;
      return isUpdated && !Object.is(now.v[i], updatedPoint().v[i]) ? now.v[i] : before?.v[i];
    },
    get lr() { return lr; },
    set lr(x) { [lr, next] = [x, null]; },
    // From here on, old and change compare with the numbers of now.
    mark() { before = now; },
    set(i, x) {
      const numbers = now.v.slice();
      numbers[i] = x;
      move(computed(numbers));
    },
    descend() {
      before = now;
      move(updatedPoint());
    },
    reset() {
      move(recorded);
      [before, lr] = [null, rate];
    },
    // Of the last change: the root before and after it, what the gradients promised of the difference, and the
    // gradient and the change of each leaf that was moved.
    change() {
      if (!before || before === now) return null;
      const moves = leaves.filter((i) => before.v[i] !== now.v[i]).map((i) => [i, before.g[i], now.v[i] - before.v[i]]);
      return { was: before.v[root], is: now.v[root], promised: promise(before, now), moves };
    },
  };
  engine.reset();
  return engine;
}
