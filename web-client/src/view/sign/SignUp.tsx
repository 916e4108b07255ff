/** Making an account: a username, a password, and the name that others read. Rules are said before they are broken. */
import { createSignal, lazy, onMount, Show, Suspense } from 'solid-js';
import type { Failure } from '../../model';
import { t } from '../../words';
import { useArriving } from '../chat';
import { failureWords } from '../failure';
import { Field } from '../parts/Field';
import { follow, invitation, paths } from '../route';
import { SignFrame } from './SignFrame';
import { Trouble } from './SignIn';

const Invited = lazy(() => import('./Invited'));

const usernameRule = /^[a-z0-9._-]{2,32}$/i;
const usernameChars = { least: '2', most: '32' };
const nameChars = 64;

type FieldName = 'username' | 'password' | 'display_name';
type Errors = Partial<Record<FieldName, string>>;

export default function SignUp() {
  const chat = useArriving();
  const server = () => chat.now()?.state.server;
  const [name, setName] = createSignal('');
  const [username, setUsername] = createSignal('');
  const [password, setPassword] = createSignal('');
  const [busy, setBusy] = createSignal(false);
  const [errors, setErrors] = createSignal<Errors>({});
  const [trouble, setTrouble] = createSignal<{ failure: Failure; since: number }>();
  let form!: HTMLFormElement;
  const order: readonly FieldName[] = ['display_name', 'username', 'password'];
  const focusFirst = (found: Errors): void => {
    const index = order.findIndex((field) => found[field] !== undefined);
    form.querySelectorAll('input')[Math.max(0, index)]?.focus();
  };
  onMount(() => {
    document.title = `${t('signup.go')} · ${t('app.name')}`;
    focusFirst({});
  });
  const rules = (): { least: number; most: number } => server()?.password ?? { least: 8, most: 256 };

  const check = (): Errors => ({
    ...([...name().trim()].length > nameChars ? { display_name: t('signup.badName', { n: nameChars }) } : {}),
    ...(usernameRule.test(username().trim()) ? {} : { username: t('signup.badUsername', usernameChars) }),
    ...([...password()].length < rules().least ? { password: t('signup.weak') } : {}),
  });
  const refuse = (failure: Failure): void => {
    const found: Errors = {};
    if (failure.reason === 'username_taken') found.username = t('signup.taken');
    else if (failure.field === 'password') found.password = t('signup.weak');
    else if (failure.field === 'username') found.username = t('signup.badUsername', usernameChars);
    else if (failure.field === 'display_name') found.display_name = t('signup.badName', { n: nameChars });
    else setTrouble({ failure, since: Date.now() });
    setErrors(found);
    if (Object.keys(found).length > 0) focusFirst(found);
  };
  const submit = async (event?: Event): Promise<void> => {
    event?.preventDefault();
    if (busy()) return;
    const found = check();
    setErrors(found);
    setTrouble(undefined);
    if (Object.keys(found).length > 0) return focusFirst(found);
    setBusy(true);
    const displayName = name().trim();
    const outcome = await (await chat.ready).signUp({ username: username().trim(), password: password(), ...(displayName ? { displayName } : {}) });
    setBusy(false);
    if (!outcome.ok) refuse(outcome.failure);
  };

  return (
    <SignFrame>
      <form class="card" ref={form} onSubmit={(event) => void submit(event)} novalidate>
        <h1>{t('signup.title')}</h1>
        <p class="lead">{t('signup.lead', { server: server()?.name ?? t('app.name') })}</p>
        <Show when={invitation()}>
          <Suspense>
            <Invited />
          </Suspense>
        </Show>
        <Show when={server()?.sign_up !== false} fallback={<p class="note">{t('signup.closed')}</p>}>
          <Show when={trouble()}>{(now) => <Trouble {...now()} words={failureWords} onRetry={() => void submit()} />}</Show>
          <Field
            label={t('signup.name')}
            aside={t('signup.optional')}
            autocomplete="name"
            value={name()}
            onInput={setName}
            hint={t('signup.nameHint')}
            error={errors().display_name}
          />
          <Field
            label={t('signin.username')}
            autocomplete="username"
            plain
            value={username()}
            onInput={setUsername}
            hint={t('signup.usernameHint', usernameChars)}
            error={errors().username}
          />
          <Field
            label={t('signin.password')}
            type="password"
            autocomplete="new-password"
            plain
            value={password()}
            onInput={setPassword}
            hint={t('signup.passwordHint', { n: rules().least })}
            error={errors().password}
          />
          <button type="submit" class="btn primary wide" aria-disabled={busy()}>
            {busy() ? t('signup.going') : t('signup.go')}
          </button>
        </Show>
        <p class="fine center">
          {t('signup.have')}{' '}
          <a class="lk" href={paths.home} onClick={follow}>
            {t('signin.go')}
          </a>
        </p>
      </form>
    </SignFrame>
  );
}
