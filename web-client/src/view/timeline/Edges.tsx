/** What stands at the ends of a timeline, and in place of one. */
import { For, Match, Switch } from 'solid-js';
import type { EdgeView } from '../../model';
import { t } from '../../words';
import { Icon } from '../parts/Icon';

/** The slot for loading; its height is the same in every state, so that a change moves nothing. */
export function Edge(props: { state: EdgeView; newer: boolean; onRetry: () => void }) {
  return (
    <div class="more">
      <Switch>
        <Match when={props.state === 'loading'}>
          <span class="spin" aria-hidden="true" />
          <span>{props.newer ? t('timeline.loadingNewer') : t('timeline.loading')}</span>
        </Match>
        <Match when={props.state === 'error'}>
          <span>{props.newer ? t('timeline.failedNewer') : t('timeline.failed')}</span>
          <button type="button" class="lk" onClick={() => props.onRetry()}>
            {t('act.retry')}
          </button>
        </Match>
        <Match when={props.state === 'offline'}>
          <Icon name="nowifi" small />
          <span>{t('timeline.older')}</span>
        </Match>
      </Switch>
    </div>
  );
}

export function Skeletons() {
  const widths = ['w60', 'w80', 'w40', 'w80', 'w60', 'w40'];
  return (
    <div role="status" aria-label={t('app.loading')}>
      <For each={widths}>
        {(width) => (
          <div class="sk-msg">
            <span class="sk" />
            <div>
              <span class="sk w20" />
              <span class={`sk ${width}`} />
            </div>
          </div>
        )}
      </For>
    </div>
  );
}

/** Nothing could be loaded. */
export function Trouble(props: { words: string; onRetry: () => void }) {
  return (
    <div class="empty" role="alert">
      <div>
        <div class="glyph">
          <Icon name="alert" />
        </div>
        <p class="lead">{props.words}</p>
        <div class="go">
          <button type="button" class="btn" onClick={() => props.onRetry()}>
            {t('act.retry')}
          </button>
        </div>
      </div>
    </div>
  );
}
