export { shuffled } from "../../corpus/shuffled.js";
