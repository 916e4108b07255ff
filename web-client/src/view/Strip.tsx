/** The one strip that says how the connection stands; most of the time there is none. */
import { createEffect, createMemo, createSignal, Match, onCleanup, Show, Switch, type JSX } from 'solid-js';
import type { ConnectionView } from '../model';
import { t } from '../words';
import { useChat } from './chat';
import { Icon } from './parts/Icon';
import { createTicker } from './time';

const catchingUpShownAfterMs = 400;

/** True once `state` has lasted for `ms`. */
function createPatience(connection: () => ConnectionView, state: ConnectionView['state'], ms: number): () => boolean {
  const [over, setOver] = createSignal(false);
  const isIt = createMemo(() => connection().state === state);
  createEffect(() => {
    setOver(false);
    if (!isIt()) return;
    const timer = setTimeout(() => setOver(true), ms);
    onCleanup(() => clearTimeout(timer));
  });
  return over;
}

function Reconnecting(props: { nextTryAt: number | undefined }) {
  const chat = useChat();
  const now = createTicker();
  const left = (): number => Math.max(0, Math.ceil(((props.nextTryAt ?? 0) - now()) / 1000));
  return (
    <>
      <span class="spin" aria-hidden="true" />
      <span>
        {t('net.reconnecting')}
        <Show when={left() > 0}>
          <span class="num" aria-hidden="true">
            {' '}
            {t('net.next', { n: left() })}
          </span>
        </Show>
      </span>
      <button type="button" class="btn sm" onClick={() => chat.tryNow()}>
        {t('act.tryNow')}
      </button>
    </>
  );
}

function Line(props: { calm: boolean; children: JSX.Element }) {
  return (
    <div class="net" classList={{ calm: props.calm }}>
      {props.children}
    </div>
  );
}

export function Strip() {
  const chat = useChat();
  const connection = (): ConnectionView => chat.state.connection;
  const catchingUp = createPatience(connection, 'catching_up', catchingUpShownAfterMs);
  return (
    <div role="status" data-region={connection().state === 'reconnecting' ? '' : undefined}>
      <Switch>
        <Match when={connection().state === 'offline'}>
          <Line calm={false}>
            <Icon name="nowifi" />
            <span>
              <b>{t('net.offline')}</b>
              <Show when={chat.state.unsent > 0}> {t('net.offlineWait', { n: chat.state.unsent })}</Show>
            </span>
          </Line>
        </Match>
        <Match when={connection().state === 'reconnecting'}>
          <Line calm>
            <Reconnecting nextTryAt={connection().nextTryAt} />
          </Line>
        </Match>
        <Match when={catchingUp()}>
          <Line calm>
            <span class="spin" aria-hidden="true" />
            <span>{t('net.catching')}</span>
          </Line>
        </Match>
        <Match when={connection().caughtUp}>
          <Line calm>
            <Icon name="check" />
            <span>{t('net.back')}</span>
          </Line>
        </Match>
      </Switch>
    </div>
  );
}
