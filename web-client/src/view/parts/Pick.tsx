/** A search field over a list to choose from: the combobox pattern, one tab stop, arrows move, Enter takes. */
import { createEffect, createSignal, createUniqueId, For, on, Show, type JSX } from 'solid-js';
import { isOurs } from '../keys';
import { Icon } from './Icon';

export interface Choice {
  readonly key: string;
  readonly group?: string;
  readonly content: JSX.Element;
  readonly take: () => void;
}

interface PickProps {
  readonly label: string;
  readonly query: string;
  readonly onQuery: (query: string) => void;
  readonly choices: readonly Choice[];
  readonly listLabel: string;
  /** Said where nothing is to choose. */
  readonly empty: string;
  /** Backspace in an empty field. */
  readonly onBack?: () => void;
}

export function Pick(props: PickProps) {
  const id = createUniqueId();
  const [at, setAt] = createSignal(0);
  let list!: HTMLDivElement;
  createEffect(on([() => props.query, () => props.choices.length], () => setAt(0), { defer: true }));

  const move = (to: number): void => {
    const { length } = props.choices;
    if (length === 0) return;
    setAt((to + length) % length);
    list.querySelector('[aria-selected=true]')?.scrollIntoView({ block: 'nearest' });
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (!isOurs(event)) return;
    if (event.key === 'ArrowDown') move(at() + 1);
    else if (event.key === 'ArrowUp') move(at() - 1);
    else if (event.key === 'Enter') props.choices[at()]?.take();
    else if (event.key === 'Backspace' && props.query === '') {
      props.onBack?.();
      return;
    } else return;
    event.preventDefault();
  };
  const groupBefore = (index: number): string | undefined => {
    const { group } = props.choices[index] ?? {};
    return group !== props.choices[index - 1]?.group ? group : undefined;
  };

  return (
    <>
      <div class="fld">
        <div class="ipt">
          <Icon name="search" small />
          <input
            data-first
            type="text"
            role="combobox"
            aria-label={props.label}
            aria-expanded={props.choices.length > 0}
            aria-controls={`${id}-l`}
            aria-activedescendant={props.choices.length > 0 ? `${id}-${at()}` : undefined}
            aria-autocomplete="list"
            placeholder={props.label}
            autocomplete="off"
            spellcheck={false}
            value={props.query}
            onInput={(event) => props.onQuery(event.currentTarget.value)}
            onKeyDown={onKeyDown}
          />
        </div>
      </div>
      <div class="pick" ref={list}>
        <div role="listbox" id={`${id}-l`} aria-label={props.listLabel}>
          <For each={props.choices}>
            {(choice, index) => (
              <>
                <Show when={groupBefore(index())}>
                  <div class="cap" role="presentation">
                    {groupBefore(index())}
                  </div>
                </Show>
                <div
                  class="opt"
                  role="option"
                  id={`${id}-${index()}`}
                  aria-selected={at() === index()}
                  onPointerMove={() => setAt(index())}
                  onPointerDown={(event) => event.preventDefault()}
                  onClick={() => choice.take()}
                >
                  {choice.content}
                </div>
              </>
            )}
          </For>
        </div>
        <p class="said" role="status" hidden={props.choices.length > 0}>
          {props.empty}
        </p>
      </div>
    </>
  );
}
