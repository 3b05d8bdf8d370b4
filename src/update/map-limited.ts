export { mapLimited } from "../map-limited.js";
