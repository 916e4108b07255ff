/** Which key presses are ours. */

let composed = false;
document.addEventListener(
  'compositionend',
  () => {
    composed = true;
    // The Enter that ends a composition may come after it, in the same task.
    setTimeout(() => (composed = false), 0);
  },
  true,
);

/**
 * False while an input method is at work: while it composes, for the key that one engine delivers after it has ended the
 * composition (code 229), and for the rest of the task in which a composition ended. Guards every shortcut.
 */
export function isOurs(event: KeyboardEvent): boolean {
  return !event.isComposing && event.keyCode !== 229 && !composed;
}

/** Ctrl, or ⌘ on a Mac. */
export function isCommand(event: KeyboardEvent): boolean {
  return event.ctrlKey || event.metaKey;
}

const isMac = /Mac|iPhone|iPad/.test(navigator.platform);
/** The name of the command key on this device. */
export const commandKey = isMac ? '⌘' : 'Ctrl';

/** Whether letters typed now go into a field. */
export function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}

/** A letter, digit or sign that would be typed. */
export function isLetter(event: KeyboardEvent): boolean {
  return [...event.key].length === 1 && !event.ctrlKey && !event.metaKey && !event.altKey;
}

/** A screen that is touched: no hover, the keyboard covers half of it. */
export const isTouch = (): boolean => matchMedia('(pointer: coarse)').matches;
