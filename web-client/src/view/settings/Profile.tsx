/** What others read as my name. */
import { createSignal } from 'solid-js';
import { t } from '../../words';
import { useChat } from '../chat';
import { failureWords } from '../failure';
import { toast } from '../layers';
import { Field } from '../parts/Field';
import { Avatar } from '../parts/Person';

const nameChars = 64;

export function Profile() {
  const chat = useChat();
  const user = () => (chat.state.session.phase === 'in' ? chat.state.session.user : undefined);
  const [name, setName] = createSignal(user()?.display_name ?? '');
  const [busy, setBusy] = createSignal(false);
  const [error, setError] = createSignal<string>();

  const save = async (event: Event): Promise<void> => {
    event.preventDefault();
    const written = name().trim();
    if (busy() || written === user()?.display_name) return;
    if (written === '' || [...written].length > nameChars) return void setError(t('signup.badName', { n: nameChars }));
    setBusy(true);
    const outcome = await chat.updateProfile(written);
    setBusy(false);
    setError(outcome.ok ? undefined : failureWords(outcome.failure));
    if (outcome.ok) toast(t('settings.nameSaved'));
  };

  return (
    <>
      <h1 tabindex="-1">{t('settings.profile')}</h1>
      <form class="narrow" onSubmit={(event) => void save(event)} novalidate>
        <div class="who">
          <Avatar user={user()} size={44} />
          <p>
            <b>{user()?.username}</b>
            <small>{t('settings.usernameFixed')}</small>
          </p>
        </div>
        <Field
          label={t('signup.name')}
          autocomplete="name"
          value={name()}
          onInput={setName}
          hint={t('signup.nameHint')}
          error={error()}
        />
        <div class="go">
          <button type="submit" class="btn primary" aria-disabled={busy()}>
            {busy() ? t('act.saving') : t('act.save')}
          </button>
        </div>
      </form>
    </>
  );
}
