/** Where this account is signed in. */
import { createEffect, createSignal, For, on, Show } from 'solid-js';
import type { DeviceClass, Session } from '../../model';
import { t } from '../../words';
import { useChat } from '../chat';
import { failureWords } from '../failure';
import { openDialog, toast } from '../layers';
import { Icon, type IconName } from '../parts/Icon';
import { cleanName } from '../parts/Person';
import { sentenceTime } from '../time';

const icons: Record<DeviceClass, IconName> = { desktop: 'desktop', phone: 'phone', tablet: 'tablet', bot: 'keyboard' };

function SessionRow(props: { session: Session; online: boolean }) {
  const chat = useChat();
  const [busy, setBusy] = createSignal(false);
  const name = (): string => cleanName(props.session.device.name) || t('ended.unknownDevice');
  const signOut = async (): Promise<void> => {
    if (props.session.current) return openDialog({ kind: 'sign-out' });
    if (busy()) return;
    setBusy(true);
    const outcome = await chat.endSession(props.session.id);
    setBusy(false);
    toast(outcome.ok ? t('sessions.out', { device: name() }) : failureWords(outcome.failure));
  };
  return (
    <li class="ses" classList={{ cur: props.session.current }}>
      <span class="di">
        <Icon name={icons[props.session.device.class]} />
      </span>
      <div class="grow">
        <div class="t">
          <b>
            <bdi>{name()}</bdi>
          </b>
          <Show when={props.session.current}>
            <span class="tag ok">{t('sessions.this')}</span>
          </Show>
        </div>
        <small>{props.session.place}</small>
        <small class="num">
          {t('sessions.times', { from: sentenceTime(props.session.started_at), used: sentenceTime(props.session.used_at) })}
        </small>
      </div>
      <button
        type="button"
        class="btn sm"
        classList={{ warn: !props.session.current }}
        disabled={!props.online && !props.session.current}
        aria-disabled={busy()}
        aria-label={`${t('sessions.signOut')}, ${name()}`}
        onClick={() => void signOut()}
      >
        {busy() ? t('sessions.signingOut') : t('sessions.signOut')}
      </button>
    </li>
  );
}

function Skeletons() {
  return (
    <For each={['w40', 'w60']}>
      {(width) => (
        <li class="ses" aria-hidden="true">
          <span class="di" />
          <div class="grow">
            <span class={`sk ${width}`} />
          </div>
        </li>
      )}
    </For>
  );
}

export function Sessions() {
  const chat = useChat();
  const online = (): boolean => chat.state.connection.state === 'connected';
  const view = () => chat.state.sessions;
  createEffect(
    on(online, (now) => {
      if (now || view().status === 'idle') void chat.listSessions();
    }),
  );
  return (
    <>
      <h1 tabindex="-1">{t('settings.sessions')}</h1>
      <p class="lead">{t('sessions.lead')}</p>
      <h2>{t('sessions.now')}</h2>
      <Show when={!online()}>
        <p class="hint">
          <Icon name="nowifi" small />
          <span>{t('settings.offline')}</span>
        </p>
      </Show>
      <Show
        when={view().status !== 'error' || view().sessions.length > 0}
        fallback={
          <p class="note bad" role="alert">
            <span class="grow">{t('sessions.failed')}</span>
            <button type="button" class="lk" onClick={() => void chat.listSessions()}>
              {t('act.retry')}
            </button>
          </p>
        }
      >
        <ul class="rows">
          <Show when={view().sessions.length > 0} fallback={<Skeletons />}>
            <For each={view().sessions}>{(session) => <SessionRow session={session} online={online()} />}</For>
          </Show>
        </ul>
      </Show>
    </>
  );
}
