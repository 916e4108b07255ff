/** The one open menu: arrow keys, Home, End, first letters, Esc; on a phone a sheet from the bottom. */
import { For, onCleanup, onMount } from 'solid-js';
import { Portal } from 'solid-js/web';
import { closeMenu, giveFocusBack, type MenuItem, type MenuView } from '../layers';
import { isOurs } from '../keys';
import { Icon } from './Icon';

const edge = 8;
const lifts = ['pointerup', 'pointercancel'] as const;
/** The click that lifting a finger makes comes within this time. */
const afterLiftMs = 80;

function place(element: HTMLElement, view: MenuView): void {
  const box = view.at.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = element;
  const left = view.point ? view.point.x : box.right - width;
  const below = view.point ? view.point.y : box.bottom + 4;
  const top = below + height + edge > innerHeight ? (view.point ? view.point.y : box.top - 4) - height : below;
  element.style.left = `${Math.max(edge, Math.min(left, innerWidth - width - edge))}px`;
  element.style.top = `${Math.max(edge, top)}px`;
}

/** Closes the menu with the system's back gesture, where the browser tells of it. */
function closeOnBack(): void {
  if (!('CloseWatcher' in globalThis)) return;
  const watcher = new (globalThis as unknown as { CloseWatcher: new () => EventTarget & { destroy: () => void } }).CloseWatcher();
  watcher.addEventListener('close', closeMenu);
  onCleanup(() => watcher.destroy());
}

export function Menu(props: { view: MenuView }) {
  let layer!: HTMLDivElement;
  let element!: HTMLDivElement;
  const opener = document.activeElement;
  const items = (): HTMLElement[] => [...element.querySelectorAll<HTMLElement>('[role=menuitem]')];
  const focusAt = (index: number): void => {
    const all = items();
    all[(index + all.length) % all.length]?.focus();
  };

  onMount(() => {
    layer.showPopover();
    place(element, props.view);
    focusAt(0);
    closeOnBack();
  });
  onCleanup(() => {
    // Whoever took the focus on purpose (a dialog, the composer) keeps it.
    const now = document.activeElement;
    if (!now || now === document.body || element.contains(now)) giveFocusBack(opener);
  });

  const onKeyDown = (event: KeyboardEvent): void => {
    if (!isOurs(event)) return;
    const all = items();
    const at = all.indexOf(document.activeElement as HTMLElement);
    const moves: Record<string, number> = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 };
    const move = moves[event.key];
    if (move !== undefined) focusAt(move);
    else if (event.key === 'Escape' || event.key === 'Tab') closeMenu();
    else if ([...event.key].length === 1 && event.key !== ' ') {
      const letter = event.key.toLowerCase();
      const next = [...all.slice(at + 1), ...all.slice(0, at + 1)];
      next.find((item) => item.textContent?.trim().toLowerCase().startsWith(letter))?.focus();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  };

  let isArmed = props.view.byFinger !== true;
  const arm = (): void => void setTimeout(() => (isArmed = true), afterLiftMs);
  if (!isArmed) {
    for (const type of lifts) addEventListener(type, arm, { once: true });
    onCleanup(() => lifts.forEach((type) => removeEventListener(type, arm)));
  }
  const take = (item: MenuItem): void => {
    if (!isArmed) return;
    closeMenu();
    item.act();
  };

  // In the region of what opened it, so that readers know where it belongs.
  return (
    <Portal mount={props.view.at.closest('main, aside, [role=main], [role=complementary]') ?? document.body}>
      <div
        ref={layer}
        class="menu-layer"
        popover="manual"
        onPointerDown={(event) => event.target === layer && closeMenu()}
        onContextMenu={(event) => event.preventDefault()}
      >
        <div ref={element} class="menu" role="menu" aria-label={props.view.label} onKeyDown={onKeyDown}>
          <For each={props.view.items}>
            {(item) => (
              <button type="button" role="menuitem" tabindex="-1" classList={{ bad: item.bad === true }} onClick={() => take(item)}>
                <Icon name={item.icon} />
                {item.label}
                {item.keys ? <kbd aria-hidden="true">{item.keys}</kbd> : null}
              </button>
            )}
          </For>
        </div>
      </div>
    </Portal>
  );
}
