// A plain page of the API, made from the server's own description of it.

import { the } from "./page.js";

/** @param {string} tag @param {string} text @param {string} [name] */
function make(tag, text, name = "") {
  const element = document.createElement(tag);
  element.textContent = text;
  element.className = name;
  return element;
}

/**
 * Text with `code` in it. @param {string} tag @param {string} text
 */
function write(tag, text) {
  const element = make(tag, "");
  element.append(...text.split("`").map((part, i) => i % 2 ? make("code", part) : part));
  return element;
}

/** Paragraphs, and lists of lines that begin with a dash. @param {string} text */
function paragraphs(text) {
  return text.split(/\n\n+/).map((block) => {
    if (!block.startsWith("- ")) return write("p", block);
    const list = make("ul", "");
    list.append(...block.slice(2).split("\n- ").map((line) => write("li", line)));
    return list;
  });
}

/** @param {any} schema @returns {string} a type in words */
function typeOf(schema) {
  if (!schema) return "";
  if (schema.$ref) return schema.$ref.split("/").at(-1);
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((/** @type {any} */ v) => JSON.stringify(v)).join(" or ");
  const some = schema.anyOf ?? schema.oneOf;
  if (some) return some.map((/** @type {any} */ one) => typeOf(one)).join(" or ");
  if (schema.type === "array") return `list of ${typeOf(schema.items)}`;
  return schema.contentMediaType || schema.format === "binary" ? "file" : schema.type ?? "any";
}

/** @param {any} schema @param {any} all @returns {HTMLElement} */
function fields(schema, all) {
  const list = make("dl", "");
  const found = schema.$ref ? all.components.schemas[schema.$ref.split("/").at(-1)] : schema;
  for (const [name, about] of Object.entries(found.properties ?? {})) {
    const words = [typeOf(about), about.description ?? ""].filter(Boolean).join(": ");
    list.append(make("dt", name), write("dd", words));
  }
  return list;
}

/** @param {string} path @param {string} verb @param {any} about @param {any} all */
function route(path, verb, about, all) {
  const section = document.createElement("section");
  section.append(make("h2", `${verb.toUpperCase()} ${path}`), ...paragraphs(about.description ?? ""));
  for (const [kind, body] of Object.entries(about.requestBody?.content ?? {})) {
    section.append(make("h3", `Send ${kind}`), fields(body.schema, all));
  }
  for (const [status, answer] of Object.entries(about.responses)) {
    for (const [kind, body] of Object.entries(answer.content ?? {})) {
      const words = body?.schema?.description;
      if (Number(status) >= 300 || !(body?.schema?.$ref || words)) continue;
      section.append(make("h3", `Get ${status}, ${kind}`), fields(body.schema, all));
      section.append(...(words ? paragraphs(words) : []));
    }
  }
  return section;
}

the("example", HTMLPreElement).textContent = [
  `curl -F photo=@photo.jpg ${location.origin}/v1/photos`,
  "# gives an id and the palette that was estimated; then",
  `curl -H 'content-type: application/json' -o red.jpg \\`,
  `  -d '{"edits": [{"towards": "red", "amount": 0.25}], "size": "full"}' \\`,
  `  ${location.origin}/v1/photos/ID/render`,
].join("\n");

const all = await (await fetch("openapi.json")).json();
for (const [path, verbs] of Object.entries(all.paths)) {
  for (const [verb, about] of Object.entries(verbs)) {
    the("routes", HTMLDivElement).append(route(path, verb, about, all));
  }
}
