// Choices in the order in which they were made.

/** @typedef {import("./choice.js").Choice} Choice */

const MOST = 200; // that are kept

/** @param {Choice} choice @returns {Choice} */
const copy = ({ kept, pins, ...rest }) => ({ ...structuredClone(rest), kept, pins });

export class History {
  /** @param {Choice[]} states @param {number} at */
  constructor(states, at = states.length - 1) {
    this.states = states.map(copy);
    this.at = at;
  }

  /** @returns {Choice} a copy of what is chosen now */
  get current() {
    return copy(this.states[this.at]);
  }

  get canUndo() {
    return this.at > 0;
  }

  get canRedo() {
    return this.at < this.states.length - 1;
  }

  /** @param {Choice} choice */
  add(choice) {
    const same = JSON.stringify(choice) === JSON.stringify(this.states[this.at]);
    if (same) return;
    this.states = [...this.states.slice(0, this.at + 1), copy(choice)].slice(-MOST);
    this.at = this.states.length - 1;
  }

  /** @param {-1 | 1} step @returns {Choice} */
  move(step) {
    this.at = Math.min(this.states.length - 1, Math.max(0, this.at + step));
    return this.current;
  }
}
