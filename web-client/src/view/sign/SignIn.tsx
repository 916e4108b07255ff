/** Signing in. What was typed stays, whatever happens; the reason of a failure stands above the button and has the focus. */
import { createEffect, createSignal, lazy, Match, on, onMount, Show, Suspense, Switch } from 'solid-js';
import type { Failure } from '../../model';
import { t } from '../../words';
import { useArriving } from '../chat';
import { failureWords } from '../failure';
import { Field } from '../parts/Field';
import { Icon } from '../parts/Icon';
import { follow, invitation, paths } from '../route';
import { countdown, createTicker } from '../time';
import { SignFrame } from './SignFrame';

const Invited = lazy(() => import('./Invited'));

function words(failure: Failure): string {
  if (failure.reason === 'invalid_credentials') return t('signin.invalid');
  if (failure.reason === 'unreachable' || failure.reason === 'timed_out') return t('signin.unreachable');
  return failureWords(failure);
}

/** What went wrong. A time to wait is counted down. */
export function Trouble(props: { failure: Failure; since: number; words: (failure: Failure) => string; onRetry?: () => void }) {
  const now = createTicker();
  let line!: HTMLDivElement;
  onMount(() => line.focus());
  createEffect(on(() => props.since, () => line.focus(), { defer: true }));
  const left = (): number => props.since + (props.failure.retryAfterMs ?? 0) - now();
  const waits = (): boolean => props.failure.reason === 'too_frequent' && left() > 0;
  const unreachable = (): boolean => props.failure.reason === 'unreachable' || props.failure.reason === 'timed_out';
  return (
    <div class="note bad" ref={line} tabindex="-1" role="alert">
      <Icon name="alert" />
      <span class="grow">
        <Switch fallback={props.words(props.failure)}>
          <Match when={waits()}>{t('signin.wait', { time: countdown(left()) })}</Match>
        </Switch>
      </span>
      <Show when={unreachable() && props.onRetry}>
        <button type="button" class="lk" onClick={() => props.onRetry?.()}>
          {t('act.retry')}
        </button>
      </Show>
    </div>
  );
}

export function SignIn() {
  const chat = useArriving();
  const server = () => chat.now()?.state.server;
  const last = (): string => {
    const session = chat.now()?.state.session;
    return session?.phase === 'signed_out' ? (session.username ?? '') : '';
  };
  const [username, setUsername] = createSignal(last());
  createEffect(on(last, (name) => username() === '' && setUsername(name), { defer: true }));
  const [password, setPassword] = createSignal('');
  const [busy, setBusy] = createSignal(false);
  const [missing, setMissing] = createSignal<'username' | 'password'>();
  const [trouble, setTrouble] = createSignal<{ failure: Failure; since: number }>();
  let form!: HTMLFormElement;
  const focus = (index: number): void => form.querySelectorAll('input')[index]?.focus();
  onMount(() => {
    document.title = `${t('signin.go')} · ${t('app.name')}`;
    focus(username() ? 1 : 0);
  });

  const submit = async (event?: Event): Promise<void> => {
    event?.preventDefault();
    if (busy()) return;
    const lacks = username().trim() ? (password() ? undefined : 'password') : 'username';
    setMissing(lacks);
    if (lacks) return focus(lacks === 'username' ? 0 : 1);
    setBusy(true);
    const outcome = await (await chat.ready).logIn(username().trim(), password());
    setBusy(false);
    if (!outcome.ok) setTrouble({ failure: outcome.failure, since: Date.now() });
  };

  return (
    <SignFrame>
      <form class="card" ref={form} onSubmit={(event) => void submit(event)} novalidate>
        <h1>{t('signin.title', { server: server()?.name ?? t('app.name') })}</h1>
        <p class="lead">{location.host}</p>
        <Show when={invitation()}>
          <Suspense>
            <Invited />
          </Suspense>
        </Show>
        <Show when={trouble()}>{(now) => <Trouble {...now()} words={words} onRetry={() => void submit()} />}</Show>
        <Field
          label={t('signin.username')}
          autocomplete="username"
          plain
          value={username()}
          onInput={setUsername}
          error={missing() === 'username' ? t('signin.needUsername') : undefined}
        />
        <Field
          label={t('signin.password')}
          type="password"
          autocomplete="current-password"
          plain
          value={password()}
          onInput={setPassword}
          error={missing() === 'password' ? t('signin.needPassword') : undefined}
        />
        <button type="submit" class="btn primary wide" aria-disabled={busy()}>
          {busy() ? t('signin.going') : t('signin.go')}
        </button>
        <p class="hint">
          <Icon name="swap" small />
          <span>{t('signin.hint')}</span>
        </p>
        <Show when={server()?.sign_up !== false}>
          <p class="fine center">
            {t('signin.new')}{' '}
            <a class="lk" href={paths.signUp} onClick={follow}>
              {t('signin.create')}
            </a>
          </p>
        </Show>
      </form>
    </SignFrame>
  );
}
