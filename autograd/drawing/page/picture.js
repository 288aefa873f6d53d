// What makes a drawing in a notebook follow the theme of its page, and the width of its column. Without scripts there
// remains the image, which follows what the browser says.

const LEAST = 9 / 11; // below this share of its natural size, type is too small to read

// The picture in a data URL, as an element.
function pictureFrom(url) {
  const text = decodeURIComponent(url.slice(url.indexOf(",") + 1));
  const svg = new DOMParser().parseFromString(text, "image/svg+xml").documentElement;
  return document.importNode(svg, true);
}

// Shows the picture as light or dark. One that has one theme only stays as it is. The text of the style sheet changes,
// not its rule: those are read anew when a notebook takes an output out of the page and puts it back.
function dress(svg, dark) {
  const style = svg.querySelector("style"), condition = /@media [^{]*/;
  if (!condition.test(style.textContent)) return;
  const text = style.textContent.replace(condition, dark ? "@media all" : "@media not all");
  if (text !== style.textContent) style.textContent = text;
  svg.querySelector(".paper").style.display = "none";
  svg.style.setProperty("--paper", backgroundOf(svg));
}

function startDrawing(host) {
  const image = host.querySelector("img");
  const pictures = [image.src, host.dataset.narrow].filter(Boolean).map(pictureFrom);
  const root = host.attachShadow({ mode: "open" });
  let shown = pictures[0];
  function show() {
    const room = host.clientWidth; // 0 while it is hidden, as all of JupyterLab while its theme changes
    const share = (svg) => Math.min(1, room / Number(svg.getAttribute("width")));
    const [wide, narrow = wide] = pictures;
    const chosen = share(wide) < LEAST && share(narrow) > share(wide) ? narrow : wide;
    if (room && chosen !== shown) root.replaceChildren(shown = chosen);
    dress(shown, isDark(host));
  }
  for (const svg of pictures) svg.style.display = "block";
  root.append(shown);
  watchTheme(host, show);
  new ResizeObserver(show).observe(host);
}

for (const host of document.querySelectorAll(`[data-autograd-drawing="${NAME}"]`)) {
  if (!host.shadowRoot) startDrawing(host);
}
