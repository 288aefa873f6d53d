// What stands beside a local derivative? Its formula with letters, with numbers, and the number.

// The text of a code: "f3.0" spells the formula out, "z3.0" says it where a factor of 0 decides, "e3.0" is the exact one where it says more; "" if there is none.
function formula(page, code) {
  const [, kind, i, slot] = /(.)(\d+)\.(\d+)/.exec(code), { model, engine } = page;
  const [operation, own, , operands] = model.nodes[i], key = `${operation} ${operands.length}`;
  if (kind === "z") return isStrongZero(engine.number(`g${i}`), engine.number(`l${i}.${slot}`)) ? STRONG_ZERO : "";
  if (kind === "e") return (EXACT[key] || [])[slot] || "";
  const show = (x) => shown(x, model.precision), number = (c) => engine.number(c), out = number(`v${i}`), pieces = [];
  if (FORMULAS[key]) {
    const { ways, texts } = FORMULAS[key], isConstant = (x) => Array.isArray(x);
    const numbers = operands.map((x) => isConstant(x) ? fromJSON(x[0]) : number(`v${x}`));
    const letters = operands.map((x, k) => isConstant(x) ? x[1] || show(numbers[k]) : model.nodes[x][1]);
    const text = texts[slot][ways(out, ...numbers)[slot]];
    const power = (_, n) => n === "2" ? "" : `**${n - 1}`;
    const spelled = (names, value) =>
      filled(text, (c) => c === "o" ? value : names[c.slice(1)]).replace(/\*\*\((\d+) - 1\)/g, power);
    pieces.push(spelled(letters, own), spelled(numbers.map(show), show(out)));
  }
  pieces.push(show(number(`l${i}.${slot}`)));
  return pieces.filter((piece, k) => piece !== pieces[k - 1]).join(" = ");
}

// Whether a product is 0 by the rule that a factor of 0 gives 0, where it does not look so: 0 * inf, 1 * (-0).
function isStrongZero(upstream, local) {
  return [upstream, local].includes(0) && [upstream, local].some((x) => !Number.isFinite(x) || Object.is(x, -0));
}
