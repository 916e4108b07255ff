/** How much of the server's limit a text takes. */

const encoder = new TextEncoder();
/** From this share of the limit on, what is left is shown. */
const shownFrom = 0.9;

export interface Length {
  /** Characters like those so far that still fit; undefined while that is nothing to think about. */
  readonly left: number | undefined;
  /** Characters at the end that do not fit. */
  readonly over: number;
}

/** Measures a text against a limit in bytes of UTF-8. */
export function measure(text: string, limitBytes: number): Length {
  // A UTF-16 unit takes at most three bytes.
  if (text.length * 3 <= limitBytes * shownFrom) return { left: undefined, over: 0 };
  const bytes = encoder.encode(text).length;
  if (bytes <= limitBytes * shownFrom) return { left: undefined, over: 0 };
  const letters = [...text];
  if (bytes <= limitBytes) return { left: Math.floor((limitBytes - bytes) / (bytes / letters.length)), over: 0 };
  let excess = bytes - limitBytes;
  let over = 0;
  for (let index = letters.length - 1; index >= 0 && excess > 0; index -= 1) {
    excess -= encoder.encode(letters[index]).length;
    over += 1;
  }
  return { left: undefined, over };
}
