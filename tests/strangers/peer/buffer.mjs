// What Node has and a browser lacks: given to everything in the bundle of page.mjs.
export { Buffer } from "buffer";
