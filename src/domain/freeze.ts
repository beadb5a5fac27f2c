// Freezes what is handed out more than once, so that nobody changes it for the next one who asks.

/** Freezes a value with all that hangs on it, down to what is frozen already. */
export function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const key in value) deepFreeze(value[key]);
  }
  return value;
}
