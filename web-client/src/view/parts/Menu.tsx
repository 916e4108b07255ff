/** The one open menu: arrow keys, Home, End, first letters, Esc; on a phone a sheet from the bottom. */
import { For, onCleanup, onMount } from 'solid-js';
import { closeMenu, giveFocusBack, type MenuItem, type MenuView } from '../layers';
import { isOurs } from '../keys';
import { Icon } from './Icon';

const edge = 8;

function place(element: HTMLElement, view: MenuView): void {
  const box = view.at.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = element;
  const left = view.point ? view.point.x : box.right - width;
  const below = view.point ? view.point.y : box.bottom + 4;
  const top = below + height + edge > innerHeight ? (view.point ? view.point.y : box.top - 4) - height : below;
  element.style.left = `${Math.max(edge, Math.min(left, innerWidth - width - edge))}px`;
  element.style.top = `${Math.max(edge, top)}px`;
}

export function Menu(props: { view: MenuView }) {
  let element!: HTMLDivElement;
  const opener = document.activeElement;
  const items = (): HTMLElement[] => [...element.querySelectorAll<HTMLElement>('[role=menuitem]')];
  const focusAt = (index: number): void => {
    const all = items();
    all[(index + all.length) % all.length]?.focus();
  };

  onMount(() => {
    element.showPopover();
    place(element, props.view);
    focusAt(0);
  });
  onCleanup(() => {
    // Whoever took the focus on purpose (a dialog, the composer) keeps it.
    const now = document.activeElement;
    if (!now || now === document.body || element.contains(now)) giveFocusBack(opener);
  });

  const onKeyDown = (event: KeyboardEvent): void => {
    if (!isOurs(event)) return;
    const at = items().indexOf(document.activeElement as HTMLElement);
    const moves: Record<string, number> = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 };
    const move = moves[event.key];
    if (move !== undefined) focusAt(move);
    else if (event.key === 'Escape' || event.key === 'Tab') closeMenu();
    else if ([...event.key].length === 1 && event.key !== ' ') {
      const all = items();
      const letter = event.key.toLowerCase();
      const next = [...all.slice(at + 1), ...all.slice(0, at + 1)].find((item) => item.textContent?.trim().toLowerCase().startsWith(letter));
      next?.focus();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  };

  const take = (item: MenuItem): void => {
    closeMenu();
    item.act();
  };

  return (
    <div
      ref={element}
      class="menu"
      popover="auto"
      role="menu"
      aria-label={props.view.label}
      onKeyDown={onKeyDown}
      on:toggle={(event: ToggleEvent) => event.newState === 'closed' && closeMenu()}
    >
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
  );
}
