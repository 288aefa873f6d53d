// Is the page light or dark where a picture stands? The page decides, not the operating system: readers choose a
// theme for a notebook or a site. What can be seen counts first, the background, then what hosts are known to say.

// Red, green and blue of a computed colour, 0 to 255, and its opacity: painted, since a browser may say oklch(...).
const brush = Object.assign(document.createElement("canvas"), { width: 1, height: 1 })
  .getContext("2d", { willReadFrequently: true });
function channels(colour) {
  const found = /^rgba?\(([^)]*)\)$/.exec(colour);
  if (found) return found[1].split(/[\s,/]+/).map(Number);
  brush.clearRect(0, 0, 1, 1);
  brush.fillStyle = colour;
  brush.fillRect(0, 0, 1, 1);
  const [red, green, blue, alpha] = brush.getImageData(0, 0, 1, 1).data;
  return [red, green, blue, alpha / 255];
}

const brightness = ([red, green, blue]) => (0.299 * red + 0.587 * green + 0.114 * blue) / 255;

// The element that an element stands in, also across the border of a shadow tree.
const around = (node) => node.assignedSlot || node.parentElement || (node.getRootNode() || {}).host || null;

// The colour behind an element: of the nearest ancestor that has one; "" if none has.
function backgroundOf(host) {
  for (let node = host; node; node = around(node)) {
    const colour = getComputedStyle(node).backgroundColor;
    if (!(channels(colour)[3] <= 0.5)) return colour; // no fourth number: opaque
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
  let last = null, waiting = [];
  function look() {
    if (!host.isConnected) return; // a notebook takes away outputs that are not in view
    const dark = isDark(host), state = `${dark} ${backgroundOf(host)}`;
    if (state !== last) changed(dark);
    last = state;
  }
  function lookOften() { // a background may change slowly, and a style sheet may still be on its way
    waiting.forEach(clearTimeout);
    look();
    waiting = [60, 400, 1500].map((delay) => setTimeout(look, delay));
  }
  const observer = new MutationObserver(lookOften), ending = new AbortController();
  for (let node = around(host); node; node = around(node)) observer.observe(node, { attributes: true });
  // JupyterLab starts scripts before their output is in the page.
  for (const node of [document.documentElement, document.body]) observer.observe(node, { attributes: true });
  observer.observe(document.head, { attributes: true, childList: true, subtree: true });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", lookOften, ending);
  for (const event of ["load", "transitionend"]) addEventListener(event, lookOften, ending);
  lookOften();
  return () => {
    observer.disconnect();
    ending.abort();
    waiting.forEach(clearTimeout);
  };
}
