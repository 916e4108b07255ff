/** The place of one line in the document; its height is measured. */
import { Match, onCleanup, Show, Switch } from 'solid-js';
import type { Line } from './lines';
import { MessageRow } from './MessageRow';
import { DayLine, GoneLine, NewLine, ReloadedLine, StartBlock, SystemLine } from './OtherLines';
import type { Viewport } from './viewport';

type Of<Type extends Line['type']> = Extract<Line, { type: Type }>;

function only<Type extends Line['type']>(line: Line, type: Type): Of<Type> | undefined {
  return line.type === type ? (line as Of<Type>) : undefined;
}

export function Slot(props: { id: string; line: Line | undefined; viewport: Viewport; newest: string | undefined }) {
  const mounted = (element: HTMLElement): void => {
    props.viewport.mount(props.id, element);
    onCleanup(() => props.viewport.unmount(props.id, element));
  };
  return (
    <div class="slot" ref={mounted}>
      <Show when={props.line}>
        {(line) => (
          <Switch>
            <Match when={only(line(), 'message')}>
              {(message) => <MessageRow row={message().row} first={message().first} newest={props.newest === props.id} />}
            </Match>
            <Match when={only(line(), 'system')}>{(system) => <SystemLine row={system().row} />}</Match>
            <Match when={only(line(), 'gone')}>{(gone) => <GoneLine row={gone().row} count={gone().count} />}</Match>
            <Match when={only(line(), 'day')}>{(day) => <DayLine at={day().at} />}</Match>
            <Match when={line().type === 'new'}>
              <NewLine />
            </Match>
            <Match when={line().type === 'reloaded'}>
              <ReloadedLine />
            </Match>
            <Match when={line().type === 'start'}>
              <StartBlock />
            </Match>
          </Switch>
        )}
      </Show>
    </div>
  );
}
