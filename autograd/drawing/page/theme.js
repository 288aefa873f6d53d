// Is the page light or dark where a picture stands? The page decides, not the operating system: readers choose a
// theme for a notebook or a site. What can be seen counts first, the background, then what hosts are known to say.

// The channels of a computed colour, 0 to 255, and its opacity.
function channels(colour) {
  const found = /^rgba?\(([^)]*)\)$/.exec(colour);
  if (found) {
    const [red, green, blue, alpha = 1] = found[1].split(/[\s,/]+/).map(Number);
    return [red, green, blue, alpha];
  }
  // oklch(...), color(...) and others: painted, and read from the canvas
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 1;
  const context = canvas.getContext("2d");
  context.fillStyle = colour;
  context.fillRect(0, 0, 1, 1);
  const [red, green, blue, alpha] = context.getImageData(0, 0, 1, 1).data;
  return [red, green, blue, alpha / 255];
}

const brightness = ([red, green, blue]) => (0.299 * red + 0.587 * green + 0.114 * blue) / 255;

// The element that an element stands in, also across the border of a shadow tree.
const around = (node) => node.assignedSlot || node.parentElement || (node.getRootNode() || {}).host || null;

// The colour behind an element: of the nearest ancestor that has one; "" if none has.
function backgroundOf(host) {
  for (let node = host; node; node = around(node)) {
    const colour = getComputedStyle(node).backgroundColor;
    if (channels(colour)[3] > 0.5) return colour;
  }
  return "";
}

// What a host says of its theme: JupyterLab and nbconvert, VS Code, Colab, Sphinx themes, Quarto, Bootstrap.
function themeSaid() {
  const { body, documentElement } = document;
  if (body.dataset.jpThemeLight) return body.dataset.jpThemeLight === "false" ? "dark" : "light";
  const said = [body.dataset.vscodeThemeKind, body.dataset.theme, documentElement.dataset.theme,
    documentElement.getAttribute("theme"), documentElement.dataset.bsTheme, body.className, documentElement.className];
  for (const text of said) {
    if (/\b(vscode-|quarto-)?light\b/.test(text || "")) return "light";
    if (/\b((vscode-|quarto-)?dark|vscode-high-contrast)\b/.test(text || "")) return "dark";
  }
  return "";
}

// The colour of an empty page: of the operating system's theme, if the page says that it follows it.
function canvasOf(host) {
  const probe = document.createElement("i");
  probe.style.cssText = "display:none;background:Canvas";
  (host.parentElement || document.body).append(probe);
  const colour = getComputedStyle(probe).backgroundColor;
  probe.remove();
  return colour;
}

function isDark(host) {
  const background = backgroundOf(host);
  if (background) return brightness(channels(background)) < 0.5;
  const said = themeSaid();
  if (said) return said === "dark";
  if (brightness(channels(getComputedStyle(host).color)) > 0.6) return true; // light letters: somebody chose them
  return brightness(channels(canvasOf(host))) < 0.5;
}

// Calls `changed(dark)` now and whenever the page's theme changes; returns a function that ends this.
function watchTheme(host, changed) {
  let last = null;
  const timers = new Set();
  function look() {
    if (!host.isConnected) return; // a notebook takes away outputs that are not in view
    const dark = isDark(host), state = `${dark} ${backgroundOf(host)}`;
    if (state !== last) changed(dark);
    last = state;
  }
  function lookOften() { // a background may change slowly, and a style sheet may still be on its way
    look();
    for (const delay of [60, 400, 1500]) {
      const timer = setTimeout(() => { timers.delete(timer); look(); }, delay);
      timers.add(timer);
    }
  }
  const observer = new MutationObserver(() => { if (timers.size < 9) lookOften(); });
  for (let node = around(host); node; node = around(node)) observer.observe(node, { attributes: true });
  observer.observe(document.head, { attributes: true, childList: true, subtree: true });
  const system = matchMedia("(prefers-color-scheme: dark)");
  system.addEventListener("change", lookOften);
  addEventListener("load", lookOften);
  lookOften();
  return () => {
    observer.disconnect();
    system.removeEventListener("change", lookOften);
    removeEventListener("load", lookOften);
    timers.forEach(clearTimeout);
  };
}
