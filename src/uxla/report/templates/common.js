"use strict";
// What the page's scripts share: all text goes in as text nodes, never as markup.
const $ = (id) => document.getElementById(id);
const number = (n) => n.toLocaleString("en");

function make(tag, className, ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...children);
  return element;
}

// What page.py packed into the element: deflated JSON in base64.
async function unpack(element) {
  const coded = atob(JSON.parse(element.textContent).deflate);
  const bytes = new Uint8Array(coded.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = coded.charCodeAt(i);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return JSON.parse(await new Response(stream).text());
}
