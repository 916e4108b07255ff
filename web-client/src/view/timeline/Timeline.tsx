/** The timeline of the open room. */
import { createEffect, createMemo, createSignal, For, Match, on, onCleanup, onMount, Show, Switch, untrack } from 'solid-js';
import type { TimelineView } from '../../model';
import { t } from '../../words';
import { useChat } from '../chat';
import { useDesk } from '../desk';
import { failureWords } from '../failure';
import { titleOf } from '../rooms/RoomLink';
import { dayTitle } from '../time';
import { ActionsContext, createActions } from './actions';
import { Edge, Skeletons, Trouble } from './Edges';
import { Jumps } from './Jumps';
import { linesOf, type Line } from './lines';
import { createPlacing } from './placing';
import { createReading } from './reading';
import { createRowKeys } from './rowKeys';
import { Slot } from './Slot';
import { createStillness } from './stillness';
import { Viewport } from './viewport';

/** The next page is asked for when the view is nearer to the edge than this, in screens. */
const loadWithinScreens = 2;
const dayShownMs = 1200;

function sameIds(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((id, index) => id === b[index]);
}

export function Timeline(props: { timeline: TimelineView }) {
  const chat = useChat();
  const desk = useDesk();
  const room = untrack(desk.room).id;
  let scroller!: HTMLDivElement;
  let inner!: HTMLDivElement;

  const actions = createActions((seq) => void chat.jumpTo(room, seq));
  const stillness = createStillness();
  const byId = (lines: readonly Line[]): ReadonlyMap<string, Line> => new Map(lines.map((line) => [line.id, line]));
  const fresh = createMemo(
    (known: { lines: readonly Line[]; map: ReadonlyMap<string, Line> }) => {
      const lines = linesOf(props.timeline, known.map);
      return { lines, map: byId(lines) };
    },
    { lines: [], map: new Map<string, Line>() },
  );
  // While a finger or its momentum scrolls, lines that came above wait: moving the view would stop it.
  const shown = createMemo((before: ReturnType<typeof fresh>) => {
    const next = fresh();
    const first = before.lines.find((line) => line.type === 'message');
    const grewAbove = first !== undefined && next.lines.find((line) => line.type === 'message') !== first && next.map.has(first.id);
    return grewAbove && stillness.moving() ? before : next;
  }, fresh());

  const [range, moveRange] = createSignal(undefined, { equals: false });
  const [view, moveView] = createSignal(undefined, { equals: false });
  const viewport = new Viewport({ onRange: () => moveRange(undefined), onView: () => moveView(undefined) });
  const ids = createMemo(() => {
    const next = shown().lines.map((line) => line.id);
    viewport.setLines(next);
    return next;
  });
  const rendered = createMemo(
    () => {
      ids();
      range();
      viewport.pin([actions.current(), actions.held()].filter((id) => id !== undefined));
      return viewport.rendered();
    },
    [],
    { equals: sameIds },
  );
  createEffect(() => {
    rendered();
    shown();
    viewport.isComplete = props.timeline.end && props.timeline.status === 'ready';
    viewport.settle();
  });
  onCleanup(() => viewport.dispose());

  const following = createMemo(() => {
    view();
    return viewport.following && props.timeline.end;
  });
  createEffect(() => chat.setFollowing(room, following()));
  createEffect(
    on(
      view,
      () => {
        const { status, start, end, older, newer } = props.timeline;
        if (status !== 'ready' || scroller.clientHeight === 0) return;
        const { above, below } = viewport.screensLeft();
        if (!start && older === 'idle' && above < loadWithinScreens) void chat.loadOlder(room);
        if (!end && newer === 'idle' && below < loadWithinScreens) void chat.loadNewer(room);
      },
      { defer: true },
    ),
  );

  const newest = createMemo(() => {
    const last = props.timeline.rows.findLast((row) => row.mine && row.kind === 'message' && row.send === undefined && !row.recalled);
    return last?.id;
  });
  const placing = createPlacing({ timeline: () => props.timeline, lines: () => shown().map, viewport, room, flash: actions.flash });
  createReading({ room, lines: () => shown().map, view, viewport });
  const rowKeys = createRowKeys({ lines: () => shown().lines, viewport, actions, toEnd: placing.toEnd });

  const [dayShown, setDayShown] = createSignal(false);
  let dayTimer: ReturnType<typeof setTimeout> | undefined;
  const topDay = createMemo(() => {
    view();
    const here = viewport.here();
    const line = here && shown().map.get(here.id);
    return line && 'row' in line ? dayTitle(line.row.at) : undefined;
  });
  const onScroll = (): void => {
    stillness.onScroll();
    viewport.onScroll();
    setDayShown(true);
    clearTimeout(dayTimer);
    dayTimer = setTimeout(() => setDayShown(false), dayShownMs);
  };
  onCleanup(() => clearTimeout(dayTimer));
  onMount(() => {
    viewport.attach(scroller, inner);
    placing.begin();
    desk.onToEnd(placing.toNewest);
  });

  return (
    <ActionsContext.Provider value={actions}>
      <div class="tl-wrap" data-region>
        <div class="day-top" classList={{ on: dayShown() && topDay() !== undefined }} aria-hidden="true">
          {topDay()}
        </div>
        <div
          class="tl"
          ref={scroller}
          role="region"
          aria-label={t('room.messages', { room: titleOf(desk.room()) })}
          tabindex="0"
          on:scroll={{ handleEvent: onScroll, passive: true }}
          onWheel={placing.touched}
          onTouchStart={() => {
            placing.touched();
            stillness.onTouch(true);
          }}
          onTouchEnd={() => stillness.onTouch(false)}
          onTouchCancel={() => stillness.onTouch(false)}
          onKeyDown={rowKeys.onKeyDown}
          onFocusIn={rowKeys.onFocusIn}
          onFocusOut={rowKeys.onFocusOut}
          onPointerOver={rowKeys.onPointerOver}
          onPointerLeave={rowKeys.onPointerLeave}
          onPointerDown={(event) => {
            placing.touched();
            rowKeys.onPointerDown(event);
          }}
          onContextMenu={rowKeys.onContextMenu}
        >
          <div class="tl-in" ref={inner}>
            <div class="tl-top">
              <Show when={!props.timeline.start && props.timeline.rows.length > 0}>
                <Edge state={props.timeline.older} newer={false} onRetry={() => void chat.loadOlder(room)} />
              </Show>
            </div>
            <Switch>
              <Match when={props.timeline.status === 'loading'}>
                <Skeletons />
              </Match>
              <Match when={props.timeline.status === 'error' && props.timeline.failure}>
                {(failure) => <Trouble words={failureWords(failure())} onRetry={() => chat.openRoom(room)} />}
              </Match>
            </Switch>
            <For each={rendered()}>
              {(id) => <Slot id={id} line={shown().map.get(id)} viewport={viewport} newest={newest()} />}
            </For>
            <Show when={!props.timeline.end}>
              <Edge state={props.timeline.newer} newer onRetry={() => void chat.loadNewer(room)} />
            </Show>
          </div>
        </div>
        <Jumps timeline={props.timeline} following={following()} placing={placing} view={view} viewport={viewport} />
      </div>
    </ActionsContext.Provider>
  );
}
