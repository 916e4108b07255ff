/** Whether a finger, or the momentum it left, is scrolling. */
import { createSignal, onCleanup, type Accessor } from 'solid-js';

/** Without a scroll for this long after the finger left, the momentum is over. */
const restMs = 120;

export interface Stillness {
  readonly moving: Accessor<boolean>;
  readonly onTouch: (down: boolean) => void;
  readonly onScroll: () => void;
}

export function createStillness(): Stillness {
  const [moving, setMoving] = createSignal(false);
  let down = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const rest = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => setMoving(false), restMs);
  };
  onCleanup(() => clearTimeout(timer));
  return {
    moving,
    onTouch(next) {
      down = next;
      if (down) clearTimeout(timer);
      else rest();
    },
    onScroll() {
      if (down) setMoving(true);
      else if (moving()) rest();
    },
  };
}
