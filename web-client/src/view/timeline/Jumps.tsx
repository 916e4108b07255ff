/** The buttons over the timeline: to the newest message, back, to the first unread one. */
import { createEffect, createMemo, createSignal, on, Show, type Accessor } from 'solid-js';
import type { TimelineView } from '../../model';
import { t } from '../../words';
import { useDesk } from '../desk';
import { Icon } from '../parts/Icon';
import type { Placing } from './placing';
import type { Viewport } from './viewport';

interface JumpsProps {
  readonly timeline: TimelineView;
  readonly following: boolean;
  readonly placing: Placing;
  readonly view: Accessor<undefined>;
  readonly viewport: Viewport;
}

const mostShown = 99;

export function Jumps(props: JumpsProps) {
  const desk = useDesk();
  const newestSeq = (): number => props.timeline.rows.findLast((row) => row.seq > 0)?.seq ?? 0;
  const [leftAt, setLeftAt] = createSignal(0);
  createEffect(on(() => props.following, () => setLeftAt(newestSeq())));

  const arrived = createMemo(() => props.timeline.rows.filter((row) => row.seq > leftAt() && row.kind === 'message' && !row.mine));
  const count = (): number => {
    if (props.following) return 0;
    return props.timeline.end ? arrived().length : desk.room().unread;
  };
  const forMe = (): boolean => desk.room().kind === 'direct' || arrived().some((row) => row.mention);
  const unreadAbove = createMemo(() => {
    props.view();
    return props.timeline.unreadFrom !== undefined && props.viewport.isAbove('new');
  });

  return (
    <>
      <Show when={unreadAbove()}>
        <div class="jumps top">
          <button type="button" class="jump" onClick={() => props.placing.toUnread()}>
            <Icon name="send" small />
            {t('timeline.unread')}
            <span class="badge plain">{Math.min(mostShown, props.timeline.unreadCount)}</span>
          </button>
        </div>
      </Show>
      <div class="jumps">
        <Show when={props.following && props.placing.canGoBack()}>
          <button type="button" class="jump" onClick={() => props.placing.goBack()}>
            <Icon name="undo" small />
            {t('timeline.back')}
          </button>
        </Show>
        <Show when={!props.following && props.timeline.rows.length > 0}>
          <button
            type="button"
            class="jump"
            aria-label={count() > 0 ? t('timeline.latestNew', { n: count() }) : undefined}
            onClick={() => props.placing.toEnd()}
          >
            <Icon name="down" small />
            {t('timeline.latest')}
            <Show when={count() > 0}>
              <span class="badge" classList={{ plain: !forMe() }}>
                {count() > mostShown ? `${mostShown}+` : count()}
              </span>
            </Show>
          </button>
        </Show>
      </div>
    </>
  );
}
