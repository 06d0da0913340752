// Elements made in one expression.

/**
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag @param {Record<string, string>} attributes @param {...(Node | string)} inside
 * @returns {HTMLElementTagNameMap[K]}
 */
export function make(tag, attributes = {}, ...inside) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...inside);
  return element;
}

/**
 * @param {Record<string, string>} attributes @param {() => void} act @param {...(Node | string)} inside
 */
export function makeButton(attributes, act, ...inside) {
  const element = make("button", { type: "button", ...attributes }, ...inside);
  element.addEventListener("click", act);
  return element;
}

/** A small picture of lines. @param {string} path of a 24 x 24 picture @returns {SVGElement} */
export function makeIcon(path) {
  const space = "http://www.w3.org/2000/svg";
  const icon = document.createElementNS(space, "svg");
  icon.setAttribute("viewBox", "0 0 24 24");
  icon.setAttribute("aria-hidden", "true");
  const line = document.createElementNS(space, "path");
  line.setAttribute("d", path);
  icon.append(line);
  return icon;
}
